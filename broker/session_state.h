/*
 * The states of a session: what moves them, and which timers run in each. For session*.c only.
 *
 * Evidence is ordered by the CLI's own time: what happened before the newest evidence known changes counts, never a state.
 */
#ifndef AGENTBUS_SESSION_STATE_H
#define AGENTBUS_SESSION_STATE_H

#include "session_table.h"

struct change {
	enum session_state to;
	enum evidence evidence;
	const char *reason;
	uint64_t time_ns; /* by the CLI's clock */
	uint64_t turn_ns; /* how long the turn took that ends with it, else 0 */
};

/* Makes the change and emits it, if x is shown; where x is in that state already, better evidence is kept. o may be NULL. */
void state_enter(struct sessions *s, struct session *x, const struct change *c, const struct observation *o, uint64_t now_ns);

/* Nothing is known to be under way any more. */
void state_clear_pending(struct session_track *t);

/* How long the turn of x took that ended at end_ns, 0 if that is not known. */
uint64_t state_turn_length(const struct session *x, uint64_t end_ns);

/* Publishes x from now on: it has had a prompt, an answer or an error. Emits SESSION_STARTED the first time. */
void state_show(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* Emits an event about x, if it is shown. cost is that of the request, NULL where it is none. */
void state_emit(struct sessions *s, struct session *x, enum event_kind kind, const struct observation *o, const struct cost *cost,
		uint64_t now_ns);

/* A prompt: a new turn, unless something newer is known already. */
void state_begin_turn(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* Something goes on: ends waiting, keeps working, and begins a turn where the record can (OBS_OPENS). */
void state_activity(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* The person is asked. */
void state_ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* The turn is over. */
void state_end_turn(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* The session is over. */
void state_end(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* The process of the session has ended, and with it the session: nothing that it did later is to come. */
void state_exit(struct sessions *s, struct session *x, uint64_t now_ns);

/* All other sessions of the same process are over: x took their place. */
void state_end_others(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* An ended session started again. */
void state_resume(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

/* Sets the timer of x for the state that it is in. */
void state_schedule(struct sessions *s, struct session *x);

#endif
