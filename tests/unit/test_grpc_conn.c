#include "grpc_bed.h"

#define HELLO     "\0\0\0\0\5hello"
#define HELLO_LEN 10
#define WITH_BODY .body = HELLO, .len = HELLO_LEN

static void
assert_ok(const struct reply *r)
{
	cr_assert_eq(r->http, 200);
	cr_assert_eq(r->grpc, 0);
	cr_assert_eq(r->data, 5);
	cr_assert_str_eq(r->accepts, GRPC_ACCEPT_ENCODING);
	cr_assert(r->closed);
	cr_assert_eq(r->error, NGHTTP2_NO_ERROR);
}

static void
assert_refused(const struct grpc_bed *b, const struct reply *r, enum verdict v)
{
	char message[GRPC_MESSAGE_MAX];

	cr_assert_eq(r->http, 200, "%u", r->http);
	cr_assert_eq(r->grpc, (int)verdict_grpc_status(v), "%d", r->grpc);
	cr_assert_eq(strlen(r->message), grpc_message(grpc_text(v), message));
	cr_assert_eq(memcmp(r->message, message, strlen(r->message)), 0, "%s", r->message);
	cr_assert_eq(strlen(r->details) > 0, verdict_retry(v));
	cr_assert_eq(r->data, 0);
	cr_assert(r->closed);
	cr_assert_eq(r->error, NGHTTP2_NO_ERROR);
	cr_assert_geq(b->refused[v], 1);
}

/* A message of so many bytes, to be freed. */
static uint8_t *
make_message(size_t len)
{
	uint8_t *m = calloc(1, len + 5);

	cr_assert_not_null(m);
	m[1] = (uint8_t)(len >> 24);
	m[2] = (uint8_t)(len >> 16);
	m[3] = (uint8_t)(len >> 8);
	m[4] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		m[5 + i] = (uint8_t)(i * 7);
	return m;
}

Test(grpc_conn, the_three_services_take_a_message_each)
{
	struct grpc_bed *b = bed_open();

	for (size_t i = 0; i < grpc_route_count; i++) {
		assert_ok(bed_call(b, &(struct ask){ .path = grpc_routes[i].path, WITH_BODY }));
		cr_assert_eq(b->taken[grpc_routes[i].signal], 1);
		cr_assert_eq(b->bytes, 5 * (i + 1));
	}
	cr_assert_eq(b->conn.requests, 3);
	bed_close(b);
}

Test(grpc_conn, an_empty_message_is_a_message)
{
	struct grpc_bed *b = bed_open();

	assert_ok(bed_call(b, &(struct ask){ .body = "\0\0\0\0\0", .len = 5 }));
	cr_assert_eq(b->bytes, 0);
	cr_assert_eq(bed_taken(b), 1);
	bed_close(b);
}

