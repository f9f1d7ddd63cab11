#include "common/table.h"

#include "common/text.h"
#include "common/tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What a cell shows at most, and what a column that gives way keeps. */
enum { CELL_COLUMNS = 40, CELL_SIZE = CELL_COLUMNS * 4 + 4, NARROWEST = 6 };

struct cell {
	char text[CELL_SIZE];
	size_t columns;
};

static const char *
state_of(const struct agentbus_session *s)
{
	return s->failed && s->state == AGENTBUS_COMPLETED ? "failed" : agentbus_state_name(s->state);
}

static void
put(struct cell *c, const char *text)
{
	text_clip(text, CELL_COLUMNS, c->text, sizeof(c->text));
}

static void
put_state(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char text[32];

	(void)now;
	snprintf(text, sizeof(text), "%s%s", row->child ? "  " : "", state_of(row->session));
	put(c, text);
}

static void
put_tool(struct cell *c, const struct roster_row *row, uint64_t now)
{
	(void)now;
	put(c, tool_of(row->session->provider)->name);
}

static void
put_project(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char place[ROSTER_PLACE_SIZE];

	(void)now;
	put(c, roster_place(row->session, place));
}

static void
put_model(struct cell *c, const struct roster_row *row, uint64_t now)
{
	(void)now;
	put(c, row->session->model);
}

static void
put_since(struct cell *c, const struct roster_row *row, uint64_t now)
{
	uint64_t since = roster_since(row->session);
	char text[TEXT_SIZE] = "";

	if (since)
		text_duration(now > since ? (now - since) / 1000000000 * 1000000000 : 0, text, sizeof(text));
	put(c, strcmp(text, "0ms") == 0 ? "now" : text);
}

static void
put_input(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char text[TEXT_SIZE];

	(void)now;
	put(c, text_count(row->figures.tokens.input, text, sizeof(text)));
}

static void
put_output(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char text[TEXT_SIZE];

	(void)now;
	put(c, text_count(row->figures.tokens.output, text, sizeof(text)));
}

static void
put_cost(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char sum[TEXT_SIZE], text[TEXT_SIZE + 1] = "-";

	(void)now;
	if (row->figures.cost_known)
		snprintf(text, sizeof(text), "%s%s", row->figures.cost_estimated ? "~" : "",
			 text_usd(row->figures.cost, sum, sizeof(sum)));
	put(c, text);
}

static void
put_errors(struct cell *c, const struct roster_row *row, uint64_t now)
{
	char text[TEXT_SIZE];

	(void)now;
	put(c, row->figures.errors ? text_count(row->figures.errors, text, sizeof(text)) : "-");
}

static void
put_id(struct cell *c, const struct roster_row *row, uint64_t now)
{
	(void)now;
	put(c, text_short_id(row->session->id));
}

enum {
	COLUMN_STATE,
	COLUMN_TOOL,
	COLUMN_PROJECT,
	COLUMN_MODEL,
	COLUMN_SINCE,
	COLUMN_INPUT,
	COLUMN_OUTPUT,
	COLUMN_COST,
	COLUMN_ERRORS,
	COLUMN_ID,
	COLUMNS
};

static const struct {
	const char *title;
	void (*put)(struct cell *c, const struct roster_row *row, uint64_t now);
	bool right;
	bool gives_way;
} columns[COLUMNS] = {
	[COLUMN_STATE] = { "STATE", put_state, false, false },      [COLUMN_TOOL] = { "TOOL", put_tool, false, false },
	[COLUMN_PROJECT] = { "PROJECT", put_project, false, true }, [COLUMN_MODEL] = { "MODEL", put_model, false, true },
	[COLUMN_SINCE] = { "SINCE", put_since, true, false },       [COLUMN_INPUT] = { "IN", put_input, true, false },
	[COLUMN_OUTPUT] = { "OUT", put_output, true, false },       [COLUMN_COST] = { "COST", put_cost, true, false },
	[COLUMN_ERRORS] = { "ERR", put_errors, true, false },       [COLUMN_ID] = { "ID", put_id, false, false },
};

/* --- layout --- */

/* Narrows the widest column that gives way, one column at a time, until the line fits or none can give any more. */
static void
fit(size_t *widths, size_t gap, size_t width)
{
	for (;;) {
		size_t total = gap * (COLUMNS - 1), widest = COLUMNS;

		for (size_t c = 0; c < COLUMNS; c++) {
			total += widths[c];
			if (columns[c].gives_way && widths[c] > NARROWEST && (widest == COLUMNS || widths[c] > widths[widest]))
				widest = c;
		}
		if (total <= width || widest == COLUMNS)
			return;
		widths[widest]--;
	}
}

