/*
 * Looks at one process in /proc. Some 50 µs; waits for nobody, for nothing of this touches a file system but /proc: a directory
 * is told by the kernel, not visited. What may not be looked at (another user's, another pid namespace) is as if it were not
 * there.
 */
#ifndef AGENTBUS_PROCESS_LOOK_H
#define AGENTBUS_PROCESS_LOOK_H

#include "process.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_SLOTS 1024 /* a power of two */

/* Which process was seen to hold which socket. A place is taken by whatever was seen last. */
struct process_slot {
	uint32_t inode; /* 0: none */
	uint32_t pid;
	uint32_t fd;
};

struct process_sockets {
	struct process_slot slots[PROCESS_SLOTS];
};

/* A number of this boot of the machine, for births. */
uint64_t process_look_boot(void);

/* When a process was born (never 0), and how long ago in seconds. False if there is none, or it is dead. */
bool process_look_birth(uint32_t pid, uint64_t boot, uint64_t *ret_birth, double *ret_age_s);

/*
 * All that is known of a process, `watched` excepted. False if there is none, or if it only carries what others say (a collector,
 * a tunnel, a container's network, a daemon of several sessions): its place and its end tell nothing of any session.
 */
bool process_look(uint32_t pid, uint64_t boot, struct process *ret);

/* The user that a process belongs to. False if there is none. */
bool process_look_owner(uint32_t pid, uid_t *ret);

/*
 * Notes the sockets of a process, at most 1024 of its descriptors. Tells whether `inode` is among them.
 */
bool process_look_sockets(uint32_t pid, uint32_t inode, struct process_sockets *sockets);

/*
 * The process that a socket belongs to where `pid` holds it: a child may have it from its parent without knowing. At most four
 * generations.
 */
uint32_t process_look_eldest(uint32_t pid, uint32_t inode, struct process_sockets *sockets);

/* The process that was seen to hold a socket and still does; 0: nobody knows. A microsecond. */
uint32_t process_look_holder(const struct process_sockets *sockets, uint32_t inode);

#endif
