#include "common/grid.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

/* What a column that gives way keeps. */
enum { NARROWEST = 6 };

#define BOLD  "\033[1m"
#define RESET "\033[0m"

struct grid_cell {
	char text[GRID_CELL_COLUMNS * 4 + 4];
};

void
grid_add(struct grid *g, const char *text)
{
	if (g->count == g->size) {
		const size_t size = g->size ? 2 * g->size : 64;
		struct grid_cell *grown = realloc(g->cells, size * sizeof(*grown));

		if (!grown) {
			g->failed = true;
			return;
		}
		g->cells = grown;
		g->size = size;
	}
	text_clip(text, GRID_CELL_COLUMNS, g->cells[g->count].text, sizeof(g->cells[0].text));
	g->count++;
}

/* The widest column of those that give way so late, or column_count if none can give any more. */
static size_t
widest_of(const struct grid *g, const size_t *widths, unsigned turn)
{
	size_t widest = g->column_count;

	for (size_t c = 0; c < g->column_count; c++)
		if (g->columns[c].gives_way == turn && widths[c] > NARROWEST &&
		    (widest == g->column_count || widths[c] > widths[widest]))
			widest = c;
	return widest;
}

/* Narrows one column after the other by one until the line fits or none can give any more. */
static void
fit(const struct grid *g, size_t *widths, size_t gap, size_t width)
{
	size_t total = gap * (g->column_count - 1);

	for (size_t c = 0; c < g->column_count; c++)
		total += widths[c];
	for (unsigned turn = 1; turn <= 2; turn++) {
		size_t widest;

		while (total > width && (widest = widest_of(g, widths, turn)) < g->column_count) {
			widths[widest]--;
			total--;
		}
	}
}

static void
measure(const struct grid *g, size_t *widths)
{
	for (size_t c = 0; c < g->column_count; c++)
		widths[c] = text_columns(g->columns[c].title);
	for (size_t i = 0; i < g->count; i++) {
		const size_t columns = text_columns(g->cells[i].text), c = i % g->column_count;

		if (columns > widths[c])
			widths[c] = columns;
	}
}

/* *blanks are due before it; those after it become due, for no line ends in them. */
static void
print_cell(FILE *out, const struct grid_column *column, const char *text, size_t width, bool bold, int *blanks)
{
	char clipped[sizeof(struct grid_cell)];
	int pad;

	text_clip(text, width, clipped, sizeof(clipped));
	pad = (int)(width - text_columns(clipped));
	if (column->right)
		*blanks += pad;
	if (*clipped) {
		fprintf(out, "%*s%s%s%s", *blanks, "", bold ? BOLD : "", clipped, bold ? RESET : "");
		*blanks = 0;
	}
	if (!column->right)
		*blanks += pad;
}

bool
grid_print(FILE *out, const struct grid *g, size_t width, bool colour)
{
	const size_t gap = width && width < 100 ? 1 : 2, rows = g->count / g->column_count;
	size_t widths[GRID_COLUMNS_MAX];

	if (g->failed || g->column_count > GRID_COLUMNS_MAX)
		return false;
	measure(g, widths);
	if (width)
		fit(g, widths, gap, width);
	for (size_t row = 0; row <= rows; row++) {
		int blanks = 0;

		for (size_t c = 0; c < g->column_count; c++) {
			const char *text = row ? g->cells[(row - 1) * g->column_count + c].text : g->columns[c].title;

			blanks += c ? (int)gap : 0;
			print_cell(out, &g->columns[c], text, widths[c], colour && row == 0, &blanks);
		}
		fputc('\n', out);
	}
	return true;
}

void
grid_finish(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
	g->count = g->size = 0;
}
