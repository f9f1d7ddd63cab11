#include "agentbus/v1/agentbus.pb-c.h"
#include "bus_wire.h"
#include "publish.h"
#include "query.h"

#include <criterion/criterion.h>
#include <nng/protocol/pubsub0/sub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct log quiet = { .level = LEVEL_ERROR };

/* A publisher on a socket of its own, and a subscriber to everything that is connected. */
struct bus {
	char dir[64], url[128];
	struct journal journal;
	struct publisher publisher;
	struct sessions *sessions;
	nng_socket subscriber;
};

static struct session
make_session(const char *id)
{
	struct session s = { .provider = "codex", .state = SESSION_WORKING, .evidence = EVIDENCE_SHOWN, .reason = "prompt" };

	snprintf(s.id, sizeof(s.id), "%s", id);
	return s;
}

static void
emit(struct bus *b, const struct session *s, enum event_kind kind)
{
	b->publisher.sink.emit(
	    &b->publisher.sink,
	    &(struct event){ .kind = kind, .evidence = EVIDENCE_SHOWN, .reason = "prompt", .session = s, .from = SESSION_IDLE });
}

/* What a request and a turn of the loop do. */
static void
publish(struct bus *b)
{
	publish_flush(&b->publisher);
	publish_send(&b->publisher);
}

static void
open_bus(struct bus *b, size_t journal_size)
{
	const struct session_settings settings = session_settings_default();

	*b = (struct bus){ .dir = "/tmp/agentbus-test-XXXXXX" };
	cr_assert_not_null(mkdtemp(b->dir));
	snprintf(b->url, sizeof(b->url), "ipc://%s/events", b->dir);
	cr_assert(journal_init(&b->journal, journal_size));
	cr_assert(publish_open(&b->publisher, b->url, &b->journal, &quiet));
	b->sessions = sessions_create(&settings, &b->publisher.sink);
	cr_assert_not_null(b->sessions);
}

static void
subscribe(struct bus *b)
{
	const struct session probe = make_session("probe");
	nng_msg *msg;

	cr_assert_eq(nng_sub0_open(&b->subscriber), 0);
	cr_assert_eq(nng_socket_set(b->subscriber, NNG_OPT_SUB_SUBSCRIBE, "v1/", 3), 0);
	cr_assert_eq(nng_dial(b->subscriber, b->url, NULL, 0), 0);
	/* Dialled is not yet known to the publisher: what arrives is the proof. */
	nng_socket_set_ms(b->subscriber, NNG_OPT_RECVTIMEO, 20);
	for (int tries = 0; tries < 200; tries++) {
		emit(b, &probe, EVENT_STATE_CHANGED);
		publish(b);
		if (nng_recvmsg(b->subscriber, &msg, 0) == 0) {
			nng_msg_free(msg);
			break;
		}
	}
	while (nng_recvmsg(b->subscriber, &msg, 0) == 0)
		nng_msg_free(msg);
	nng_socket_set_ms(b->subscriber, NNG_OPT_RECVTIMEO, 5000);
}

static void
close_bus(struct bus *b)
{
	char path[128];

	if (b->subscriber.id != 0)
		nng_close(b->subscriber);
	publish_close(&b->publisher);
	sessions_destroy(b->sessions);
	journal_finish(&b->journal);
	snprintf(path, sizeof(path), "%s/events", b->dir);
	unlink(path);
	rmdir(b->dir);
}

/* Receives one message, checks its topic, and returns its batch. */
static Agentbus__V1__EventBatch *
receive(struct bus *b, const char *topic)
{
	nng_msg *msg;

	cr_assert_eq(nng_recvmsg(b->subscriber, &msg, 0), 0);
	const char *body = nng_msg_body(msg);
	const size_t len = nng_msg_len(msg), topic_size = strnlen(body, len) + 1;
	cr_assert_leq(topic_size, len);
	cr_assert_str_eq(body, topic);
	Agentbus__V1__EventBatch *batch =
	    agentbus__v1__event_batch__unpack(NULL, len - topic_size, (const uint8_t *)body + topic_size);
	cr_assert_not_null(batch);
	nng_msg_free(msg);
	return batch;
}

