/*
 * Sessions and their surroundings: the process that runs one, and the repository it works in. For session*.c only.
 *
 * A process is known for certain (struct process), or not at all: a pid that a CLI only claims may be of another namespace. What
 * is known to live keeps an idle session from ending, and says nothing of work. One that serves several sessions at once by
 * design (OBS_SHARED) is nobody's: neither its place nor its end tells anything of one of them.
 */
#ifndef AGENTBUS_SESSION_PROCESS_H
#define AGENTBUS_SESSION_PROCESS_H

#include "session_table.h"

/*
 * Takes over what o tells of the session's process and place, and asks for the process of a connection that is new to the session
 * (`fresh`).
 */
void process_merge(struct sessions *s, struct session *x, const struct observation *o, bool fresh, uint64_t now_ns);

/* Looks at the repository again if a turn begins, or the directory is another one than it was (`moved`). */
void process_merge_repository(struct sessions *s, struct session *x, const struct observation *o, bool moved, uint64_t now_ns);

/* After x was read from the store, where it `lived`: does it still? */
void process_restore(struct sessions *s, struct session *x, bool lived);

#endif
