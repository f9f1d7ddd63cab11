/*
 * Spans that wait a moment for what logs will say of them, packed as export requests, and for that time part of what must not
 * be lost: each change counts only when held_keep() has told the store of it. Pure.
 */
#ifndef AGENTBUS_HELD_H
#define AGENTBUS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELD_ITEMS_MAX 1024
#define HELD_BYTES_MAX ((size_t)8 << 20) /* of all of them; what is beyond does not wait */
#define HELD_WANTS_MAX 16

/* Hashes of what something waits for, or of what has arrived. */
struct wants {
	uint64_t hash[HELD_WANTS_MAX];
	size_t count;
	bool more; /* than fit: anything may be it */
};

void wants_add(struct wants *w, uint64_t hash);
bool wants_meet(const struct wants *a, const struct wants *b);

struct held_item {
	uint64_t id;     /* in the store; 0: not there yet */
	uint64_t due_ns; /* by the broker's clock: then it waits no longer */
	uint64_t peer;   /* the connection it came over */
	struct wants wants;
	uint8_t *bytes; /* an ExportTraceServiceRequest */
	size_t len;
	uint64_t made; /* not 0: a span that was made of a call, and goes unless the call has one of its own by then */
	bool released; /* goes with the next held_keep() */
};

struct held {
	struct held_item *items[HELD_ITEMS_MAX];
	size_t count, bytes;
	uint64_t last_id, last_made;
	size_t changes;       /* items that are new or released */
	uint64_t earliest_ns; /* nothing is due before; 0: not known */
	bool restored;        /* some came from the store since held_bound() */
};

void held_finish(struct held *h);

/* Takes the bytes, from malloc(). NULL if there are too many: the bytes are still the caller's. id 0: a new one. */
struct held_item *held_add(struct held *h, uint64_t id, uint64_t due_ns, uint64_t peer, const struct wants *wants, uint8_t *bytes,
			   size_t len);

/*
 * The first item from *index on that is due, or waits for any of what has arrived; moves *index behind it. NULL: none is left. To
 * be called from 0 on, and until then.
 */
struct held_item *held_next(struct held *h, size_t *index, const struct wants *news, uint64_t now_ns);

/* What was made of a call is not needed any more. */
void held_forget(struct held *h, uint64_t made);

/* It waits no longer; its bytes are good until the next held_keep() or held_rewind(). */
void held_release(struct held *h, struct held_item *item);

/* It waits until then. */
void held_postpone(struct held *h, struct held_item *item, uint64_t due_ns);

/* Nothing that was stored waits any longer than until then (made spans: `made_ns`): the clock may have been set since. */
void held_bound(struct held *h, uint64_t latest_ns, uint64_t made_ns);

/* When the next one is due; UINT64_MAX: none is. */
uint64_t held_deadline(struct held *h);

/* Where held spans are stored; both return false on failure. */
struct held_store {
	bool (*put)(void *ctx, const struct held_item *item);
	bool (*drop)(void *ctx, uint64_t id);
	void *ctx;
};

/* Tells the store what has changed. False if it failed: nothing has changed then. Follow with held_kept() or held_rewind(). */
bool held_keep(struct held *h, const struct held_store *store);

/* The store has it all, or there is none. */
void held_kept(struct held *h);

/* Back to where the last held_kept() was. */
void held_rewind(struct held *h);

/* Whether there is anything to tell the store. */
bool held_changed(const struct held *h);

#endif
