/* The difference of two texts, as diff -u writes it. */
#ifndef CLIENTS_AGENTBUS_SETUP_DIFF_H
#define CLIENTS_AGENTBUS_SETUP_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct setup_side {
	const char *name; /* "/dev/null" for a file that is not there */
	const char *text;
	size_t len;
};

/* Prints it with three lines around each change, and "***" for secrets; nothing if there is none. False without memory. */
bool setup_diff(FILE *out, const struct setup_side *before, const struct setup_side *after, bool colour);

#endif
