#include "cost_print.h"

#include "common/grid.h"
#include "common/json.h"
#include "common/session_json.h"
#include "common/text.h"
#include "common/tool.h"

#include <inttypes.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { ID_COLUMNS = 8, PERCENT = 100 };

const char *const cost_groups[] = { "day", "model", "provider", "project", "session", NULL };

static const char *
group_name(enum agentbus_usage_group group)
{
	return cost_groups[group - 1];
}

/* --- table --- */

static const struct grid_column usual_columns[] = {
	{ "", false, 1 },      { "REQ", true, 0 }, { "ERR", true, 0 },  { "IN", true, 0 },
	{ "CACHED", true, 0 }, { "OUT", true, 0 }, { "COST", true, 0 },
};
static const struct grid_column session_columns[] = {
	{ "SESSION", false, 0 }, { "TOOL", false, 0 },  { "PROJECT", false, 1 }, { "REQ", true, 0 },  { "ERR", true, 0 },
	{ "IN", true, 0 },       { "CACHED", true, 0 }, { "OUT", true, 0 },      { "COST", true, 0 },
};

static const char *const titles[] = {
	[AGENTBUS_USAGE_BY_DAY] = "DAY",           [AGENTBUS_USAGE_BY_MODEL] = "MODEL",
	[AGENTBUS_USAGE_BY_PROVIDER] = "PROVIDER", [AGENTBUS_USAGE_BY_PROJECT] = "PROJECT",
	[AGENTBUS_USAGE_BY_SESSION] = "SESSION",
};

static const char *
write_cost(const struct agentbus_cost *c, char *out, size_t size)
{
	char sum[TEXT_SIZE];

	snprintf(out, size, "%s%s", c->estimated ? "~" : "", text_usd(c->total, sum, sizeof(sum)));
	return out;
}

static void
add_figures(struct grid *g, const struct agentbus_usage_row *row)
{
	const uint64_t cached = row->tokens.cache_read;
	char text[TEXT_SIZE + 1];

	grid_add(g, text_count(row->requests, text, sizeof(text)));
	grid_add(g, row->api_errors ? text_count(row->api_errors, text, sizeof(text)) : "-");
	grid_add(g, text_count(row->tokens.input, text, sizeof(text)));
	grid_add(g, text_count(cached, text, sizeof(text)));
	grid_add(g, text_count(row->tokens.output, text, sizeof(text)));
	grid_add(g, write_cost(&row->cost, text, sizeof(text)));
}

static void
add_row(struct grid *g, const struct agentbus_usage_row *row, bool session)
{
	char id[TEXT_SIZE];

	if (!session) {
		grid_add(g, *row->key ? row->key : "-");
	} else {
		grid_add(g, *row->key ? text_clip(text_short_id(row->key), ID_COLUMNS, id, sizeof(id)) : "-");
		grid_add(g, tool_of(row->provider)->name);
		grid_add(g, *row->project ? row->project : "-");
	}
	add_figures(g, row);
}

static void
add_total(struct grid *g, const struct agentbus_usage_row *total, bool session)
{
	grid_add(g, "total");
	for (int i = 0; session && i < 2; i++)
		grid_add(g, "");
	add_figures(g, total);
}

/* "about" is for sentences; here one looks for the figure. */
static void
print_budgets(FILE *out, const struct agentbus_usage *u, bool colour)
{
	char spent[TEXT_SIZE], amount[TEXT_SIZE];

	if (u->budget_count > 0)
		fputs("\nBudgets:\n", out);
	for (size_t i = 0; i < u->budget_count; i++) {
		const struct agentbus_budget *b = &u->budgets[i];
		const bool reached = b->spent >= b->amount;
		const double share = b->amount > 0 ? (double)b->spent / (double)b->amount * PERCENT : 0;

		fprintf(out, "  %-5s  %-5s  %s%s of %s  %.0f%%%s%s%s\n", b->period, b->level, b->estimated ? "~" : "",
			text_usd(b->spent, spent, sizeof(spent)), text_usd(b->amount, amount, sizeof(amount)), share,
			reached && colour ? "  \033[31m"
			: reached         ? "  "
					  : "",
			reached ? "reached" : "", reached && colour ? "\033[0m" : "");
	}
}

static void
print_nothing(FILE *out, const struct period *p)
{
	if (!*p->since)
		fputs("Nothing was used yet.\n", out);
	else if (!*p->until)
		fprintf(out, "Nothing was used since %s.\n", p->since);
	else
		fprintf(out, "Nothing was used from %s to %s.\n", p->since, p->until);
}