Test(publish, one_message_per_session_with_a_run_of_numbers)
{
	struct bus b;
	const struct session one = make_session("one"), two = make_session("two");

	open_bus(&b, 1 << 20);
	subscribe(&b);
	const uint64_t before = b.publisher.seq;
	emit(&b, &one, EVENT_SESSION_STARTED);
	emit(&b, &two, EVENT_SESSION_STARTED);
	emit(&b, &one, EVENT_STATE_CHANGED);
	cr_assert_eq(b.publisher.seq, before, "nothing is numbered before the flush");
	publish(&b);
	cr_assert_eq(b.publisher.seq, before + 3);

	Agentbus__V1__EventBatch *batch = receive(&b, "v1/codex/one");
	cr_assert_eq(batch->n_events, 2);
	cr_assert_eq(batch->events[0]->seq, before + 1);
	cr_assert_eq(batch->events[1]->seq, before + 2);
	cr_assert_eq(batch->events[0]->kind, AGENTBUS__V1__EVENT_KIND__EVENT_KIND_SESSION_STARTED);
	cr_assert_eq(batch->events[1]->kind, AGENTBUS__V1__EVENT_KIND__EVENT_KIND_STATE_CHANGED);
	cr_assert_str_eq(batch->events[0]->boot_id, b.publisher.boot_id);
	agentbus__v1__event_batch__free_unpacked(batch, NULL);
	batch = receive(&b, "v1/codex/two");
	cr_assert_eq(batch->n_events, 1);
	cr_assert_eq(batch->events[0]->seq, before + 3);
	agentbus__v1__event_batch__free_unpacked(batch, NULL);
	close_bus(&b);
}

Test(publish, many_sessions_and_many_bytes_are_all_sent)
{
	struct bus b;
	enum { SESSIONS = PUBLISH_SESSIONS_MAX * 2 + 3, EACH = 50 };
	static struct session sessions[SESSIONS];
	uint64_t next;
	size_t events = 0;

	open_bus(&b, 1 << 20);
	subscribe(&b);
	nng_socket_set_int(b.subscriber, NNG_OPT_RECVBUF, 8192);
	next = b.publisher.seq + 1;
	for (size_t i = 0; i < SESSIONS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "s%zu", i);
		sessions[i] = make_session(id);
		for (size_t k = 0; k < EACH; k++)
			emit(&b, &sessions[i], EVENT_STATE_CHANGED);
	}
	publish(&b);
	cr_assert_eq(b.publisher.seq, next + (uint64_t)SESSIONS * EACH - 1);
	while (events < (size_t)SESSIONS * EACH) {
		nng_msg *msg;

		cr_assert_eq(nng_recvmsg(b.subscriber, &msg, 0), 0);
		const char *body = nng_msg_body(msg);
		const size_t topic_size = strlen(body) + 1;
		Agentbus__V1__EventBatch *batch =
		    agentbus__v1__event_batch__unpack(NULL, nng_msg_len(msg) - topic_size, (const uint8_t *)body + topic_size);
		for (size_t i = 0; i < batch->n_events; i++)
			cr_assert_eq(batch->events[i]->seq, next++);
		events += batch->n_events;
		agentbus__v1__event_batch__free_unpacked(batch, NULL);
		nng_msg_free(msg);
	}
	close_bus(&b);
}

Test(publish, a_session_at_a_used_address_is_another_one)
{
	struct bus b;
	struct session s = make_session("old");

	open_bus(&b, 1 << 20);
	subscribe(&b);
	emit(&b, &s, EVENT_SESSION_ENDED);
	s = make_session("new");
	emit(&b, &s, EVENT_SESSION_STARTED);
	publish(&b);
	agentbus__v1__event_batch__free_unpacked(receive(&b, "v1/codex/old"), NULL);
	agentbus__v1__event_batch__free_unpacked(receive(&b, "v1/codex/new"), NULL);
	close_bus(&b);
}

