/* What a connection does as time goes by, and to peers that only make work. */
#include "grpc_bed.h"

#define HELLO     "\0\0\0\0\5hello"
#define HELLO_LEN 10
#define WITH_BODY .body = HELLO, .len = HELLO_LEN

/* Lets time pass until something is due. */
static void
pass_until_due(struct grpc_bed *b)
{
	const uint64_t due = grpc_conn_due(&b->conn);

	cr_assert_neq(due, GRPC_NEVER);
	cr_assert_gt(due, b->now);
	b->now = due - 1;
	grpc_conn_tick(&b->conn);
	cr_assert_eq(grpc_conn_due(&b->conn), due, "nothing happens too early");
	b->now = due;
	grpc_conn_tick(&b->conn);
	bed_exchange(b);
}

Test(grpc_conn_time, a_body_that_does_not_come_is_a_timeout)
{
	static const struct {
		const char *timeout;
		uint64_t after;
	} cases[] = {
		{ NULL, 30 * NS_PER_S }, { "1500m", 1500 * NS_PER_MS }, { "99999999H", 30 * NS_PER_S }, { "40S", 30 * NS_PER_S }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grpc_bed *b = bed_open();
		const uint64_t begun = b->now;
		const struct reply *r = bed_call(b, &(struct ask){ .timeout = cases[i].timeout, .open = true, WITH_BODY });

		cr_assert_eq(grpc_conn_due(&b->conn), begun + cases[i].after);
		pass_until_due(b);
		cr_assert_eq(r->grpc, 4);
		cr_assert(r->closed);
		cr_assert_eq(r->error, NGHTTP2_NO_ERROR);
		cr_assert_eq(b->refused[VERDICT_TIMEOUT], 1);
		cr_assert_eq(b->intake.held, 0);
		/* The connection goes on. */
		cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
		bed_close(b);
	}
}

Test(grpc_conn_time, each_stream_has_its_own_deadline)
{
	struct grpc_bed *b = bed_open();
	const int32_t slow = bed_ask(b, &(struct ask){ .timeout = "20S", .open = true });
	const int32_t fast = bed_ask(b, &(struct ask){ .timeout = "2S", .open = true });

	bed_exchange(b);
	pass_until_due(b);
	cr_assert_eq(bed_reply(b, fast)->grpc, 4);
	cr_assert_eq(bed_reply(b, slow)->grpc, -1);
	pass_until_due(b);
	cr_assert_eq(bed_reply(b, slow)->grpc, 4);
	bed_close(b);
}

Test(grpc_conn_time, what_came_in_time_may_wait_for_the_store)
{
	struct grpc_bed *b = bed_open();
	int32_t id;

	b->intake.deferred = true;
	id = bed_ask(b, &(struct ask){ .timeout = "1S", WITH_BODY });
	bed_exchange(b);
	b->now += 100 * NS_PER_S;
	grpc_conn_tick(&b->conn);
	cr_assert_eq(grpc_conn_due(&b->conn), GRPC_NEVER);
	grpc_conn_settle(&b->conn, VERDICT_OK);
	bed_exchange(b);
	cr_assert_eq(bed_reply(b, id)->grpc, 0);
	bed_close(b);
}

Test(grpc_conn_time, an_answer_that_is_not_let_through_is_given_up)
{
	struct grpc_bed *b = bed_open();
	const nghttp2_settings_entry closed = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 };
	const struct reply *r;

	cr_assert_eq(nghttp2_submit_settings(b->client, NGHTTP2_FLAG_NONE, &closed, 1), 0);
	r = bed_call(b, &(struct ask){ WITH_BODY });
	cr_assert_eq(r->http, 200);
	cr_assert_eq(r->grpc, -1);
	cr_assert_eq(b->in_flight, 0);
	pass_until_due(b);
	cr_assert(r->closed);
	cr_assert_eq(r->error, NGHTTP2_CANCEL);
	bed_close(b);
}

Test(grpc_conn_time, a_small_window_lets_the_answer_through_in_pieces)
{
	struct grpc_bed *b = bed_open();
	const nghttp2_settings_entry narrow = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2 };
	struct reply *r;
	int32_t id;

	cr_assert_eq(nghttp2_submit_settings(b->client, NGHTTP2_FLAG_NONE, &narrow, 1), 0);
	id = bed_ask(b, &(struct ask){ WITH_BODY });
	bed_exchange(b);
	r = bed_reply(b, id);
	for (size_t got = r->data; got < 5; got = r->data) {
		cr_assert_eq(nghttp2_submit_window_update(b->client, NGHTTP2_FLAG_NONE, id, 1), 0);
		bed_exchange(b);
		cr_assert_gt(r->data, got);
	}
	cr_assert_eq(r->grpc, 0);
	cr_assert(r->closed);
	bed_close(b);
}

