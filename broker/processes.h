/*
 * The processes whose sessions are followed: found once by the connection that they send over, or by what a hook tells of its
 * own, and watched by a pidfd each until they end. What is known already costs some microseconds; what is not is looked for in
 * slices while nothing else is to be done (process_scan.h), and in the long run no more than a twentieth of the time. Where
 * nothing can be found (another machine, user, or pid namespace) nothing happens, and nobody is told.
 */
#ifndef AGENTBUS_PROCESSES_H
#define AGENTBUS_PROCESSES_H

#include "clock.h"
#include "mounts.h"
#include "process_scan.h"
#include "session.h"

#include <ev.h>

#define PROCESSES_MAX 512 /* watched at a time; of further ones no end is told */
#define PROCESSES_NEW 16  /* that were told of once, remembered */

struct processes_entry;

struct processes_setup {
	bool look, git;
	const struct clock *clock;
	/* The socket at the other end of a connection that is open; false: unknown. */
	bool (*socket_of)(void *ctx, uint64_t peer, uint32_t *ret_inode, uid_t *ret_uid);
	void *ctx;
};

struct processes {
	struct session_host host; /* for sessions_set_host() */
	struct processes_setup with;
	struct ev_loop *loop;
	struct sessions *sessions; /* NULL until processes_serve() */
	uint64_t boot;
	const char *home; /* of the environment, or NULL */
	struct processes_entry *first;
	size_t count;
	struct process unwatched; /* the last one that could not be watched: valid until the next */
	struct {
		uint32_t pid;
		uint64_t birth;
	} told[PROCESSES_NEW];
	unsigned told_next;
	struct process_sockets sockets;
	struct process_scan scan;
	ev_idle more;      /* runs while there is something to look for */
	ev_timer pause;    /* until there is time for the next pass */
	int64_t credit_ns; /* that passes may take at once */
	uint64_t credit_at_ns;
	struct mounts mounts;
};

void processes_open(struct processes *p, struct ev_loop *loop, const struct processes_setup *setup);

/* From now on the sessions are told of what is found, and of what ends. */
void processes_serve(struct processes *p, struct sessions *sessions);

/* Watches nothing any more. The sessions must not be asked to look again. */
void processes_close(struct processes *p);

/*
 * The process of which a hook has said that it is its CLI. NULL if there is none, if looking is turned off, or if it may be a
 * passing one (a wrapper that a hook runs in): one so young is believed when it is told a second time.
 */
const struct process *processes_told(struct processes *p, uint32_t pid);

#endif
