#include "http.h"
#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_S         10  /* until a new connection has sent the head of its first request */
#define IDLE_S          600 /* a CLI that keeps its connection shows that it lives: let it */
#define STALLED_S       30  /* within a request */
#define SPARE           8   /* libmicrohttpd forgets a closed connection a little later than we do */
#define DRAIN_FACTOR    4   /* a body that turned out too large is read up to so many limits: only after it can be answered */
#define FIRST_BODY_SIZE ((size_t)64 << 10)
#define RETRY_AFTER     "5"
#define QUIET_NS        (60 * NS_PER_S) /* between two lines of the log about the same kind of refusal */

struct connection {
	uint64_t peer;
	uint64_t heard_ns; /* when its last request ended */
	unsigned requests;
	bool refused; /* its last request, by its head: the body may still be under way */
};

struct request {
	const struct http_route *route;
	struct connection *connection;
	enum verdict verdict; /* why it is refused whatever its body says, or VERDICT_OK */
	enum otlp_encoding encoding;
	bool compressed;
	struct buf body;
	uint64_t received; /* bytes of the body, kept or not */
};

/* --- answers --- */

static struct MHD_Response *
make_answer(enum verdict v, enum otlp_encoding e)
{
	char body[HTTP_ANSWER_MAX];
	const size_t len = http_answer_body(v, e, body);
	struct MHD_Response *r = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_COPY);

	if (!r)
		return NULL;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, http_media_name(e));
	if (verdict_http_status(v) == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
	if (verdict_http_status(v) == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_AFTER);
	if (v == VERDICT_TOO_LARGE)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	return r;
}

/* Each answer is made once and sent often. */
static bool
make_answers(struct http *h)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		for (enum otlp_encoding e = 0; e < OTLP_ENCODING_COUNT; e++) {
			h->answers[v][e] = make_answer(v, e);
			if (!h->answers[v][e])
				return false;
		}
	}
	return true;
}

static void
free_answers(struct http *h)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++)
		for (enum otlp_encoding e = 0; e < OTLP_ENCODING_COUNT; e++)
			if (h->answers[v][e])
				MHD_destroy_response(h->answers[v][e]);
}

static void
log_refusal(struct http *h, enum verdict v, const char *what)
{
	const uint64_t now = clock_now(h->intake->clock);

	if (h->refused[v].logged_ns != 0 && now - h->refused[v].logged_ns < QUIET_NS) {
		h->refused[v].silent++;
		return;
	}
	log_warning(h->log, "refused %s: %u, %s", what, verdict_http_status(v), verdict_text(v));
	if (h->refused[v].silent > 0)
		log_warning(h->log, "%u more were refused like this since it was last said", h->refused[v].silent);
	h->refused[v].logged_ns = now;
	h->refused[v].silent = 0;
}

/* The one place where an export request is answered: what it did is in the journal. */
static enum MHD_Result
answer(struct http *h, struct MHD_Connection *c, const struct request *r, enum verdict v)
{
	if (v != VERDICT_OK)
		log_refusal(h, v, r->route ? r->route->path : "a request to an unknown path");
	return MHD_queue_response(c, verdict_http_status(v), h->answers[v][r->encoding]);
}

static enum MHD_Result
answer_health(struct http *h, struct MHD_Connection *c, bool allowed)
{
	const uint64_t uptime = (clock_now(h->intake->clock) - h->intake->clock->started_ns) / NS_PER_S;
	static const char form[] = "{\"status\":\"ok\",\"version\":\"%s\",\"sessions\":%zu,\"uptime\":%" PRIu64 "}\n";
	char body[HTTP_ANSWER_MAX];
	const int len = snprintf(body, sizeof(body), form, AGENTBUS_VERSION, sessions_count(h->intake->sessions), uptime);
	struct MHD_Response *r = MHD_create_response_from_buffer(allowed ? (size_t)len : 0, body, MHD_RESPMEM_MUST_COPY);

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, http_media_name(OTLP_JSON));
	if (!allowed)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	const enum MHD_Result result = MHD_queue_response(c, allowed ? MHD_HTTP_OK : MHD_HTTP_METHOD_NOT_ALLOWED, r);
	MHD_destroy_response(r);
	return result;
}

