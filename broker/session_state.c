#include "session_state.h"

#include "session_told.h"

#include <string.h>

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/* After an end that telemetry marked, a record must be so much newer to begin a turn without a prompt: clocks are coarse. */
#define REOPEN_NS (1 * NS_PER_S)

/* Log records are cut to milliseconds, spans are not. */
#define ROUNDING_NS (1 * NS_PER_MS)

/* Decisions that need no person come within this time of the answer; what comes later shows that the turn went on. */
#define DECISION_NS (500 * NS_PER_MS)

#define ASK_EARLY_NS (100 * NS_PER_MS)

/* --- events --- */

static void
emit(struct sessions *s, struct session *x, const struct event *e)
{
	if (x->shown)
		s->sink->emit(s->sink, e);
}

void
state_emit(struct sessions *s, struct session *x, enum event_kind kind, const struct observation *o, const struct cost *cost,
	   uint64_t now_ns)
{
	emit(s, x,
	     &(struct event){
		 .kind = kind,
		 .evidence = told_or_shown(o),
		 .reason = o->reason ? o->reason : "telemetry",
		 .time_ns = o->time_ns,
		 .now_ns = now_ns,
		 .session = x,
		 .from = x->state,
		 .observation = o,
		 .cost = cost,
	     });
}

void
state_show(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	if (x->shown)
		return;
	x->shown = true;
	if (x->state_since_ns == 0)
		x->state_since_ns = x->started_ns;
	if (x->state_observed_ns == 0)
		x->state_observed_ns = now_ns;
	emit(s, x,
	     &(struct event){
		 .kind = EVENT_SESSION_STARTED,
		 .evidence = told_or_shown(o),
		 .reason = "start",
		 .time_ns = x->started_ns,
		 .now_ns = now_ns,
		 .session = x,
		 .from = x->state,
		 .observation = o,
	     });
}

void
state_enter(struct sessions *s, struct session *x, const struct change *c, const struct observation *o, uint64_t now_ns)
{
	enum session_state from = x->state;

	if (from == c->to) {
		if (c->evidence < x->evidence)
			x->evidence = c->evidence;
		return;
	}
	x->state = c->to;
	x->evidence = c->evidence;
	str_copy(x->reason, sizeof(x->reason), str_from(c->reason));
	/* What began a state may be told after what ended it. */
	if (c->time_ns > x->state_since_ns)
		x->state_since_ns = c->time_ns;
	x->state_observed_ns = x->track->entered_ns = now_ns;
	emit(s, x,
	     &(struct event){
		 .kind = c->to == SESSION_ENDED ? EVENT_SESSION_ENDED : EVENT_STATE_CHANGED,
		 .evidence = c->evidence,
		 .reason = c->reason,
		 .time_ns = c->time_ns,
		 .now_ns = now_ns,
		 .session = x,
		 .from = from,
		 .turn_ns = c->turn_ns,
		 .observation = o,
	     });
}

/* --- helpers --- */

static void
advance(struct session_track *t, uint64_t cli_ns)
{
	if (cli_ns > t->evidence_cli_ns)
		t->evidence_cli_ns = cli_ns;
}

void
state_clear_pending(struct session_track *t)
{
	t->ask_id = 0;
	t->ask_due_ns = t->fail_due_ns = NEVER;
	t->answer_due = false;
	t->tools = 0;
}

uint64_t
state_turn_length(const struct session *x, uint64_t end_ns)
{
	return x->turn_started_ns && end_ns > x->turn_started_ns ? end_ns - x->turn_started_ns : 0;
}

static const char *
reason_or(const struct observation *o, const char *reason)
{
	return o->reason ? o->reason : reason;
}

/* --- what moves states --- */

static void
begin_turn(struct sessions *s, struct session *x, uint64_t start_ns, const struct change *c, const struct observation *o,
	   uint64_t now_ns)
{
	state_clear_pending(x->track);
	advance(x->track, c->time_ns);
	x->turn_started_ns = start_ns;
	x->track->answer_due = true;
	state_enter(s, x, c, o, now_ns);
}

