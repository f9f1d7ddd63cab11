/* The end of a log that is continued: cuts off what a kill left of its last line, and reads where it stands. */
#ifndef CLIENTS_LOG_TAIL_H
#define CLIENTS_LOG_TAIL_H

#include "log/cursor.h"

enum tail {
	TAIL_EMPTY,   /* the file has no line */
	TAIL_FOUND,   /* *ret_cursor is set from its last line */
	TAIL_FOREIGN, /* its end is not a log of ours; it was left alone */
	TAIL_ERROR    /* errno tells */
};

/* Examines the regular file fd, open for reading and writing. */
enum tail tail_recover(int fd, struct cursor *ret_cursor);

#endif
