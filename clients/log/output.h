/*
 * Where the lines go: a log file, whose lines are whole at every moment that matters, or standard output.
 *
 * What cannot be written stays here and is tried again; the caller takes no further events meanwhile.
 */
#ifndef CLIENTS_LOG_OUTPUT_H
#define CLIENTS_LOG_OUTPUT_H

#include "log/buffer.h"
#include "log/tail.h"

#include <stdbool.h>

struct output {
	int fd;
	const char *path; /* of the log file; NULL for standard output */
	struct buffer pending;
};

enum output_result {
	OUTPUT_DONE,  /* nothing is pending */
	OUTPUT_BUSY,  /* standard output takes no more now: wait until it is writable */
	OUTPUT_RETRY, /* it cannot be written now, and errno tells why: try again later */
	OUTPUT_CLOSED /* nobody reads standard output any more */
};

/* Begins with standard output. */
void output_init(struct output *o);

/*
 * Begins with, or changes to, the log file at path, which must stay valid: creates it, locks it and repairs its end.
 * ret_cursor is as in tail_recover(). On TAIL_FOREIGN and TAIL_ERROR o is as before; errno EWOULDBLOCK means that another
 * log-subscriber writes there, EINVAL that it is no regular file.
 */
enum tail output_open(struct output *o, const char *path, struct cursor *ret_cursor);

/* Writes what is pending. Does not block on a pipe, a socket or a terminal. */
enum output_result output_flush(struct output *o);

/* Closes the log file and forgets what is pending. */
void output_finish(struct output *o);

#endif
