/* What the tokens of a request come to, by a table of prices. Pure. */
#ifndef AGENTBUS_PRICE_H
#define AGENTBUS_PRICE_H

#include "observation.h"
#include "prices/price_table.h"

/* price_table_find() of a view. */
const struct price *price_find(const struct price_table *t, struct str model, uint64_t time_ns);

struct price_quote {
	int64_t cost;   /* pico-dollars; INT64_MAX if that is not enough */
	bool estimated; /* some of it is a guess */
};

/* What the tokens of a request cost, by the price of its model at its own time. */
struct price_quote price_request(const struct price_table *t, const struct observation *o);

#endif
