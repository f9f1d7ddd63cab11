/*
 * Connections that we are done with while the other side still writes. Closing them at once would make the system reset
 * them, and the answer would be lost with it: so they are read, and what is read is dropped, for a little while.
 */
#ifndef AGENTBUS_PARTING_H
#define AGENTBUS_PARTING_H

#include <ev.h>
#include <stddef.h>

struct parting;

struct partings {
	struct ev_loop *loop;
	struct parting *first;
	size_t count;
};

void partings_init(struct partings *all, struct ev_loop *loop);

/* Takes over a descriptor to which everything has been written. If there are too many already it is closed at once. */
void partings_take(struct partings *all, int fd);

/* Closes them all. */
void partings_finish(struct partings *all);

#endif
