#include "session_record_bed.h"

TestSuite(session_record, .init = setup, .fini = teardown);

Test(session_record, nothing_is_lost)
{
	see_all(before);
	see_a_full_one(before, "working");
	see_an_ask(before, "asking");
	carry_over(T0 + 3 * S);
	expect_same_sessions();
	cr_expect_eq(find(after, "parent")->children, 1);
	cr_expect_eq(find(after, "parent")->model_count, 2);
	cr_expect_str_eq(find(after, "child")->parent_id, "parent");
	for (const struct session *x = before->sessions->oldest; x; x = x->track->newer) {
		struct session_track t = *x->track, u = *find(after, x->id)->track;
		t.heap_index = u.heap_index = 0;
		t.heard_ns = u.heard_ns = t.due_ns = u.due_ns = 0;
		t.chain = t.newer = t.older = u.chain = u.newer = u.older = NULL;
		t.closed_reason = u.closed_reason = NULL; /* only for a beginning that comes late */
		t.hooked = u.hooked = false;              /* clocks are learned anew */
		t.lag_ns = t.lag_before_ns = u.lag_ns = u.lag_before_ns = 0;
		t.lag_window_ns = u.lag_window_ns = 0;
		t.told_start_cli_ns = u.told_start_cli_ns = t.told_ask_cli_ns = u.told_ask_cli_ns = 0;
		t.changed = u.changed = false;
		t.changed_next = t.changed_previous = u.changed_next = u.changed_previous = NULL;
		cr_expect_eq(memcmp(&t, &u, sizeof(t)), 0, "%s", x->id);
	}
}

