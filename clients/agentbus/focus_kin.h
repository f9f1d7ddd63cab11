/* A process and those that it descends from: somewhere among them is the terminal that shows it. Reads /proc. */
#ifndef CLIENTS_AGENTBUS_FOCUS_KIN_H
#define CLIENTS_AGENTBUS_FOCUS_KIN_H

#include "emit_host.h"
#include "focus_hints.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOCUS_KIN_MAX = 32 };

struct focus_kin {
	uint32_t pids[FOCUS_KIN_MAX]; /* the process itself first, then its parent, and so on; init is not among them */
	size_t count;                 /* 0: there is no such process */
	/* of the process itself */
	char tty[EMIT_TTY_MAX];
	uint64_t ticks; /* when it began, in clock ticks since the machine started */
};

/* root is "/proc". */
struct focus_kin focus_kin_of(const char *root, uint32_t pid);

/* Whether the process was there at a time in nanoseconds since the epoch (or began a moment later): else its number is another's.
 */
bool focus_kin_older_than(const struct focus_kin *kin, uint64_t time_ns);

/* What the environment of a process tells; false if it cannot be read. */
bool focus_kin_hints(const char *root, uint32_t pid, struct focus_hints *ret);

#endif
