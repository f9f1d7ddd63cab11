/*
 * Directories that are ours alone, one broker to each. May block on the file system.
 */
#ifndef AGENTBUS_PATH_H
#define AGENTBUS_PATH_H

#include "log.h"

#include <stdbool.h>

/* Like mkdir -p, but what it makes is ours alone (0700). False with errno. */
bool path_make_directories(const char *path);

/*
 * Opens a directory that must belong to us, and closes it to others if need be. Returns its descriptor, or -1 after logging
 * why not; `option` is the one that names another directory.
 */
int path_open_own(const char *path, const char *option, const struct log *log);

/*
 * Takes the lock file of that name in an open directory, for as long as the returned descriptor is open. -1 after logging why
 * not: as a rule, another broker has it, and errno is EWOULDBLOCK.
 */
int path_lock(int directory, const char *path, const char *name, const struct log *log);

#endif
