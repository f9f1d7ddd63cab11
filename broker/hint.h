/*
 * The variables of a process's environment that tell where its person's window is: the only ones that are ever kept. Pure.
 */
#ifndef AGENTBUS_HINT_H
#define AGENTBUS_HINT_H

#include "str.h"

#define HINT_VALUE_MAX  128 /* paths of sockets are shorter */
#define HINT_WINDOW_MAX 256

/* Indices of hint_variables[]. */
enum hint_variable_index { HINT_PANE, HINT_FIRST };
#define HINT_COUNT 15

struct hint_variable {
	const char *variable;
	const char *name; /* within the hints; NULL: none of them */
	bool value;       /* false: that it is set is all it tells */
};

/* The pane of tmux, and from HINT_FIRST on the hints in their order. */
extern const struct hint_variable hint_variables[HINT_COUNT];

/* The index of a variable; HINT_COUNT: none of ours. */
size_t hint_index(struct str variable);

/*
 * Writes what values tell as "kitty:1,x11:4194307,tmux:/tmp/tmux-1000/default": name, colon, value up to the next comma. A value
 * that has a comma, or for which there is no room, is left out; that of TMUX ends at its first comma. An empty view is a variable
 * that is not set. Returns the length; the text ends in NUL.
 */
size_t hint_window(const struct str values[HINT_COUNT], char text[HINT_WINDOW_MAX]);

#endif
