/* A gRPC connection and a client of it, both in memory: libnghttp2 on either side, and an intake that only takes notes. */
#ifndef AGENTBUS_TEST_GRPC_BED_H
#define AGENTBUS_TEST_GRPC_BED_H

#include "grpc_conn.h"
#include "grpc_rules.h"

#include <criterion/criterion.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#define BED_STREAMS 1024
#define BED_LOGS    "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
#define BED_TOKEN   "of-a-test"

/* What a client asks; NULL: its usual value, or none. */
struct ask {
	const char *method, *path, *type, *encoding, *authority, *origin, *authorization, *timeout;
	size_t padding; /* bytes of a field that means nothing */
	const void *body;
	size_t len;
	bool open; /* more of the body may come */
};

/* What came back on a stream. */
struct reply {
	unsigned http;
	int grpc; /* -1: nothing */
	char message[256], details[512], accepts[64];
	size_t data;
	bool closed;
	uint32_t error;
};

struct upload {
	const uint8_t *bytes;
	size_t len, at;
	bool open;
};

struct grpc_bed {
	struct intake intake; /* first: take() finds the bed by it */
	struct limits limits;
	struct access_policy access;
	struct grpc_host host;
	struct peer peer;
	struct grpc_conn conn;
	size_t waiting, in_flight;
	uint64_t now;
	enum verdict take;
	size_t taken[OTLP_SIGNAL_COUNT], compressed, bytes; /* what the intake saw */
	uint32_t sum;
	size_t refused[VERDICT_COUNT];
	nghttp2_session *client;
	struct reply replies[BED_STREAMS]; /* by half the stream's number */
	struct upload uploads[BED_STREAMS];
	bool goaway;
	uint32_t goaway_error;
	struct buf sent, got; /* all bytes to the connection, and from it */
};

/* --- the side of the broker --- */

static inline enum verdict
bed_take(struct intake *in, const struct intake_body *body)
{
	struct grpc_bed *b = (struct grpc_bed *)in;

	cr_assert_eq(body->encoding, OTLP_PROTOBUF);
	cr_assert(body->signal_known);
	cr_assert_eq(body->peer, b->peer.id);
	b->taken[body->signal]++;
	b->compressed += body->compressed;
	b->bytes += body->len;
	for (size_t i = 0; i < body->len; i++)
		b->sum = 31 * b->sum + body->bytes[i];
	return b->take;
}

static inline uint64_t
bed_now(void *ctx)
{
	const struct grpc_bed *b = ctx;

	return b->now;
}

static inline void
bed_refused(void *ctx, enum verdict v, const char *what)
{
	struct grpc_bed *b = ctx;

	cr_assert_gt(strlen(what), 0);
	b->refused[v]++;
}

static inline size_t
bed_taken(const struct grpc_bed *b)
{
	return b->taken[OTLP_LOGS] + b->taken[OTLP_TRACES] + b->taken[OTLP_METRICS];
}

/* --- the client's side --- */

static inline int
bed_on_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
	     size_t len, uint8_t flags, void *ctx)
{
	struct grpc_bed *b = ctx;
	struct reply *r = &b->replies[frame->hd.stream_id / 2];
	const struct str n = { (const char *)name, name_len };
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = { { "grpc-message", r->message, sizeof(r->message) },
		      { "grpc-status-details-bin", r->details, sizeof(r->details) },
		      { "grpc-accept-encoding", r->accepts, sizeof(r->accepts) } };

	(void)session;
	(void)flags;
	if (str_eq(n, STR(":status")))
		r->http = (unsigned)atoi((const char *)value);
	if (str_eq(n, STR("grpc-status")))
		r->grpc = atoi((const char *)value);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (str_eq(n, str_from(texts[i].name))) {
			cr_assert_lt(len, texts[i].size);
			memcpy(texts[i].to, value, len);
		}
	}
	return 0;
}

static inline int
bed_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *ctx)
{
	struct grpc_bed *b = ctx;

	(void)session;
	(void)flags;
	for (size_t i = 0; i < len; i++)
		cr_assert_eq(bytes[i], 0);
	b->replies[id / 2].data += len;
	return 0;
}

static inline int
bed_on_close(nghttp2_session *session, int32_t id, uint32_t error, void *ctx)
{
	struct grpc_bed *b = ctx;

	(void)session;
	b->replies[id / 2].closed = true;
	b->replies[id / 2].error = error;
	return 0;
}

static inline int
bed_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
	struct grpc_bed *b = ctx;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		b->goaway = true;
		b->goaway_error = frame->goaway.error_code;
	}
	return 0;
}

static inline ssize_t
bed_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t size, uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
	struct upload *u = source->ptr;
	const size_t left = u->len - u->at, n = left < size ? left : size;

	(void)session;
	(void)id;
	(void)ctx;
	if (n > 0)
		memcpy(buf, u->bytes + u->at, n);
	u->at += n;
	if (u->at == u->len && !u->open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return n == 0 && u->open ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

static inline void
bed_make_client(struct grpc_bed *b)
{
	nghttp2_session_callbacks *calls;
	nghttp2_option *option;

	cr_assert_eq(nghttp2_session_callbacks_new(&calls), 0);
	cr_assert_eq(nghttp2_option_new(&option), 0);
	nghttp2_session_callbacks_set_on_header_callback(calls, bed_on_field);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, bed_on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, bed_on_close);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, bed_on_frame);
	nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
	cr_assert_eq(nghttp2_session_client_new2(&b->client, calls, b, option), 0);
	cr_assert_eq(nghttp2_submit_settings(b->client, NGHTTP2_FLAG_NONE, NULL, 0), 0);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(calls);
	for (size_t i = 0; i < BED_STREAMS; i++)
		b->replies[i].grpc = -1;
}

