#include "common/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 32 };

struct settings {
	struct options options;
	bool bold;
	const char *text;
	uint64_t number;
	double rate;
	double wait;
	unsigned colour;
};

static const char *const colours[] = { "red", "blue", NULL };

static const struct option_row rows[] = {
	{ .name = "bold",
	  .letter = 'b',
	  .env = "TEST_BOLD",
	  .type = OPTION_FLAG,
	  .offset = offsetof(struct settings, bold),
	  .help = "b" },
	{ .name = "some-text", .type = OPTION_STRING, .offset = offsetof(struct settings, text), .value = "TEXT", .help = "t" },
	{ .name = "number",
	  .letter = 'n',
	  .type = OPTION_UINT,
	  .offset = offsetof(struct settings, number),
	  .min = 1,
	  .help = "n" },
	{ .name = "rate",
	  .env = "TEST_RATE",
	  .type = OPTION_DOUBLE,
	  .offset = offsetof(struct settings, rate),
	  .min = 0.1,
	  .max = 1000,
	  .help = "r" },
	{ .name = "wait",
	  .type = OPTION_DURATION,
	  .offset = offsetof(struct settings, wait),
	  .max = 7200,
	  .no_file = true,
	  .help = "w" },
	{ .name = "colour", .type = OPTION_CHOICE, .offset = offsetof(struct settings, colour), .choices = colours, .help = "c" },
	{ 0 },
};

static const struct option_program program = {
	.name = "tester",
	.section = "test",
	.summary = "Tests.",
	.operands = "FILE...",
	.rows = rows,
	.max_operands = 2,
};

static char directory[] = "/tmp/agentbus-options-XXXXXX";
static char config[64];

static void
make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(config, sizeof(config), "%s/agentbus.conf", directory);
	setenv("XDG_CONFIG_HOME", directory, 1);
	unsetenv("AGENTBUS_CONFIG");
	unsetenv("AGENTBUS_RUNTIME_DIR");
	cr_redirect_stdout();
	cr_redirect_stderr();
}

static void
remove_directory(void)
{
	unlink(config);
	rmdir(directory);
}

TestSuite(options, .init = make_directory, .fini = remove_directory);

static void
write_config(const char *text)
{
	FILE *file = fopen(config, "w");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

/* Parses a command line of words; -1 to go on, else the exit status. */
static int
parse(struct settings *s, char *line, char ***ret_operands)
{
	static char *argv[MAX_ARGUMENTS];
	static char **operands;
	int argc = 0, status = -2;

	argv[argc++] = "tester";
	for (char *word = strtok(line, " "); word && argc < MAX_ARGUMENTS - 1; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	if (!options_parse(&program, &s->options, argc, argv, ret_operands ? ret_operands : &operands, &status))
		return status;
	return -1;
}

static void
expect_complaint(const char *text)
{
	char expected[512];

	snprintf(expected, sizeof(expected), "%s\n", text);
	fflush(stderr);
	cr_expect_stderr_eq_str(expected);
}

/* One mistake: exit status 2, one line, and no setting touched that the mistake is about. */
static void
expect_refusal(const char *line, const char *complaint)
{
	struct settings s = { .rate = 10 };
	char words[256];

	snprintf(words, sizeof(words), "%s", line);
	cr_expect_eq(parse(&s, words, NULL), 2);
	cr_expect_eq(s.rate, 10);
	options_finish(&s.options);
	expect_complaint(complaint);
}

Test(options, defaults_stay)
{
	struct settings s = { .text = "default", .rate = 10, .colour = 1 };
	char line[] = "";

	cr_assert_eq(parse(&s, line, NULL), -1);
	cr_assert_str_eq(s.text, "default");
	cr_assert_eq(s.rate, 10);
	cr_assert_eq(s.colour, 1);
	cr_assert_null(s.options.runtime_dir);
	options_finish(&s.options);
}

Test(options, command_line)
{
	struct settings s = { .options = { 0 } };
	char line[] =
	    "one -b --some-text=a --number 18446744073709551615 --rate .5 --wait 1h0.5m --colour blue --runtime-dir /r two";
	char **operands;

	cr_assert_eq(parse(&s, line, &operands), -1);
	cr_assert(s.bold);
	cr_assert_str_eq(s.text, "a");
	cr_assert_eq(s.number, UINT64_MAX);
	cr_assert_eq(s.rate, 0.5);
	cr_assert_eq(s.wait, 3630);
	cr_assert_eq(s.colour, 1);
	cr_assert_str_eq(s.options.runtime_dir, "/r");
	cr_assert_str_eq(operands[0], "one");
	cr_assert_str_eq(operands[1], "two");
	cr_assert_null(operands[2]);
	options_finish(&s.options);
}

Test(options, the_last_one_counts)
{
	struct settings s = { .options = { 0 } };
	char line[] = "--rate 1 --bold --rate 2 --no-bold";

	cr_assert_eq(parse(&s, line, NULL), -1);
	cr_assert_eq(s.rate, 2);
	cr_assert_not(s.bold);
}

Test(options, two_dashes_end_options)
{
	struct settings s = { .options = { 0 } };
	char line[] = "-- --bold -x", **operands;

	cr_assert_eq(parse(&s, line, &operands), -1);
	cr_assert_str_eq(operands[0], "--bold");
	cr_assert_not(s.bold);
}

/* Command line over environment over file, per option. */
Test(options, precedence)
{
	struct settings s = { .options = { 0 } };
	char *env_config,
	    config_text[] = "[other]\nrate = nonsense\n[test]\n# why\nrate = 1\nbold = yes\nnumber = 3\ncolour = blue\n";
	char line[] = "--number 4";

	mkdir(directory, 0700);
	write_config(config_text);
	cr_assert_geq(asprintf(&env_config, "%s", config), 0);
	setenv("AGENTBUS_CONFIG", env_config, 1);
	setenv("TEST_RATE", "2", 1);
	setenv("TEST_BOLD", "", 1);
	cr_assert_eq(parse(&s, line, NULL), -1);
	cr_assert_eq(s.rate, 2, "environment over file");
	cr_assert_eq(s.number, 4, "command line over file");
	cr_assert(s.bold, "an empty variable is none");
	cr_assert_eq(s.colour, 1, "file over default");
	options_finish(&s.options);
	free(env_config);
}

Test(options, text_of_the_file_is_kept)
{
	struct settings s = { .options = { 0 } };
	char line[128];

	write_config("[test]\nsome_text = a b ; why\nruntime-dir = /from/file\n");
	snprintf(line, sizeof(line), "--config %s", config);
	cr_assert_eq(parse(&s, line, NULL), -1);
	write_config("[test]\nsome-text = changed\n");
	cr_assert_str_eq(s.text, "a b");
	cr_assert_str_eq(s.options.runtime_dir, "/from/file");
	options_finish(&s.options);
	cr_assert_null(s.options.texts);
}

Test(options, mistakes_of_the_file_name_their_line)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{ "[test]\n\nrates = 1\n", ":3: unknown key 'rates' in section [test]" },
		{ "[test]\nrate = 0.01\nnumber = x\n", ":2: rate: '0.01' is not a number from 0.1 to 1000" },
		{ "[test]\njunk\nrate = x\n", ":2: neither [section] nor key = value" },
		{ "[test]\nbold = maybe\n", ":2: bold: 'maybe' is not yes or no" },
		{ "[test]\ncolour = green\n", ":2: colour: 'green' is not one of these words: red blue" },
		{ "[test]\nwait = 5\n", ":2: unknown key 'wait' in section [test]" },
		{ "[test]\nconfig = x\n", ":2: unknown key 'config' in section [test]" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings s = { .options = { 0 } };
		char line[128];

		write_config(cases[i].text);
		snprintf(line, sizeof(line), "--config %s", config);
		cr_expect_eq(parse(&s, line, NULL), 2, "case %zu", i);
		options_finish(&s.options);
	}
	fflush(stderr);
	FILE *messages = cr_get_redirected_stderr();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[256], got[256] = "";

		snprintf(expected, sizeof(expected), "tester: %s%s\n", config, cases[i].complaint);
		cr_expect_not_null(fgets(got, sizeof(got), messages));
		cr_expect_str_eq(got, expected);
	}
}

