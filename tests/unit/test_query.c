#include "query.h"

#include "bus_bed.h"

static struct ledger *ledger; /* that the next answers tell of */

static Agentbus__V1__Response *
ask_bytes(struct bus *b, const uint8_t *bytes, size_t len)
{
	struct buf out = { 0 };

	const struct query_setup with = { .sessions = b->sessions, .publisher = &b->publisher, .ledger = ledger };

	cr_assert(query_answer(&with, bytes, len, &out));
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

Test(query, a_counter_that_was_resumed_goes_on)
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

/* --- usage --- */

static void
use(struct ledger *l, const char *id, const char *model, int64_t pico)
{
	const struct session s = make_session(id);
	const struct cost cost = { .computed = pico, .unreported = pico, .has_computed = true };
	const struct observation o = { .means = MEANS_RESPONSE, .model = str_from(model), .tokens = { 10, 5, 1, 7, 3 } };
	struct budget_alarm alarms[BUDGET_ALARMS_MAX];

	ledger_count(
	    l,
	    &(struct event){
		.kind = EVENT_API_REQUEST, .time_ns = clock_now(l->clock), .session = &s, .observation = &o, .cost = &cost },
	    true, alarms);
}

static Agentbus__V1__Response *
ask_usage(struct bus *b, Agentbus__V1__UsageGroup group, const char *since, const char *until)
{
	Agentbus__V1__UsageRequest usage = AGENTBUS__V1__USAGE_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	uint8_t bytes[64];

	usage.group = group;
	usage.since = (char *)since;
	usage.until = (char *)until;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_USAGE;
	request.usage = &usage;
	return ask_bytes(b, bytes, agentbus__v1__request__pack(&request, bytes));
}

Test(query, usage_is_told_by_what_was_asked_for)
{
	static const struct budget_settings budget = { .amounts = { { 8, 100 }, { 0, 0 } } };
	struct ledger l;
	struct clock clock;
	struct bus b;

	open_bus(&b, 1 << 20);
	clock_init(&clock);
	ledger_init(&l, &clock);
	cr_assert(ledger_open_memory(&l, &quiet));
	ledger_set_budget(&l, &budget);
	ledger = &l;
	use(&l, "one", "cheap", 1);
	use(&l, "two", "dear", 5);
	use(&l, "two", "dear", 5);
	ledger_settle_memory(&l);
	Agentbus__V1__Response *r = ask_usage(&b, AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_MODEL, "", "");
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_USAGE);
	cr_assert_eq(r->usage->n_rows, 2);
	cr_assert_str_eq(r->usage->rows[0]->key, "dear");
	cr_assert_eq(r->usage->rows[0]->requests, 2);
	cr_assert_eq(r->usage->rows[0]->tokens->input, 20);
	cr_assert_eq(r->usage->rows[0]->tokens->reasoning, 6);
	cr_assert_eq(r->usage->rows[0]->cost->unreported, 10);
	cr_assert_str_eq(r->usage->rows[1]->key, "cheap");
	cr_assert_eq(r->usage->total->cost->unreported, 11);
	cr_assert_eq(r->usage->total->requests, 3);
	cr_assert_eq(r->usage->n_budgets, 2);
	cr_assert_str_eq(r->usage->budgets[0]->period, "day");
	cr_assert_str_eq(r->usage->budgets[0]->level, "warn");
	cr_assert_eq(strlen(r->usage->budgets[0]->key), 10);
	cr_assert_eq(r->usage->budgets[0]->amount, 8);
	cr_assert_eq(r->usage->budgets[1]->spent, 11);
	agentbus__v1__response__free_unpacked(r, NULL);
	r = ask_usage(&b, AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_SESSION, "2001-01-01", "");
	cr_assert_eq(r->usage->n_rows, 2);
	cr_assert_str_eq(r->usage->rows[0]->key, "two");
	cr_assert_str_not_empty(r->usage->rows[0]->provider);
	agentbus__v1__response__free_unpacked(r, NULL);
	r = ask_usage(&b, AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_DAY, "", "2001-01-01");
	cr_assert_eq(r->usage->n_rows, 0);
	cr_assert_eq(r->usage->total->requests, 0);
	agentbus__v1__response__free_unpacked(r, NULL);
	r = ask_usage(&b, (Agentbus__V1__UsageGroup)77, "", "");
	cr_assert_str_not_empty(r->error);
	agentbus__v1__response__free_unpacked(r, NULL);
	ledger_finish(&l);
	r = ask_usage(&b, AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_DAY, "", "");
	cr_assert_str_not_empty(r->error);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE__NOT_SET);
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}

Test(query, an_answer_holds_so_many_rows_of_usage)
{
	struct ledger l;
	struct clock clock;
	struct bus b;
	char id[16];

	open_bus(&b, 1 << 20);
	clock_init(&clock);
	ledger_init(&l, &clock);
	cr_assert(ledger_open_memory(&l, &quiet));
	ledger = &l;
	for (int i = 0; i < QUERY_USAGE_ROWS + 7; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		use(&l, id, "m", i);
	}
	ledger_settle_memory(&l);
	Agentbus__V1__Response *r = ask_usage(&b, AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_SESSION, "", "");
	cr_assert_eq(r->usage->n_rows, QUERY_USAGE_ROWS);
	cr_assert_eq(r->usage->left_out, 7);
	cr_assert_eq(r->usage->rows[QUERY_USAGE_ROWS - 1]->cost->unreported, 7);
	cr_assert_eq(r->usage->total->requests, QUERY_USAGE_ROWS + 7);
	agentbus__v1__response__free_unpacked(r, NULL);
	ledger_finish(&l);
	close_bus(&b);
}

