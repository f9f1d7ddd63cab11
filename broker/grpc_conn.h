/*
 * One HTTP/2 connection that carries gRPC: bytes in, bytes out, requests to the intake. No socket, no timer: whoever holds it
 * moves the bytes and tells it when something is due.
 *
 * Whatever a peer does costs at most its streams (limits), their bodies (intake_hold), one head, and GRPC_OUT_MAX of output if
 * its holder gives no more input while grpc_conn_output() has that much. A peer that only makes work (resets, pings and other
 * frames without requests) is told to calm down and left.
 */
#ifndef AGENTBUS_GRPC_CONN_H
#define AGENTBUS_GRPC_CONN_H

#include "access.h"
#include "buf.h"
#include "intake.h"
#include "metrics.h"
#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_OUT_MAX ((size_t)64 << 10)
#define GRPC_NEVER   UINT64_MAX

struct nghttp2_session;
struct grpc_stream;

/* What all connections have in common. */
struct grpc_host {
	struct intake *intake; /* with its limits: bodies are held there */
	const struct access_policy *access;
	enum verdict (*take)(struct intake *intake, const struct intake_body *body); /* intake_take() */
	uint64_t (*now)(void *ctx);                                                  /* nanoseconds */
	void (*refused)(void *ctx, enum verdict v, const char *what); /* what: of static storage, never the peer's words */
	void *ctx;
	struct metrics *metrics; /* counts answers; NULL: nobody does */
	size_t *waiting;         /* streams whose request is taken and whose answer waits for grpc_conn_settle() */
	size_t *in_flight;       /* streams that have begun and are not answered */
};

struct grpc_conn {
	const struct grpc_host *host;
	const struct peer *peer;
	struct nghttp2_session *session;
	struct grpc_stream *first;
	size_t waiting; /* of this connection */
	struct buf out; /* to be sent, from out_sent on */
	size_t out_sent;
	unsigned requests;  /* answered */
	bool headed;        /* a request's head came whole */
	bool broken;        /* nothing can be read any more */
	bool peer_left;     /* by GOAWAY */
	uint64_t now_ns;    /* of the step under way */
	uint64_t begun_ns;  /* the connection */
	uint64_t quiet_ns;  /* since when no stream is open */
	uint64_t due_ns;    /* no stream's deadline is before */
	uint64_t window_ns; /* since when is counted: */
	size_t noise, resets, useful;
	size_t dry; /* bytes that belong to no message and are not yet a noise */
};

/*
 * False without memory; nothing is held then. The host and the peer must outlive it. There is output at once. grpc_conn_finish()
 * forgets streams that are not answered.
 */
bool grpc_conn_init(struct grpc_conn *c, const struct grpc_host *host, const struct peer *peer);
void grpc_conn_finish(struct grpc_conn *c);

/* Takes bytes from the peer; best not more than 16 KiB at a time. The host's take() must not call back into any connection. */
void grpc_conn_receive(struct grpc_conn *c, const uint8_t *bytes, size_t len);

/* What is to be sent: sets *ret and returns its length. Valid until the next call of anything but this. */
size_t grpc_conn_output(const struct grpc_conn *c, const uint8_t **ret);

/* So much of it is sent. */
void grpc_conn_sent(struct grpc_conn *c, size_t len);

/* Answers what waits. */
void grpc_conn_settle(struct grpc_conn *c, enum verdict v);

/* Sends GOAWAY; streams that have begun go on. */
void grpc_conn_drain(struct grpc_conn *c);

/* When grpc_conn_tick() has something to do, or GRPC_NEVER: a stream's deadline, the first head, a long silence. */
uint64_t grpc_conn_due(const struct grpc_conn *c);
void grpc_conn_tick(struct grpc_conn *c);

/* Whether nothing is left but to send the output, and to close. */
bool grpc_conn_over(const struct grpc_conn *c);

#endif
