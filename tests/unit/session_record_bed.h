/* Two tables, one before a restart and one after it, and sessions in every state. For test_session_record*.c. */
#ifndef AGENTBUS_TEST_SESSION_RECORD_BED_H
#define AGENTBUS_TEST_SESSION_RECORD_BED_H

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

static inline void
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

static inline struct table *
make_table(size_t max_sessions)
{
	struct session_settings settings = session_settings_default();
	struct table *t = calloc(1, sizeof(*t));

	settings.max_sessions = max_sessions;
	t->sink.emit = on_event;
	t->sessions = sessions_create(&settings, &t->sink);
	return t;
}

static inline void
destroy_table(struct table *t)
{
	sessions_destroy(t->sessions);
	free(t);
}

static inline void
setup(void)
{
	before = make_table(1000);
	after = make_table(1000);
}

static inline void
teardown(void)
{
	destroy_table(before);
	destroy_table(after);
}

/* An observation of a session at T0 + ms. */
static inline struct observation
obs(const char *id, enum meaning means, uint64_t ms, unsigned flags)
{
	return (struct observation){ .means = means,
				     .flags = flags,
				     .provider = provider_claude.name,
				     .session = str_from(id),
				     .time_ns = T0 + ms * 1000000 };
}

static inline void
see(struct table *t, struct observation o)
{
	sessions_observe(t->sessions, &o, o.time_ns);
}

static const struct session *
find(const struct table *t, const char *id)
{
	return sessions_find(t->sessions, provider_claude.name, id);
}

static inline struct buf
record_of(const struct session *x)
{
	struct buf b = { 0 };

	cr_assert(session_record_write(x, &b));
	return b;
}

/* All sessions of a table, the one heard of last coming last. */
static inline void
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

static inline void
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

static inline void
expect_same_sessions(void)
{
	for (const struct session *x = before->sessions->oldest; x; x = x->track->newer)
		expect_same_bytes(x, find(after, x->id));
}

/* Both tables on their own clocks do the same from now on. */
static inline void
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
static inline void
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

static inline void
see_an_ask(struct table *t, const char *id)
{
	struct observation span = obs(id, MEANS_RESPONSE_END, 2000, OBS_SPAN | OBS_WANTS_TOOL | OBS_MARKS_TURN);
	struct observation log = obs(id, MEANS_RESPONSE, 2000, OBS_OPENS | OBS_MARKS_TURN);

	span.request_id = log.request_id = STR("req1");
	see(t, obs(id, MEANS_PROMPT, 0, OBS_COUNTED));
	see(t, span);
	see(t, log);
}

/* Hooks tell of a turn's end, and in the next one of two dialogs, one of which a sub-agent has opened. */
static inline void
see_dialogs(struct table *t, const char *id)
{
	struct observation end = obs(id, MEANS_TURN_END, 100, OBS_TOLD), ask = obs(id, MEANS_ASK, 2000, OBS_TOLD);

	see(t, obs(id, MEANS_TURN_START, 0, OBS_TOLD));
	end.reason = "interrupted";
	end.prompt_id = STR("prompt1");
	see(t, end);
	see(t, obs(id, MEANS_RESPONSE, 50, OBS_OPENS));
	see(t, obs(id, MEANS_TURN_START, 1000, OBS_TOLD));
	ask.tool = STR("Bash");
	see(t, ask);
	ask.agent = STR("agent1");
	see(t, ask);
}

/* One in each state, and what else there is. Nothing has a connection. */
static inline void
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

#endif
