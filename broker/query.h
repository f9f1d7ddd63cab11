/*
 * The bus's answering side: snapshots of the sessions, events again from the journal, sums of usage, and the one thing
 * that a person may tell: that a session was looked at. Nothing blocks for longer than the database takes.
 */
#ifndef AGENTBUS_QUERY_H
#define AGENTBUS_QUERY_H

#include "buf.h"
#include "ledger.h"
#include "publish.h"
#include "session.h"

#include <ev.h>
#include <nng/nng.h>

#define QUERY_MESSAGE_MAX ((size_t)64 << 10) /* bytes of a request */
#define QUERY_REPLAY_MAX  ((size_t)1 << 20)  /* bytes of events in one answer, if there is more than one event */
#define QUERY_USAGE_ROWS  1000               /* of usage in one answer */

/* Who knows how passing on goes: appends a packed agentbus.v1.Forward. False without memory. */
struct query_forward {
	bool (*report)(void *ctx, struct buf *out);
	void *ctx;
};

/*
 * Who lets a session count as looked at: see sessions_acknowledge(). When it returns, that is stored and published. False: it
 * cannot be stored at the moment, and nothing has changed.
 */
struct query_ack {
	bool (*acknowledge)(void *ctx, const char *provider, const char *id, bool *ret_done);
	void *ctx;
};

/* Who knows what has come from each CLI: appends a packed agentbus.v1.Sources. False without memory. */
struct query_sources {
	bool (*report)(void *ctx, struct buf *out);
	void *ctx;
};

/* What answers are made of; all of it must outlive the query. */
struct query_setup {
	const struct sessions *sessions;
	const struct publisher *publisher;
	struct query_forward forward; /* its report NULL: nothing is ever passed on */
	struct query_sources sources; /* likewise: nobody knows */
	struct ledger *ledger;        /* NULL: nothing is known of usage */
	struct query_ack ack;         /* its function NULL: nothing can be acknowledged */
	/* Called before requests are answered: what the answers tell must be stored. */
	void (*settle)(void *ctx);
	void *ctx;
};

struct query {
	struct bus_socket bus;
	struct ev_loop *loop;
	ev_io readable;
	struct query_setup with;
};

/* Listens on url and answers from the loop. False after logging why not. */
bool query_open(struct query *q, struct ev_loop *loop, const char *url, const struct query_setup *setup, const struct log *log);
void query_close(struct query *q);

/*
 * Appends the Response to the Request of len bytes; what cannot be understood, or read, is answered with an error. False
 * without memory.
 */
bool query_answer(const struct query_setup *with, const uint8_t *bytes, size_t len, struct buf *out);

#endif
