/*
 * One event as one line of a log. Pure: an event and a time in, text out.
 *
 * Every JSON line has every key, in the same order, null where it does not apply; logfmt has only the keys with a value.
 * The keys that say where a line stands (seq, boot_id, gap_*) come before any text that a CLI chose: see cursor.h.
 */
#ifndef CLIENTS_LOG_LINE_H
#define CLIENTS_LOG_LINE_H

#include "log/buffer.h"

#include <agentbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum line_format { LINE_JSON = 0, LINE_LOGFMT = 1 };

/*
 * Appends e and a newline to out. now is the time, in nanoseconds since the epoch, of an event that has none of its own.
 * Returns false, with out as it was, without memory.
 */
bool line_append(struct buffer *out, enum line_format format, const struct agentbus_event *e, uint64_t now);

/* The i-th key of a line, NULL after the last. */
const char *line_key(size_t i);

#endif
