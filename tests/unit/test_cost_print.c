#include "agentbus/cost_print.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define USD INT64_C(1000000000000)

static const struct period november = { "2026-11-01", "" };

static struct agentbus_usage_row
row_of(const char *key, uint64_t requests, int64_t pico, bool estimated)
{
	return (struct agentbus_usage_row){ .key = key,
					    .provider = "codex",
					    .project = "shop",
					    .requests = requests,
					    .api_errors = requests / 10,
					    .tokens = { 1234 * requests, 100 * requests, 5, 10 * requests, 3 },
					    .cost = {
						.total = pico, .computed = pico, .has_computed = true, .estimated = estimated } };
}

static char *
printed(const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p, size_t width)
{
	const struct cost_style style = { .width = width };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(cost_print_table(out, u, group, p, &style));
	fclose(out);
	return text;
}

static void
expect_table(const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p, const char *want)
{
	char *text = printed(u, group, p, 0);

	cr_expect_str_eq(text, want, "%s\nnot\n%s", text, want);
	free(text);
}

Test(cost_print, rows_and_their_total)
{
	const struct agentbus_usage_row rows[] = { row_of("gpt-5.5", 30, 3 * USD / 2, false),
						   row_of("", 2, 4 * USD / 1000, true) };
	const struct agentbus_usage u = { .rows = rows, .row_count = 2, .total = row_of("", 32, 1504 * USD / 1000, true) };

	expect_table(&u, AGENTBUS_USAGE_BY_MODEL, &november,
		     "MODEL    REQ  ERR     IN  CACHED  OUT      COST\n"
		     "gpt-5.5   30    3  37.0k    3.0k  300     $1.50\n"
		     "-          2    -   2.5k     200   20  ~$0.0040\n"
		     "total     32    3  39.5k    3.2k  320    ~$1.50\n");
}

Test(cost_print, sessions_with_tool_and_project)
{
	const struct agentbus_usage_row rows[] = { row_of("01a205d0-88e7-4a11-8c55-d809caf36872", 1, USD, false) };
	const struct agentbus_usage u = { .rows = rows, .row_count = 1, .left_out = 3, .total = row_of("", 9, 2 * USD, false) };

	expect_table(&u, AGENTBUS_USAGE_BY_SESSION, &november,
		     "SESSION   TOOL   PROJECT  REQ  ERR     IN  CACHED  OUT   COST\n"
		     "caf36872  codex  shop       1    -   1.2k     100   10  $1.00\n"
		     "total                       9    -  11.1k     900   90  $2.00\n"
		     "The total is of 3 more rows, too.\n");
}

Test(cost_print, nothing_and_budgets)
{
	const struct agentbus_budget budgets[] = { { "day", "2026-11-26", "warn", 5 * USD, 2 * USD, false },
						   { "month", "2026-11", "limit", 50 * USD, 60 * USD, true } };
	const struct agentbus_usage u = { .total = row_of("", 0, 0, false), .budgets = budgets, .budget_count = 2 };

	expect_table(&u, AGENTBUS_USAGE_BY_DAY, &november,
		     "Nothing was used since 2026-11-01.\n\nBudgets:\n"
		     "  day    warn   $2.00 of $5.00  40%\n"
		     "  month  limit  ~$60.00 of $50.00  120%  reached\n");
	expect_table(&(struct agentbus_usage){ .total = row_of("", 0, 0, false) }, AGENTBUS_USAGE_BY_DAY,
		     &(struct period){ "2026-11-25", "2026-11-25" }, "Nothing was used from 2026-11-25 to 2026-11-25.\n");
	expect_table(&(struct agentbus_usage){ .total = row_of("", 0, 0, false) }, AGENTBUS_USAGE_BY_DAY,
		     &(struct period){ "", "" }, "Nothing was used yet.\n");
}