static void
complete(struct sessions *s, struct session *x, uint64_t end_ns, const char *reason, const struct observation *o, uint64_t now_ns)
{
	/* A turn that is over while the model still owes an answer was stopped by its person. */
	bool stopped = o->means == MEANS_TURN_END && x->track->answer_due && !x->failed;
	struct change c = {
		SESSION_COMPLETED,
		told_or_shown(o),
		reason    ? reason
		: stopped ? "interrupted"
			  : "turn_end",
		.time_ns = end_ns,
		.turn_ns = state_turn_length(x, end_ns),
	};

	state_clear_pending(x->track);
	advance(x->track, end_ns);
	state_enter(s, x, &c, o, now_ns);
}

/* That the session is over was known before anything else of it was. */
static void
end_if_over(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const uint64_t over_ns = x->track->over_cli_ns;
	const struct change c = { SESSION_ENDED, EVIDENCE_SHOWN, "exit", .time_ns = over_ns };

	if (x->state == SESSION_COMPLETED && over_ns && (over_ns >= x->track->evidence_cli_ns || told_at_the_end(x, over_ns)))
		state_enter(s, x, &c, o, now_ns);
}

/* The end of the turn, and of the session, may have come before what began it. */
static void
end_as_known(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct session_track *t = x->track;

	if (t->closed_cli_ns <= o->time_ns)
		return;
	x->failed |= t->closed_bad;
	complete(s, x, t->closed_cli_ns, t->closed_reason, o, now_ns);
	end_if_over(s, x, o, now_ns);
}

void
state_begin_turn(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct change c = { SESSION_WORKING, told_or_shown(o), "prompt", .time_ns = o->time_ns };

	if (o->time_ns < x->track->evidence_cli_ns) {
		/* Late: what it began is known already, perhaps even its end. */
		if (o->time_ns > x->turn_started_ns)
			x->turn_started_ns = o->time_ns;
		return;
	}
	x->turn_errors = 0;
	x->failed = x->last_error.time_ns > o->time_ns;
	begin_turn(s, x, o->time_ns, &c, o, now_ns);
	end_as_known(s, x, o, now_ns);
}

static bool
may_reopen(const struct session *x, const struct observation *o)
{
	/* Claude is busy for a moment more with the session that /clear has ended. */
	const bool sure = told(o) && !((o->flags & OBS_STATUS) && x->state == SESSION_ENDED);
	uint64_t margin = x->evidence == EVIDENCE_INFERRED || sure ? 0 : REOPEN_NS;

	if (!(o->flags & OBS_OPENS) || o->agent.len)
		return false;
	/* The end of a session's first turn may come before all else; see end_as_known(). */
	if (o->time_ns <= x->track->closed_cli_ns && x->track->evidence_cli_ns != 0)
		return false;
	return o->time_ns > x->track->evidence_cli_ns + margin;
}

void
state_activity(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	struct change c = { SESSION_WORKING, told_or_shown(o), reason_or(o, "activity"), .time_ns = o->time_ns };
	uint64_t began = o->time_ns - (o->duration_ms < 3600000 ? o->duration_ms * NS_PER_MS : 0);

	if (o->flags & OBS_BACKGROUND)
		return;
	switch (x->state) {
	case SESSION_WORKING:
		if (o->time_ns > x->last_error.time_ns)
			t->fail_due_ns = NEVER;
		if (t->ask_id && o->agent.len == 0 && o->time_ns > t->ask_cli_ns + DECISION_NS)
			t->ask_due_ns = NEVER;
		advance(t, o->time_ns);
		break;
	case SESSION_WAITING:
		if (!told_ends_waiting(x, o))
			break;
		advance(t, o->time_ns);
		state_enter(s, x, &c, o, now_ns);
		break;
	case SESSION_IDLE:
	case SESSION_COMPLETED:
	case SESSION_ENDED:
		if (may_reopen(x, o)) {
			bool answered = o->means == MEANS_RESPONSE;
			unsigned tools = t->tools;
			begin_turn(s, x, began, &c, o, now_ns);
			t->tools = tools;
			t->answer_due = !answered;
			end_as_known(s, x, o, now_ns);
		}
		break;
	}
}