/* --- what a person tells --- */

struct acked {
	char provider[32], id[32];
	unsigned calls;
	bool ok, done;
};

static bool
acknowledge(void *ctx, const char *provider, const char *id, bool *ret_done)
{
	struct acked *k = ctx;

	snprintf(k->provider, sizeof(k->provider), "%s", provider);
	snprintf(k->id, sizeof(k->id), "%s", id);
	k->calls++;
	*ret_done = k->done;
	return k->ok;
}

static Agentbus__V1__Response *
ask_ack(const struct query_setup *with, const char *id)
{
	Agentbus__V1__AckRequest ack = AGENTBUS__V1__ACK_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	struct buf out = { 0 };
	uint8_t bytes[64];

	ack.provider = (char *)(uintptr_t) "codex";
	ack.session_id = (char *)(uintptr_t)id;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_ACK;
	request.ack = &ack;
	cr_assert(query_answer(with, bytes, agentbus__v1__request__pack(&request, bytes), &out));
	Agentbus__V1__Response *r = agentbus__v1__response__unpack(NULL, out.len, out.bytes);
	cr_assert_not_null(r);
	buf_finish(&out);
	return r;
}

Test(query, an_acknowledgement_goes_to_the_sessions)
{
	struct bus b;
	struct acked k = { .ok = true, .done = true };

	open_bus(&b, 1 << 20);
	const struct query_setup with = { .sessions = b.sessions, .publisher = &b.publisher, .ack = { acknowledge, &k } };
	const struct observation prompt = {
		.means = MEANS_PROMPT, .provider = make_session("s").provider, .session = STR("s"), .time_ns = 1
	};
	sessions_observe(b.sessions, &prompt, 1);
	Agentbus__V1__Response *r = ask_ack(&with, "s");
	cr_expect_str_eq(k.provider, "codex");
	cr_expect_str_eq(k.id, "s");
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_ACK);
	cr_expect(r->ack->found && r->ack->acknowledged);
	cr_expect_eq(r->ack->state, AGENTBUS__V1__STATE__STATE_WORKING, "what the table says");
	agentbus__v1__response__free_unpacked(r, NULL);

	k.done = false;
	r = ask_ack(&with, "other");
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_ACK);
	cr_expect_not(r->ack->found || r->ack->acknowledged);
	agentbus__v1__response__free_unpacked(r, NULL);
	cr_expect_eq(k.calls, 2);
	close_bus(&b);
}

Test(query, an_acknowledgement_that_cannot_be_stored_is_an_error)
{
	struct bus b;
	struct acked k = { .ok = false, .done = true };

	open_bus(&b, 1 << 20);
	const struct query_setup broken = { .sessions = b.sessions, .publisher = &b.publisher, .ack = { acknowledge, &k } };
	const struct query_setup nobody = { .sessions = b.sessions, .publisher = &b.publisher };
	const struct query_setup *const setups[] = { &broken, &nobody };

	for (size_t i = 0; i < 2; i++) {
		Agentbus__V1__Response *r = ask_ack(setups[i], "s");

		cr_expect_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE__NOT_SET);
		cr_expect_neq(*r->error, '\0');
		agentbus__v1__response__free_unpacked(r, NULL);
	}
	close_bus(&b);
}

static bool
report_some(void *ctx, struct buf *out)
{
	/* addresses = "x" */
	return *(bool *)ctx && buf_append(out, "\x12\x01x", 3);
}

Test(query, what_has_come_is_asked_for)
{
	Agentbus__V1__SourcesRequest sources = AGENTBUS__V1__SOURCES_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	bool memory = true;
	struct buf out = { 0 };
	uint8_t bytes[16];
	struct bus b;

	open_bus(&b, 1 << 20);
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SOURCES;
	request.sources = &sources;
	const size_t len = agentbus__v1__request__pack(&request, bytes);
	struct query_setup with = { .sessions = b.sessions, .publisher = &b.publisher, .sources = { report_some, &memory } };

	cr_assert(query_answer(&with, bytes, len, &out));
	Agentbus__V1__Response *r = agentbus__v1__response__unpack(NULL, out.len, out.bytes);
	cr_assert_not_null(r);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_SOURCES);
	cr_expect_str_eq(r->sources->addresses, "x");
	agentbus__v1__response__free_unpacked(r, NULL);
	memory = false;
	cr_expect_not(query_answer(&with, bytes, len, &out));
	buf_finish(&out);
	/* Where nobody knows, nothing has come. */
	r = ask(&b, &request);
	cr_assert_eq(r->response_case, AGENTBUS__V1__RESPONSE__RESPONSE_SOURCES);
	cr_expect_eq(r->sources->n_sources, 0);
	agentbus__v1__response__free_unpacked(r, NULL);
	close_bus(&b);
}
