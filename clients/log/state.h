/* The state file: the cursor of one log, kept where kill -9 leaves it whole. */
#ifndef CLIENTS_LOG_STATE_H
#define CLIENTS_LOG_STATE_H

#include "log/cursor.h"

#include <stdbool.h>

struct state {
	int fd; /* -1: there is no state file */
};

/*
 * Opens or creates path, and the directories above it, and locks it for the life of the process. log is the absolute path
 * of the log that it belongs to, "" for standard output: *ret_cursor is what the file says of that log, all zeros if it
 * says nothing or speaks of another one. Returns false, errno set, if it cannot; EWOULDBLOCK means that it is in use.
 */
bool state_open(struct state *s, const char *path, const char *log, struct cursor *ret_cursor);

/* Stores c by one write in place. Does not wait for the disk. Returns false, errno set, if it cannot. */
bool state_save(const struct state *s, const struct cursor *c);

void state_close(struct state *s);

#endif
