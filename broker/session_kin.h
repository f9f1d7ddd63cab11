/*
 * Which sessions belong together where their records do not say so: sub-agents and title threads with their parents, and
 * dialogs with the session that opened them. For session*.c only. When in doubt, nobody: unknown is better than wrong.
 */
#ifndef AGENTBUS_SESSION_KIN_H
#define AGENTBUS_SESSION_KIN_H

#include "session_table.h"

/* x is a sub-agent or title thread of the session with that id. */
void kin_link(struct sessions *s, struct session *x, struct str parent_id);

/* x is a session of its own after all. */
void kin_unlink(struct sessions *s, struct session *x);

/* A thread began: finds its parent if it looks like a title thread or began within another session's turn. */
void kin_adopt(struct sessions *s, struct session *x, const struct observation *o);

/*
 * Whose dialog this is when the record does not say: the one session whose last answer came just before. NULL if there is
 * none, and then it is remembered for kin_claim_ask(), or if there are several.
 */
struct session *kin_asker(struct sessions *s, const struct observation *o, uint64_t now_ns);

/* An answer of x was recorded: was a dialog waiting for it? */
void kin_claim_ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns);

#endif
