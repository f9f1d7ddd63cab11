/* Prices as a table and as JSON. Pure but for the stream. */
#ifndef CLIENTS_AGENTBUS_PRICE_PRINT_H
#define CLIENTS_AGENTBUS_PRICE_PRINT_H

#include "prices/price_table.h"

#include <stdbool.h>
#include <stdio.h>

/* One that is to be printed, and whether it is the user's own. */
struct price_shown {
	const struct price *price;
	bool own;
};

/* USD per million tokens; tiers and ways of serving below their model. width 0: as wide as it takes. False without memory. */
bool price_print_table(FILE *out, const struct price_shown *prices, size_t count, size_t width, bool colour);

/* One object, {"prices": [...]}. False without memory. */
bool price_print_json(FILE *out, const struct price_shown *prices, size_t count);

#endif