/* --- both --- */

static inline void
bed_init(struct grpc_bed *b)
{
	memset(b, 0, sizeof(*b));
	b->limits = (struct limits){ .max_streams = 100,
				     .max_header = 4096,
				     .max_body = 100000,
				     .max_held = 200000,
				     .header_ns = 10 * NS_PER_S,
				     .request_ns = 30 * NS_PER_S,
				     .idle_ns = 600 * NS_PER_S };
	b->intake.limits = &b->limits;
	b->host = (struct grpc_host){ .intake = &b->intake,
				      .access = &b->access,
				      .take = bed_take,
				      .now = bed_now,
				      .refused = bed_refused,
				      .ctx = b,
				      .waiting = &b->waiting,
				      .in_flight = &b->in_flight };
	b->peer.id = 7;
	b->now = b->peer.arrived_ns = 1000 * NS_PER_S;
	bed_make_client(b);
}

static inline struct grpc_bed *
bed_open(void)
{
	struct grpc_bed *b = malloc(sizeof(*b));

	cr_assert_not_null(b);
	bed_init(b);
	cr_assert(grpc_conn_init(&b->conn, &b->host, &b->peer));
	return b;
}

/* Nothing may be left: no stream, no byte that is held. */
static inline void
bed_close(struct grpc_bed *b)
{
	grpc_conn_finish(&b->conn);
	nghttp2_session_del(b->client);
	cr_assert_eq(b->in_flight, 0);
	cr_assert_eq(b->waiting, 0);
	cr_assert_eq(b->intake.held, 0);
	buf_finish(&b->sent);
	buf_finish(&b->got);
	free(b);
}

static inline bool
bed_deliver_output(struct grpc_bed *b)
{
	const uint8_t *bytes;
	const size_t len = grpc_conn_output(&b->conn, &bytes);

	if (len == 0)
		return false;
	cr_assert(buf_append(&b->got, bytes, len));
	cr_assert_eq(nghttp2_session_mem_recv(b->client, bytes, len), (ssize_t)len);
	grpc_conn_sent(&b->conn, len);
	return true;
}

/* Moves bytes both ways until neither side has any. */
static inline void
bed_exchange(struct grpc_bed *b)
{
	const uint8_t *bytes;
	bool moved = true;

	while (moved) {
		const ssize_t n = nghttp2_session_mem_send(b->client, &bytes);

		cr_assert_geq(n, 0);
		if (n > 0) {
			cr_assert(buf_append(&b->sent, bytes, (size_t)n));
			grpc_conn_receive(&b->conn, bytes, (size_t)n);
		}
		moved = bed_deliver_output(b) || n > 0;
	}
}

static inline void
bed_add_field(nghttp2_nv *nv, size_t *count, const char *name, const char *value)
{
	if (value)
		nv[(*count)++] = (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
					       .value = (uint8_t *)(uintptr_t)value,
					       .namelen = strlen(name),
					       .valuelen = strlen(value) };
}

/* Begins a request; bed_exchange() sends it. */
static inline int32_t
bed_ask(struct grpc_bed *b, const struct ask *a)
{
	const size_t slot = nghttp2_session_get_next_stream_id(b->client) / 2;
	struct upload *u = &b->uploads[slot];
	const nghttp2_data_provider body = { .source.ptr = u, .read_callback = bed_read };
	char *padding = calloc(1, a->padding + 1);
	nghttp2_nv nv[16];
	size_t count = 0;

	cr_assert_lt(slot, BED_STREAMS);
	memset(padding, 'x', a->padding);
	*u = (struct upload){ .bytes = a->body, .len = a->len, .open = a->open };
	bed_add_field(nv, &count, ":method", a->method ? a->method : "POST");
	bed_add_field(nv, &count, ":scheme", "http");
	bed_add_field(nv, &count, ":path", a->path ? a->path : BED_LOGS);
	bed_add_field(nv, &count, ":authority", a->authority ? a->authority : "localhost:4317");
	bed_add_field(nv, &count, "te", "trailers");
	bed_add_field(nv, &count, "content-type", a->type ? a->type : "application/grpc");
	bed_add_field(nv, &count, "grpc-encoding", a->encoding);
	bed_add_field(nv, &count, "grpc-timeout", a->timeout);
	bed_add_field(nv, &count, "origin", a->origin);
	bed_add_field(nv, &count, "authorization", a->authorization);
	bed_add_field(nv, &count, "x-padding", a->padding ? padding : NULL);
	const int32_t id = nghttp2_submit_request(b->client, NULL, nv, count, a->body || a->open ? &body : NULL, NULL);
	cr_assert_eq(id, 2 * (int32_t)slot + 1);
	free(padding);
	return id;
}

static inline struct reply *
bed_reply(struct grpc_bed *b, int32_t id)
{
	return &b->replies[id / 2];
}

/* The whole of it, alone. */
static inline struct reply *
bed_call(struct grpc_bed *b, const struct ask *a)
{
	const int32_t id = bed_ask(b, a);

	bed_exchange(b);
	return bed_reply(b, id);
}

#endif