static void
fill(struct cell *cells, size_t *widths, const struct roster *r, const struct table_style *style, size_t rows)
{
	for (size_t c = 0; c < COLUMNS; c++)
		widths[c] = strlen(columns[c].title);
	for (size_t i = 0; i < rows; i++) {
		for (size_t c = 0; c < COLUMNS; c++) {
			struct cell *cell = &cells[i * COLUMNS + c];

			columns[c].put(cell, &r->rows[i], style->now);
			cell->columns = text_columns(cell->text);
			if (cell->columns > widths[c])
				widths[c] = cell->columns;
		}
	}
}

/* --- colour --- */

#define SGR_RESET "\033[0m"

static const struct {
	const char *state, *sgr;
} state_colours[] = {
	{ "waiting", "\033[1;33m" }, { "working", "\033[32m" }, { "completed", "\033[36m" },
	{ "failed", "\033[31m" },    { "idle", "\033[2m" },     { "ended", "\033[2m" },
};

static const char *
colour_of(const struct roster_row *row, size_t column)
{
	if (column == COLUMN_ERRORS && row->figures.errors)
		return "\033[31m";
	for (size_t i = 0; column == COLUMN_STATE && i < COUNT(state_colours); i++) {
		if (strcmp(state_colours[i].state, state_of(row->session)) == 0)
			return state_colours[i].sgr;
	}
	return NULL;
}

/* --- printing --- */

static void
print_cell(FILE *out, size_t column, const char *text, size_t width, const char *sgr)
{
	char clipped[CELL_SIZE];
	int pad;

	text_clip(text, width, clipped, sizeof(clipped));
	pad = (int)(width - text_columns(clipped));
	/* No blanks at the end of a line. */
	if (column == COLUMNS - 1)
		pad = 0;
	fprintf(out, "%*s%s%s%s%*s", columns[column].right ? pad : 0, "", sgr ? sgr : "", clipped, sgr ? SGR_RESET : "",
		columns[column].right ? 0 : pad, "");
}

static void
print_line(FILE *out, const struct roster_row *row, const struct cell *cells, const size_t *widths, int gap, bool colour)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		const char *sgr = !colour ? NULL : row ? colour_of(row, c) : "\033[1m";

		fprintf(out, "%*s", c ? gap : 0, "");
		print_cell(out, c, row ? cells[c].text : columns[c].title, widths[c], sgr);
	}
	fputc('\n', out);
}

size_t
table_print(FILE *out, const struct roster *r, const struct table_style *style)
{
	size_t rows = style->max_rows && r->count > style->max_rows ? style->max_rows : r->count;
	struct cell *cells = calloc(rows * COLUMNS + 1, sizeof(*cells));
	size_t widths[COLUMNS], lines = rows + 1;
	const int gap = style->width && style->width < 100 ? 1 : 2;

	if (!cells)
		return 0;
	fill(cells, widths, r, style, rows);
	if (style->width)
		fit(widths, (size_t)gap, style->width);
	print_line(out, NULL, NULL, widths, gap, style->colour);
	for (size_t i = 0; i < rows; i++)
		print_line(out, &r->rows[i], &cells[i * COLUMNS], widths, gap, style->colour);
	if (rows < r->count) {
		fprintf(out, "and %zu more\n", r->count - rows);
		lines++;
	}
	free(cells);
	return lines;
}

/* --- summary --- */

/* Adds to what is in out; what does not fit is dropped. */
__attribute__((format(printf, 3, 4))) static void
add(char *out, size_t size, const char *format, ...)
{
	size_t len = strlen(out);
	va_list ap;

	va_start(ap, format);
	vsnprintf(out + len, size - len, format, ap);
	va_end(ap);
}

const char *
table_summary(const struct roster *r, char *out, size_t size)
{
	static const enum agentbus_state order[] = { AGENTBUS_WAITING, AGENTBUS_WORKING, AGENTBUS_COMPLETED, AGENTBUS_IDLE,
						     AGENTBUS_ENDED };
	const struct roster_figures *f = &r->totals;
	const char *separator = ": ";
	char text[TEXT_SIZE];

	if (r->count == 0) {
		snprintf(out, size, "No sessions");
		return out;
	}
	snprintf(out, size, "%zu %s", r->count, r->count == 1 ? "session" : "sessions");
	for (size_t i = 0; i < COUNT(order); i++) {
		if (r->states[order[i]] == 0)
			continue;
		add(out, size, "%s%zu %s", separator, r->states[order[i]], agentbus_state_name(order[i]));
		separator = ", ";
	}
	add(out, size, "; %s in", text_count(f->tokens.input, text, sizeof(text)));
	add(out, size, ", %s out", text_count(f->tokens.output, text, sizeof(text)));
	if (f->cost_known)
		add(out, size, ", %s%s", f->cost_estimated ? "about " : "", text_usd(f->cost, text, sizeof(text)));
	if (f->errors)
		add(out, size, ", %s %s", text_count(f->errors, text, sizeof(text)), f->errors == 1 ? "error" : "errors");
	return out;
}