/* Whether a dialog may have opened in the state that x is in. One that is idle has no turn that the dialog could be late of. */
static bool
may_ask(const struct session *x, const struct observation *o)
{
	if (x->state == SESSION_WORKING || x->evidence == EVIDENCE_INFERRED)
		return true;
	return (told(o) || x->state == SESSION_IDLE) && o->time_ns > x->track->evidence_cli_ns;
}

void
state_ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	bool named = o->session.len > 0;
	struct change c = {
		SESSION_WAITING,
		named ? told_or_shown(o) : EVIDENCE_INFERRED,
		reason_or(o, "permission"),
		.time_ns = o->time_ns,
	};

	if (told_ask_is_old(x, o))
		return;
	/* The dialog may open while the end of the answer is still being recorded. */
	if (o->time_ns + ASK_EARLY_NS < x->track->evidence_cli_ns || x->state == SESSION_ENDED)
		return;
	/* One of several, or what a status told is told once more by a hook, which knows the tool. */
	if (x->state == SESSION_WAITING)
		told_note_ask(x, o, false);
	if (!may_ask(x, o))
		return;
	if (x->state != SESSION_WAITING)
		told_note_ask(x, o, true);
	state_clear_pending(x->track);
	advance(x->track, o->time_ns);
	state_enter(s, x, &c, o, now_ns);
}

/* Whether a turn that we did not see running is over with this: only one that asked the model counts. */
static bool
unseen_turn(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	return x->state != SESSION_ENDED && o->start_ns > x->turn_started_ns && t->asked_cli_ns >= o->start_ns &&
	       t->asked_cli_ns <= o->time_ns + ROUNDING_NS && o->time_ns > t->evidence_cli_ns + ROUNDING_NS;
}

/* A hook or notify says so: it is over, even if nobody has seen it begin. */
static void
told_end_turn(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct change began = { SESSION_WORKING, EVIDENCE_TOLD, "activity", .time_ns = o->time_ns };
	const bool news = told_end_is_news(x, o);
	const char *reason = told_end_reason(x, o);

	told_note_end(x, o);
	if (told_outlasts_turn(x, o))
		return;
	if (x->state == SESSION_ENDED || (x->state == SESSION_IDLE && !news))
		return;
	if (news && x->state == SESSION_COMPLETED) {
		begin_turn(s, x, o->time_ns, &began, o, now_ns);
		x->track->answer_due = false;
	} else if (news) {
		x->turn_started_ns = o->time_ns;
	}
	if (o->flags & OBS_FAILED)
		x->failed = true;
	complete(s, x, o->time_ns, reason, o, now_ns);
	end_if_over(s, x, o, now_ns);
}

void
state_end_turn(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	bool open = x->state == SESSION_WORKING || x->state == SESSION_WAITING;

	if (told_end_is_old(x, o) || ((o->flags & OBS_STATUS) && !open))
		return;
	if (o->time_ns > t->closed_cli_ns) {
		t->closed_cli_ns = o->time_ns;
		t->closed_bad = (o->flags & OBS_FAILED) != 0;
		t->closed_reason = o->reason;
	}
	if (told(o)) {
		told_end_turn(s, x, o, now_ns);
		return;
	}
	if (open ? o->time_ns + ROUNDING_NS < t->evidence_cli_ns : !unseen_turn(x, o))
		return;
	if (!open) {
		struct change began = { SESSION_WORKING, EVIDENCE_SHOWN, "activity", .time_ns = o->start_ns };
		begin_turn(s, x, o->start_ns, &began, o, now_ns);
		t->answer_due = false;
	}
	if (o->flags & OBS_FAILED)
		x->failed = true;
	complete(s, x, o->time_ns, told_dialog_open(x) && !o->reason && !x->failed ? "interrupted" : o->reason, o, now_ns);
}

