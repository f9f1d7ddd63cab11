#include "session_clock.h"

#include "session_told.h"

#include <stddef.h>

/* What was stated by a clock that may be ahead. */
static const size_t stated[] = {
	offsetof(struct session_track, evidence_cli_ns), offsetof(struct session_track, response_cli_ns),
	offsetof(struct session_track, asked_cli_ns),    offsetof(struct session_track, closed_cli_ns),
	offsetof(struct session_track, tool_cli_ns),     offsetof(struct session_track, prompt_cli_ns),
	offsetof(struct session_track, start_cli_ns),    offsetof(struct session_track, ask_cli_ns),
	offsetof(struct session_track, over_cli_ns),     offsetof(struct session_track, told_tool_cli_ns),
	offsetof(struct session_track, told_ask_cli_ns),
};

static void
at_most(uint64_t *ns, uint64_t limit_ns)
{
	if (*ns > limit_ns)
		*ns = limit_ns;
}

/* All of it has arrived, so nothing of it is later than now. */
static void
begin_hooks(struct session *x, uint64_t now_ns)
{
	x->track->hooked = true;
	for (size_t i = 0; i < sizeof(stated) / sizeof(stated[0]); i++)
		at_most((uint64_t *)((char *)x->track + stated[i]), now_ns);
	at_most(&x->state_since_ns, now_ns);
	at_most(&x->turn_started_ns, now_ns);
	at_most(&x->last_error.time_ns, now_ns);
}

static int64_t
lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
note_lag(struct session_track *t, int64_t lag_ns, uint64_t now_ns)
{
	if (t->lag_window_ns == 0 || now_ns >= t->lag_window_ns + CLOCK_WINDOW_NS) {
		t->lag_before_ns = t->lag_window_ns ? t->lag_ns : INT64_MAX;
		t->lag_ns = lag_ns;
		t->lag_window_ns = now_ns;
	}
	t->lag_ns = lesser(t->lag_ns, lag_ns);
}

/* How much is to be added to its times. */
static int64_t
offset_of(const struct session_track *t)
{
	const int64_t lag_ns = lesser(t->lag_ns, t->lag_before_ns);

	if (lag_ns < 0)
		return lag_ns;
	return t->lag_before_ns != INT64_MAX && lag_ns > CLOCK_BEHIND_NS ? lag_ns : 0;
}

/* Far enough before for the margins that are given to records of the same moment. */
#define BEFORE_NS 1000000000ull

/* The end of a session is after all else of it. */
static uint64_t
surely(const struct session *x, enum meaning means, uint64_t ns)
{
	const struct session_track *t = x->track;

	if (x->evidence == EVIDENCE_TOLD && means != MEANS_END && ns + BEFORE_NS > t->evidence_cli_ns &&
	    ns < t->evidence_cli_ns + CLOCK_SLACK_NS)
		return t->evidence_cli_ns - BEFORE_NS;
	return ns;
}

const struct observation *
clock_align(struct session *x, const struct observation *o, struct observation *own, uint64_t now_ns)
{
	const uint64_t said_ns = o->stated_ns ? o->stated_ns : o->time_ns;
	const int64_t lag_ns = (int64_t)(now_ns - said_ns);
	int64_t offset_ns;

	if (told(o)) {
		if (!x->track->hooked)
			begin_hooks(x, now_ns);
		return o;
	}
	if (lag_ns < -CLOCK_AHEAD_NS)
		return o;
	note_lag(x->track, lag_ns, now_ns);
	offset_ns = offset_of(x->track);
	if (!x->track->hooked || (offset_ns == 0 && o->stated_ns == 0))
		return o;
	*own = *o;
	own->time_ns = surely(x, o->means, said_ns + (uint64_t)offset_ns);
	own->start_ns = o->start_ns ? o->start_ns + (uint64_t)offset_ns : 0;
	return own;
}