bool
cost_print_table(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p,
		 const struct cost_style *style)
{
	const bool session = group == AGENTBUS_USAGE_BY_SESSION;
	struct grid_column columns[COUNT(usual_columns)];
	struct grid g = { .columns = session ? session_columns : columns,
			  .column_count = session ? COUNT(session_columns) : COUNT(usual_columns) };
	bool ok = true;

	memcpy(columns, usual_columns, sizeof(columns));
	columns[0].title = titles[group];
	if (u->row_count == 0) {
		print_nothing(out, p);
	} else {
		for (size_t i = 0; i < u->row_count; i++)
			add_row(&g, &u->rows[i], session);
		add_total(&g, &u->total, session);
		ok = grid_print(out, &g, style->width, style->colour);
	}
	if (u->left_out > 0)
		fprintf(out, "The total is of %" PRIu64 " more rows, too.\n", u->left_out);
	print_budgets(out, u, style->colour);
	grid_finish(&g);
	return ok;
}

/* --- JSON and CSV --- */

/* What a row says beside its key, under the same names in both. */
static const struct {
	const char *name;
	size_t offset;
} counts[] = {
	{ "requests", offsetof(struct agentbus_usage_row, requests) },
	{ "api_errors", offsetof(struct agentbus_usage_row, api_errors) },
	{ "input_tokens", offsetof(struct agentbus_usage_row, tokens.input) },
	{ "cache_read_tokens", offsetof(struct agentbus_usage_row, tokens.cache_read) },
	{ "cache_write_tokens", offsetof(struct agentbus_usage_row, tokens.cache_write) },
	{ "output_tokens", offsetof(struct agentbus_usage_row, tokens.output) },
	{ "reasoning_tokens", offsetof(struct agentbus_usage_row, tokens.reasoning) },
};
static const struct {
	const char *name;
	size_t offset;
} sums[] = {
	{ "cost_usd", offsetof(struct agentbus_usage_row, cost.total) },
	{ "reported_cost_usd", offsetof(struct agentbus_usage_row, cost.reported) },
	{ "computed_cost_usd", offsetof(struct agentbus_usage_row, cost.computed) },
};

static uint64_t
count_at(const struct agentbus_usage_row *row, size_t offset)
{
	return *(const uint64_t *)((const char *)row + offset);
}

static int64_t
sum_at(const struct agentbus_usage_row *row, size_t offset)
{
	return *(const int64_t *)((const char *)row + offset);
}

static void
json_figures(struct json *j, const struct agentbus_usage_row *row)
{
	for (size_t i = 0; i < COUNT(counts); i++)
		json_uint(j, counts[i].name, count_at(row, counts[i].offset));
	for (size_t i = 0; i < COUNT(sums); i++)
		json_usd(j, sums[i].name, sum_at(row, sums[i].offset));
	json_bool(j, "cost_estimated", row->cost.estimated);
}

static void
json_row(struct json *j, const struct agentbus_usage_row *row, enum agentbus_usage_group group)
{
	json_object(j, NULL);
	json_string_or_null(j, group_name(group), row->key);
	if (group == AGENTBUS_USAGE_BY_SESSION) {
		json_string_or_null(j, "provider", row->provider);
		json_string_or_null(j, "project", row->project);
	}
	json_figures(j, row);
	json_end(j);
}

bool
cost_print_json(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p)
{
	struct json j = { 0 };

	json_object(&j, NULL);
	json_string_or_null(&j, "since", p->since);
	json_string_or_null(&j, "until", p->until);
	json_string(&j, "by", group_name(group));
	json_array(&j, "rows");
	for (size_t i = 0; i < u->row_count; i++)
		json_row(&j, &u->rows[i], group);
	json_end(&j);
	json_uint(&j, "left_out", u->left_out);
	json_object(&j, "total");
	json_figures(&j, &u->total);
	json_end(&j);
	json_array(&j, "budgets");
	for (size_t i = 0; i < u->budget_count; i++) {
		json_object(&j, NULL);
		budget_json(&j, &u->budgets[i]);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	json_newline(&j);
	const bool ok = json_print(&j, out);
	json_finish(&j);
	return ok;
}

/* In quotes if there is something in it that would end the field. */
static void
csv_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

bool
cost_print_csv(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group)
{
	const bool session = group == AGENTBUS_USAGE_BY_SESSION;
	char number[TEXT_SIZE];

	fprintf(out, "%s%s", group_name(group), session ? ",provider,project" : "");
	for (size_t i = 0; i < COUNT(counts); i++)
		fprintf(out, ",%s", counts[i].name);
	for (size_t i = 0; i < COUNT(sums); i++)
		fprintf(out, ",%s", sums[i].name);
	fputs(",cost_estimated\r\n", out);
	for (size_t r = 0; r < u->row_count; r++) {
		const struct agentbus_usage_row *row = &u->rows[r];

		csv_field(out, row->key);
		for (size_t i = 0; session && i < 2; i++) {
			fputc(',', out);
			csv_field(out, i ? row->project : row->provider);
		}
		for (size_t i = 0; i < COUNT(counts); i++)
			fprintf(out, ",%" PRIu64, count_at(row, counts[i].offset));
		for (size_t i = 0; i < COUNT(sums); i++)
			fprintf(out, ",%s", text_usd_exact(sum_at(row, sums[i].offset), number, sizeof(number)));
		fprintf(out, ",%s\r\n", row->cost.estimated ? "true" : "false");
	}
	return true;
}
