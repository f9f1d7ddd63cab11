/* A table of sessions, what it emits written down, and observations of session "a" and others. For test_session*.c. */
#ifndef AGENTBUS_TEST_SESSION_BED_H
#define AGENTBUS_TEST_SESSION_BED_H

#include "session.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define S  1000000000ull
#define T0 (1800000000ull * S)

static const char claude[] = "claude-code";
static const char codex[] = "codex";

struct seen {
	enum event_kind kind;
	enum session_state state;
	uint64_t turn_ns;
	char id[32];
	char reason[16];
	struct cost cost;
};

struct fixture {
	struct event_sink sink;
	struct seen seen[4096];
	size_t count;
	struct sessions *sessions;
};

static struct fixture *f;

static inline void
on_event(struct event_sink *sink, const struct event *e)
{
	struct fixture *x = (struct fixture *)sink;
	struct seen *s;

	cr_assert_lt(x->count, sizeof(x->seen) / sizeof(x->seen[0]));
	s = &x->seen[x->count++];
	*s = (struct seen){ .kind = e->kind, .state = e->session->state, .turn_ns = e->turn_ns };
	snprintf(s->id, sizeof(s->id), "%.31s", e->session->id);
	snprintf(s->reason, sizeof(s->reason), "%s", e->reason);
	cr_assert_eq(e->cost != NULL, e->kind == EVENT_API_REQUEST);
	if (e->cost)
		s->cost = *e->cost;
}

static inline void
setup(void)
{
	struct session_settings settings = session_settings_default();

	f = calloc(1, sizeof(*f));
	f->sink.emit = on_event;
	f->sessions = sessions_create(&settings, &f->sink);
}

static inline void
teardown(void)
{
	sessions_destroy(f->sessions);
	free(f);
}

/* An observation of session "a" at T0 + ms. */
static inline struct observation
obs(enum meaning means, uint64_t ms, unsigned flags)
{
	return (struct observation){
		.means = means, .flags = flags, .provider = claude, .session = STR("a"), .time_ns = T0 + ms * 1000000
	};
}

/* Applies it `delay` ms after it happened. */
static inline void
see(struct observation o, uint64_t delay_ms)
{
	sessions_observe(f->sessions, &o, o.time_ns + delay_ms * 1000000);
}

static inline void
tick_at(uint64_t ms)
{
	sessions_tick(f->sessions, T0 + ms * 1000000);
}

static const struct session *
get(const char *id)
{
	const struct session *x = sessions_find(f->sessions, claude, id);

	return x ? x : sessions_find(f->sessions, codex, id);
}

static inline size_t
count_kind(enum event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->seen[i].kind == kind;
	return n;
}

#endif