Test(options, long_line_of_the_file)
{
	char text[400] = "[test]\nsome-text = ", line[128], complaint[256];

	memset(text + strlen(text), 'x', 300);
	write_config(text);
	snprintf(line, sizeof(line), "--config %s", config);
	snprintf(complaint, sizeof(complaint), "tester: %s:2: the line is longer than 198 bytes", config);
	expect_refusal(line, complaint);
}

Test(options, file_that_is_named_must_exist)
{
	expect_refusal("--config /nonexistent/agentbus.conf", "tester: /nonexistent/agentbus.conf: No such file or directory");
}

Test(options, unknown)
{
	expect_refusal("--nope", "tester: unknown or ambiguous option --nope (see tester --help)");
}

Test(options, without_argument)
{
	expect_refusal("--rate", "tester: no argument to --rate (see tester --help)");
}

Test(options, out_of_range)
{
	expect_refusal("--rate 1001", "tester: --rate: '1001' is not a number from 0.1 to 1000");
}

Test(options, environment_out_of_range)
{
	setenv("TEST_RATE", "fast", 1);
	expect_refusal("", "tester: TEST_RATE: 'fast' is not a number from 0.1 to 1000");
}

Test(options, too_many_operands)
{
	expect_refusal("a b c", "tester: unexpected argument c (see tester --help)");
}

Test(options, version)
{
	struct settings s = { .options = { 0 } };
	char line[] = "--version";

	cr_assert_eq(parse(&s, line, NULL), 0);
	fflush(stdout);
	cr_assert_stdout_eq_str("tester " AGENTBUS_VERSION "\n");
}

/* --help works whatever the file says, and names every option. */
Test(options, help)
{
	struct settings s = { .options = { 0 } };
	char line[128], text[4096];
	size_t len;

	write_config("[test]\njunk\n");
	snprintf(line, sizeof(line), "--config %s -h", config);
	cr_assert_eq(parse(&s, line, NULL), 0);
	fflush(stdout);
	len = fread(text, 1, sizeof(text) - 1, cr_get_redirected_stdout());
	text[len] = '\0';
	cr_assert_not_null(strstr(text, "usage: tester [options] FILE...\n"));
	for (const struct option_row *row = rows; row->name; row++)
		cr_expect_not_null(strstr(text, row->name), "%s", row->name);
	cr_expect_not_null(strstr(text, "--runtime-dir DIR"));
	cr_expect_not_null(strstr(text, "--config FILE"));
}
