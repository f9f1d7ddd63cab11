/*
 * What each kind of observation does to a session. State changes themselves and timers are in session_state.c.
 */
#include "session.h"

#include "session_clock.h"
#include "session_kin.h"
#include "session_merge.h"
#include "session_state.h"
#include "session_told.h"
#include "session_usage.h"

#include <stdio.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define ASK_GRACE_NS    (1 * NS_PER_S) /* decisions without a person come within 0.2 s of the answer, and may be batched apart */
#define FAIL_GRACE_NS   (2 * NS_PER_S) /* a turn that goes on after a final error says so by then */
#define GIVEN_UP_NS     (1 * NS_PER_S) /* the failure after which a CLI gives up is logged at most so long before that */
#define SAME_FAILURE_NS (1 * NS_PER_S) /* a failure's span ends at most so long before or after its log record */
#define TITLE_PROMPT_NS (2 * NS_PER_S) /* and asks so soon after its start */
#define TURN_START_NS   (1 * NS_PER_S) /* a turn's span starts at most so long after its prompt */

/* --- bookkeeping --- */

static void
later(uint64_t *newest, uint64_t ns)
{
	if (ns > *newest)
		*newest = ns;
}

static void
remember(uint64_t *ring, unsigned size, unsigned *next, uint64_t hash)
{
	ring[(*next)++ % size] = hash;
}

static bool
remembered(const uint64_t *ring, unsigned size, uint64_t hash)
{
	for (unsigned i = 0; hash && i < size; i++)
		if (ring[i] == hash)
			return true;
	return false;
}

/* --- finding the session --- */

struct str
session_anonymous_id(const struct observation *o, char *buf, size_t size)
{
	struct str name = o->process.len ? o->process : o->service_name;
	int n;

	if (name.len > 64)
		name.len = str_valid((struct str){ name.ptr, 64 }); /* no half of a character */
	if (o->pid)
		n = snprintf(buf, size, "%s-%u", o->provider, (unsigned)o->pid);
	else if (name.len)
		n = snprintf(buf, size, "%s-%.*s", o->provider, (int)name.len, name.ptr);
	else
		n = snprintf(buf, size, "%s-unknown", o->provider);
	return (struct str){ buf, (size_t)n };
}

static bool
creates(const struct observation *o)
{
	switch (o->means) {
	case MEANS_ASK:
		return told(o);
	case MEANS_TURN_END:
		if (told(o))
			return !(o->flags & OBS_STATUS);
		return (o->flags & OBS_SPAN) != 0; /* it may come before the logs of what it ends */
	case MEANS_END:
		return (o->flags & OBS_SPAN) != 0;
	case MEANS_START:
	case MEANS_PROMPT:
	case MEANS_TURN_START:
	case MEANS_ACTIVITY:
	case MEANS_CALL:
	case MEANS_RESPONSE:
	case MEANS_RESPONSE_END:
	case MEANS_ERROR:
	case MEANS_FAULT:
	case MEANS_GIVEN_UP:
	case MEANS_DECISION:
	case MEANS_TOOL:
	case MEANS_LINK:
		return true;
	default:
		return false;
	}
}

static struct session *
by_trace(const struct sessions *s, const struct observation *o)
{
	struct session *x = o->has_trace_id ? table_by_trace(s, o->trace_id) : NULL;

	if (!x || x->provider != o->provider)
		return NULL;
	/* A sub-agent's turn in the same trace starts long after the prompt. */
	if (o->means == MEANS_TURN_END && o->start_ns > x->turn_started_ns + TURN_START_NS)
		return NULL;
	return x;
}

static struct session *
resolve(struct sessions *s, const struct observation *o, uint64_t now_ns)
{
	char buf[SESSION_ID_MAX];
	struct str id = o->session;
	struct session *x;

	if (id.len == 0 && (o->flags & OBS_ANONYMOUS))
		id = session_anonymous_id(o, buf, sizeof(buf));
	if (id.len == 0)
		return o->means == MEANS_ASK ? kin_asker(s, o, now_ns) : by_trace(s, o);
	x = table_find(s, o->provider, id);
	return x || !creates(o) ? x : table_add(s, o->provider, id, now_ns);
}

const struct session *
sessions_of(const struct sessions *s, const struct observation *o)
{
	return o->session.len ? table_find(s, o->provider, o->session) : by_trace(s, o);
}

bool
session_exports_spans(const struct session *x)
{
	return x->track->spans;
}

/* --- steps: one per meaning --- */

static void
step_start(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	later(&x->track->start_cli_ns, o->time_ns);
	kin_adopt(s, x, o);
	if (o->flags & OBS_REPLACES)
		state_end_others(s, x, o, now_ns);
	state_resume(s, x, o, now_ns);
}

static void
step_prompt(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;

	if (t->guessed_aux && (x->prompts > 0 || o->time_ns > t->start_cli_ns + TITLE_PROMPT_NS))
		kin_unlink(s, x);
	x->prompts += (o->flags & OBS_COUNTED) != 0;
	told_note_prompt(x, o);
	later(&t->prompt_cli_ns, o->time_ns);
	state_show(s, x, o, now_ns);
	state_emit(s, x, EVENT_PROMPT, o, NULL, now_ns);
	state_begin_turn(s, x, o, now_ns);
}

