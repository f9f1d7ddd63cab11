/* What an event says, in words: the lines of `agentbus watch`. */
#ifndef CLIENTS_COMMON_EVENT_TEXT_H
#define CLIENTS_COMMON_EVENT_TEXT_H

#include "agentbus.h"

#include <stddef.h>

/* Enough for event_text(). */
enum { EVENT_TEXT_SIZE = 512 };

/*
 * Writes what happened, "claude-sonnet-4-5: 52.2k in, 1.2k out, $0.12, 3s", without time and session. Never empty, one
 * line, fit for a terminal. Returns out.
 */
const char *event_text(const struct agentbus_event *e, char *out, size_t size);

#endif
