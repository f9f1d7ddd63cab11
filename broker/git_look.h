/*
 * Finds the repository that a directory is in. Some 30 µs: a few files are opened, each of a few bytes and none through a
 * symbolic link. On file systems that may make us wait (mounts.h) nothing is looked for.
 */
#ifndef AGENTBUS_GIT_LOOK_H
#define AGENTBUS_GIT_LOOK_H

#include "mounts.h"
#include "process.h"

/*
 * Looks in an absolute path and above it, up to the root or to `home` (NULL: there is none), which counts only if it is the path
 * itself. False if there is no repository, or it may not be looked for.
 */
bool git_look(struct mounts *m, const char *path, const char *home, struct repository *ret);

#endif
