/*
 * What is told (OBS_TOLD: by a hook, by notify) is stronger than what telemetry shows or lets infer: here is where that makes a
 * difference. For session*.c only.
 *
 * A hook says what happens as it happens, and telemetry says the same later, with a time that may lie a little after: a dialog
 * that was told is not over because a tool beside it has finished, and a turn that was told to be over is not over once more.
 */
#ifndef AGENTBUS_SESSION_TOLD_H
#define AGENTBUS_SESSION_TOLD_H

#include "session_table.h"

static inline bool
told(const struct observation *o)
{
	return (o->flags & OBS_TOLD) != 0;
}

static inline enum evidence
told_or_shown(const struct observation *o)
{
	return told(o) ? EVIDENCE_TOLD : EVIDENCE_SHOWN;
}

/* Whether o, while x waits for its person, says that it waits no more: all its dialogs were answered. */
bool told_ends_waiting(struct session *x, const struct observation *o);

/* Remembers what the person is asked about. `first`: no dialog was open. */
void told_note_ask(struct session *x, const struct observation *o, bool first);

/* Whether x goes on waiting though the turn was told to be over: a sub-agent asks, which works on in the background. */
bool told_outlasts_turn(struct session *x, const struct observation *o);

/* A prompt without the word of a hook, though the ones before had it: nobody calls the hooks any more. */
void told_note_prompt(struct session *x, const struct observation *o);

/* Whether o tells once more of the beginning of a turn whose end was told: two settings may have called the same hook. */
bool told_start_is_old(const struct session *x, const struct observation *o);

/* Whether the end of a turn comes too late to be one of the turn that runs, or was told before. */
bool told_end_is_old(const struct session *x, const struct observation *o);

/*
 * Whether o ends a turn of which nobody has heard before: only what is told does. After a completed one it is no news where
 * beginnings are told, too: Qwen Code hands a sub-agent's result to the model by itself, and tells only the end of that.
 */
bool told_end_is_news(const struct session *x, const struct observation *o);

/*
 * Why the turn is over that o ends. A status says only that it is; but whoever has answered a dialog lets it go on, and the end
 * of a turn that a hook saw begin is told by a hook: else its person has stopped it.
 */
const char *told_end_reason(const struct session *x, const struct observation *o);

/*
 * Whether telemetry asks, with o, what a hook has told already, and which may be answered since: as Claude Code does by itself
 * within milliseconds where no person is. Remembers what a hook tells.
 */
bool told_ask_is_old(struct session *x, const struct observation *o);

/*
 * Whether a dialog is open of which a hook has told. A turn or session that telemetry ends then was left by its person: no hook
 * tells of Gemini's refused dialogs.
 */
bool told_dialog_open(const struct session *x);

/* Remembers which turn was told to be over. */
void told_note_end(struct session *x, const struct observation *o);

/* Whether the session was over at over_ns, though a hook's program, which runs a little later, told of its last turn's end then.
 */
bool told_at_the_end(const struct session *x, uint64_t over_ns);

#endif
