/*
 * OTLP over gRPC: HTTP/2 by libnghttp2 on descriptors that somebody else accepted, run by the loop.
 */
#ifndef AGENTBUS_GRPC_H
#define AGENTBUS_GRPC_H

#include "access.h"
#include "grpc_conn.h"
#include "intake.h"
#include "limit.h"
#include "log.h"
#include "parting.h"
#include "peer.h"
#include "refusal.h"

#include <ev.h>

struct grpc_link;

struct grpc {
	struct ev_loop *loop;
	struct intake *intake;
	const struct limits *limits;
	const struct access_policy *access;
	struct refusals *refusals;
	const struct log *log;
	struct grpc_host host;
	struct partings partings;
	struct grpc_link *first; /* all connections */
	size_t waiting;          /* streams whose request is taken and whose answer waits for grpc_settle() */
	size_t in_flight;        /* streams that have begun and are not answered */
	unsigned depth;          /* of calls into this module: connections are freed at the end of the outermost */
	size_t dead;             /* connections to be freed then */
	bool stopping;
	/* A connection is gone: its place is free again. */
	void (*left)(void *ctx, uint64_t peer);
	void *ctx;
};

/* Cannot fail. All that is pointed to must outlive it. */
void grpc_open(struct grpc *g, struct ev_loop *loop, struct intake *intake, const struct limits *limits,
	       const struct access_policy *access, struct refusals *refusals, struct metrics *metrics, const struct log *log,
	       void (*left)(void *ctx, uint64_t peer), void *ctx);

/* Takes over a connection and its descriptor, whatever becomes of it; nothing of it was read. The peer is copied. */
void grpc_adopt(struct grpc *g, int fd, const struct peer *peer);

/*
 * What was taken since the last time is stored (VERDICT_OK), or could not be: answers all that wait for it, and sends at once.
 * Not to be called from within intake_take().
 */
void grpc_settle(struct grpc *g, enum verdict v);

/* Asks all peers to go elsewhere (GOAWAY); what has begun is still answered. Then grpc_busy() tells whether it is. */
void grpc_drain(struct grpc *g);
bool grpc_busy(const struct grpc *g);

/* Closes all connections and frees everything. Neither a session nor left() hears of it. */
void grpc_close(struct grpc *g);

#endif
