#include "common/options.h"

#include "common/option_value.h"

#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A string of the configuration file, kept for the client. */
struct options_text {
	struct options_text *next;
	char text[];
};

/* The rows of a program and of everybody, numbered together. */
enum { STANDARD_HELP, STANDARD_VERSION };
enum { MAX_ROWS = 64 };

/* getopt_long() answers with a row's number plus one of these. */
enum { CODE_ROW = 256, CODE_NEGATED = CODE_ROW + MAX_ROWS, CODE_STANDARD = CODE_NEGATED + MAX_ROWS };

struct parse {
	const struct option_program *program;
	struct options *options;
	const struct option_row *rows[MAX_ROWS];
	bool taken[MAX_ROWS]; /* by a stronger source already */
	size_t count;
	/* the configuration file */
	FILE *file;
	int line;
	int bad_line; /* whose mistake is in message */
	char message[256];
};

static const struct option_row standard_rows[] = {
	{
	    .name = "runtime-dir",
	    .env = "AGENTBUS_RUNTIME_DIR",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct options, runtime_dir),
	    .value = "DIR",
	    .help = "where the broker's sockets are (default $XDG_RUNTIME_DIR/agentbus)",
	},
	{
	    .name = "config",
	    .env = "AGENTBUS_CONFIG",
	    .type = OPTION_STRING,
	    .no_file = true,
	    .offset = offsetof(struct options, config),
	    .value = "FILE",
	    .help = "configuration file (default $XDG_CONFIG_HOME/agentbus/agentbus.conf)",
	},
};

static bool
set(struct parse *p, const struct option_row *row, const char *text)
{
	return option_value_store(row, text, (char *)p->options + row->offset);
}

/* --- messages --- */