Test(cost_print, fits_a_narrow_terminal)
{
	const struct agentbus_usage_row rows[] = { row_of("a-model-with-a-name-of-forty-eight-columns-or-so", 100000, 99 * USD,
							  true) };
	const struct agentbus_usage u = { .rows = rows, .row_count = 1, .total = rows[0] };

	setlocale(LC_CTYPE, "C.UTF-8");
	for (size_t width = 47; width < 90; width++) {
		char *text = printed(&u, AGENTBUS_USAGE_BY_MODEL, &november, width);

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			cr_expect_leq(strlen(line), width + 2, "%s", line); /* an ellipsis has three bytes */
		free(text);
	}
}

Test(cost_print, json_has_all_of_it)
{
	const struct agentbus_usage_row rows[] = { row_of("s1", 30, 3 * USD / 2 + 1, false), row_of("", 2, 0, true) };
	const struct agentbus_budget budgets[] = { { "day", "2026-11-26", "warn", 5 * USD, 2 * USD, false } };
	const struct agentbus_usage u = {
		.rows = rows, .row_count = 2, .total = rows[0], .left_out = 4, .budgets = budgets, .budget_count = 1
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(cost_print_json(out, &u, AGENTBUS_USAGE_BY_SESSION, &november));
	fclose(out);
	cr_expect_str_eq(
	    text,
	    "{\"since\":\"2026-11-01\",\"until\":null,\"by\":\"session\",\"rows\":[{\"session\":\"s1\",\"provider\":\"codex\","
	    "\"project\":\"shop\",\"requests\":30,\"api_errors\":3,\"input_tokens\":37020,\"cache_read_tokens\":3000,"
	    "\"cache_write_tokens\":5,\"output_tokens\":300,\"reasoning_tokens\":3,\"cost_usd\":1.500000000001,"
	    "\"reported_cost_usd\":0,\"computed_cost_usd\":1.500000000001,\"cost_estimated\":false},{\"session\":null,"
	    "\"provider\":\"codex\",\"project\":\"shop\",\"requests\":2,\"api_errors\":0,\"input_tokens\":2468,"
	    "\"cache_read_tokens\":200,\"cache_write_tokens\":5,\"output_tokens\":20,\"reasoning_tokens\":3,\"cost_usd\":0,"
	    "\"reported_cost_usd\":0,\"computed_cost_usd\":0,\"cost_estimated\":true}],\"left_out\":4,\"total\":{\"requests\":30,"
	    "\"api_errors\":3,\"input_tokens\":37020,\"cache_read_tokens\":3000,\"cache_write_tokens\":5,\"output_tokens\":300,"
	    "\"reasoning_tokens\":3,\"cost_usd\":1.500000000001,\"reported_cost_usd\":0,\"computed_cost_usd\":1.500000000001,"
	    "\"cost_estimated\":false},\"budgets\":[{\"period\":\"day\",\"key\":\"2026-11-26\",\"level\":\"warn\","
	    "\"budget_usd\":5,\"spent_usd\":2,\"spent_estimated\":false}]}\n",
	    "%s", text);
	free(text);
}

Test(cost_print, csv_quotes_what_needs_it)
{
	struct agentbus_usage_row rows[] = { row_of("a,b", 1, USD, false), row_of("say \"hi\"\n", 2, 0, true) };
	const struct agentbus_usage u = { .rows = rows, .row_count = 2, .total = rows[0] };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(cost_print_csv(out, &u, AGENTBUS_USAGE_BY_PROJECT));
	fclose(out);
	cr_expect_str_eq(text,
			 "project,requests,api_errors,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,"
			 "reasoning_tokens,cost_usd,reported_cost_usd,computed_cost_usd,cost_estimated\r\n"
			 "\"a,b\",1,0,1234,100,5,10,3,1,0,1,false\r\n"
			 "\"say \"\"hi\"\"\n\",2,0,2468,200,5,20,3,0,0,0,true\r\n",
			 "%s", text);
	free(text);
}
