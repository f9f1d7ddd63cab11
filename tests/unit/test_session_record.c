#include "session_record.h"

#include "bus_pack.h"
#include "provider.h"
#include "session_table.h"

#include "guard.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define S  1000000000ull
#define T0 (1800000000ull * S)

/* What a table emitted: enough to tell whether two do the same. */
struct table {
	struct event_sink sink;
	struct sessions *sessions;
	unsigned count;
	uint64_t sum; /* of the events' hashes: timers that run out at one moment do so in any order */
};

static struct table *before, *after;

static void
on_event(struct event_sink *sink, const struct event *e)
{
	struct table *t = (struct table *)sink;

	char text[400];
	const int n =
	    snprintf(text, sizeof(text), "%d %d %s %s %s %llu %llu", (int)e->kind, (int)e->session->state, e->session->id,
		     e->reason, e->session->provider, (unsigned long long)e->time_ns, (unsigned long long)e->turn_ns);

	t->sum += hash_bytes(text, (size_t)n, 0);
	t->count++;
}

static struct table *
make_table(size_t max_sessions)
{
	struct session_settings settings = session_settings_default();
	struct table *t = calloc(1, sizeof(*t));

	settings.max_sessions = max_sessions;
	t->sink.emit = on_event;
	t->sessions = sessions_create(&settings, &t->sink);
	return t;
}

static void
destroy_table(struct table *t)
{
	sessions_destroy(t->sessions);
	free(t);
}

static void
setup(void)
{
	before = make_table(1000);
	after = make_table(1000);
}

static void
teardown(void)
{
	destroy_table(before);
	destroy_table(after);
}

TestSuite(session_record, .init = setup, .fini = teardown);

/* An observation of a session at T0 + ms. */
static struct observation
obs(const char *id, enum meaning means, uint64_t ms, unsigned flags)
{
	return (struct observation){ .means = means,
				     .flags = flags,
				     .provider = provider_claude.name,
				     .session = str_from(id),
				     .time_ns = T0 + ms * 1000000 };
}

static void
see(struct table *t, struct observation o)
{
	sessions_observe(t->sessions, &o, o.time_ns);
}

static const struct session *
find(const struct table *t, const char *id)
{
	return sessions_find(t->sessions, provider_claude.name, id);
}

static struct buf
record_of(const struct session *x)
{
	struct buf b = { 0 };

	cr_assert(session_record_write(x, &b));
	return b;
}

/* All sessions of a table, the one heard of last coming last. */
static void
carry_over(uint64_t now_ns)
{
	for (const struct session *x = before->sessions->oldest; x; x = x->track->newer) {
		struct buf b = record_of(x);
		cr_expect(session_record_read(after->sessions, b.bytes, b.len, now_ns), "%s", x->id);
		buf_finish(&b);
	}
	cr_expect_eq(sessions_count(after->sessions), sessions_count(before->sessions));
	cr_expect_eq(after->count, 0, "nothing is emitted");
}

static void
expect_same_bytes(const struct session *a, const struct session *b)
{
	struct buf one = { 0 }, two = { 0 };

	cr_assert(a && b);
	cr_assert(bus_pack_session(a, &one));
	cr_assert(bus_pack_session(b, &two));
	cr_expect_eq(one.len, two.len, "%s", a->id);
	cr_expect_eq(memcmp(one.bytes, two.bytes, one.len), 0, "%s", a->id);
	cr_expect_eq(a->provider, b->provider);
	cr_expect_eq(a->shown, b->shown);
	buf_finish(&one);
	buf_finish(&two);
}

static void
expect_same_sessions(void)
{
	for (const struct session *x = before->sessions->oldest; x; x = x->track->newer)
		expect_same_bytes(x, find(after, x->id));
}

/* Both tables on their own clocks do the same from now on. */
static void
expect_same_future(uint64_t from_ns, uint64_t to_ns)
{
	before->count = 0;
	before->sum = 0;
	for (uint64_t now = from_ns; now <= to_ns; now += S / 2) {
		sessions_tick(before->sessions, now);
		sessions_tick(after->sessions, now);
		cr_expect_eq(sessions_count(before->sessions), sessions_count(after->sessions));
	}
	cr_expect_eq(before->count, after->count);
	cr_expect_eq(before->sum, after->sum);
	expect_same_sessions();
}

/* --- samples --- */

