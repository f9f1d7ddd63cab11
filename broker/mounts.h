/*
 * Where file systems are mounted that may make whoever touches them wait: of another machine, or of another program. Told by
 * /proc/self/mountinfo, which touches none of them. Read when it is needed, and again when the kernel says that it has changed.
 */
#ifndef AGENTBUS_MOUNTS_H
#define AGENTBUS_MOUNTS_H

#include "buf.h"

#include <stdbool.h>

struct mounts {
	int fd;             /* of the table, -1: not opened yet */
	bool known;         /* false: nobody can tell, or there are too many */
	struct buf waiting; /* their mount points, each with a NUL */
};

void mounts_init(struct mounts *m);
void mounts_finish(struct mounts *m);

/* Whether no part of an absolute path without symbolic links, "." and ".." lies on such a file system. */
bool mounts_may_look(struct mounts *m, const char *path);

/* Reads the table's text into m, for mounts_may_look(); false where it cannot be understood. For tests, too. */
bool mounts_read(struct mounts *m, const char *text, size_t len);

#endif
