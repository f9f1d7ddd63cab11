/* What terminals with windows of their own tell of them. Pure: what is no such list is told by false. */
#ifndef CLIENTS_AGENTBUS_FOCUS_PANES_H
#define CLIENTS_AGENTBUS_FOCUS_PANES_H

#include "focus_windows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pane (a window, as kitty says) within a terminal. */
struct focus_pane {
	bool shown;   /* it is the active one of its window */
	uint32_t pid; /* of what runs in it, 0: the terminal does not say */
	char tty[EMIT_TTY_MAX];
	struct focus_clue window; /* as it is called now */
};

/* `kitten @ ls`. False if it has no window of that number. */
bool focus_panes_of_kitty(const char *json, size_t len, uint64_t number, struct focus_pane *ret);

/* `wezterm cli list --format json`; shown is not set. */
bool focus_panes_of_wezterm(const char *json, size_t len, uint64_t number, struct focus_pane *ret);

/* `wezterm cli list-clients --format json`: whether that pane is the one that any client has in front. */
bool focus_panes_wezterm_shows(const char *json, size_t len, uint64_t number);

#endif
