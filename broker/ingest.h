/*
 * The ingest socket: a datagram of the hooks' command is one message (hook.h). Whoever writes gets no answer, and nobody waits:
 * what is not of our own user, too large or no message is dropped and counted in the log.
 */
#ifndef AGENTBUS_INGEST_H
#define AGENTBUS_INGEST_H

#include "hook.h"
#include "intake.h"
#include "refusal.h"
#include "rundir.h"

#include <ev.h>
#include <sys/types.h>

struct ingest {
	struct ev_loop *loop;
	struct intake *intake;
	struct refusals *refusals;
	ev_io readable;
	char path[RUNDIR_PATH_MAX];
	int fd;
	uid_t own;
	bool allow_other_users;
	char message[HOOK_MESSAGE_MAX];
};

/* Makes the socket `ingest` in the runtime directory and reads it. False after logging why not; nothing is open then. */
bool ingest_open(struct ingest *g, struct ev_loop *loop, const struct rundir *r, struct intake *intake, struct refusals *refusals,
		 bool allow_other_users);

/* Removes the socket. */
void ingest_close(struct ingest *g);

#endif
