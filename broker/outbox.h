/*
 * What is to be passed on of this turn of the loop: export requests in protobuf, by signal, cut into rows for the queue. Any
 * number of export requests of one signal, one after the other, are one export request again. Pure.
 */
#ifndef AGENTBUS_OUTBOX_H
#define AGENTBUS_OUTBOX_H

#include "buf.h"
#include "otlp.h"

#define OUTBOX_ROW_MAX ((size_t)1 << 20) /* unless one request alone is larger */

struct outbox_row {
	size_t end;     /* its bytes end here, and begin where the one before ends */
	uint64_t items; /* log records, spans or metrics */
};

struct outbox_signal {
	bool wanted; /* somebody takes it; else it is left out */
	struct buf bytes;
	struct outbox_row *rows;
	size_t count, size;
};

struct outbox {
	struct outbox_signal of[OTLP_SIGNAL_COUNT];
};

/* All of *o zeroed but `wanted` is an empty one. Gives its memory back; empty again. */
void outbox_finish(struct outbox *o);

/* Adds a request; one without items is left out. False without memory: nothing is added then. */
bool outbox_add(struct outbox *o, const struct otlp_request *req);

bool outbox_is_empty(const struct outbox *o);

/* Forgets everything, and keeps a little memory for the next turn. */
void outbox_clear(struct outbox *o);

/* Leaves the oldest rows of a signal, as many as fit into `len` bytes. Returns the items of the others. */
uint64_t outbox_cut(struct outbox *o, enum otlp_signal signal, size_t len);

/* How many log records, spans or metrics a request has. */
uint64_t outbox_items(const struct otlp_request *req);

#endif
