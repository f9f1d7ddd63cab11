/*
 * The windows that a window manager knows, read from what it says of them, and which of them shows a process. Pure: what is no
 * such list is told by false, and no text makes a reader go deeper or take more than its limits.
 */
#ifndef CLIENTS_AGENTBUS_FOCUS_WINDOWS_H
#define CLIENTS_AGENTBUS_FOCUS_WINDOWS_H

#include "focus_kin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOCUS_WINDOWS_MAX = 4096, FOCUS_TITLE_SIZE = 256, FOCUS_ADDRESS_SIZE = 32 };

struct focus_window {
	uint64_t id;                      /* the window manager's own */
	char address[FOCUS_ADDRESS_SIZE]; /* Hyprland's, in place of an id */
	uint32_t pid;                     /* 0: unknown */
	uint64_t x11;                     /* 0: it is none of X11 */
	bool focused;
	char title[FOCUS_TITLE_SIZE]; /* cut off where it is longer */
};

/* All zero is empty. */
struct focus_windows {
	struct focus_window *list;
	size_t count;
};

void focus_windows_finish(struct focus_windows *w);

/* The answers of sway and i3 (GET_TREE), Hyprland (clients), and niri (Windows). The caller finishes *ret if they return true. */
bool focus_windows_of_tree(const char *json, size_t len, struct focus_windows *ret);
bool focus_windows_of_hyprland(const char *json, size_t len, struct focus_windows *ret);
bool focus_windows_of_niri(const char *json, size_t len, struct focus_windows *ret);

/* Whether their answer to a command says that it was done. */
bool focus_windows_tree_obeys(const char *json, size_t len);
bool focus_windows_hyprland_obeys(const char *text, size_t len);
bool focus_windows_niri_obeys(const char *json, size_t len);

/* What `wmctrl -l -p` prints: a line per window. */
bool focus_windows_of_wmctrl(const char *text, struct focus_windows *ret);

/* Adds one; false without memory, or above the limit. */
bool focus_windows_add(struct focus_windows *w, const struct focus_window *window);

/* What is known of the window but its process: 0 and "" are unknown. */
struct focus_clue {
	uint64_t x11;
	char title[FOCUS_TITLE_SIZE];
};

/*
 * The window of a process: of those that belong to it, or to the nearest one that it descends from and that has any, the only
 * one, or the only one that the clue fits; else one that says nothing of a process, and is the clue's. NULL if there is none;
 * *ret_several: there are, and nothing tells them apart.
 */
const struct focus_window *focus_windows_find(const struct focus_windows *w, const struct focus_kin *kin,
					      const struct focus_clue *clue, bool *ret_several);

#endif
