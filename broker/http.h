/*
 * OTLP over HTTP/1.1: libmicrohttpd on descriptors that somebody else accepted, run by the loop.
 */
#ifndef AGENTBUS_HTTP_H
#define AGENTBUS_HTTP_H

#include "access.h"
#include "http_rules.h"
#include "intake.h"
#include "limit.h"
#include "log.h"
#include "metrics_text.h"
#include "parting.h"
#include "peer.h"
#include "refusal.h"

#include <ev.h>
#include <microhttpd.h>

struct http_adoption;
struct http_connection;
struct http_request;

/* What the server needs of others; all of it must outlive it. */
struct http_setup {
	struct intake *intake;
	const struct limits *limits;
	const struct access_policy *access;
	struct refusals *refusals;
	const struct log *log;
	struct metrics *metrics; /* counts answers; NULL: nobody does */
	/* Writes the page of metrics. False without memory. NULL: there is none. */
	bool (*scrape)(void *ctx, enum metrics_format format, struct buf *out);
	/* A connection is gone: its place is free again. */
	void (*left)(void *ctx, uint64_t peer);
	void *ctx;
};

struct http {
	struct http_setup with;
	struct ev_loop *loop;
	ev_io ready;    /* libmicrohttpd's own epoll descriptor */
	ev_timer timer; /* and the next of its timeouts */
	ev_timer sweep; /* looks for requests that take too long; runs only while there are requests */
	struct MHD_Daemon *daemon;
	struct http_adoption *adoptions;     /* handed to libmicrohttpd, which has not said so yet */
	struct http_connection *connections; /* all */
	struct http_request *waiting;        /* taken; their answers wait for http_settle() */
	struct partings partings;
	struct MHD_Response *answers[VERDICT_COUNT][OTLP_ENCODING_COUNT];
	size_t timed;     /* connections with a deadline */
	size_t in_flight; /* requests that have begun and are not answered */
	bool settled;     /* some are, and their answers are not sent yet */
	bool stopping;
};

/* False after logging why not. */
bool http_open(struct http *h, struct ev_loop *loop, const struct http_setup *setup);

/* Takes over a connection and its descriptor, whatever becomes of it; nothing of it was read. */
void http_adopt(struct http *h, int fd, const struct peer *peer);

/*
 * What was taken since the last time is stored (VERDICT_OK), or could not be: decides what all that wait for it are answered.
 * Takes no further requests.
 */
void http_settle(struct http *h, enum verdict v);

/* Sends the answers that http_settle() has decided on. May take further requests, which then wait for the next time. */
void http_send_answers(struct http *h);

/* Runs what is ready without waiting; then http_busy() tells whether requests have begun and are not answered. */
void http_run(struct http *h);
bool http_busy(const struct http *h);

/* Closes all connections and frees everything. No session hears of its connection's end. */
void http_close(struct http *h);

#endif
