/*
 * Prices as people write them: JSON text in, a list of prices and complaints out. Pure; recursion is bounded before cJSON sees
 * the text, and so is what it may hold.
 *
 *	{"models": [{"name": "model-1", "aliases": ["model-one"], "provider": "example", "from": "2026-01-01",
 *	             "until": "2027-01-01", "rates": {"input": "4", "output": 20, "cache_read": "0.2", "cache_write_5m": 5,
 *	             "cache_write_1h": 8}, "tiers": [{"above": 200000, "rates": {"input": 8, "output": 30}}], "fast": 2,
 *	             "service_tiers": {"flex": "0.5"}, "source": "price list", "as_of": "2026-11-26", "note": ""}]}
 *
 * Rates are USD per million tokens, as numbers or as text, with at most six digits after the point. Dates are the beginning
 * of a day in UTC. Of a model only the name and the rates of input and output are needed.
 */
#ifndef AGENTBUS_PRICES_PRICE_FILE_H
#define AGENTBUS_PRICES_PRICE_FILE_H

#include "prices/price_table.h"

#define PRICE_FILE_MAX ((size_t)4 << 20) /* bytes */

/* Who hears what is wrong. */
struct price_report {
	void (*line)(struct price_report *report, const char *text); /* without newline; the first 20 of them */
	unsigned errors;                                             /* all */
};

/*
 * Appends the prices to *ret. Every error is reported as "NAME: models[3].rates.input: …", or as "NAME:LINE: …" where the text
 * is no JSON, and the rest is still read. Returns whether there were none; what is in *ret is valid in any case.
 */
bool price_file_parse(const char *text, size_t len, const char *name, struct price_report *report, struct price_list *ret);

#endif