/* The prompt that telemetry counts, as a hook tells it. */
static void
step_turn_start(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	if (told_start_is_old(x, o))
		return;
	later(&x->track->prompt_cli_ns, o->time_ns);
	told_note_prompt(x, o);
	state_show(s, x, o, now_ns);
	state_begin_turn(s, x, o, now_ns);
}

static void
step_activity(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	if (told(o) && (o->flags & OBS_OPENS)) {
		x->track->told = true;
		state_show(s, x, o, now_ns);
	}
	state_activity(s, x, o, now_ns);
}

static void
step_call(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	if (o->agent.len == 0 && !(o->flags & OBS_BACKGROUND))
		x->track->answer_due = true;
	state_activity(s, x, o, now_ns);
}

/* The answer's log record is here: if its span said that it stopped for a tool, only a decision is missing now. */
static void
note_answer(struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;

	if (o->flags & OBS_BACKGROUND)
		return;
	t->response_id = hash_str(o->request_id);
	if (t->ask_id && t->ask_id == t->response_id && !t->told)
		t->ask_due_ns = now_ns + ASK_GRACE_NS;
	if (o->agent.len)
		return;
	later(&t->asked_cli_ns, o->time_ns);
	later(&t->response_cli_ns, o->time_ns);
	t->answer_due = false;
}

static void
step_response(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	uint64_t span = o->has_span_id ? hash_bytes(o->span_id, sizeof(o->span_id), 0) | 1 : 0;

	if ((o->flags & OBS_TWICE) && span) {
		if (remembered(t->counted, COUNTED_MAX, span))
			return;
		remember(t->counted, COUNTED_MAX, &t->counted_next, span);
	}
	const struct cost cost = usage_add_request(x, o, s->prices);
	if (o->time_ns > x->last_error.time_ns && !(o->flags & OBS_BACKGROUND))
		x->failed = false;
	note_answer(x, o, now_ns);
	state_show(s, x, o, now_ns);
	state_emit(s, x, EVENT_API_REQUEST, o, &cost, now_ns);
	state_activity(s, x, o, now_ns);
	kin_claim_ask(s, x, o, now_ns);
}

/*
 * Whether the last failure is to be shown rather than this one: it is newer, or the log record of what this is the span of. They
 * come in any order, and the log record tells more.
 */
static bool
tells_less(const struct failure *last, const struct observation *o)
{
	const bool by_span = o->means == MEANS_RESPONSE_END;
	const uint64_t apart = o->time_ns > last->time_ns ? o->time_ns - last->time_ns : last->time_ns - o->time_ns;

	if (last->class != ERROR_NONE && last->by_span != by_span && apart <= SAME_FAILURE_NS)
		return by_span;
	return o->time_ns < last->time_ns;
}

static void
note_failure(struct session *x, const struct observation *o)
{
	struct failure *last = &x->last_error;

	if (o->time_ns >= x->track->response_cli_ns && !(o->flags & OBS_BACKGROUND) && o->agent.len == 0)
		x->failed = true;
	if (tells_less(last, o))
		return;
	last->class = o->error;
	last->status = o->status;
	last->by_span = o->means == MEANS_RESPONSE_END;
	last->time_ns = o->time_ns;
	str_copy(last->message, sizeof(last->message), o->error_message);
}

static void
step_response_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	uint64_t id = hash_str(o->request_id);

	if (o->flags & OBS_BACKGROUND)
		return;
	state_show(s, x, o, now_ns);
	if (o->agent.len == 0)
		later(&t->asked_cli_ns, o->time_ns);
	if (o->agent.len == 0 && !(o->flags & OBS_FAILED)) {
		later(&t->response_cli_ns, o->time_ns);
		t->answer_due = false;
	}
	if ((o->flags & OBS_FAILED) && o->error != ERROR_UNKNOWN && o->error != ERROR_NONE)
		note_failure(x, o);
	state_activity(s, x, o, now_ns);
	if (!(o->flags & OBS_WANTS_TOOL) || id == 0 || remembered(t->decided, DECIDED_MAX, id))
		return;
	t->ask_id = id;
	t->ask_cli_ns = o->time_ns;
	/* A hook would tell of a dialog. */
	t->ask_due_ns = t->response_id == id && !t->told ? now_ns + ASK_GRACE_NS : NEVER;
}

static void
step_fault(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	x->turn_errors++;
	note_failure(x, o);
	state_show(s, x, o, now_ns);
	state_emit(s, x, EVENT_API_ERROR, o, NULL, now_ns);
	state_activity(s, x, o, now_ns);
	if ((o->flags & OBS_RETRIED) && !(o->flags & OBS_BACKGROUND) && o->agent.len == 0)
		x->track->fail_due_ns = NEVER;
	if ((o->flags & OBS_FINAL) && !(o->flags & OBS_BACKGROUND) && o->agent.len == 0) {
		x->track->answer_due = false;
		if (x->state == SESSION_WORKING && o->time_ns >= x->track->evidence_cli_ns)
			x->track->fail_due_ns = now_ns + FAIL_GRACE_NS;
	}
}

