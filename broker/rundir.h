/*
 * The runtime directory: where the sockets are, for one user and one broker.
 */
#ifndef AGENTBUS_RUNDIR_H
#define AGENTBUS_RUNDIR_H

#include "log.h"

#include <stdbool.h>
#include <stddef.h>

#define RUNDIR_PATH_MAX 108 /* of a socket's address, with its NUL */

struct rundir {
	char path[RUNDIR_PATH_MAX]; /* absolute */
	int fd;                     /* the directory */
	int lock;                   /* held for as long as it is open */
};

/*
 * Creates the directory (and missing ones above it) as 0700, or checks that it is ours and closed to others, and locks it
 * against a second broker. False after logging why not; nothing is held then.
 */
bool rundir_open(struct rundir *r, const char *path, const struct log *log);

/* Lets go of the lock. */
void rundir_close(struct rundir *r);

/*
 * Writes the nng address of a socket in the directory. False after logging why it cannot be there: its path would be too
 * long, or something that is no socket has its name (nng would remove it unasked).
 */
bool rundir_socket(const struct rundir *r, const char *name, char url[RUNDIR_PATH_MAX + 8], const struct log *log);

#endif
