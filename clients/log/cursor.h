/*
 * Where a log stands: the last event that it holds. Pure.
 *
 * A cursor is read from the log's own last line, or from the record that the state file holds.
 */
#ifndef CLIENTS_LOG_CURSOR_H
#define CLIENTS_LOG_CURSOR_H

#include <agentbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURSOR_BOOT_ID_SIZE 64
#define CURSOR_RECORD_SIZE  128 /* all of it in one sector and one page, so that it is written whole or not at all */

struct cursor {
	char boot_id[CURSOR_BOOT_ID_SIZE]; /* "": the log holds nothing yet */
	uint64_t seq;
	bool open_gap; /* the last line says that all events after seq are lost, and nobody can tell how many */
};

static inline bool
cursor_known(const struct cursor *c)
{
	return c->boot_id[0] != '\0';
}

/* Places c after an event. Returns false, with c as it was, if this is no boot id that a log can hold. */
bool cursor_set(struct cursor *c, const char *boot_id, uint64_t seq);

/* Moves c to the event that was written. Events of the library's own without a place, and overlong boot ids, do not move it. */
void cursor_advance(struct cursor *c, const struct agentbus_event *e);

/* Whether the log already says so: a gap that has been written is found again when its reader begins in it. */
bool cursor_has(const struct cursor *c, const struct agentbus_event *e);

/* Reads a complete line of a log, JSON or logfmt, without its newline. Returns false if it is none. */
bool cursor_from_line(const char *line, size_t len, struct cursor *ret);

/* Whether text of len bytes may be the beginning of a line of a log, of whatever length. */
bool cursor_is_torn_line(const char *text, size_t len);

/* The record of a state file: CURSOR_RECORD_SIZE bytes, the last of them a newline. */
void cursor_to_record(const struct cursor *c, char record[CURSOR_RECORD_SIZE]);
bool cursor_from_record(const char record[CURSOR_RECORD_SIZE], struct cursor *ret);

#endif