Test(session_record, text_and_numbers_may_be_as_large_as_they_can)
{
	struct session *x = table_add(before->sessions, provider_codex.name, STR("x"), T0);
	const size_t n = SESSION_MODELS_MAX;
	struct buf b;

	memset(x->service_name, 's', sizeof(x->service_name) - 1);
	memset(x->model, 'm', sizeof(x->model) - 1);
	memset(x->project_name, 'p', sizeof(x->project_name) - 1);
	memset(x->project_dir, 'd', sizeof(x->project_dir) - 1);
	memset(x->parent_id, 'q', sizeof(x->parent_id) - 1);
	memset(x->reason, 'r', sizeof(x->reason) - 1);
	memset(x->tool, 't', sizeof(x->tool) - 1);
	memset(x->last_error.message, 'e', sizeof(x->last_error.message) - 1);
	x->last_error.class = ERROR_UNKNOWN;
	x->last_error.status = x->pid = x->children = x->turn_errors = x->track->tools = UINT32_MAX;
	x->prompts = x->requests = x->tool_calls = x->api_errors = UINT64_MAX;
	for (unsigned c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
		x->errors_by_class[c] = UINT64_MAX - c;
	x->last_error.time_ns = T0 + OBSERVATION_AHEAD_NS;
	x->cost = (struct cost){ INT64_MIN, INT64_MAX, INT64_MAX, true, true, true };
	x->models = calloc(n, sizeof(*x->models));
	x->model_count = n;
	for (size_t i = 0; i < n; i++) {
		memset(x->models[i].model, 'a' + (int)(i % 26), sizeof(x->models[i].model) - 1);
		x->models[i].model[0] = (char)('A' + (int)(i / 26));
		x->models[i].requests = x->models[i].tokens.output = UINT64_MAX;
		x->models[i].cost = x->cost;
	}
	strcpy(x->models[n - 1].model, "other");
	memset(&x->track->evidence_cli_ns, 0xff, offsetof(struct session_track, decided));
	memset(x->track->decided, 0xff, sizeof(x->track->decided));
	memset(x->track->counted, 0xff, sizeof(x->track->counted));
	b = record_of(x);
	cr_assert(session_record_read(after->sessions, b.bytes, b.len, T0));
	expect_same_bytes(x, sessions_find(after->sessions, provider_codex.name, "x"));
	buf_finish(&b);
}

Test(session_record, more_models_than_there_are_rows_become_other)
{
	struct session *x = table_add(before->sessions, provider_codex.name, STR("x"), T0);
	const struct session *y;
	struct buf b;

	x->model_count = 60;
	x->models = calloc(x->model_count, sizeof(*x->models));
	for (size_t i = 0; i < x->model_count; i++) {
		snprintf(x->models[i].model, sizeof(x->models[i].model), "m%zu", i);
		x->models[i].requests = 1;
	}
	b = record_of(x);
	cr_assert(session_record_read(after->sessions, b.bytes, b.len, T0));
	y = sessions_find(after->sessions, provider_codex.name, "x");
	cr_expect_eq(y->model_count, SESSION_MODELS_MAX);
	cr_expect_str_eq(y->models[SESSION_MODELS_MAX - 1].model, "other");
	cr_expect_eq(y->models[SESSION_MODELS_MAX - 1].requests, 60 - (SESSION_MODELS_MAX - 1));
	buf_finish(&b);
}

Test(session_record, a_failure_without_a_class_is_remembered)
{
	struct session *x = table_add(before->sessions, provider_codex.name, STR("x"), T0);
	const struct session *y;
	struct buf b;

	x->last_error.time_ns = T0 + 5;
	x->last_error.status = 600;
	b = record_of(x);
	cr_assert(session_record_read(after->sessions, b.bytes, b.len, T0));
	y = sessions_find(after->sessions, provider_codex.name, "x");
	cr_expect_eq(y->last_error.class, ERROR_NONE);
	cr_expect_eq(y->last_error.time_ns, T0 + 5);
	cr_expect_eq(y->last_error.status, 600);
	buf_finish(&b);
}

Test(session_record, what_was_counted_is_not_counted_again)
{
	struct observation o;

	see_a_full_one(before, "a");
	carry_over(T0 + 3 * S);
	cr_expect_eq(find(after, "a")->requests, 2);
	o = obs("a", MEANS_RESPONSE, 2000, OBS_OPENS | OBS_TWICE);
	o.has_span_id = true;
	memset(o.span_id, 9, sizeof(o.span_id));
	see(after, o);
	o.span_id[0] = 8;
	see(after, o);
	cr_expect_eq(find(after, "a")->requests, 2);
	o.span_id[0] = 7;
	see(after, o);
	cr_expect_eq(find(after, "a")->requests, 3);
}

/* Rings that have gone round: the oldest goes first after reading, too. */
Test(session_record, rings_go_on_where_they_were)
{
	struct observation o = obs("a", MEANS_RESPONSE, 0, OBS_TWICE);

	o.has_span_id = true;
	for (uint8_t n = 1; n <= COUNTED_MAX + 5; n++) {
		o.span_id[0] = n;
		see(before, o);
	}
	carry_over(T0 + S);
	for (uint8_t n = 1; n <= 3; n++) {
		o.span_id[0] = (uint8_t)(100 + n);
		see(before, o);
		see(after, o);
	}
	for (uint8_t n = 1; n <= COUNTED_MAX + 5; n++) {
		const uint64_t requests = find(before, "a")->requests;
		o.span_id[0] = n;
		see(before, o);
		see(after, o);
		cr_expect_eq(find(before, "a")->requests, find(after, "a")->requests, "%u", n);
		cr_expect_eq(find(before, "a")->requests - requests, 1, "each pushes the next one out");
	}
}

Test(session_record, decisions_traces_and_processes_are_known_again)
{
	struct observation o;

	see_a_full_one(before, "a");
	see_a_full_one(before, "b");
	carry_over(T0 + 3 * S);
	o = obs("a", MEANS_RESPONSE_END, 2950, OBS_SPAN | OBS_WANTS_TOOL);
	o.request_id = STR("req1");
	see(after, o);
	cr_expect_eq(find(after, "a")->track->ask_id, 0, "decided already");
	o = obs("", MEANS_TURN_END, 2990, OBS_SPAN);
	o.has_trace_id = true;
	memset(o.trace_id, 'b', sizeof(o.trace_id));
	see(after, o);
	cr_expect_eq(find(after, "b")->state, SESSION_COMPLETED);
	cr_expect_eq(find(after, "a")->state, SESSION_WORKING);
	o = obs("c", MEANS_START, 3000, OBS_REPLACES);
	o.process = STR("host/77");
	see(after, o);
	cr_expect_eq(find(after, "a")->state, SESSION_ENDED);
	cr_expect_eq(find(after, "b")->state, SESSION_ENDED);
}

Test(session_record, a_child_is_not_counted_twice)
{
	struct observation o = obs("child", MEANS_LINK, 3000, 0);

	see_all(before);
	carry_over(T0 + 3 * S);
	o.parent = STR("parent");
	see(after, o);
	cr_expect_eq(find(after, "parent")->children, 1);
}

Test(session_record, a_full_table_makes_room)
{
	struct table *small = make_table(2);

	see_all(before);
	for (const struct session *x = before->sessions->oldest; x; x = x->track->newer) {
		struct buf b = record_of(x);
		cr_expect(session_record_read(small->sessions, b.bytes, b.len, T0 + 3 * S));
		buf_finish(&b);
	}
	cr_expect_eq(sessions_count(small->sessions), 2);
	sessions_tick(small->sessions, T0 + 1000 * S);
	destroy_table(small);
}

Test(session_record, what_is_there_already_stays)
{
	struct buf b;

	see(before, obs("a", MEANS_PROMPT, 0, OBS_COUNTED));
	b = record_of(find(before, "a"));
	see(after, obs("a", MEANS_PROMPT, 1000, OBS_COUNTED));
	see(after, obs("a", MEANS_PROMPT, 2000, OBS_COUNTED));
	cr_expect_not(session_record_read(after->sessions, b.bytes, b.len, T0 + S));
	cr_expect_eq(find(after, "a")->prompts, 2);
	cr_expect_eq(sessions_count(after->sessions), 1);
	buf_finish(&b);
}

Test(session_record, what_is_no_session_is_refused)
{
	static const struct {
		const char *id, *provider;
		int state, evidence;
	} wrong[] = {
		{ "", "codex", 1, 1 },  { "a", "", 1, 1 },      { "a", "Codex", 1, 1 }, { "a", "codex", 0, 1 },
		{ "a", "codex", 6, 1 }, { "a", "codex", 1, 0 }, { "a", "codex", 1, 4 },
	};
	struct session_track track = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct session x = { .provider = wrong[i].provider, .state = wrong[i].state, .evidence = wrong[i].evidence };
		struct buf b;

		x.track = &track;
		strcpy(x.id, wrong[i].id);
		b = record_of(&x);
		cr_expect_not(session_record_read(after->sessions, b.bytes, b.len, T0), "%zu", i);
		buf_finish(&b);
	}
	cr_expect_not(session_record_read(after->sessions, (const uint8_t *)"", 0, T0));
	cr_expect_eq(sessions_count(after->sessions), 0);
}