Test(publish, events_carry_the_session_and_their_details)
{
	struct bus b;
	struct session s = make_session("x");
	struct observation o = { .means = MEANS_RESPONSE,
				 .model = STR("gpt"),
				 .tokens = { .input = 10, .cache_read = 4, .output = 3 },
				 .duration_ms = 1234,
				 .request_id = STR("req"),
				 .source = STR("main"),
				 .has_trace_id = true,
				 .trace_id = { 1, 2, 3 } };

	snprintf(s.project_name, sizeof(s.project_name), "demo");
	s.models = &(struct model_usage){ .model = "gpt", .requests = 1, .tokens = { .input = 10 } };
	s.model_count = 1;
	s.last_error = (struct failure){ .class = ERROR_AUTH, .status = 401, .message = "no" };
	open_bus(&b, 1 << 20);
	subscribe(&b);
	b.publisher.sink.emit(
	    &b.publisher.sink,
	    &(struct event){ .kind = EVENT_API_REQUEST,
			     .evidence = EVIDENCE_SHOWN,
			     .reason = "x",
			     .session = &s,
			     .observation = &o,
			     .cost =
				 &(struct cost){ .reported = 77, .has_reported = true, .computed = 78, .has_computed = true } });
	publish(&b);
	Agentbus__V1__EventBatch *batch = receive(&b, "v1/codex/x");
	const Agentbus__V1__Event *e = batch->events[0];
	cr_assert_eq(e->details_case, AGENTBUS__V1__EVENT__DETAILS_API_REQUEST);
	cr_assert_str_eq(e->api_request->model, "gpt");
	cr_assert_eq(e->api_request->tokens->cache_read, 4);
	cr_assert(e->api_request->cost->has_reported);
	cr_assert_eq(e->api_request->cost->reported, 77);
	cr_assert_eq(e->api_request->cost->computed, 78);
	cr_assert_eq(e->api_request->cost->unreported, 0);
	cr_assert_eq(e->api_request->duration_ms, 1234);
	cr_assert_eq(e->trace_id.len, 16);
	cr_assert_eq(e->trace_id.data[2], 3);
	cr_assert_eq(e->span_id.len, 0);
	cr_assert_str_eq(e->session->project->name, "demo");
	cr_assert_str_empty(e->session->title);
	cr_assert_eq(e->session->n_models, 1);
	cr_assert_eq(e->session->models[0]->tokens->input, 10);
	cr_assert_str_eq(e->session->last_error->type, "auth");
	agentbus__v1__event_batch__free_unpacked(batch, NULL);
	close_bus(&b);
}

Test(publish, every_kind_of_event_can_be_packed_with_and_without_cause)
{
	struct bus b;
	const struct session s = make_session("x");
	const struct observation o = {
		.error = ERROR_SERVER, .tool = STR("Bash"), .flags = OBS_FAILED, .error_message = STR("bad \xff")
	};

	open_bus(&b, 1 << 20);
	subscribe(&b);
	for (enum event_kind k = EVENT_SESSION_STARTED; k <= EVENT_SESSION_ENDED; k++) {
		for (int caused = 0; caused < 2; caused++) {
			b.publisher.sink.emit(&b.publisher.sink, &(struct event){ .kind = k,
										  .evidence = EVIDENCE_TOLD,
										  .reason = "",
										  .session = &s,
										  .observation = caused ? &o : NULL });
			publish(&b);
			Agentbus__V1__EventBatch *batch = receive(&b, "v1/codex/x");
			cr_assert_eq((int)batch->events[0]->kind, (int)k);
			agentbus__v1__event_batch__free_unpacked(batch, NULL);
		}
	}
	close_bus(&b);
}

