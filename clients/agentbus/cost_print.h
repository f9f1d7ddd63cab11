/* What was used, as a table, as JSON and as CSV. Pure but for the stream. */
#ifndef CLIENTS_AGENTBUS_COST_PRINT_H
#define CLIENTS_AGENTBUS_COST_PRINT_H

#include "agentbus.h"
#include "period.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Words for --by, in the order of enum agentbus_usage_group without its first; ended by NULL. */
extern const char *const cost_groups[];

struct cost_style {
	size_t width; /* columns of the terminal; 0: as wide as it takes */
	bool colour;
};

/* group is the one that usage was asked for, none of them AGENTBUS_USAGE_TOTAL. All return false if memory ran out. */

/* Rows, a line for their total, and where budgets stand. */
bool cost_print_table(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p,
		      const struct cost_style *style);

/* One object: since, until, by, rows, left_out, total, budgets. */
bool cost_print_json(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group, const struct period *p);

/* RFC 4180: a heading and the rows, without their total. */
bool cost_print_csv(FILE *out, const struct agentbus_usage *u, enum agentbus_usage_group group);

#endif
