/*
 * The keeper: sees to it that what the broker knows survives it, before anybody hears of it.
 *
 * Whatever changes in a turn of the loop is written in one transaction at its end, by keeper_settle(). Only then are events
 * published and requests answered, so that no subscriber ever sees an event, and no CLI an answer, that a crash could take
 * back. When the store fails, a durable broker goes back to what is stored, refuses telemetry and tries again now and then;
 * one that need not be durable goes on in memory, and writes it all when the store can be written again.
 */
#ifndef AGENTBUS_KEEPER_H
#define AGENTBUS_KEEPER_H

#include "clock.h"
#include "forward_queue.h"
#include "intake.h"
#include "ledger.h"
#include "log.h"
#include "metrics.h"
#include "publish.h"
#include "session.h"
#include "store.h"
#include "tidier.h"

#include <ev.h>

struct keeper_setup {
	struct store_settings store;
	bool memory;  /* no store */
	bool durable; /* refuse rather than forget */
	const struct clock *clock;
	const struct log *log;
	struct publisher *publisher;
	struct intake *intake;
	struct metrics *metrics;     /* counts events; NULL: nobody does */
	struct forward_queue *queue; /* what is passed on; NULL: nothing ever was */
};

struct keeper {
	struct keeper_setup with;
	struct event_sink sink; /* for sessions_create(): counts, and passes events on to the publisher */
	struct ev_loop *loop;
	struct sessions *sessions;
	struct store *store; /* NULL: none is wanted, or it could not be opened */
	struct store *shelf; /* in memory, for the queue alone, where no other store is wanted */
	bool broken;         /* it cannot be written at the moment */
	bool unsure;         /* it failed in the middle of a turn: the sessions are ahead of it */
	uint64_t stored_seq; /* newest event that is stored */
	uint64_t commits;
	struct ledger ledger;
	struct buf record, events; /* scratch */
	double pause_s;            /* until the store is tried again */
	uint64_t recovered_ns;     /* when it could be written again */
	ev_timer retry;
	ev_timer quiet; /* runs while the write-ahead log has something to be checkpointed */
	struct tidier tidier;
	size_t log_due; /* bytes of the write-ahead log at which the tidier is due */
	uint64_t commits_then;
};

/*
 * Prepares the sink. False after logging why not: another broker has the store. Any other trouble with it is logged and
 * leaves the keeper broken. All that is pointed to must outlive it.
 */
bool keeper_open(struct keeper *k, struct ev_loop *loop, const struct keeper_setup *setup);

/* Brings back the sessions and the counter of events into an empty table and a publisher that has published nothing. */
void keeper_load(struct keeper *k, struct sessions *sessions);

/*
 * Ends a turn of the loop: stores what has changed, then publishes it. VERDICT_OK, or VERDICT_NO_STORE: then what was taken
 * since the last time counts for nothing, and nothing of it was published.
 */
enum verdict keeper_settle(struct keeper *k);

/* Whether time may pass for the sessions: not while what they would do could not be stored. */
bool keeper_awake(const struct keeper *k);

/* Stores what is left, and closes. */
void keeper_close(struct keeper *k);

#endif