/* Everything that observations can fill in. */
static void
see_a_full_one(struct table *t, const char *id)
{
	struct observation o = obs(id, MEANS_PROMPT, 1000, OBS_COUNTED | OBS_MARKS_TURN);

	o.service_name = STR("claude-code");
	o.process = STR("host/77");
	o.project_dir = STR("/home/a/agent\u00e9");
	o.pid = 77;
	o.has_trace_id = true;
	memset(o.trace_id, id[0], sizeof(o.trace_id));
	see(t, o);
	o = obs(id, MEANS_RESPONSE, 2000, OBS_OPENS | OBS_TWICE);
	o.model = STR("opus");
	o.tokens = (struct tokens){ 1, 2, 3, 4, 5 };
	o.has_cost = true;
	o.cost = -6;
	o.request_id = STR("req1");
	o.has_span_id = true;
	memset(o.span_id, 9, sizeof(o.span_id));
	see(t, o);
	o.span_id[0] = 8;
	o.model = STR("haiku");
	see(t, o);
	o = obs(id, MEANS_DECISION, 2100, OBS_OPENS);
	o.request_id = STR("req1");
	o.tool = STR("Bash");
	see(t, o);
	o = obs(id, MEANS_TOOL, 2200, 0);
	o.tool = STR("Bash");
	see(t, o);
	o = obs(id, MEANS_ERROR, 2300, OBS_SPAN);
	o.error = ERROR_RATE_LIMIT;
	o.status = 429;
	o.error_message = STR("too many");
	see(t, o);
}

static void
see_an_ask(struct table *t, const char *id)
{
	struct observation span = obs(id, MEANS_RESPONSE_END, 2000, OBS_SPAN | OBS_WANTS_TOOL | OBS_MARKS_TURN);
	struct observation log = obs(id, MEANS_RESPONSE, 2000, OBS_OPENS | OBS_MARKS_TURN);

	span.request_id = log.request_id = STR("req1");
	see(t, obs(id, MEANS_PROMPT, 0, OBS_COUNTED));
	see(t, span);
	see(t, log);
}

/* One in each state, and what else there is. Nothing has a connection. */
static void
see_all(struct table *t)
{
	struct observation o;

	see(t, obs("hidden", MEANS_START, 0, 0));
	see(t, obs("ended", MEANS_PROMPT, 0, OBS_COUNTED));
	see(t, obs("ended", MEANS_END, 100, 0));
	see(t, obs("idle", MEANS_PROMPT, 0, OBS_COUNTED));
	see(t, obs("idle", MEANS_END, 100, 0));
	see(t, obs("idle", MEANS_START, 200, 0));
	see(t, obs("completed", MEANS_PROMPT, 0, OBS_COUNTED));
	see(t, obs("completed", MEANS_TURN_END, 1500, OBS_SPAN | OBS_FAILED));
	see_a_full_one(t, "parent");
	o = obs("child", MEANS_LINK, 2400, 0);
	o.parent = STR("parent");
	see(t, o);
	see(t, obs("child", MEANS_PROMPT, 2500, 0));
	see(t, obs("child", MEANS_TURN_END, 2600, OBS_SPAN));
	see(t, obs("parent", MEANS_TURN_END, 2700, OBS_SPAN));
}

/* --- tests --- */

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

Test(session_record, timers_run_on)
{
	see_all(before);
	carry_over(T0 + 3 * S);
	cr_expect_eq(sessions_deadline(before->sessions), sessions_deadline(after->sessions));
	expect_same_future(T0 + 3 * S, T0 + 1000 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_ENDED);
	cr_expect_null(find(after, "hidden"));
}

Test(session_record, timers_that_ran_out_meanwhile_run_out_at_once)
{
	see_all(before);
	carry_over(T0 + 900 * S);
	expect_same_future(T0 + 900 * S, T0 + 2000 * S);
	cr_expect_eq(find(after, "idle")->state, SESSION_ENDED);
}

