#include "session_told.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

/* What telemetry tells within this time of a hook is about the same moment: nobody answers a dialog so fast. */
#define MOMENT_NS (500 * NS_PER_MS)

/* A prompt of which no hook has told for so long, before or since. */
#define HOOKS_GONE_NS (15 * NS_PER_S)

/* Log records are cut to milliseconds. */
#define ROUNDING_NS (1 * NS_PER_MS)

/* Telemetry of these says that the model has its tools' results, or the person has decided. Others may be of what runs beside. */
static bool
settles_a_dialog(enum meaning m)
{
	switch (m) {
	case MEANS_PROMPT:
	case MEANS_DECISION:
	case MEANS_CALL:
	case MEANS_RESPONSE:
	case MEANS_RESPONSE_END:
	case MEANS_ERROR:
	case MEANS_FAULT:
		return true;
	default:
		return false;
	}
}

/* Takes the dialogs of an agent, or that about one of its tools, from the list. Returns whether there was one. */
static bool
answer(struct session_track *t, uint64_t agent, uint64_t tool)
{
	bool found = false;

	for (unsigned i = 0; i < ASKED_MAX; i++) {
		struct asked *a = &t->asked[i];
		if (a->tool && a->agent == agent && (tool == 0 || a->tool == tool)) {
			*a = (struct asked){ 0 };
			found = true;
		}
	}
	return found;
}

static bool
open_dialogs(const struct session_track *t)
{
	for (unsigned i = 0; i < ASKED_MAX; i++)
		if (t->asked[i].tool)
			return true;
	return false;
}

/*
 * A tool that begins right with the dialog is one of several that the model asked for at once, one that begins later shows that
 * it has gone on; a tool that ends answers the dialog about it. What an agent does says nothing of another's dialogs.
 */
static bool
told_answers(struct session_track *t, const struct observation *o)
{
	const bool begins = (o->flags & OBS_OPENS) != 0;

	if (begins && o->time_ns <= t->evidence_cli_ns + MOMENT_NS)
		return false;
	if (!open_dialogs(t))
		return true;
	return answer(t, hash_str(o->agent), begins ? 0 : hash_str(o->tool)) && !open_dialogs(t);
}

bool
told_ends_waiting(struct session *x, const struct observation *o)
{
	struct session_track *t = x->track;

	if (o->time_ns <= t->evidence_cli_ns)
		return false;
	if (x->evidence != EVIDENCE_TOLD || (o->flags & OBS_STATUS))
		return true;
	if (told(o))
		return told_answers(t, o);
	if (o->agent.len || !settles_a_dialog(o->means) || o->time_ns <= t->evidence_cli_ns + MOMENT_NS)
		return false;
	answer(t, 0, 0);
	return !open_dialogs(t);
}

bool
told_ask_is_old(struct session *x, const struct observation *o)
{
	struct session_track *t = x->track;

	if (!told(o))
		return t->told_ask_cli_ns + MOMENT_NS >= o->time_ns && t->told_ask_cli_ns <= o->time_ns + MOMENT_NS;
	if (o->time_ns > t->told_ask_cli_ns)
		t->told_ask_cli_ns = o->time_ns;
	return false;
}

void
told_note_ask(struct session *x, const struct observation *o, bool first)
{
	struct session_track *t = x->track;
	const struct asked asked = { hash_str(o->tool), hash_str(o->agent) };
	struct asked *free_one = NULL;

	if (first)
		memset(t->asked, 0, sizeof(t->asked));
	if (!told(o) || asked.tool == 0)
		return;
	for (unsigned i = 0; i < ASKED_MAX; i++) {
		if (t->asked[i].tool == asked.tool && t->asked[i].agent == asked.agent)
			return;
		if (t->asked[i].tool == 0)
			free_one = &t->asked[i];
	}
	if (free_one)
		*free_one = asked;
}

bool
told_outlasts_turn(struct session *x, const struct observation *o)
{
	if (x->state != SESSION_WAITING || x->evidence != EVIDENCE_TOLD || (o->flags & (OBS_STATUS | OBS_FAILED)) ||
	    (o->reason && strcmp(o->reason, "turn_end") != 0))
		return false;
	answer(x->track, 0, 0);
	return open_dialogs(x->track);
}

void
told_note_prompt(struct session *x, const struct observation *o)
{
	struct session_track *t = x->track;

	if (told(o)) {
		t->told = true;
		if (o->time_ns > t->told_start_cli_ns)
			t->told_start_cli_ns = o->time_ns;
	} else if (t->told_start_cli_ns && o->time_ns > t->told_start_cli_ns + HOOKS_GONE_NS &&
		   o->time_ns > t->evidence_cli_ns + HOOKS_GONE_NS) {
		t->told = false;
	}
}

static uint64_t
turn_of(const struct observation *o)
{
	return hash_str(o->request_id.len ? o->request_id : o->prompt_id);
}

bool
told_start_is_old(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	return turn_of(o) && turn_of(o) == t->told_turn && o->time_ns <= t->told_end_cli_ns + MOMENT_NS;
}

bool
told_end_is_old(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	if (told(o))
		return o->time_ns <= t->told_end_cli_ns || o->time_ns < t->prompt_cli_ns ||
		       o->time_ns + MOMENT_NS < t->evidence_cli_ns;
	/* A hook has told of it already: of the end of the turn whose span this is, or of the end that is logged at that moment.
	 */
	if (o->start_ns)
		return t->told_end_cli_ns >= o->start_ns && t->told_end_cli_ns <= o->time_ns + ROUNDING_NS;
	return t->told_end_cli_ns + MOMENT_NS >= o->time_ns && t->told_end_cli_ns <= o->time_ns + MOMENT_NS;
}

bool
told_end_is_news(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	if (!told(o) || o->time_ns <= t->evidence_cli_ns)
		return false;
	if (x->state == SESSION_COMPLETED)
		return !t->told && t->told_turn && turn_of(o) && t->told_turn != turn_of(o) &&
		       x->turn_started_ns <= t->told_end_cli_ns;
	return x->state == SESSION_IDLE;
}

const char *
told_end_reason(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;
	const bool hooks_saw_it = t->told_start_cli_ns && x->turn_started_ns <= t->told_start_cli_ns + MOMENT_NS &&
				  t->told_end_cli_ns < x->turn_started_ns;

	if ((o->flags & OBS_STATUS) && (x->state == SESSION_WAITING || hooks_saw_it))
		return "interrupted";
	return o->reason;
}

bool
told_dialog_open(const struct session *x)
{
	return x->state == SESSION_WAITING && x->evidence == EVIDENCE_TOLD;
}

void
told_note_end(struct session *x, const struct observation *o)
{
	x->track->told_end_cli_ns = o->time_ns;
	x->track->told_turn = turn_of(o);
}

bool
told_at_the_end(const struct session *x, uint64_t over_ns)
{
	const struct session_track *t = x->track;

	if (x->state != SESSION_COMPLETED || x->evidence != EVIDENCE_TOLD)
		return false;
	/* However late its program runs, and whatever clock it has: nothing has begun since. */
	return over_ns + MOMENT_NS >= t->evidence_cli_ns ||
	       (over_ns >= t->start_cli_ns && over_ns >= t->prompt_cli_ns && over_ns >= t->response_cli_ns);
}