Test(publish, sockets_are_closed_to_others)
{
	struct bus b;
	struct stat st;
	char path[128];

	open_bus(&b, 1 << 20);
	snprintf(path, sizeof(path), "%s/events", b.dir);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 0777, 0600);
	close_bus(&b);
}

/* --- query.c answers from the same journal --- */

static Agentbus__V1__Response *
ask_bytes(struct bus *b, const uint8_t *bytes, size_t len)
{
	struct buf out = { 0 };

	cr_assert(query_answer(b->sessions, &b->publisher, bytes, len, &out));
	Agentbus__V1__Response *r = agentbus__v1__response__unpack(NULL, out.len, out.bytes);
	cr_assert_not_null(r);
	cr_assert_str_eq(r->boot_id, b->publisher.boot_id);
	cr_assert_eq(r->seq, b->publisher.seq);
	cr_assert_str_eq(r->version, AGENTBUS_VERSION);
	buf_finish(&out);
	return r;
}

static Agentbus__V1__Response *
ask(struct bus *b, const Agentbus__V1__Request *request)
{
	uint8_t bytes[64];

	cr_assert_leq(agentbus__v1__request__get_packed_size(request), sizeof(bytes));
	return ask_bytes(b, bytes, agentbus__v1__request__pack(request, bytes));
}

static Agentbus__V1__Response *
ask_replay(struct bus *b, uint64_t after, uint32_t max_bytes)
{
	Agentbus__V1__ReplayRequest replay = AGENTBUS__V1__REPLAY_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;

	replay.after_seq = after;
	replay.max_bytes = max_bytes;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_REPLAY;
	request.replay = &replay;
	Agentbus__V1__Response *r = ask(b, &request);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_REPLAY);
	return r;
}

static void
emit_many(struct bus *b, size_t count)
{
	const struct session s = make_session("many");

	for (size_t i = 0; i < count; i++)
		emit(b, &s, EVENT_STATE_CHANGED);
	publish(b);
}

Test(query, replay_in_pieces_has_every_event_once)
{
	struct bus b;
	uint64_t seq = 0;
	size_t answers = 0;
	bool more = true;

	open_bus(&b, 1 << 20);
	emit_many(&b, 500);
	for (; more; answers++) {
		Agentbus__V1__Response *r = ask_replay(&b, seq, 1000);

		cr_assert_eq(r->replay->lost_up_to_seq, 0);
		cr_assert_gt(r->replay->n_events, 0);
		for (size_t i = 0; i < r->replay->n_events; i++)
			cr_assert_eq(r->replay->events[i]->seq, ++seq);
		more = r->replay->more;
		agentbus__v1__response__free_unpacked(r, NULL);
	}
	cr_assert_eq(seq, 500);
	cr_assert_gt(answers, 10);
	close_bus(&b);
}

Test(query, replay_tells_what_is_lost)
{
	struct bus b;

	open_bus(&b, 4096);
	emit_many(&b, 500);
	Agentbus__V1__Response *r = ask_replay(&b, 3, 0);
	cr_assert_gt(r->replay->lost_up_to_seq, 3);
	cr_assert_eq(r->replay->events[0]->seq, r->replay->lost_up_to_seq + 1);
	cr_assert_eq(r->replay->events[r->replay->n_events - 1]->seq, 500);
	cr_assert_not(r->replay->more);
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}

Test(query, replay_at_and_beyond_the_end_is_empty)
{
	static const uint64_t after[] = { 5, 6, UINT64_MAX - 1, UINT64_MAX };
	struct bus b;

	open_bus(&b, 1 << 20);
	emit_many(&b, 5);
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		Agentbus__V1__Response *r = ask_replay(&b, after[i], 1);

		cr_assert_eq(r->replay->n_events, 0);
		cr_assert_not(r->replay->more);
		agentbus__v1__response__free_unpacked(r, NULL);
	}
	close_bus(&b);
}

