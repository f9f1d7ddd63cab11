/*
 * The queue of what is passed on: between the intake, which fills its outbox, the keeper, which writes that in the transaction of
 * the turn, and the lanes, one for each destination and signal it takes, which read what is committed and move their marks on.
 *
 * Nothing blocks but the store. A destination whose share is full loses its oldest rows; nobody else does.
 */
#ifndef AGENTBUS_FORWARD_QUEUE_H
#define AGENTBUS_FORWARD_QUEUE_H

#include "destination.h"
#include "enricher.h"
#include "forward_rules.h"
#include "log.h"
#include "outbox.h"
#include "store_queue.h"

#define FORWARD_QUEUE_MEMORY_MAX ((uint64_t)16 << 20) /* of a destination, where there is no database */

struct queue_lane {
	const struct destination *to;
	size_t number; /* of the destination */
	enum otlp_signal signal;
	struct store_mark at; /* what comes after it waits */
	struct store_lane_counts counts;
	bool changed; /* since it was written */
	bool known;   /* it is in the store, too */
};

struct forward_queue {
	const struct destinations *to;
	const struct log *log;
	struct outbox outbox;
	struct enricher *enricher; /* fills the outbox; NULL: nothing is passed on */
	struct queue_lane lanes[DESTINATION_LANES_MAX];
	size_t lane_count;
	uint64_t share[DESTINATIONS_MAX]; /* bytes that may wait */
	struct forward_warning full[DESTINATIONS_MAX];
	struct store *store;     /* NULL: there is none, or it could not be opened yet */
	bool more;               /* rows that nobody needs are left in it */
	void (*kept)(void *ctx); /* something was committed; NULL: nobody wants to know */
	void *ctx;
};

/* For destinations that outlive it. `memory`: nothing is written to a disk. */
void forward_queue_init(struct forward_queue *q, const struct destinations *to, bool memory, const struct log *log);
void forward_queue_finish(struct forward_queue *q);

/*
 * Takes the lanes as they are stored; one that is new begins at the end of its queue, one of a destination that is gone is
 * forgotten. Writes, and leaves the commit to others. All of the following are fine with NULL: then there is nothing to do.
 */
bool forward_queue_load(struct forward_queue *q, struct store *st);

/* The store is about to be closed. */
void forward_queue_unload(struct forward_queue *q);

/* Ends a turn: what is ready by now goes into the outbox. */
void forward_queue_settle(struct forward_queue *q, uint64_t now_ns);

/* When that is to be done at the latest; UINT64_MAX: not by itself. */
uint64_t forward_queue_deadline(const struct forward_queue *q);

bool forward_queue_pending(const struct forward_queue *q);

/* Writes what is pending, within the transaction. */
bool forward_queue_write(struct forward_queue *q, uint64_t now_ns);

/* The transaction was committed, or all of the turn is taken back. */
void forward_queue_keep(struct forward_queue *q);
void forward_queue_rewind(struct forward_queue *q);

/* There is no way to write: keeps a row of each signal in memory, at most, and counts the rest as dropped. */
void forward_queue_squeeze(struct forward_queue *q, size_t len, uint64_t now_ns);

/* What waits for a lane; an empty one without a store. */
struct store_mark forward_queue_waiting(const struct forward_queue *q, const struct queue_lane *l);

/* A lane has come so far. */
void forward_queue_pass(struct queue_lane *l, const struct store_mark *up_to);

#endif
