/*
 * What the enricher must not forget: spans that wait for their logs, and which dropped spans' places others hang from. Writing is
 * part of the store's transaction, as in store.h; so are errors.
 */
#ifndef AGENTBUS_STORE_HELD_H
#define AGENTBUS_STORE_HELD_H

#include "store.h"

/* `made`: a span that was made of a call. */
bool store_held_put(struct store *st, uint64_t id, uint64_t due_ns, bool made, const uint8_t *spans, size_t len);
bool store_held_drop(struct store *st, uint64_t id);

/* Calls fn with each, by id, until it returns false. False on an error of reading. */
bool store_each_held(struct store *st,
		     bool (*fn)(void *ctx, uint64_t id, uint64_t due_ns, bool made, const uint8_t *spans, size_t len), void *ctx);

/* The outline's names, whatever their form. */
bool store_outline_put(struct store *st, const uint8_t *names, size_t len);

/* Calls fn with them, if there are any. False on an error of reading. */
bool store_outline_get(struct store *st, void (*fn)(void *ctx, const uint8_t *names, size_t len), void *ctx);

#endif
