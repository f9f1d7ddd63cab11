/* What tells where a program's window is: out of a session's `window`, or of a process's environment. Pure. */
#ifndef CLIENTS_AGENTBUS_FOCUS_HINTS_H
#define CLIENTS_AGENTBUS_FOCUS_HINTS_H

#include <stdbool.h>
#include <stddef.h>

enum focus_hint {
	HINT_KITTY,        /* number of the window, within kitty */
	HINT_KITTY_LISTEN, /* where kitty takes commands: "unix:/tmp/kitty" */
	HINT_WEZTERM,      /* number of the pane */
	HINT_WEZTERM_SOCKET,
	HINT_X11,  /* number of the terminal's window */
	HINT_SWAY, /* sockets; "" where only its presence is known */
	HINT_I3,
	HINT_HYPRLAND, /* signature of the instance */
	HINT_NIRI,
	HINT_TMUX, /* socket */
	HINT_COUNT
};

enum { FOCUS_HINT_SIZE = 128, FOCUS_PANE_SIZE = 16 };

struct focus_hints {
	bool has[HINT_COUNT];
	char value[HINT_COUNT][FOCUS_HINT_SIZE];
	char tmux_pane[FOCUS_PANE_SIZE]; /* "%4"; "": in none. Only from an environment. */
};

/* Reads "kitty:1,x11:99,sway" or "kitty:1,sway:/run/sway.sock". What it does not know, or what is too long, is passed over. */
void focus_hints_parse(const char *window, struct focus_hints *ret);

/* Reads an environment as in /proc/PID/environ: "NAME=value", each ended by a NUL; the last one may be cut off. */
void focus_hints_of_environment(const char *environment, size_t len, struct focus_hints *ret);

/* The variable that tells a hint. Static. */
const char *focus_hints_variable(enum focus_hint hint);

#endif
