/* agentbus pricing: the prices in force, whether a file of them is right, and those of LiteLLM in our form. Needs no broker. */
#include "common/options.h"
#include "price_print.h"
#include "prices/litellm.h"
#include "prices/price_file.h"
#include "prices/price_shipped.h"
#include "prices/price_write.h"
#include "terminal.h"
#include "verb.h"
#include "whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define NS_PER_S     1000000000ull

struct settings {
	struct options options;
	const char *file, *output;
	bool json;
};

static const struct option_row rows[] = {
	{
	    .name = "file",
	    .letter = 'f',
	    .env = "AGENTBUS_PRICING_FILE",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, file),
	    .value = "FILE",
	    .help = "show: prices of your own (default: [pricing] file of the configuration)",
	},
	{
	    .name = "json",
	    .letter = 'j',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, json),
	    .help = "show: print one JSON object",
	},
	{
	    .name = "output",
	    .letter = 'o',
	    .type = OPTION_STRING,
	    .no_file = true,
	    .offset = offsetof(struct settings, output),
	    .value = "FILE",
	    .help = "import: write here, in one step, instead of standard output",
	},
	{ 0 },
};

/* The section is the broker's: what it says of prices holds here, too. */
static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "pricing",
	.section = "pricing",
	.summary = "Shows the prices of models, checks a file of them, or makes one of LiteLLM's list.",
	.operands = "show [MODEL] | check FILE | import FILE",
	.rows = rows,
	.min_operands = 1,
	.max_operands = 2,
};

/* --- reading --- */

static void
report_line(struct price_report *report, const char *text)
{
	(void)report;
	verb_complain("%s", text);
}

static bool
read_prices(const char *path, struct price_list *ret)
{
	struct price_report report = { .line = report_line };
	size_t len;
	char *text;

	if (!whole_file_read(path, PRICE_FILE_MAX, &text, &len)) {
		verb_complain("%s: %s", path, strerror(errno));
		return false;
	}
	const bool ok = price_file_parse(text, len, path, &report, ret);
	free(text);
	return ok;
}

/* --- show --- */

static bool
is_own(const struct price_list *own, const struct price *p)
{
	for (size_t i = 0; i < own->count; i++)
		if (strcmp(own->rows[i].name, p->name) == 0)
			return true;
	return false;
}

/* All prices of the table, or those of the entry that the model has now. Returns how many. */
static size_t
choose(const struct price_table *t, const struct price_list *own, const char *model, struct price_shown *ret)
{
	const struct price *now = model ? price_table_find(t, model, strlen(model), (uint64_t)time(NULL) * NS_PER_S) : NULL;
	size_t n = 0;

	for (size_t i = 0; i < price_table_count(t); i++) {
		const struct price *p = price_table_at(t, i);

		if (!model || (now && strcmp(p->name, now->name) == 0))
			ret[n++] = (struct price_shown){ p, is_own(own, p) };
	}
	return n;
}

static bool
print(const struct settings *s, const struct price_shown *shown, size_t count)
{
	struct terminal_size size = { 0 };

	errno = ENOMEM;
	if (s->json)
		return price_print_json(stdout, shown, count) && fflush(stdout) == 0;
	terminal_measure(&size);
	return price_print_table(stdout, shown, count, size.width, terminal_coloured()) && fflush(stdout) == 0;
}

static int
show_table(const struct settings *s, const struct price_table *t, const struct price_list *own, const char *model)
{
	struct price_shown *shown = calloc(price_table_count(t) + 1, sizeof(*shown));
	const size_t count = shown ? choose(t, own, model, shown) : 0;
	int status = 1;

	if (!shown)
		verb_complain("%s", strerror(ENOMEM));
	else if (model && count == 0)
		verb_complain("%s has no price: its tokens count 5 USD per million, as an estimate", model);
	else if (print(s, shown, count) || errno == EPIPE)
		status = 0;
	else
		verb_complain("cannot print: %s", strerror(errno));
	free(shown);
	return status;
}

