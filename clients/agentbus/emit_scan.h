/*
 * Finds the members of a JSON object without building anything of it: one pass, no recursion, and what is cut off at its end is
 * read as far as it goes. Pure; for emit*.c and whoever has as little time.
 */
#ifndef CLIENTS_AGENTBUS_EMIT_SCAN_H
#define CLIENTS_AGENTBUS_EMIT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* A member as it is written: key without its quotes, value with them. Both point into the text. */
struct emit_member {
	const char *key, *value;
	size_t key_len, value_len;
};

/*
 * Reads the next member of an object. *at is 0 at first, and belongs to the scanner. False after the last whole member, or where
 * the text is no object. Values are not checked beyond where they end.
 */
bool emit_scan(const char *text, size_t len, size_t *at, struct emit_member *ret);

/* Whether the first text in an array, or a text itself, begins so (compared as written, escapes and all). */
bool emit_begins(const struct emit_member *m, const char *start);

#endif
