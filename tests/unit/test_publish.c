#include "bus_bed.h"

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

/* --- what a store adds --- */

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
