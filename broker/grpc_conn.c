#include "grpc_conn.h"
#include "grpc_stream.h"

#include <string.h>

#define WINDOW       (1 << 20) /* bytes that a peer may send ahead, on a stream and on all of them */
#define ACKS_MAX     1000      /* of PING and SETTINGS, waiting to be sent */
#define OUT_KEPT     ((size_t)4 << 10)
#define CALM_NS      (10 * NS_PER_S)
#define NOISE_BYTES  256   /* of input besides messages that make a noise, as does a frame that carries nothing */
#define NOISE_MAX    10000 /* noises within CALM_NS, */
#define NOISE_USEFUL 16    /* and so many more for each useful request */
#define RESET_FACTOR 4     /* streams given up within CALM_NS, in limits of streams */

static const struct limits *
limits_of(const struct grpc_conn *c)
{
	return c->host->intake->limits;
}

/* --- what a peer may not do --- */

static void
leave(struct grpc_conn *c, uint32_t error)
{
	if (nghttp2_session_terminate_session(c->session, error) != 0)
		c->broken = true;
}

static void
begin_window(struct grpc_conn *c)
{
	if (c->now_ns - c->window_ns < CALM_NS)
		return;
	c->window_ns = c->now_ns;
	c->noise = c->resets = c->useful = 0;
}

static void
count_noise(struct grpc_conn *c, size_t n)
{
	c->noise += n;
	if (c->noise > NOISE_MAX + NOISE_USEFUL * c->useful)
		leave(c, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void
count_reset(struct grpc_conn *c)
{
	if (++c->resets > RESET_FACTOR * limits_of(c)->max_streams + c->useful)
		leave(c, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* --- what libnghttp2 calls --- */

/* What carries something is DATA; each request has one HEADERS, which it pays for. Frames of unknown types are not seen here. */
static int
on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *ctx)
{
	(void)session;
	if (hd->type != NGHTTP2_DATA || (hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM)))
		count_noise(ctx, 1);
	return 0;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc_stream *s;

	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	s = grpc_stream_begin(ctx, frame->hd.stream_id);
	if (!s)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	return nghttp2_session_set_stream_user_data(session, s->id, s) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_field(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value, uint8_t flags,
	 void *ctx)
{
	struct grpc_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	(void)flags;
	return s && !grpc_stream_field(ctx, s, name, value) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_piece(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len, void *ctx)
{
	struct grpc_stream *s = nghttp2_session_get_stream_user_data(session, stream);
	struct grpc_conn *c = ctx;

	(void)flags;
	if (!s || s->answered)
		return 0;
	c->dry -= len;
	grpc_stream_piece(c, s, bytes, len);
	return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	struct grpc_conn *c = ctx;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		c->peer_left = true;
	if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (!s->headed)
		grpc_stream_headed(c, s);
	if (!s->answered && s->head_size > limits_of(c)->max_header)
		grpc_stream_answer(c, s, VERDICT_LARGE_HEADER); /* by what follows the body */
	if (!s->answered && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		grpc_stream_ended(c, s);
	return 0;
}

/* An answer is out: if it came before the end of the request, the rest of that need not be sent. */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	const int32_t id = frame->hd.stream_id;

	(void)ctx;
	if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    nghttp2_session_get_stream_remote_close(session, id) != 0)
		return 0;
	return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_stream_closed(nghttp2_session *session, int32_t stream, uint32_t error, void *ctx)
{
	struct grpc_stream *s = nghttp2_session_get_stream_user_data(session, stream);
	struct grpc_conn *c = ctx;

	(void)error;
	if (!s)
		return 0;
	if (!s->answered)
		count_reset(c);
	grpc_stream_end(c, s);
	return 0;
}

/* --- the session --- */

static void
pull_output(struct grpc_conn *c)
{
	const uint8_t *bytes;
	ssize_t n = 1;

	while (n > 0 && !c->broken && c->out.len - c->out_sent < GRPC_OUT_MAX) {
		n = nghttp2_session_mem_send(c->session, &bytes);
		c->broken = n < 0 || !buf_append(&c->out, bytes, (size_t)n);
	}
}

static nghttp2_session *
make_session(struct grpc_conn *c)
{
	nghttp2_session_callbacks *calls = NULL;
	nghttp2_session *session = NULL;
	nghttp2_option *option = NULL;

	if (nghttp2_session_callbacks_new(&calls) != 0 || nghttp2_option_new(&option) != 0)
		goto out;
	nghttp2_session_callbacks_set_on_begin_frame_callback(calls, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback2(calls, on_field);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_piece);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_closed);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
	if (nghttp2_session_server_new2(&session, calls, c, option) != 0)
		session = NULL;
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(calls);
	return session;
}

bool
grpc_conn_init(struct grpc_conn *c, const struct grpc_host *host, const struct peer *peer)
{
	const struct limits *l = host->intake->limits;
	/* Without the priorities of old, nobody can have us keep a tree of them. */
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)l->max_streams },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)l->max_header },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};
	const uint64_t now = host->now(host->ctx);

	*c = (struct grpc_conn){
		.host = host, .peer = peer, .now_ns = now, .begun_ns = peer->arrived_ns, .quiet_ns = now, .window_ns = now
	};
	c->due_ns = GRPC_NEVER;
	c->session = make_session(c);
	if (!c->session)
		return false;
	if (nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(settings[0])) != 0 ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0, WINDOW) != 0)
		c->broken = true;
	pull_output(c);
	if (c->broken)
		grpc_conn_finish(c);
	return !c->broken;
}

