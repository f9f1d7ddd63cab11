/* A table of text: columns as wide as they need to be, or narrower where the terminal is. */
#ifndef CLIENTS_COMMON_GRID_H
#define CLIENTS_COMMON_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What a cell shows at most. */
enum { GRID_CELL_COLUMNS = 48, GRID_COLUMNS_MAX = 16 };

struct grid_column {
	const char *title;
	bool right;         /* aligned to the right */
	unsigned gives_way; /* where the line is too long: 1 becomes narrower first, 2 when those cannot any more, 0 never */
};

struct grid_cell;

/* Zeroed but for the columns, which must outlive it, it is empty. */
struct grid {
	const struct grid_column *columns;
	size_t column_count; /* at most GRID_COLUMNS_MAX */
	struct grid_cell *cells;
	size_t count, size; /* of cells, row by row */
	bool failed;        /* without memory */
};

/* Adds the next cell, from left to right and row by row; text is copied, and made fit for a terminal. */
void grid_add(struct grid *g, const char *text);

/* Prints the heading and the rows. width 0: as wide as it takes. Returns false if memory ran out. */
bool grid_print(FILE *out, const struct grid *g, size_t width, bool colour);

void grid_finish(struct grid *g);

#endif
