/* The table of sessions that `agentbus status` prints. */
#ifndef CLIENTS_COMMON_TABLE_H
#define CLIENTS_COMMON_TABLE_H

#include "common/roster.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct table_style {
	uint64_t now;    /* what the column SINCE counts from */
	size_t width;    /* columns of the terminal; 0: as wide as it takes */
	size_t max_rows; /* rows printed before the rest is only counted; 0: all */
	bool colour;
};

/*
 * Prints the heading and a line per row: STATE TOOL PROJECT MODEL SINCE IN OUT COST ERR ID, children indented below their
 * parent. PROJECT and MODEL give way where the terminal is narrow. Returns how many lines that was, or 0 if memory runs out.
 */
size_t table_print(FILE *out, const struct roster *r, const struct table_style *style);

/* "3 sessions: 1 waiting, 2 working; 52.2k in, 1.2k out, $0.12, 1 error" and the like, without a newline. Returns out. */
const char *table_summary(const struct roster *r, char *out, size_t size);

#endif