void
grpc_conn_finish(struct grpc_conn *c)
{
	while (c->first)
		grpc_stream_end(c, c->first);
	nghttp2_session_del(c->session);
	c->session = NULL;
	buf_finish(&c->out);
}

void
grpc_conn_receive(struct grpc_conn *c, const uint8_t *bytes, size_t len)
{
	c->now_ns = c->host->now(c->host->ctx);
	begin_window(c);
	c->dry += len;
	if (!c->broken && nghttp2_session_mem_recv(c->session, bytes, len) < 0)
		c->broken = true;
	count_noise(c, c->dry / NOISE_BYTES);
	c->dry %= NOISE_BYTES;
	pull_output(c);
}

size_t
grpc_conn_output(const struct grpc_conn *c, const uint8_t **ret)
{
	*ret = c->out.bytes + c->out_sent;
	return c->out.len - c->out_sent;
}

void
grpc_conn_sent(struct grpc_conn *c, size_t len)
{
	c->out_sent += len;
	if (c->out_sent == c->out.len) {
		buf_clear(&c->out, OUT_KEPT);
		c->out_sent = 0;
	} else if (c->out_sent >= GRPC_OUT_MAX) {
		c->out.len -= c->out_sent;
		memmove(c->out.bytes, c->out.bytes + c->out_sent, c->out.len);
		c->out_sent = 0;
	}
	pull_output(c);
}

void
grpc_conn_settle(struct grpc_conn *c, enum verdict v)
{
	c->now_ns = c->host->now(c->host->ctx);
	for (struct grpc_stream *s = c->first; s && c->waiting > 0; s = s->next)
		if (s->waiting)
			grpc_stream_answer(c, s, v);
	pull_output(c);
}

void
grpc_conn_drain(struct grpc_conn *c)
{
	const int32_t last = nghttp2_session_get_last_proc_stream_id(c->session);

	if (nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0)
		c->broken = true;
	pull_output(c);
}

/* --- time --- */

uint64_t
grpc_conn_due(const struct grpc_conn *c)
{
	if (grpc_conn_over(c))
		return GRPC_NEVER;
	if (!c->headed)
		return c->begun_ns + limits_of(c)->header_ns;
	return c->first ? c->due_ns : c->quiet_ns + limits_of(c)->idle_ns;
}

/* A stream's time is over. One that waits for the store has come in time. */
static void
expire(struct grpc_conn *c, struct grpc_stream *s)
{
	if (s->answered)
		c->broken |= nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL) != 0;
	else if (s->headed)
		grpc_stream_answer(c, s, VERDICT_TIMEOUT);
	else
		leave(c, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void
tick_streams(struct grpc_conn *c)
{
	uint64_t due = GRPC_NEVER;

	for (struct grpc_stream *s = c->first; s; s = s->next) {
		if (s->waiting)
			continue;
		if (s->deadline_ns <= c->now_ns)
			expire(c, s);
		if (s->deadline_ns > c->now_ns && s->deadline_ns < due)
			due = s->deadline_ns;
	}
	c->due_ns = due;
}

void
grpc_conn_tick(struct grpc_conn *c)
{
	const uint64_t due = grpc_conn_due(c);

	c->now_ns = c->host->now(c->host->ctx);
	if (due > c->now_ns)
		return;
	if (c->first && c->headed)
		tick_streams(c);
	else
		leave(c, NGHTTP2_NO_ERROR);
	pull_output(c);
}

bool
grpc_conn_over(const struct grpc_conn *c)
{
	return c->broken || (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session));
}