/* `turn_reason`: why a turn is over that is still open. */
static void
end(struct sessions *s, struct session *x, const struct change *c, const char *turn_reason, const struct observation *o,
    uint64_t now_ns)
{
	if (x->state == SESSION_WORKING || x->state == SESSION_WAITING) {
		/* The end of the turn is still on its way, or there was none: either way it is over. */
		struct change over = { SESSION_COMPLETED, EVIDENCE_INFERRED, turn_reason, .time_ns = c->time_ns };
		over.turn_ns = state_turn_length(x, c->time_ns);
		state_enter(s, x, &over, o, now_ns);
	}
	state_clear_pending(x->track);
	advance(x->track, c->time_ns);
	state_enter(s, x, c, o, now_ns);
}

void
state_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	const struct change c = { SESSION_ENDED, told_or_shown(o), reason_or(o, "end"), .time_ns = o->time_ns };

	if (o->time_ns + ROUNDING_NS < x->track->evidence_cli_ns && !told_at_the_end(x, o->time_ns))
		return;
	if (x->shown || told(o))
		/* Nobody has answered the dialog. */
		end(s, x, &c, told_dialog_open(x) ? "interrupted" : c.reason, o, now_ns);
	else
		x->track->over_cli_ns = o->time_ns;
}

void
state_exit(struct sessions *s, struct session *x, uint64_t now_ns)
{
	struct session_track *t = x->track;
	const uint64_t end_ns = now_ns > t->evidence_cli_ns ? now_ns : t->evidence_cli_ns;
	const struct change c = { SESSION_ENDED, EVIDENCE_TOLD, "exit", .time_ns = end_ns };

	t->process_ended = false;
	/* Without a word, in the middle of a turn: nobody knows that it was done. */
	end(s, x, &c, "lost", NULL, now_ns);
}

/* What the CLIs say of their processes comes first: one that passes on what several have sent is none of theirs. */
static bool
same_process(const struct session *x, const struct session *y)
{
	const struct session_track *t = x->track, *u = y->track;

	if (t->process && u->process)
		return t->process == u->process;
	return t->lives && u->lives && t->birth == u->birth && x->pid == y->pid;
}

void
state_end_others(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	for (struct session *y = s->newest, *older; y; y = older) {
		older = y->track->older;
		if (y == x || y->provider != x->provider || !same_process(x, y))
			continue;
		state_end(s, y, o, now_ns);
		state_schedule(s, y);
	}
}

void
state_resume(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct change c = { SESSION_IDLE, told_or_shown(o), "resume", .time_ns = o->time_ns };

	if (x->state != SESSION_ENDED || o->time_ns <= x->track->evidence_cli_ns)
		return;
	advance(x->track, o->time_ns);
	state_enter(s, x, &c, o, now_ns);
}

/* --- what a person does --- */

const struct session *
sessions_acknowledge(struct sessions *s, const char *provider, const char *id, uint64_t now_ns, bool *ret_done)
{
	const struct change c = { SESSION_IDLE, EVIDENCE_TOLD, "acknowledged", .time_ns = now_ns };
	struct session *x = s->newest;

	while (x && (strcmp(x->provider, provider) != 0 || strcmp(x->id, id) != 0))
		x = x->track->older;
	if (!x || !x->shown)
		return NULL;
	*ret_done = x->state == SESSION_COMPLETED;
	if (*ret_done) {
		/* Of the CLI nothing was heard: neither its newest evidence nor the time of the last word changes. */
		state_enter(s, x, &c, NULL, now_ns);
		state_schedule(s, x);
	}
	return x;
}
