#include "http.h"

#include "http_answer.h"
#include "http_request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SPARE        8    /* libmicrohttpd forgets a closed connection a little later than we do */
#define POOL_SPARE   8192 /* what libmicrohttpd needs of a connection's memory beside the head of a request */
#define SWEEP_MIN_S  0.02
#define SWEEP_MAX_S  1.0
#define SWEEP_FACTOR 8 /* a deadline is noticed late by so much of the shortest one */
#define PIECE        4096
#define BURST        256 /* pieces thrown away at a time */

/* A descriptor that libmicrohttpd has, until it says which of its connections that is. */
struct http_adoption {
	int fd;
	struct peer peer;
	struct http_adoption *next;
};

static uint64_t
now_of(const struct http *h)
{
	return clock_now(h->with.intake->clock);
}

/* --- deadlines --- */

/* What a client gets that does not come to an end. Its request is not libmicrohttpd's to answer: it is not complete. */
static void
send_too_late(int fd)
{
	const unsigned status = verdict_http_status(VERDICT_TIMEOUT);
	char body[HTTP_ANSWER_MAX], text[2 * HTTP_ANSWER_MAX];
	const size_t len = http_answer_body(VERDICT_TIMEOUT, OTLP_JSON, body);
	const int n = snprintf(text, sizeof(text),
			       "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%.*s",
			       status, MHD_get_reason_phrase_for(status), http_media_name(OTLP_JSON), len, (int)len, body);

	(void)!send(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
schedule_sweep(struct http *h)
{
	const struct limits *l = h->with.limits;
	const uint64_t shortest = l->header_ns < l->request_ns ? l->header_ns : l->request_ns;
	const double s = (double)shortest / SWEEP_FACTOR / NS_PER_S;

	ev_timer_stop(h->loop, &h->sweep);
	ev_timer_set(&h->sweep, s < SWEEP_MIN_S ? SWEEP_MIN_S : s > SWEEP_MAX_S ? SWEEP_MAX_S : s, 0.);
	ev_timer_start(h->loop, &h->sweep);
}

void
http_set_deadline(struct http_connection *c, uint64_t deadline_ns)
{
	struct http *h = c->http;

	h->timed += (deadline_ns != 0) - (c->deadline_ns != 0);
	c->deadline_ns = deadline_ns;
	if (h->timed == 0)
		ev_timer_stop(h->loop, &h->sweep);
	else if (!ev_is_active(&h->sweep) && !h->stopping)
		schedule_sweep(h);
}

/*
 * libmicrohttpd closes a connection when it has read its end, but reads what has come before first, and a peer that goes on
 * sending would never let it get there. So that is thrown away, and what comes after the second attempt ends the connection.
 */
static void
expire(struct http *h, struct http_connection *c)
{
	char rest[PIECE];

	if (!c->expired) {
		refusals_note(h->with.refusals, VERDICT_TIMEOUT, "a request", now_of(h));
		metrics_http_answer(h->with.metrics, verdict_http_status(VERDICT_TIMEOUT));
		send_too_late(c->fd);
	}
	shutdown(c->fd, c->expired ? SHUT_RDWR : SHUT_RD);
	c->expired = true;
	for (int i = 0; i < BURST && recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0; i++)
		;
	http_set_deadline(c, now_of(h)); /* that is, until the next sweep */
}

/*
 * libmicrohttpd reads what is there, and then waits for an event. Where the end of the connection came with the last bytes there
 * is none any more: this makes one. Only in the middle of a request: after it, the end is for libmicrohttpd to find.
 */
static void
see_hang_up(const struct http_connection *c)
{
	char byte;

	if (c->deadline_ns != 0 && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		shutdown(c->fd, SHUT_RD);
}

/* Runs only while some request has begun: an idle broker sleeps. */
static void
sweep_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct http *h = w->data;
	const uint64_t now = now_of(h);

	(void)loop;
	(void)revents;
	for (struct http_connection *c = h->connections; c; c = c->next) {
		if (c->deadline_ns != 0 && c->deadline_ns <= now)
			expire(h, c);
		else
			see_hang_up(c);
	}
	if (h->timed > 0)
		schedule_sweep(h);
	http_run(h);
}

/* --- connections --- */

/* Nothing is unescaped: a path is the bytes it is. */
static size_t
keep_escapes(void *ctx, struct MHD_Connection *c, char *text)
{
	(void)ctx;
	(void)c;
	return strlen(text);
}

/* The first line of a request is here. That of a connection's first one has had its time since the connection was made. */
static void *
on_first_line(void *ctx, const char *uri, struct MHD_Connection *c)
{
	struct http *h = ctx;
	struct http_connection *conn = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

	(void)uri;
	if (conn && conn->deadline_ns == 0)
		http_set_deadline(conn, now_of(h) + h->with.limits->request_ns);
	return NULL; /* the context of the request, until it has one */
}

/* Whether we have closed a connection that had been silent for too long: that tells nothing about the other side. */
static bool
timed_out(const struct http *h, const struct http_connection *conn)
{
	char byte;

	if (conn->expired)
		return true;
	if (now_of(h) - conn->heard_ns + NS_PER_S < h->with.limits->idle_ns)
		return false;
	return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* libmicrohttpd is about to close a connection whose other side may still write. */
static void
part_from(struct http *h, const struct http_connection *conn)
{
	const int copy = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);

	if (copy >= 0)
		partings_take(&h->partings, copy);
}

/* The peer that was handed over with this descriptor. */
static bool
take_adoption(struct http *h, int fd, struct peer *ret)
{
	for (struct http_adoption **at = &h->adoptions, *a; (a = *at); at = &a->next) {
		if (a->fd != fd)
			continue;
		*ret = a->peer;
		*at = a->next;
		free(a);
		return true;
	}
	return false;
}

static struct http_connection *
make_connection(struct http *h, int fd)
{
	struct http_connection *conn = calloc(1, sizeof(*conn));

	if (!conn || !take_adoption(h, fd, &conn->peer)) {
		free(conn);
		return NULL;
	}
	conn->http = h;
	conn->fd = fd;
	conn->heard_ns = now_of(h);
	conn->next = h->connections;
	if (conn->next)
		conn->next->previous = conn;
	h->connections = conn;
	http_set_deadline(conn, conn->peer.arrived_ns + h->with.limits->header_ns);
	return conn;
}

static void
forget_connection(struct http *h, struct http_connection *conn)
{
	http_set_deadline(conn, 0);
	*(conn->previous ? &conn->previous->next : &h->connections) = conn->next;
	if (conn->next)
		conn->next->previous = conn->previous;
	if ((conn->refused || conn->expired) && !h->stopping)
		part_from(h, conn);
	/* One request or none tells nothing of the process: so it is told where we have closed. */
	if (!h->stopping)
		intake_peer_closed(h->with.intake, conn->peer.id, timed_out(h, conn) ? 0 : conn->requests);
	h->with.left(h->with.ctx, conn->peer.id);
	free(conn);
}

/* Without memory for ours, libmicrohttpd's connection goes on, and its first request ends it. */
static void
on_connection(void *ctx, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = make_connection(h, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
	else if (*socket_context)
		forget_connection(h, *socket_context);
}

void
http_adopt(struct http *h, int fd, const struct peer *peer)
{
	struct http_adoption *a = malloc(sizeof(*a));
	struct peer lost;

	if (!a) {
		close(fd);
		h->with.left(h->with.ctx, peer->id);
		return;
	}
	*a = (struct http_adoption){ .fd = fd, .peer = *peer, .next = h->adoptions };
	h->adoptions = a;
	if (MHD_add_connection(h->daemon, fd, &peer->from.any, peer->from.len) != MHD_YES) {
		log_warning(h->with.log, "a connection was refused: out of memory or descriptors");
		if (take_adoption(h, fd, &lost))
			h->with.left(h->with.ctx, lost.id);
	}
	http_run(h);
	if (h->connections && h->connections->fd == fd)
		see_hang_up(h->connections);
}

/* --- libmicrohttpd in the loop --- */

void
http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	h->settled = false;
	MHD_run(h->daemon);
	ev_timer_stop(h->loop, &h->timer);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES) {
		ev_timer_set(&h->timer, (double)ms / 1e3, 0.);
		ev_timer_start(h->loop, &h->timer);
	}
}

void
http_send_answers(struct http *h)
{
	if (h->settled)
		http_run(h);
}

bool
http_busy(const struct http *h)
{
	return h->in_flight > 0;
}

static void
on_ready(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	http_run(w->data);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	http_run(w->data);
}

static void
watch(struct http *h)
{
	const int fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

	ev_io_init(&h->ready, on_ready, fd, EV_READ);
	ev_timer_init(&h->timer, on_timer, 0., 0.);
	ev_timer_init(&h->sweep, sweep_due, 0., 0.);
	h->ready.data = h->timer.data = h->sweep.data = h;
	ev_io_start(h->loop, &h->ready);
}

/* --- open and close --- */

static void
free_answers(struct http *h)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		for (enum otlp_encoding e = 0; e < OTLP_ENCODING_COUNT; e++)
			if (h->answers[v][e])
				MHD_destroy_response(h->answers[v][e]);
}

