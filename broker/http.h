/*
 * OTLP over HTTP/1.1: libmicrohttpd on descriptors that somebody else accepted, run by the loop.
 */
#ifndef AGENTBUS_HTTP_H
#define AGENTBUS_HTTP_H

#include "address.h"
#include "http_rules.h"
#include "intake.h"
#include "log.h"
#include "parting.h"

#include <ev.h>
#include <microhttpd.h>

struct http {
	struct ev_loop *loop;
	ev_io ready;    /* libmicrohttpd's own epoll descriptor */
	ev_timer timer; /* and the next of its timeouts */
	struct MHD_Daemon *daemon;
	struct MHD_Connection *newest; /* what MHD_add_connection() has just made */
	struct partings partings;
	struct MHD_Response *answers[VERDICT_COUNT][OTLP_ENCODING_COUNT];
	struct intake *intake;
	const struct log *log;
	size_t max_connections;
	uint64_t last_peer; /* connections are numbered from 1 */
	size_t connections; /* open ones */
	size_t in_flight;   /* requests that have begun and are not answered */
	bool stopping;
	struct {
		uint64_t logged_ns;
		unsigned silent; /* refusals since */
	} refused[VERDICT_COUNT];
};

/* False after logging why not. The intake must outlive it. */
bool http_open(struct http *h, struct ev_loop *loop, struct intake *intake, size_t max_connections, const struct log *log);

/* Takes over a connection and its descriptor, whatever becomes of it. */
void http_adopt(struct http *h, int fd, const struct address *from);

/* Runs what is ready without waiting; then http_busy() tells whether requests have begun and are not answered. */
void http_run(struct http *h);
bool http_busy(const struct http *h);

/* Closes all connections and frees everything. No session hears of its connection's end. */
void http_close(struct http *h);

#endif