/* --- requests --- */

static const char *
header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static uint64_t
content_length(struct MHD_Connection *c)
{
	const char *text = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* What the head of a request already tells. */
static enum verdict
judge_head(const struct http *h, struct MHD_Connection *c, const char *method, struct request *r)
{
	const bool typed = http_media_type(header(c, MHD_HTTP_HEADER_CONTENT_TYPE), &r->encoding);
	const bool coded = http_content_encoding(header(c, MHD_HTTP_HEADER_CONTENT_ENCODING), &r->compressed);

	if (!r->route)
		return VERDICT_NOT_FOUND;
	if (r->route->health)
		return VERDICT_OK;
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return VERDICT_BAD_METHOD;
	if (!typed || !coded)
		return VERDICT_BAD_TYPE;
	if (content_length(c) > h->intake->limits->max_body)
		return VERDICT_TOO_LARGE;
	return VERDICT_OK;
}

static enum MHD_Result
begin_request(struct http *h, struct MHD_Connection *c, const char *path, const char *method, void **context)
{
	struct connection *conn = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct request *r = conn ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return MHD_NO;
	*context = r;
	h->in_flight++;
	r->route = http_route_find(path);
	r->connection = conn;
	r->encoding = OTLP_JSON; /* for a person to read, where the request does not tell */
	r->verdict = judge_head(h, c, method, r);
	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, STALLED_S);
	conn->refused = r->verdict != VERDICT_OK;
	return conn->refused ? answer(h, c, r, r->verdict) : MHD_YES;
}

static void
drop_body(struct http *h, struct request *r)
{
	intake_release(h->intake, r->body.len);
	buf_finish(&r->body);
}

/* Keeps a piece of the body, or says why not. */
static enum verdict
keep_piece(struct http *h, struct request *r, const char *bytes, size_t len)
{
	const size_t max = h->intake->limits->max_body;

	if (len > max - r->body.len)
		return VERDICT_TOO_LARGE;
	if (!intake_hold(h->intake, len))
		return VERDICT_BUSY;
	if (buf_append(&r->body, bytes, len))
		return VERDICT_OK;
	intake_release(h->intake, len);
	return VERDICT_NO_MEMORY;
}

static enum MHD_Result
take_piece(struct http *h, struct MHD_Connection *c, struct request *r, const char *bytes, size_t len)
{
	r->received += len;
	if (r->received > DRAIN_FACTOR * (uint64_t)h->intake->limits->max_body)
		return MHD_NO;
	if (r->body.len == 0 && r->verdict == VERDICT_OK) {
		const uint64_t expected = content_length(c);

		buf_reserve(&r->body, expected && expected < FIRST_BODY_SIZE ? (size_t)expected : len);
	}
	if (r->verdict == VERDICT_OK)
		r->verdict = keep_piece(h, r, bytes, len);
	if (r->verdict != VERDICT_OK)
		drop_body(h, r);
	return MHD_YES;
}

static enum MHD_Result
finish_request(struct http *h, struct MHD_Connection *c, struct request *r, const char *method)
{
	const struct http_route *route = r->route;
	enum verdict v = r->verdict;

	MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, IDLE_S);
	if (route && route->health)
		return answer_health(h, c, strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0);
	if (route && v == VERDICT_OK)
		v = intake_take(h->intake, &(struct intake_body){ .bytes = r->body.bytes,
								  .len = r->body.len,
								  .encoding = r->encoding,
								  .compressed = r->compressed,
								  .signal_known = route->signal_known,
								  .signal = route->signal,
								  .peer = r->connection->peer });
	r->connection->requests++;
	return answer(h, c, r, v);
}

