#include "session_told.h"

#define NS_PER_MS 1000000ull

/* What telemetry tells within this time of a hook is about the same moment: nobody answers a dialog so fast. */
#define MOMENT_NS (500 * NS_PER_MS)

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

static uint64_t
asked_about(const struct observation *o)
{
	return o->tool.len ? hash_str(o->tool) ^ hash_str(o->agent) : 0;
}

/* A tool that begins right with the dialog is one of several that the model asked for at once; one that ends is the other one's.
 */
static bool
told_of_another(const struct session_track *t, const struct observation *o)
{
	if (o->flags & OBS_OPENS)
		return o->time_ns <= t->evidence_cli_ns + MOMENT_NS;
	return t->ask_tool && asked_about(o) != t->ask_tool;
}

bool
told_ends_waiting(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	if (o->time_ns <= t->evidence_cli_ns)
		return false;
	if (x->evidence != EVIDENCE_TOLD)
		return true;
	if (told(o))
		return !told_of_another(t, o);
	return o->agent.len == 0 && settles_a_dialog(o->means) && o->time_ns > t->evidence_cli_ns + MOMENT_NS;
}

void
told_note_ask(struct session *x, const struct observation *o)
{
	x->track->ask_tool = told(o) ? asked_about(o) : 0;
}

bool
told_end_is_old(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	if (told(o))
		return o->time_ns <= t->told_end_cli_ns || o->time_ns < t->prompt_cli_ns ||
		       o->time_ns + MOMENT_NS < t->evidence_cli_ns;
	/* A span of a turn, of which a hook has told the end already. */
	if (o->start_ns && t->told_end_cli_ns >= o->start_ns && t->told_end_cli_ns <= o->time_ns + ROUNDING_NS)
		return true;
	return false;
}

static uint64_t
turn_of(const struct observation *o)
{
	return hash_str(o->request_id.len ? o->request_id : o->prompt_id);
}

bool
told_end_is_news(const struct session *x, const struct observation *o)
{
	const struct session_track *t = x->track;

	if (!told(o) || o->time_ns <= t->evidence_cli_ns)
		return false;
	if (x->state == SESSION_COMPLETED)
		return t->told_turn && turn_of(o) && t->told_turn != turn_of(o) && x->turn_started_ns <= t->told_end_cli_ns;
	return x->state == SESSION_IDLE;
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
	return x->state == SESSION_COMPLETED && x->evidence == EVIDENCE_TOLD && over_ns + MOMENT_NS >= x->track->evidence_cli_ns;
}