Test(query, position_and_empty_snapshot)
{
	Agentbus__V1__PositionRequest position = AGENTBUS__V1__POSITION_REQUEST__INIT;
	Agentbus__V1__SnapshotRequest snapshot = AGENTBUS__V1__SNAPSHOT_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	struct bus b;

	open_bus(&b, 1 << 20);
	emit_many(&b, 7);
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_POSITION;
	request.position = &position;
	Agentbus__V1__Response *r = ask(&b, &request);
	cr_assert_eq(r->seq, 7);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE__NOT_SET);
	cr_assert_str_empty(r->error);
	agentbus__v1__response__free_unpacked(r, NULL);
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SNAPSHOT;
	request.snapshot = &snapshot;
	r = ask(&b, &request);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_SNAPSHOT);
	cr_assert_eq(r->snapshot->n_sessions, 0);
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}

Test(query, snapshot_holds_the_sessions)
{
	Agentbus__V1__SnapshotRequest snapshot = AGENTBUS__V1__SNAPSHOT_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	struct bus b;

	open_bus(&b, 1 << 20);
	for (size_t i = 0; i < 300; i++) {
		char id[16];
		const int len = snprintf(id, sizeof(id), "s%zu", i);

		sessions_observe(b.sessions,
				 &(struct observation){ .means = MEANS_PROMPT,
							.provider = "codex",
							.session = { id, (size_t)len },
							.time_ns = 1700000000000000000,
							.flags = OBS_COUNTED },
				 1700000000000000000);
	}
	publish(&b);
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SNAPSHOT;
	request.snapshot = &snapshot;
	Agentbus__V1__Response *r = ask(&b, &request);
	cr_assert_eq(r->snapshot->n_sessions, 300);
	for (size_t i = 0; i < r->snapshot->n_sessions; i++) {
		cr_assert_str_eq(r->snapshot->sessions[i]->provider, "codex");
		cr_assert_eq(r->snapshot->sessions[i]->state, AGENTBUS__V1__STATE__STATE_WORKING);
	}
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}

Test(query, what_is_no_request_gets_an_error)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "", 0 }, { "\xff\xff\xff", 3 }, { "\x0a\x05", 2 }, { "\x7a\x00", 2 }, { "hello", 5 } };
	struct bus b;

	open_bus(&b, 1 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		Agentbus__V1__Response *r = ask_bytes(&b, (const uint8_t *)bad[i].bytes, bad[i].len);

		cr_assert_str_not_empty(r->error);
		cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE__NOT_SET);
		agentbus__v1__response__free_unpacked(r, NULL);
	}
	close_bus(&b);
}

/* --- what a store adds --- */

Test(publish, resumes_a_counter)
{
	struct bus b;
	const struct session s = make_session("s");

	open_bus(&b, 1 << 20);
	publish_resume(&b.publisher, "0123456789abcdef0123456789abcdef", 41);
	emit(&b, &s, EVENT_PROMPT);
	publish(&b);
	cr_assert_eq(b.publisher.seq, 42);
	Agentbus__V1__Response *r = ask_replay(&b, 41, 0);
	cr_assert_eq(r->replay->n_events, 1);
	cr_assert_eq(r->replay->events[0]->seq, 42);
	cr_assert_str_eq(r->replay->events[0]->boot_id, "0123456789abcdef0123456789abcdef");
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}

Test(publish, what_is_taken_back_was_never_sent)
{
	const struct session s = make_session("s");
	struct bus b;
	nng_msg *msg;

	open_bus(&b, 1 << 20);
	subscribe(&b);
	const uint64_t seq = b.publisher.seq;
	emit(&b, &s, EVENT_PROMPT);
	publish_flush(&b.publisher);
	emit(&b, &s, EVENT_TOOL);
	publish_rewind(&b.publisher, seq);
	publish(&b);
	cr_assert_eq(b.publisher.seq, seq);
	nng_socket_set_ms(b.subscriber, NNG_OPT_RECVTIMEO, 50);
	cr_assert_eq(nng_recvmsg(b.subscriber, &msg, 0), NNG_ETIMEDOUT);
	emit(&b, &s, EVENT_PROMPT);
	publish(&b);
	cr_assert_eq(b.publisher.seq, seq + 1);
	cr_assert_eq(nng_recvmsg(b.subscriber, &msg, 0), 0);
	nng_msg_free(msg);
	close_bus(&b);
}