__attribute__((format(printf, 2, 3))) static void
complain(const struct parse *p, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", p->program->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void
complain_usage(const struct parse *p, const char *what, const char *which)
{
	const char *verb = p->program->verb;

	complain(p, "%s%s (see %s%s%s --help)", what, which, p->program->name, verb ? " " : "", verb ? verb : "");
}

/* --- help --- */

static void
print_row(const struct option_row *row)
{
	char left[64];
	int n = row->letter ? snprintf(left, sizeof(left), "-%c, ", row->letter) : snprintf(left, sizeof(left), "    ");

	snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
	printf("  %-24s %s\n", left, row->help);
}

static void
print_help(const struct parse *p)
{
	const struct option_program *program = p->program;

	printf("usage: %s%s%s [options]%s%s\n\n%s\n\n", program->name, program->verb ? " " : "",
	       program->verb ? program->verb : "", program->operands ? " " : "", program->operands ? program->operands : "",
	       program->summary);
	for (size_t i = 0; i < p->count; i++)
		print_row(p->rows[i]);
	print_row(&(struct option_row){ .name = "help", .letter = 'h', .help = "print this and exit" });
	print_row(&(struct option_row){ .name = "version", .help = "print the version and exit" });
}

/* --- command line --- */

/* What getopt_long() needs for our rows; each flag gets a --no- twin, whose name comes from negated. */
struct getopt_table {
	struct option longs[2 * MAX_ROWS + 3];
	char negated[MAX_ROWS][48];
	char letters[2 * MAX_ROWS + 4];
};

static void
getopt_table_fill(struct getopt_table *t, const struct parse *p)
{
	size_t longs = 0, letters = 0;

	t->letters[letters++] = ':'; /* tell a missing argument from an unknown option */
	t->letters[letters++] = 'h';
	for (size_t i = 0; i < p->count; i++) {
		const struct option_row *row = p->rows[i];
		bool flag = row->type == OPTION_FLAG;

		t->longs[longs++] = (struct option){ row->name, flag ? no_argument : required_argument, NULL, CODE_ROW + (int)i };
		if (row->letter) {
			t->letters[letters++] = row->letter;
			if (!flag)
				t->letters[letters++] = ':';
		}
		if (flag) {
			snprintf(t->negated[i], sizeof(t->negated[i]), "no-%s", row->name);
			t->longs[longs++] = (struct option){ t->negated[i], no_argument, NULL, CODE_NEGATED + (int)i };
		}
	}
	t->letters[letters] = '\0';
	t->longs[longs++] = (struct option){ "help", no_argument, NULL, CODE_STANDARD + STANDARD_HELP };
	t->longs[longs++] = (struct option){ "version", no_argument, NULL, CODE_STANDARD + STANDARD_VERSION };
	t->longs[longs] = (struct option){ 0 };
}

/* The number of a row that getopt_long() means, and whether it negates it. */
static size_t
row_of(const struct parse *p, int code, bool *ret_negated)
{
	*ret_negated = code >= CODE_NEGATED && code < CODE_STANDARD;
	if (code >= CODE_NEGATED)
		return (size_t)(code - CODE_NEGATED);
	if (code >= CODE_ROW)
		return (size_t)(code - CODE_ROW);
	for (size_t i = 0; i < p->count; i++) {
		if (p->rows[i]->letter == code)
			return i;
	}
	return 0;
}

static bool
apply_argument(struct parse *p, int code)
{
	bool negated;
	size_t i = row_of(p, code, &negated);
	const struct option_row *row = p->rows[i];
	const char *text = row->type != OPTION_FLAG ? optarg : negated ? "no" : "yes";
	char wanted[160];

	p->taken[i] = true;
	if (set(p, row, text))
		return true;
	option_value_describe(row, wanted, sizeof(wanted));
	complain(p, "--%s: '%s' is not %s", row->name, text, wanted);
	return false;
}

/* Returns true to go on; else *ret_status is final. */
static bool
apply_command_line(struct parse *p, int argc, char **argv, int *ret_status)
{
	struct getopt_table table;
	int code;

	getopt_table_fill(&table, p);
	opterr = 0;
	optind = 0; /* makes glibc and musl start afresh, so that a verb can parse after its program did */
	while ((code = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1) {
		*ret_status = 2;
		if (code == '?' || code == ':') {
			char *which = argv[optind - 1];

			complain_usage(p, code == ':' ? "no argument to " : "unknown or ambiguous option ", which);
			return false;
		}
		if (code == 'h' || code == CODE_STANDARD + STANDARD_HELP) {
			print_help(p);
			*ret_status = 0;
			return false;
		}
		if (code == CODE_STANDARD + STANDARD_VERSION) {
			printf("%s %s\n", p->program->name, AGENTBUS_VERSION);
			*ret_status = 0;
			return false;
		}
		if (!apply_argument(p, code))
			return false;
	}
	return true;
}

static bool
check_operands(const struct parse *p, char **operands)
{
	int count = 0;

	while (operands[count])
		count++;
	if (count < p->program->min_operands) {
		complain_usage(p, "missing ", p->program->operands);
		return false;
	}
	if (count > p->program->max_operands) {
		complain_usage(p, "unexpected argument ", operands[p->program->max_operands]);
		return false;
	}
	return true;
}

/* --- environment --- */

static bool
apply_environment(struct parse *p)
{
	char wanted[160];

	for (size_t i = 0; i < p->count; i++) {
		const struct option_row *row = p->rows[i];
		const char *text = p->taken[i] || !row->env ? NULL : getenv(row->env);

		if (!text || !*text)
			continue;
		p->taken[i] = true;
		if (!set(p, row, text)) {
			option_value_describe(row, wanted, sizeof(wanted));
			complain(p, "%s: '%s' is not %s", row->env, text, wanted);
			return false;
		}
	}
	return true;
}

/* --- configuration file --- */

/* Whether key spells name, with - and _ alike. */
static bool
same_key(const char *key, const char *name)
{
	for (; *key && *name; key++, name++) {
		if (*key != *name && !(*key == '_' && *name == '-'))
			return false;
	}
	return *key == *name;
}

static const char *
keep_text(struct options *o, const char *text)
{
	size_t size = strlen(text) + 1;
	struct options_text *t = malloc(sizeof(*t) + size);

	if (!t)
		return NULL;
	memcpy(t->text, text, size);
	t->next = o->texts;
	o->texts = t;
	return t->text;
}

__attribute__((format(printf, 2, 3))) static int
refuse_line(struct parse *p, const char *format, ...)
{
	va_list ap;

	if (p->bad_line == 0) {
		p->bad_line = p->line;
		va_start(ap, format);
		vsnprintf(p->message, sizeof(p->message), format, ap);
		va_end(ap);
	}
	return 0;
}

/* inih's callback: 1 takes the line, 0 makes it a mistake. */
static int
apply_key(void *user, const char *section, const char *key, const char *value)
{
	struct parse *p = user;
	char wanted[160];

	if (strcmp(section, p->program->section) != 0)
		return 1;
	for (size_t i = 0; i < p->count; i++) {
		const struct option_row *row = p->rows[i];

		if (row->no_file || !same_key(key, row->name))
			continue;
		if (p->taken[i])
			return 1;
		const char *text = row->type == OPTION_STRING ? keep_text(p->options, value) : value;

		if (text && set(p, row, text))
			return 1;
		option_value_describe(row, wanted, sizeof(wanted));
		return refuse_line(p, "%s: '%s' is not %s", key, value, wanted);
	}
	return refuse_line(p, "unknown key '%s' in section [%s]", key, section);
}

/* inih's fgets(): counts lines, and refuses one that inih would cut in two. */
static char *
read_line(char *out, int size, void *user)
{
	struct parse *p = user;
	char *line = fgets(out, size, p->file);

	if (!line)
		return NULL;
	p->line++;
	if (strlen(line) == (size_t)size - 1 && line[size - 2] != '\n') {
		refuse_line(p, "the line is longer than %d bytes", size - 2);
		for (int c = 0; c != EOF && c != '\n';)
			c = fgetc(p->file);
	}
	return line;
}

/* The path of the user's own configuration file in out, "" if there is no home for it. */
static void
default_path(char *out, size_t size)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = 0;

	if (xdg && xdg[0] == '/')
		n = snprintf(out, size, "%s/agentbus/agentbus.conf", xdg);
	else if (home && home[0] == '/')
		n = snprintf(out, size, "%s/.config/agentbus/agentbus.conf", home);
	if (n <= 0 || (size_t)n >= size)
		out[0] = '\0';
}

static bool
apply_file(struct parse *p)
{
	char path[4096];
	int bad;

	if (!p->program->section)
		return true;
	if (p->options->config)
		snprintf(path, sizeof(path), "%s", p->options->config);
	else
		default_path(path, sizeof(path));
	p->file = fopen(path, "re");
	if (!p->file) {
		if (!p->options->config && (errno == ENOENT || errno == ENOTDIR))
			return true;
		complain(p, "%s: %s", path, strerror(errno));
		return false;
	}
	bad = ini_parse_stream(read_line, p, apply_key, p);
	if (ferror(p->file) && bad == 0 && p->bad_line == 0)
		complain(p, "%s: cannot read it", path);
	else if (p->bad_line && (bad <= 0 || p->bad_line <= bad))
		complain(p, "%s:%d: %s", path, p->bad_line, p->message);
	else if (bad)
		complain(p, "%s:%d: neither [section] nor key = value", path, bad);
	bad |= p->bad_line | ferror(p->file);
	fclose(p->file);
	return bad == 0;
}

/* --- all together --- */

static void
gather_rows(struct parse *p)
{
	for (const struct option_row *row = p->program->rows; row && row->name && p->count < MAX_ROWS - COUNT(standard_rows);
	     row++)
		p->rows[p->count++] = row;
	for (size_t i = 0; i < COUNT(standard_rows); i++)
		p->rows[p->count++] = &standard_rows[i];
}

bool
options_parse(const struct option_program *program, struct options *o, int argc, char **argv, char ***ret_operands,
	      int *ret_status)
{
	struct parse p = { .program = program, .options = o };

	gather_rows(&p);
	if (!apply_command_line(&p, argc, argv, ret_status))
		return false;
	*ret_status = 2;
	if (!check_operands(&p, argv + optind) || !apply_environment(&p) || !apply_file(&p))
		return false;
	*ret_operands = argv + optind;
	return true;
}

void
options_finish(struct options *o)
{
	while (o->texts) {
		struct options_text *next = o->texts->next;

		free(o->texts);
		o->texts = next;
	}
}
