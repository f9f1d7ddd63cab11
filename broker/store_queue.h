/*
 * What waits to be passed on, in the store: per signal a queue of rows, each a whole export request in protobuf; and for each
 * destination and signal a lane, which is how far it has come.
 *
 * Rows of a signal are numbered 1, 2, 3 …, and a mark holds the sums up to its row: what lies between two marks is a
 * subtraction. Everything that writes is part of the store's transaction, as in store.h; so are errors.
 */
#ifndef AGENTBUS_STORE_QUEUE_H
#define AGENTBUS_STORE_QUEUE_H

#include "store.h"

#define STORE_SIGNALS 3 /* as many as OTLP has; they are stored by their numbers in enum otlp_signal */

/* A place in a signal's queue: behind a row, and what was in all rows up to it since the queue began. */
struct store_mark {
	uint64_t row; /* 0: before the first one */
	uint64_t bytes, items;
};

/* What was counted of a lane. Items are log records, spans or metrics. */
struct store_lane_counts {
	uint64_t sent, rejected, dropped; /* items */
	uint64_t sent_bytes, sent_requests, retries;
};

struct store_lane {
	const char *destination; /* by name */
	unsigned signal;
	struct store_mark at; /* what comes after it waits */
	struct store_lane_counts counts;
};

/* Appends a row with so many items. */
bool store_queue_put(struct store *st, unsigned signal, uint64_t now_ns, uint64_t items, const uint8_t *bytes, size_t len);

/* Behind the newest row, committed or not. */
struct store_mark store_queue_end(const struct store *st, unsigned signal);

/*
 * Looks at the first row after a mark: appends it to out, unless that is NULL, and sets *ret_mark (behind it) and *ret_time_ns.
 * With no row there, *ret_mark is the mark itself. False on an error of reading, or without memory.
 */
bool store_queue_read(struct store *st, unsigned signal, const struct store_mark *after, struct buf *out,
		      struct store_mark *ret_mark, uint64_t *ret_time_ns);

/*
 * Drops rows up to a mark, oldest first, but not more than a commit should: *ret_more tells whether some are left.
 */
bool store_queue_drop(struct store *st, unsigned signal, const struct store_mark *up_to, bool *ret_more);

/* Calls fn with each lane, until it returns false. False on an error of reading. */
bool store_each_lane(struct store *st, bool (*fn)(void *ctx, const struct store_lane *lane), void *ctx);

bool store_put_lane(struct store *st, const struct store_lane *lane);
bool store_forget_lane(struct store *st, const char *destination, unsigned signal);

#endif