Test(session_record, what_was_going_on_begins_its_silence_anew)
{
	struct observation o = obs("connected", MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 7;
	see(before, o);
	see(before, obs("alone", MEANS_PROMPT, 0, OBS_COUNTED));
	see_an_ask(before, "waiting");
	sessions_tick(before->sessions, T0 + 4 * S);
	cr_expect_eq(find(before, "waiting")->state, SESSION_WAITING);
	carry_over(T0 + 100 * S);
	sessions_tick(after->sessions, T0 + 115 * S - 1);
	cr_expect_eq(find(after, "connected")->state, SESSION_WORKING);
	cr_expect_eq(find(after, "alone")->state, SESSION_WORKING);
	sessions_tick(after->sessions, T0 + 115 * S);
	cr_expect_eq(find(after, "connected")->state, SESSION_COMPLETED);
	cr_expect_eq(find(after, "alone")->state, SESSION_COMPLETED);
	sessions_tick(after->sessions, T0 + 1900 * S - 1);
	cr_expect_eq(find(after, "waiting")->state, SESSION_WAITING);
	sessions_tick(after->sessions, T0 + 1900 * S);
	cr_expect_eq(find(after, "waiting")->state, SESSION_IDLE);
}

Test(session_record, what_sat_idle_and_connected_has_time_to_come_back)
{
	struct observation o = obs("a", MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 7;
	see(before, o);
	see(before, obs("a", MEANS_TURN_END, 1000, OBS_SPAN));
	sessions_tick(before->sessions, T0 + 5000 * S);
	cr_expect_eq(find(before, "a")->state, SESSION_IDLE);
	carry_over(T0 + 6000 * S);
	sessions_tick(after->sessions, T0 + 6300 * S - 1);
	cr_expect_eq(find(after, "a")->state, SESSION_IDLE);
	sessions_tick(after->sessions, T0 + 6300 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_ENDED);
}

Test(session_record, a_dialog_that_was_about_to_show_does)
{
	see_an_ask(before, "a");
	carry_over(T0 + 2 * S + S / 2);
	expect_same_future(T0 + 2 * S + S / 2, T0 + 10 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_WAITING);
}

Test(session_record, an_error_that_was_about_to_end_the_turn_does)
{
	struct observation o = obs("a", MEANS_ERROR, 1000, OBS_FINAL);

	o.error = ERROR_SERVER;
	see(before, obs("a", MEANS_PROMPT, 0, OBS_COUNTED));
	see(before, o);
	carry_over(T0 + S);
	expect_same_future(T0 + S, T0 + 10 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(find(after, "a")->reason, "error");
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

Test(session_record, a_clock_that_was_set_back_stops_no_timer)
{
	const uint64_t now = T0 - 500 * S;

	see_all(before);
	see_an_ask(before, "asking");
	see_a_full_one(before, "working");
	carry_over(now);
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer) {
		cr_expect_leq(x->track->heard_ns, now);
		cr_expect_leq(x->track->entered_ns, now);
		cr_expect_leq(x->state_observed_ns, now);
		cr_expect(x->track->fail_due_ns == NEVER);
	}
	cr_expect_leq(sessions_deadline(after->sessions), now + 2 * S);
	sessions_tick(after->sessions, now + 2 * S);
	cr_expect_eq(find(after, "asking")->state, SESSION_WAITING);
	sessions_tick(after->sessions, now + 30 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_IDLE);
	sessions_tick(after->sessions, now + 400 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_ENDED);
	cr_expect_eq(find(after, "idle")->state, SESSION_ENDED);
}

Test(session_record, a_clock_that_was_set_back_makes_nothing_late)
{
	const uint64_t now = T0 - 500 * S;
	struct observation o = obs("completed", MEANS_PROMPT, 0, OBS_COUNTED);

	see_all(before);
	carry_over(now);
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer) {
		cr_expect_leq(x->state_since_ns, now);
		cr_expect_leq(x->last_event_ns, now);
		cr_expect_leq(x->last_error.time_ns, now);
	}
	o.time_ns = now + 1 * S;
	see(after, o);
	cr_expect_eq(find(after, "completed")->state, SESSION_WORKING);
	cr_expect_eq(find(after, "completed")->state_since_ns, o.time_ns);
	cr_expect_eq(find(after, "completed")->turn_started_ns, o.time_ns);
	cr_expect(!find(after, "completed")->failed);
}

Test(session_record, a_cli_whose_clock_is_a_little_ahead_keeps_its_times)
{
	const uint64_t now = T0 - 10 * S;

	see(before, obs("a", MEANS_PROMPT, 0, OBS_COUNTED));
	carry_over(now);
	cr_expect_eq(find(after, "a")->state_since_ns, T0);
	cr_expect_eq(find(after, "a")->track->evidence_cli_ns, T0);
}

Test(session_record, order_of_age_is_kept)
{
	static const char *const order[] = { "a", "b", "c", "d" };
	size_t i = 0;

	for (size_t n = 0; n < 4; n++) {
		see(before, obs(order[n], MEANS_PROMPT, n * 1000, OBS_COUNTED));
		see(before, obs(order[n], MEANS_END, n * 1000 + 1, 0));
	}
	for (const struct session *x = before->sessions->newest; x; x = x->track->older) {
		struct buf b = record_of(x);
		cr_assert(session_record_read(after->sessions, b.bytes, b.len, T0 + 10 * S));
		buf_finish(&b);
	}
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer)
		cr_expect_str_eq(x->id, order[i++]);
	cr_expect_eq(i, 4);
	for (const struct session *x = after->sessions->newest; x; x = x->track->older)
		cr_expect_str_eq(x->id, order[--i]);
	see(after, obs("b", MEANS_START, 9000, 0));
	cr_expect_str_eq(after->sessions->newest->id, "b");
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
