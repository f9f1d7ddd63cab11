/* Prices as text: the file that price_file_parse() reads. Pure: pieces of text go to whoever takes them. */
#ifndef AGENTBUS_PRICES_PRICE_WRITE_H
#define AGENTBUS_PRICES_PRICE_WRITE_H

#include "prices/price_table.h"

#define PRICE_RATE_TEXT 32

/* A rate in USD per million tokens, "12.5"; "" for PRICE_UNSET. Also a factor, in millionths. Returns out. */
const char *price_rate_text(int64_t micro, char out[PRICE_RATE_TEXT]);

/* A moment as the day in UTC, "2026-11-26"; "" for 0 and UINT64_MAX. Returns out. */
const char *price_day_text(uint64_t ns, char out[PRICE_RATE_TEXT]);

/* As in price files: "input", "cache_write_1h". Static. */
const char *price_kind_name(enum price_kind kind);

/* Writes the whole file. Returns false as soon as put does. */
bool price_write(const struct price_list *l, bool (*put)(void *ctx, const char *text), void *ctx);

#endif