Test(session_record, is_appended_to_what_is_there)
{
	struct buf b = { 0 };
	size_t len;

	see_a_full_one(before, "a");
	cr_assert(session_record_write(find(before, "a"), &b));
	len = b.len;
	cr_expect_lt(len, 1200);
	cr_assert(session_record_write(find(before, "a"), &b));
	cr_expect_eq(b.len, 2 * len);
	cr_expect_eq(memcmp(b.bytes, b.bytes + len, len), 0);
	buf_finish(&b);
}

/* --- damage --- */

/* Whatever became of the record: what is read from it can be used. */
static void
use(const uint8_t *bytes, size_t len)
{
	struct table *t = make_table(10);
	struct buf b = { 0 };

	if (session_record_read(t->sessions, bytes, len, T0 + 3 * S)) {
		cr_assert(session_record_write(t->sessions->newest, &b));
		see_a_full_one(t, "a");
		sessions_tick(t->sessions, T0 + 3 * S);
		sessions_tick(t->sessions, T0 + 4000 * S);
	}
	buf_finish(&b);
	destroy_table(t);
}

Test(session_record, every_prefix_and_every_flipped_byte)
{
	struct guard g;
	struct buf b;

	see_a_full_one(before, "a");
	b = record_of(find(before, "a"));
	g = guard_create(b.len);
	for (size_t len = 0; len <= b.len; len++)
		use((const uint8_t *)guard_put(&g, b.bytes, len), len);
	for (size_t i = 0; i < b.len; i++) {
		static const uint8_t masks[] = { 0x01, 0x80, 0xff, 0x07 };
		for (size_t m = 0; m < sizeof(masks); m++) {
			b.bytes[i] ^= masks[m];
			use((const uint8_t *)guard_put(&g, b.bytes, b.len), b.len);
			b.bytes[i] ^= masks[m];
		}
	}
	guard_destroy(&g);
	buf_finish(&b);
}