Test(grpc_conn_time, the_first_head_comes_soon_or_not_at_all)
{
	struct grpc_bed *b = bed_open();

	cr_assert_eq(grpc_conn_due(&b->conn), b->now + b->limits.header_ns);
	bed_exchange(b);
	pass_until_due(b);
	cr_assert(b->goaway);
	cr_assert_eq(b->goaway_error, NGHTTP2_NO_ERROR);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

Test(grpc_conn_time, a_silent_connection_is_let_go)
{
	struct grpc_bed *b = bed_open();

	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	cr_assert_eq(grpc_conn_due(&b->conn), b->now + b->limits.idle_ns);
	b->now += 500 * NS_PER_S;
	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	cr_assert_eq(grpc_conn_due(&b->conn), b->now + b->limits.idle_ns);
	pass_until_due(b);
	cr_assert(b->goaway);
	cr_assert(grpc_conn_over(&b->conn));
	cr_assert_not(b->conn.peer_left);
	bed_close(b);
}

/* Preface, SETTINGS, and a HEADERS frame that a CONTINUATION should follow. */
Test(grpc_conn_time, half_a_head_ends_the_connection)
{
	static const char bytes[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				    "\0\0\0\4\0\0\0\0\0"
				    "\0\0\1\1\0\0\0\0\1\x83";
	struct grpc_bed *b = bed_open();

	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	grpc_conn_finish(&b->conn);
	cr_assert(grpc_conn_init(&b->conn, &b->host, &b->peer));
	grpc_conn_receive(&b->conn, (const uint8_t *)bytes, sizeof(bytes) - 1);
	cr_assert_eq(b->in_flight, 1);
	b->now = grpc_conn_due(&b->conn);
	grpc_conn_tick(&b->conn);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

/* --- draining --- */

Test(grpc_conn_time, draining_lets_begun_streams_end)
{
	struct grpc_bed *b = bed_open();
	const int32_t id = bed_ask(b, &(struct ask){ .open = true, WITH_BODY });

	bed_exchange(b);
	grpc_conn_drain(&b->conn);
	bed_exchange(b);
	cr_assert(b->goaway);
	cr_assert_not(grpc_conn_over(&b->conn));
	b->uploads[id / 2].open = false;
	cr_assert_eq(nghttp2_session_resume_data(b->client, id), 0);
	bed_exchange(b);
	cr_assert_eq(bed_reply(b, id)->grpc, 0);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

Test(grpc_conn_time, draining_an_empty_connection_ends_it)
{
	struct grpc_bed *b = bed_open();

	bed_exchange(b);
	grpc_conn_drain(&b->conn);
	bed_exchange(b);
	cr_assert(b->goaway);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

Test(grpc_conn_time, a_peer_that_says_goodbye_has_left)
{
	struct grpc_bed *b = bed_open();

	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	cr_assert_eq(nghttp2_session_terminate_session(b->client, NGHTTP2_NO_ERROR), 0);
	bed_exchange(b);
	cr_assert(b->conn.peer_left);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

/* --- those who only make work --- */

Test(grpc_conn_time, rapid_resets_end_the_connection)
{
	struct grpc_bed *b = bed_open();
	size_t given_up = 0;

	b->limits.max_streams = 10;
	while (!b->goaway && given_up < 200) {
		const int32_t id = bed_ask(b, &(struct ask){ .open = true, WITH_BODY });

		bed_exchange(b);
		nghttp2_submit_rst_stream(b->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
		bed_exchange(b);
		given_up++;
	}
	cr_assert_eq(given_up, 41);
	cr_assert_eq(b->goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
	cr_assert(grpc_conn_over(&b->conn));
	bed_close(b);
}

Test(grpc_conn_time, resets_now_and_then_are_fine)
{
	struct grpc_bed *b = bed_open();

	b->limits.max_streams = 10;
	for (size_t i = 0; i < 200; i++) {
		const int32_t id = bed_ask(b, &(struct ask){ .open = true, WITH_BODY });

		bed_exchange(b);
		nghttp2_submit_rst_stream(b->client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
		bed_exchange(b);
		b->now += NS_PER_S;
	}
	cr_assert_not(b->goaway);
	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	bed_close(b);
}

/* Sends a frame again and again, as long as the connection takes anything. Returns how often. */
static size_t
flood(struct grpc_bed *b, const void *frame, size_t len, size_t max)
{
	size_t n = 0;

	bed_exchange(b);
	for (; n < max && !grpc_conn_over(&b->conn); n++) {
		const uint8_t *bytes;

		grpc_conn_receive(&b->conn, frame, len);
		grpc_conn_sent(&b->conn, grpc_conn_output(&b->conn, &bytes));
	}
	return n;
}

Test(grpc_conn_time, floods_of_frames_end_the_connection)
{
	static const struct {
		const char *bytes;
		size_t len;
	} frames[] = {
		{ "\0\0\x8\6\0\0\0\0\0pingpong", 17 },     /* PING */
		{ "\0\0\0\4\0\0\0\0\0", 9 },               /* SETTINGS */
		{ "\0\0\5\2\0\0\0\0\x3\0\0\0\0\x10", 14 }, /* PRIORITY */
		{ "\0\0\3\x77\0\0\0\0\0abc", 12 },         /* unknown */
		{ "\0\0\4\x8\0\0\0\0\0\0\0\0\1", 13 },     /* WINDOW_UPDATE */
		{ "\0\0\1\1\5\0\0\0\1\x83", 10 },          /* HEADERS of a stream that was */
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct grpc_bed *b = bed_open();

		cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
		cr_assert_lt(flood(b, frames[i].bytes, frames[i].len, 300000), 300000, "frame %zu", i);
		bed_close(b);
	}
}

Test(grpc_conn_time, pings_are_answered)
{
	struct grpc_bed *b = bed_open();
	size_t before;

	bed_exchange(b);
	before = b->got.len;
	for (size_t i = 0; i < 20; i++) {
		cr_assert_eq(nghttp2_submit_ping(b->client, NGHTTP2_FLAG_NONE, NULL), 0);
		bed_exchange(b);
		b->now += NS_PER_S;
	}
	cr_assert_eq(b->got.len - before, 20 * 17);
	cr_assert_not(b->goaway);
	bed_close(b);
}

Test(grpc_conn_time, output_that_nobody_takes_stays_bounded)
{
	static const uint8_t ping[17] = { 0, 0, 8, NGHTTP2_PING };
	struct grpc_bed *b = bed_open();
	const uint8_t *bytes;
	size_t len;

	bed_exchange(b);
	/* As its holder does: no input while there is this much output. */
	while (!grpc_conn_over(&b->conn) && grpc_conn_output(&b->conn, &bytes) < GRPC_OUT_MAX) {
		grpc_conn_receive(&b->conn, ping, sizeof(ping));
	}
	cr_assert_not(grpc_conn_over(&b->conn));
	cr_assert_lt(grpc_conn_output(&b->conn, &bytes), GRPC_OUT_MAX + 17);
	/* Input that comes nevertheless does not make it more. */
	for (size_t i = 0; i < 500; i++)
		grpc_conn_receive(&b->conn, ping, sizeof(ping));
	cr_assert_lt(grpc_conn_output(&b->conn, &bytes), GRPC_OUT_MAX + 17);
	/* Taken by a few bytes, all of it comes, in order. */
	while ((len = grpc_conn_output(&b->conn, &bytes)) > 0) {
		len = len < 1000 ? len : 1000;
		cr_assert_eq(nghttp2_session_mem_recv(b->client, bytes, len), (ssize_t)len);
		grpc_conn_sent(&b->conn, len);
		cr_assert_leq(b->conn.out.len, 3 * GRPC_OUT_MAX);
	}
	cr_assert_eq(b->conn.out_sent, 0);
	/* A peer that always leaves something does not make the buffer grow. */
	for (size_t i = 0; i < 20000 && !grpc_conn_over(&b->conn); i++) {
		b->now += 10 * NS_PER_MS;
		grpc_conn_receive(&b->conn, ping, sizeof(ping));
		len = grpc_conn_output(&b->conn, &bytes);
		cr_assert_eq(nghttp2_session_mem_recv(b->client, bytes, len - 1), (ssize_t)len - 1);
		grpc_conn_sent(&b->conn, len - 1);
		cr_assert_leq(b->conn.out.size, 4 * GRPC_OUT_MAX);
	}
	cr_assert_not(grpc_conn_over(&b->conn));
	bed_exchange(b);
	cr_assert_eq(bed_call(b, &(struct ask){ WITH_BODY })->grpc, 0);
	bed_close(b);
}

Test(grpc_conn_time, more_streams_than_allowed_are_refused_by_http2)
{
	struct grpc_bed *b = bed_open();
	const uint8_t *bytes;
	size_t open = 0;
	ssize_t n;

	b->limits.max_streams = 4;
	grpc_conn_finish(&b->conn);
	cr_assert(grpc_conn_init(&b->conn, &b->host, &b->peer));
	/* Before the client knows the limit. */
	for (size_t i = 0; i < 10; i++)
		bed_ask(b, &(struct ask){ .open = true, WITH_BODY });
	while ((n = nghttp2_session_mem_send(b->client, &bytes)) > 0)
		grpc_conn_receive(&b->conn, bytes, (size_t)n);
	bed_exchange(b);
	for (size_t i = 0; i < 10; i++)
		open += !bed_reply(b, 2 * (int32_t)i + 1)->closed;
	cr_assert_eq(open, 4);
	cr_assert_eq(b->in_flight, 4);
	bed_close(b);
}
