/*
 * The variables of a process's environment that tell where its person's window is: the only ones that are ever kept. Pure.
 */
#ifndef AGENTBUS_TERMINAL_H
#define AGENTBUS_TERMINAL_H

#include "str.h"

#define TERMINAL_VALUE_MAX  128 /* paths of sockets are shorter */
#define TERMINAL_WINDOW_MAX 256

/* Indices of terminal_variables[]. */
enum terminal_variable_index { TERMINAL_PANE, TERMINAL_HINTS };
#define TERMINAL_COUNT 15

struct terminal_variable {
	const char *variable;
	const char *name; /* within the hints; NULL: none of them */
	bool value;       /* false: that it is set is all it tells */
};

/* The pane of tmux, and from TERMINAL_HINTS on the hints in their order. */
extern const struct terminal_variable terminal_variables[TERMINAL_COUNT];

/* The index of a variable; TERMINAL_COUNT: none of ours. */
size_t terminal_index(struct str variable);

/*
 * Writes what values tell as "kitty:1,x11:4194307,tmux:/tmp/tmux-1000/default": name, colon, value up to the next comma. A value
 * that has a comma, or for which there is no room, is left out; that of TMUX ends at its first comma. An empty view is a variable
 * that is not set. Returns the length; the text ends in NUL.
 */
size_t terminal_window(const struct str values[TERMINAL_COUNT], char text[TERMINAL_WINDOW_MAX]);

#endif