static bool
refuse(void *ctx)
{
	++*(unsigned *)ctx;
	return false;
}

Test(publish, asks_before_it_sends_in_the_middle_of_a_turn)
{
	unsigned asked = 0;
	struct bus b;
	char id[16];

	open_bus(&b, 1 << 20);
	b.publisher.secure = refuse;
	b.publisher.secure_ctx = &asked;
	for (unsigned i = 0; i < 3 * PUBLISH_QUEUE_MAX; i++) {
		snprintf(id, sizeof(id), "%u", i);
		const struct session s = make_session(id);

		emit(&b, &s, EVENT_PROMPT);
		publish_flush(&b.publisher);
		cr_assert_lt(b.publisher.queued, PUBLISH_QUEUE_MAX);
	}
	cr_assert_eq(asked, 3);
	cr_assert_eq(b.publisher.queued, 0, "what may not be sent is dropped");
	close_bus(&b);
}

/* An archive that has the events 1 to 300, at most ten of them in an answer. */
static bool
read_archive(void *ctx, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last, uint64_t *ret_oldest)
{
	(void)ctx;
	(void)limit;
	*ret_oldest = 1;
	*ret_last = after_seq;
	for (uint64_t seq = after_seq + 1; seq <= 300 && seq <= after_seq + 10; seq++) {
		uint8_t event[BUS_WIRE_HEAD_MAX], head[BUS_WIRE_HEAD_MAX];
		const size_t len = bus_wire_put_number(event, 1, seq);

		buf_append(out, head, bus_wire_put_head(head, 1, len));
		buf_append(out, event, len);
		*ret_last = seq;
	}
	return true;
}

/* Asks until there is no more; every event must come once, in order, from `after` on. Returns the last one. */
static uint64_t
replay_all(struct bus *b, uint64_t after)
{
	bool more = true;

	while (more) {
		Agentbus__V1__Response *r = ask_replay(b, after, 4000);

		if (r->replay->lost_up_to_seq > after)
			after = r->replay->lost_up_to_seq;
		for (size_t i = 0; i < r->replay->n_events; i++)
			cr_assert_eq(r->replay->events[i]->seq, ++after);
		more = r->replay->more;
		agentbus__v1__response__free_unpacked(r, NULL);
	}
	return after;
}

Test(query, old_events_come_from_the_archive)
{
	struct bus b;

	open_bus(&b, 4096);
	b.publisher.archive.read = read_archive;
	publish_resume(&b.publisher, "x", 300);
	emit_many(&b, 4);
	cr_assert_eq(journal_oldest(&b.journal), 301);
	cr_assert_eq(replay_all(&b, 0), 304);
	cr_assert_eq(replay_all(&b, 299), 304);
	cr_assert_eq(replay_all(&b, 302), 304);
	close_bus(&b);
}

Test(query, what_neither_archive_nor_journal_has_is_lost)
{
	struct bus b;

	open_bus(&b, 4096);
	b.publisher.archive.read = read_archive;
	publish_resume(&b.publisher, "x", 500);
	emit_many(&b, 4);
	Agentbus__V1__Response *r = ask_replay(&b, 300, 0);
	cr_assert_eq(r->replay->lost_up_to_seq, 500);
	cr_assert_eq(r->replay->n_events, 4);
	agentbus__v1__response__free_unpacked(r, NULL);
	cr_assert_eq(replay_all(&b, 250), 504);
	close_bus(&b);
}