static int
show(const struct settings *s, const char *model)
{
	struct price_report report = { .line = report_line };
	struct price_list shipped = { 0 }, own = { 0 };
	struct price_table *t = NULL;
	int status = 1;

	if (price_file_parse((const char *)price_shipped, price_shipped_size, "built-in prices", &report, &shipped) &&
	    (!s->file || !*s->file || read_prices(s->file, &own))) {
		t = price_table_create(&shipped, &own);
		if (t)
			status = show_table(s, t, &own, model);
		else
			verb_complain("%s", strerror(ENOMEM));
	}
	price_table_destroy(t);
	price_list_finish(&shipped);
	price_list_finish(&own);
	return status;
}

/* --- check --- */

static int
check(const struct settings *s, const char *path)
{
	struct price_list list = { 0 };
	const bool ok = read_prices(path, &list);

	(void)s;
	if (ok)
		printf("%s: prices of %zu model%s, all right\n", path, list.count, list.count == 1 ? "" : "s");
	price_list_finish(&list);
	return ok ? 0 : 1;
}

/* --- import --- */

static bool
put(void *ctx, const char *text)
{
	return fputs(text, ctx) >= 0;
}

static bool
fill(FILE *out, void *ctx)
{
	return price_write(ctx, put, out);
}

static void
tell_counts(const struct litellm_counts *c)
{
	verb_complain("%zu model%s taken", c->taken, c->taken == 1 ? "" : "s");
	for (enum litellm_reason r = 0; r < LITELLM_REASONS; r++)
		if (c->left_out[r] > 0)
			verb_complain("%zu left out: %s", c->left_out[r], litellm_reason_words(r));
}

static int
write_prices(const struct settings *s, struct price_list *list)
{
	const bool ok = s->output ? whole_file_write(s->output, fill, list) : fill(stdout, list) && fflush(stdout) == 0;

	if (ok || errno == EPIPE)
		return 0;
	verb_complain("%s: %s", s->output ? s->output : "cannot print", strerror(errno));
	return 1;
}

static int
import(const struct settings *s, const char *path)
{
	struct price_report report = { .line = report_line };
	struct litellm_counts counts;
	struct price_list list = { 0 };
	const time_t now = time(NULL);
	char as_of[PRICE_RATE_TEXT];
	int status = 1;
	size_t len;
	char *text;

	if (!whole_file_read(path, LITELLM_FILE_MAX, &text, &len)) {
		verb_complain("%s: %s", path, strerror(errno));
		return 1;
	}
	price_day_text((uint64_t)now * NS_PER_S, as_of);
	if (litellm_parse(text, len, path, as_of, &report, &list, &counts)) {
		if (counts.taken == 0)
			verb_complain("%s: there is no model in it that has prices", path);
		else
			status = write_prices(s, &list);
		tell_counts(&counts);
	}
	free(text);
	price_list_finish(&list);
	return status;
}

/* --- which of them --- */

static const struct {
	const char *name;
	int (*run)(const struct settings *s, const char *operand);
	bool needs_operand;
} actions[] = {
	{ "show", show, false },
	{ "check", check, true },
	{ "import", import, true },
};

static int
act(const struct settings *s, char **operands)
{
	for (size_t i = 0; i < COUNT(actions); i++) {
		if (strcmp(actions[i].name, operands[0]) != 0)
			continue;
		if (!actions[i].needs_operand || operands[1])
			return actions[i].run(s, operands[1]);
		verb_complain("pricing %s: which file? (see " VERB_PROGRAM " pricing --help)", operands[0]);
		return 2;
	}
	verb_complain("pricing: '%s' is none of show, check, import (see " VERB_PROGRAM " pricing --help)", operands[0]);
	return 2;
}

int
verb_pricing(int argc, char **argv)
{
	struct settings s = { 0 };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status))
		status = act(&s, operands);
	options_finish(&s.options);
	return status;
}