Test(grpc_conn, compression_is_told_by_the_message_and_allowed_by_the_head)
{
	static const struct {
		const char *encoding, *body;
		enum verdict verdict;
		size_t compressed;
	} cases[] = {
		{ "gzip", "\1\0\0\0\5hello", VERDICT_OK, 1 },
		{ "deflate", "\1\0\0\0\5hello", VERDICT_OK, 1 },
		{ "gzip", "\0\0\0\0\5hello", VERDICT_OK, 0 },
		{ "identity", "\0\0\0\0\5hello", VERDICT_OK, 0 },
		{ "identity", "\1\0\0\0\5hello", VERDICT_BAD_FRAMING, 0 },
		{ NULL, "\1\0\0\0\5hello", VERDICT_BAD_FRAMING, 0 },
		{ "zstd", "\1\0\0\0\5hello", VERDICT_BAD_CODING, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grpc_bed *b = bed_open();
		const struct ask a = { .encoding = cases[i].encoding, .body = cases[i].body, .len = HELLO_LEN };
		const struct reply *r = bed_call(b, &a);

		if (cases[i].verdict == VERDICT_OK)
			assert_ok(r);
		else
			assert_refused(b, r, cases[i].verdict);
		cr_assert_str_eq(r->accepts, GRPC_ACCEPT_ENCODING);
		cr_assert_eq(b->compressed, cases[i].compressed);
		bed_close(b);
	}
}

Test(grpc_conn, streams_may_be_interleaved)
{
	struct grpc_bed *b = bed_open();
	uint8_t *message = make_message(1000);
	int32_t ids[100];

	for (size_t i = 0; i < 100; i++)
		ids[i] = bed_ask(b, &(struct ask){ .body = message, .len = 3 + i, .open = true });
	bed_exchange(b);
	cr_assert_eq(b->in_flight, 100);
	for (size_t step = 0; step < 4; step++) {
		for (size_t i = 0; i < 100; i++) {
			struct upload *u = &b->uploads[ids[i] / 2];

			u->len = step == 3 ? 1005 : u->len + 200;
			u->open = step < 3;
			cr_assert_eq(nghttp2_session_resume_data(b->client, ids[i]), 0);
		}
		bed_exchange(b);
	}
	for (size_t i = 0; i < 100; i++)
		assert_ok(bed_reply(b, ids[i]));
	cr_assert_eq(b->bytes, 100 * 1000);
	cr_assert_eq(b->in_flight, 0);
	bed_close(b);
	free(message);
}

Test(grpc_conn, a_large_message_fits_through_the_window)
{
	struct grpc_bed *b = bed_open();
	uint8_t *message = make_message(5 << 20);

	b->limits.max_body = 5 << 20;
	b->limits.max_held = 6 << 20;
	assert_ok(bed_call(b, &(struct ask){ .body = message, .len = (5 << 20) + 5 }));
	cr_assert_eq(b->bytes, 5 << 20);
	bed_close(b);
	free(message);
}

/* --- any pieces --- */

static void
converse(struct grpc_bed *b)
{
	bed_ask(b, &(struct ask){ WITH_BODY, .timeout = "10S" });
	bed_ask(b, &(struct ask){ .path = "/nowhere", WITH_BODY });
	bed_exchange(b);
	bed_ask(b, &(struct ask){ .path = grpc_routes[1].path, .encoding = "gzip", .body = "\1\0\0\0\1g", .len = 6 });
	bed_ask(b, &(struct ask){ .body = "\2garbage", .len = 8 });
	cr_assert_eq(nghttp2_submit_ping(b->client, NGHTTP2_FLAG_NONE, NULL), 0);
	bed_exchange(b);
	bed_ask(b, &(struct ask){ .padding = 5000, WITH_BODY });
	bed_ask(b, &(struct ask){ .method = "GET" });
	bed_exchange(b);
}

/* How many frames of each type there are. An answer may or may not need a RST_STREAM: that depends on what has come by then. */
struct frames {
	size_t of[256];
};

static struct frames
count_frames(const struct buf *b)
{
	struct frames f = { { 0 } };

	for (size_t at = 0; at < b->len;) {
		const uint8_t *head = b->bytes + at;

		cr_assert_leq(at + 9, b->len);
		f.of[head[3]] += head[3] != NGHTTP2_RST_STREAM;
		at += 9 + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
	}
	return f;
}

/* Takes what is to be sent, as a socket would. */
static void
drain(struct grpc_bed *b)
{
	const uint8_t *bytes;
	size_t len;

	while ((len = grpc_conn_output(&b->conn, &bytes)) > 0) {
		cr_assert(buf_append(&b->got, bytes, len));
		grpc_conn_sent(&b->conn, len);
	}
}

/* The same bytes once more, in two pieces, each in memory of exactly its size. */
static struct grpc_bed *
replay(const struct grpc_bed *original, size_t split, size_t len)
{
	struct grpc_bed *b = bed_open();
	const size_t ends[] = { split, len };

	drain(b);
	for (size_t i = 0, at = 0; i < 2; at = ends[i++]) {
		const size_t n = ends[i] - at;
		uint8_t *piece = malloc(n + !n);

		memcpy(piece, original->sent.bytes + at, n);
		grpc_conn_receive(&b->conn, piece, n);
		free(piece);
		drain(b);
	}
	return b;
}

Test(grpc_conn, every_split_of_a_conversation_does_the_same)
{
	struct grpc_bed *first = bed_open();

	converse(first);
	cr_assert_eq(bed_taken(first), 2);
	const struct frames frames = count_frames(&first->got);
	for (size_t split = 0; split <= first->sent.len; split++) {
		struct grpc_bed *b = replay(first, split, first->sent.len);

		const struct frames again = count_frames(&b->got);

		cr_assert_eq(memcmp(&again, &frames, sizeof(frames)), 0, "split at %zu", split);
		cr_assert_eq(b->sum, first->sum);
		cr_assert_eq(memcmp(b->taken, first->taken, sizeof(b->taken)), 0);
		cr_assert_eq(memcmp(b->refused, first->refused, sizeof(b->refused)), 0);
		cr_assert_eq(b->in_flight, 0);
		cr_assert_not(grpc_conn_over(&b->conn));
		bed_close(b);
	}
	bed_close(first);
}

Test(grpc_conn, every_prefix_of_a_conversation_can_be_the_end)
{
	struct grpc_bed *first = bed_open();
	size_t taken = 0;

	converse(first);
	for (size_t len = 0; len <= first->sent.len; len++) {
		struct grpc_bed *b = replay(first, len / 2, len);

		cr_assert_geq(bed_taken(b), taken);
		taken = bed_taken(b);
		cr_assert_leq(b->in_flight, 2);
		cr_assert_leq(count_frames(&b->got).of[NGHTTP2_HEADERS], count_frames(&first->got).of[NGHTTP2_HEADERS]);
		bed_close(b);
	}
	cr_assert_eq(taken, 2);
	bed_close(first);
}

Test(grpc_conn, what_is_no_http2_ends_the_connection)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
					     "\x16\x03\x01" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct grpc_bed *b = bed_open();

		grpc_conn_receive(&b->conn, (const uint8_t *)texts[i], strlen(texts[i]));
		cr_assert(grpc_conn_over(&b->conn));
		cr_assert_eq(grpc_conn_due(&b->conn), GRPC_NEVER);
		bed_close(b);
	}
}