static void
step_error(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	x->api_errors++;
	x->errors_by_class[o->error]++;
	step_fault(s, x, o, now_ns);
}

/* News only if the failure itself was never told. */
static void
step_given_up(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct failure *last = &x->last_error;

	if (last->class == ERROR_NONE || last->time_ns + GIVEN_UP_NS < o->time_ns)
		step_fault(s, x, o, now_ns);
}

static void
drop_ask(struct session_track *t, uint64_t id, uint64_t cli_ns)
{
	if (t->ask_id && (t->ask_id == id || cli_ns > t->ask_cli_ns)) {
		t->ask_id = 0;
		t->ask_due_ns = NEVER;
	}
}

static void
step_decision(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	uint64_t id = hash_str(o->request_id);

	if (id)
		remember(t->decided, DECIDED_MAX, &t->decided_next, id);
	drop_ask(t, id, o->time_ns);
	t->tools += !(o->flags & OBS_REFUSED);
	state_activity(s, x, o, now_ns);
}

static void
step_tool(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;

	x->tool_calls++;
	if (!(o->flags & OBS_BACKGROUND)) {
		drop_ask(t, hash_str(o->request_id), o->time_ns);
		t->tools = t->tools && !(o->flags & OBS_REFUSED) ? t->tools - 1 : 0;
		t->answer_due = !(o->flags & OBS_REFUSED);
		if (!(o->flags & OBS_REFUSED))
			later(&t->tool_cli_ns, o->time_ns);
	}
	state_show(s, x, o, now_ns);
	state_emit(s, x, EVENT_TOOL, o, NULL, now_ns);
	state_activity(s, x, o, now_ns);
}

static void
step_tool_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	later(&x->track->tool_cli_ns, o->time_ns);
	state_activity(s, x, o, now_ns);
}

static void
step_ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	if (told(o))
		state_show(s, x, o, now_ns);
	state_ask(s, x, o, now_ns);
}

static void
step_turn_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct session_track *t = x->track;

	if ((o->flags & OBS_AFTER_TOOLS) && t->tool_cli_ns > t->response_cli_ns) {
		state_activity(s, x, o, now_ns);
		return;
	}
	if (told(o) && !(o->flags & OBS_STATUS))
		state_show(s, x, o, now_ns);
	state_end_turn(s, x, o, now_ns);
}

static void
step_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	state_end(s, x, o, now_ns);
}

static void
step_cost(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct cost change = usage_add_turn_cost(x, o);

	/* Of a session that was forgotten nobody knows what its requests were said to cost, and that was counted. */
	if (change.has_reported && x->shown && s->sink->spent)
		s->sink->spent(s->sink, &(struct event){ .time_ns = o->time_ns,
							 .now_ns = now_ns,
							 .session = x,
							 .from = x->state,
							 .observation = o,
							 .cost = &change });
}

static void
step_link(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	(void)now_ns;
	if (o->parent.len)
		kin_link(s, x, o->parent);
}

static void
step_nothing(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	(void)s, (void)x, (void)o, (void)now_ns;
}

static void (*const steps[MEANING_COUNT])(struct sessions *, struct session *, const struct observation *, uint64_t) = {
	[MEANS_NOTHING] = step_nothing,
	[MEANS_START] = step_start,
	[MEANS_PROMPT] = step_prompt,
	[MEANS_COMMAND] = step_nothing,
	[MEANS_TURN_START] = step_turn_start,
	[MEANS_ACTIVITY] = step_activity,
	[MEANS_CALL] = step_call,
	[MEANS_RESPONSE] = step_response,
	[MEANS_RESPONSE_END] = step_response_end,
	[MEANS_ERROR] = step_error,
	[MEANS_FAULT] = step_fault,
	[MEANS_GIVEN_UP] = step_given_up,
	[MEANS_DECISION] = step_decision,
	[MEANS_TOOL] = step_tool,
	[MEANS_TOOL_END] = step_tool_end,
	[MEANS_ASK] = step_ask,
	[MEANS_TURN_END] = step_turn_end,
	[MEANS_END] = step_end,
	[MEANS_COST] = step_cost,
	[MEANS_LINK] = step_link,
	[MEANS_CONTEXT] = step_nothing,
};

void
sessions_observe(struct sessions *s, const struct observation *o, uint64_t now_ns)
{
	struct session *x = resolve(s, o, now_ns);
	struct observation own;

	if (!x)
		return;
	o = clock_align(x, o, &own, now_ns);
	table_touch(s, x, now_ns);
	merge_fields(s, x, o, now_ns);
	steps[o->means](s, x, o, now_ns);
	merge_trace(s, x, o);
	state_schedule(s, x);
}
