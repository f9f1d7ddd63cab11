/* Programs that know about windows: run without a shell, for a second at most. */
#ifndef CLIENTS_AGENTBUS_FOCUS_PROGRAM_H
#define CLIENTS_AGENTBUS_FOCUS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum { FOCUS_OUTPUT_MAX = 4 << 20 };

enum focus_ran {
	RAN_WELL,
	RAN_BADLY, /* it failed, or took too long and was ended */
	RAN_NOT    /* there is no such program */
};

/*
 * Runs argv, which a NULL ends; argv[0] is looked for in PATH. extra is a variable of its environment ("NAME=value"), NULL for
 * none. *ret_text (unless ret_text is NULL) is what it printed, FOCUS_OUTPUT_MAX bytes at most, and a NUL: the caller frees it.
 * It is set for RAN_WELL alone.
 */
enum focus_ran focus_program_run(const char *const argv[], const char *extra, char **ret_text);

#endif