/* --- refusals --- */

Test(grpc_conn, heads_that_are_refused)
{
	static const struct {
		struct ask ask;
		enum verdict verdict;
	} cases[] = {
		{ { .path = "/v1/logs", WITH_BODY }, VERDICT_NOT_FOUND },
		{ { .padding = 5000, WITH_BODY }, VERDICT_LARGE_HEADER },
		{ { .origin = "http://example.org", .authorization = "Bearer " BED_TOKEN, WITH_BODY }, VERDICT_FOREIGN_ORIGIN },
		{ { .authority = "rebound.example.org:4317", .authorization = "Bearer " BED_TOKEN, WITH_BODY },
		  VERDICT_FOREIGN_HOST },
		{ { WITH_BODY }, VERDICT_NO_TOKEN },
		{ { .authorization = "Bearer another-one", WITH_BODY }, VERDICT_NO_TOKEN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grpc_bed *b = bed_open();
		struct ask a = cases[i].ask;

		b->access.token = cases[i].verdict >= VERDICT_NOT_FOUND ? NULL : BED_TOKEN;
		assert_refused(b, bed_call(b, &a), cases[i].verdict);
		cr_assert_eq(bed_taken(b), 0);
		assert_ok(bed_call(b, &(struct ask){ .authorization = "Bearer " BED_TOKEN, WITH_BODY }));
		bed_close(b);
	}
}

Test(grpc_conn, those_who_do_not_speak_grpc_get_an_http_status)
{
	struct grpc_bed *b = bed_open();
	const struct reply *r = bed_call(b, &(struct ask){ .method = "GET" });

	cr_assert_eq(r->http, 405);
	cr_assert_eq(r->grpc, 12);
	cr_assert(r->closed);
	r = bed_call(b, &(struct ask){ .path = "/v1/logs", .type = "application/x-protobuf", WITH_BODY });
	cr_assert_eq(r->http, 415);
	cr_assert_neq(r->grpc, 0);
	cr_assert(r->closed);
	cr_assert_eq(r->error, NGHTTP2_NO_ERROR);
	b->intake.closed = VERDICT_BUSY;
	r = bed_call(b, &(struct ask){ .method = "PUT" });
	cr_assert_eq(r->http, 405);
	bed_close(b);
}

Test(grpc_conn, a_peer_that_is_refused_is_so_on_every_stream)
{
	struct grpc_bed *b = bed_open();

	b->peer.verdict = VERDICT_TOO_MANY;
	assert_refused(b, bed_call(b, &(struct ask){ WITH_BODY }), VERDICT_TOO_MANY);
	assert_refused(b, bed_call(b, &(struct ask){ .path = "/v1/logs", WITH_BODY }), VERDICT_TOO_MANY);
	cr_assert_eq(bed_taken(b), 0);
	bed_close(b);
}

Test(grpc_conn, a_closed_intake_refuses_before_the_body_comes)
{
	struct grpc_bed *b = bed_open();

	b->intake.closed = VERDICT_NO_STORE;
	assert_refused(b, bed_call(b, &(struct ask){ .open = true, WITH_BODY }), VERDICT_NO_STORE);
	bed_close(b);
}

Test(grpc_conn, what_the_intake_says_is_answered)
{
	struct grpc_bed *b = bed_open();

	for (enum verdict v = VERDICT_MALFORMED; v < VERDICT_COUNT; v++) {
		b->take = v;
		assert_refused(b, bed_call(b, &(struct ask){ WITH_BODY }), v);
	}
	cr_assert_eq(b->intake.held, 0);
	bed_close(b);
}

Test(grpc_conn, a_head_far_over_the_limit_is_not_read)
{
	struct grpc_bed *b = bed_open();

	bed_ask(b, &(struct ask){ .padding = 60000, WITH_BODY });
	bed_exchange(b);
	cr_assert(grpc_conn_over(&b->conn));
	cr_assert_eq(bed_taken(b), 0);
	bed_close(b);
}

Test(grpc_conn, bodies_that_are_refused)
{
	static const struct {
		const char *body;
		size_t len;
		enum verdict verdict;
	} cases[] = {
		{ "\0\0\1\x86\xa1", 5, VERDICT_TOO_LARGE }, /* 100001 */
		{ "\0\xff\xff\xff\xff", 5, VERDICT_TOO_LARGE },
		{ "\3\0\0\0\0", 5, VERDICT_BAD_FRAMING },
		{ "\0\0\0\0\0x", 6, VERDICT_BAD_FRAMING },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grpc_bed *b = bed_open();

		/* Answered, and told to stop, before its end. */
		assert_refused(b, bed_call(b, &(struct ask){ .body = cases[i].body, .len = cases[i].len, .open = true }),
			       cases[i].verdict);
		assert_refused(b, bed_call(b, &(struct ask){ .body = cases[i].body, .len = cases[i].len }), cases[i].verdict);
		bed_close(b);
	}
}

Test(grpc_conn, bodies_that_end_too_early)
{
	struct grpc_bed *b = bed_open();

	for (size_t len = 1; len < HELLO_LEN; len++)
		assert_refused(b, bed_call(b, &(struct ask){ .body = HELLO, .len = len }), VERDICT_BAD_FRAMING);
	assert_refused(b, bed_call(b, &(struct ask){ .len = 0 }), VERDICT_BAD_FRAMING);
	bed_close(b);
}

Test(grpc_conn, fields_may_follow_the_body_within_the_limit)
{
	static const size_t sizes[] = { 10, 5000 };

	for (size_t i = 0; i < 2; i++) {
		struct grpc_bed *b = bed_open();
		const int32_t id = bed_ask(b, &(struct ask){ .open = true, WITH_BODY });
		uint8_t *value = malloc(sizes[i]);
		const nghttp2_nv field = { .name = (uint8_t *)"x", .value = value, .namelen = 1, .valuelen = sizes[i] };

		memset(value, 'x', sizes[i]);
		bed_exchange(b);
		cr_assert_eq(nghttp2_submit_headers(b->client, NGHTTP2_FLAG_END_STREAM, id, NULL, &field, 1, NULL), 0);
		bed_exchange(b);
		if (i == 0)
			assert_ok(bed_reply(b, id));
		else
			assert_refused(b, bed_reply(b, id), VERDICT_LARGE_HEADER);
		free(value);
		bed_close(b);
	}
}

Test(grpc_conn, bodies_under_way_are_held)
{
	struct grpc_bed *b = bed_open();
	uint8_t *message = make_message(90000);
	int32_t ids[3];

	for (size_t i = 0; i < 3; i++)
		ids[i] = bed_ask(b, &(struct ask){ .body = message, .len = 80000, .open = true });
	bed_exchange(b);
	/* Two of them fit into what may be held. */
	cr_assert_eq(b->refused[VERDICT_BUSY], 1);
	cr_assert_leq(b->intake.held, b->limits.max_held);
	cr_assert_geq(b->intake.held, 2 * 79995);
	cr_assert_eq(b->in_flight, 2);
	for (size_t i = 0; i < 3; i++)
		if (!bed_reply(b, ids[i])->closed)
			cr_assert_eq(nghttp2_submit_rst_stream(b->client, NGHTTP2_FLAG_NONE, ids[i], NGHTTP2_CANCEL), 0);
	bed_exchange(b);
	cr_assert_eq(b->intake.held, 0);
	assert_ok(bed_call(b, &(struct ask){ .body = message, .len = 90005 }));
	bed_close(b);
	free(message);
}

Test(grpc_conn, an_announced_length_alone_holds_little)
{
	struct grpc_bed *b = bed_open();

	b->limits.max_body = b->limits.max_held = (size_t)1 << 31;
	bed_call(b, &(struct ask){ .body = "\0\177\0\0\0", .len = 5, .open = true });
	cr_assert_eq(b->intake.held, 0);
	bed_call(b, &(struct ask){ .body = "\0\177\0\0\0x", .len = 6, .open = true });
	cr_assert_leq(b->intake.held, 64 << 10);
	bed_close(b);
}

/* --- waiting for the store --- */

Test(grpc_conn, deferred_answers_wait_until_they_are_settled)
{
	struct grpc_bed *b = bed_open();
	int32_t ids[4];

	b->intake.deferred = true;
	for (size_t i = 0; i < 3; i++)
		ids[i] = bed_ask(b, &(struct ask){ WITH_BODY });
	bed_exchange(b);
	cr_assert_eq(bed_taken(b), 3);
	cr_assert_eq(b->waiting, 3);
	cr_assert_eq(b->in_flight, 3);
	cr_assert_eq(b->intake.held, 0);
	cr_assert_eq(bed_reply(b, ids[0])->grpc, -1);
	ids[3] = bed_ask(b, &(struct ask){ .open = true, WITH_BODY });
	bed_exchange(b);
	grpc_conn_settle(&b->conn, VERDICT_OK);
	cr_assert_eq(b->waiting, 0);
	cr_assert_eq(b->in_flight, 1);
	bed_exchange(b);
	for (size_t i = 0; i < 3; i++)
		assert_ok(bed_reply(b, ids[i]));
	cr_assert_eq(bed_reply(b, ids[3])->grpc, -1);
	bed_close(b);
}

Test(grpc_conn, what_cannot_be_stored_may_come_again)
{
	struct grpc_bed *b = bed_open();
	int32_t id;

	b->intake.deferred = true;
	id = bed_ask(b, &(struct ask){ WITH_BODY });
	bed_exchange(b);
	grpc_conn_settle(&b->conn, VERDICT_NO_STORE);
	bed_exchange(b);
	assert_refused(b, bed_reply(b, id), VERDICT_NO_STORE);
	/* What is refused does not wait. */
	b->take = VERDICT_MALFORMED;
	assert_refused(b, bed_call(b, &(struct ask){ WITH_BODY }), VERDICT_MALFORMED);
	bed_close(b);
}

Test(grpc_conn, a_stream_given_up_while_it_waits_is_forgotten)
{
	struct grpc_bed *b = bed_open();
	int32_t ids[3];

	b->intake.deferred = true;
	for (size_t i = 0; i < 3; i++)
		ids[i] = bed_ask(b, &(struct ask){ WITH_BODY });
	bed_exchange(b);
	cr_assert_eq(nghttp2_submit_rst_stream(b->client, NGHTTP2_FLAG_NONE, ids[1], NGHTTP2_CANCEL), 0);
	bed_exchange(b);
	cr_assert_eq(b->waiting, 2);
	cr_assert_eq(b->in_flight, 2);
	grpc_conn_settle(&b->conn, VERDICT_OK);
	bed_exchange(b);
	assert_ok(bed_reply(b, ids[0]));
	assert_ok(bed_reply(b, ids[2]));
	cr_assert_eq(bed_reply(b, ids[1])->grpc, -1);
	/* And a connection that ends while some wait. */
	bed_ask(b, &(struct ask){ WITH_BODY });
	bed_exchange(b);
	cr_assert_eq(b->waiting, 1);
	bed_close(b);
}