/* libmicrohttpd calls this once with the head of a request, then with each piece of its body, then at its end. */
static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version, const char *bytes,
	   size_t *len, void **context)
{
	struct http *h = ctx;
	struct request *r = *context;
	const size_t piece = *len;

	(void)version;
	if (!r)
		return begin_request(h, c, path, method, context);
	if (piece == 0)
		return finish_request(h, c, r, method);
	*len = 0;
	return take_piece(h, c, r, bytes, piece);
}

static void
on_request_over(void *ctx, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why)
{
	struct http *h = ctx;
	struct request *r = *context;

	(void)c;
	if (!r)
		return;
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		r->connection->heard_ns = clock_now(h->intake->clock);
	drop_body(h, r);
	free(r);
	*context = NULL;
	h->in_flight--;
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

/* Whether we have closed a connection that had been silent for too long: that tells nothing about the other side. */
static bool
timed_out(const struct http *h, struct MHD_Connection *c, const struct connection *conn)
{
	const int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	char byte;

	if (clock_now(h->intake->clock) - conn->heard_ns < STALLED_S * NS_PER_S)
		return false;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* libmicrohttpd is about to close a connection whose other side may still write. */
static void
part_from(struct http *h, struct MHD_Connection *c)
{
	const int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy >= 0)
		partings_take(&h->partings, copy);
}

static void
on_connection(void *ctx, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = ctx;
	struct connection *conn = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = conn = calloc(1, sizeof(*conn));
		h->connections++;
		h->newest = c;
		if (conn)
			*conn = (struct connection){ .peer = ++h->last_peer, .heard_ns = clock_now(h->intake->clock) };
		return;
	}
	h->connections--;
	if (conn && conn->refused && !h->stopping)
		part_from(h, c);
	/* One request or none tells nothing of the process: so it is told where we have closed. */
	if (conn && !h->stopping)
		intake_peer_closed(h->intake, conn->peer, timed_out(h, c, conn) ? 0 : conn->requests);
	free(conn);
}

void
http_adopt(struct http *h, int fd, const struct address *from)
{
	static const char busy[] =
	    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: " RETRY_AFTER "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

	if (h->connections >= h->max_connections) {
		if (send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			log_debug(h->log, "a connection over the limit is gone already");
		partings_take(&h->partings, fd);
		log_refusal(h, VERDICT_BUSY, "a connection over the limit");
		return;
	}
	if (MHD_add_connection(h->daemon, fd, &from->any, from->len) == MHD_YES)
		MHD_set_connection_option(h->newest, MHD_CONNECTION_OPTION_TIMEOUT, FIRST_S);
	else
		log_warning(h->log, "a connection was refused: out of memory or descriptors");
	http_run(h);
}

/* --- libmicrohttpd in the loop --- */

void
http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(h->daemon);
	ev_timer_stop(h->loop, &h->timer);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES) {
		ev_timer_set(&h->timer, (double)ms / 1e3, 0.);
		ev_timer_start(h->loop, &h->timer);
	}
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
	h->ready.data = h->timer.data = h;
	ev_io_start(h->loop, &h->ready);
}

bool
http_open(struct http *h, struct ev_loop *loop, struct intake *intake, size_t max_connections, const struct log *log)
{
	*h = (struct http){ .loop = loop, .intake = intake, .max_connections = max_connections, .log = log };
	h->daemon =
	    MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, h, MHD_OPTION_CONNECTION_LIMIT,
			     (unsigned)max_connections + SPARE, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
			     MHD_OPTION_NOTIFY_COMPLETED, on_request_over, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
			     MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, h, MHD_OPTION_END);
	if (!h->daemon || !make_answers(h)) {
		log_error(log, "cannot start the HTTP server: out of memory or descriptors");
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
	ev_io_stop(h->loop, &h->ready);
	ev_timer_stop(h->loop, &h->timer);
	MHD_stop_daemon(h->daemon);
	partings_finish(&h->partings);
	free_answers(h);
}