static bool
make_answers(struct http *h)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		for (enum otlp_encoding e = 0; e < OTLP_ENCODING_COUNT; e++) {
			h->answers[v][e] = http_answer_make(v, e);
			if (!h->answers[v][e])
				return false;
		}
	}
	return true;
}

static struct MHD_Daemon *
start_daemon(struct http *h)
{
	const struct limits *l = h->with.limits;
	const uint64_t idle_s = (l->idle_ns + NS_PER_S - 1) / NS_PER_S;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
				http_on_request, h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)l->max_connections + SPARE,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, l->max_header + POOL_SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned)idle_s, MHD_OPTION_NOTIFY_COMPLETED, http_on_request_over, h,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_URI_LOG_CALLBACK, on_first_line, h,
				MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, h, MHD_OPTION_END);
}

bool
http_open(struct http *h, struct ev_loop *loop, const struct http_setup *setup)
{
	*h = (struct http){ .with = *setup, .loop = loop };
	h->daemon = start_daemon(h);
	if (!h->daemon || !make_answers(h)) {
		log_error(setup->log, "cannot start the HTTP server: out of memory or descriptors");
		if (h->daemon)
			MHD_stop_daemon(h->daemon);
		free_answers(h);
		return false;
	}
	partings_init(&h->partings, loop);
	watch(h);
	return true;
}

void
http_close(struct http *h)
{
	h->stopping = true;
	http_settle(h, VERDICT_BUSY); /* libmicrohttpd cannot stop with suspended connections */
	http_send_answers(h);
	ev_io_stop(h->loop, &h->ready);
	ev_timer_stop(h->loop, &h->timer);
	ev_timer_stop(h->loop, &h->sweep);
	MHD_stop_daemon(h->daemon);
	partings_finish(&h->partings);
	free_answers(h);
}
