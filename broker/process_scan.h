/*
 * Finds the processes that hold some sockets: one pass over the processes of this machine, the newest first, in slices of about a
 * millisecond of CPU time. All that are wanted are looked for in it; what comes in the middle of a pass has the next one, too.
 */
#ifndef AGENTBUS_PROCESS_SCAN_H
#define AGENTBUS_PROCESS_SCAN_H

#include "process_look.h"

#define PROCESS_WANTS_MAX 512

/* The socket at the other end of a connection. */
struct process_want {
	uint64_t peer;
	uint32_t inode;
	uid_t uid;
	bool late; /* came in the middle of a pass, which may have missed it */
};

struct process_scan {
	struct process_sockets *sockets; /* whatever is seen goes there */
	struct process_want wants[PROCESS_WANTS_MAX];
	size_t want_count;
	uint32_t *pids; /* of the pass, ascending */
	size_t left;    /* those not looked at yet: the first ones */
	bool running;
	uint64_t used_ns; /* CPU time of the pass so far */
};

/* The table must outlive it. */
void process_scan_init(struct process_scan *s, struct process_sockets *sockets);
void process_scan_finish(struct process_scan *s);

/* Adds a socket to look for. False if there are too many, or it is looked for already. */
bool process_scan_want(struct process_scan *s, const struct process_want *w);

/*
 * Looks on, or begins a pass. Returns true once something was found: *ret_want, which is no longer wanted, and *ret_pid; call it
 * again then. False, with `running` still set, when its time is over; and with `running` unset at the end of the pass: what
 * was wanted from its beginning is held by nobody then, and forgotten; what came later is still wanted.
 */
bool process_scan_step(struct process_scan *s, struct process_want *ret_want, uint32_t *ret_pid);

#endif
