/*
 * What is known of a process of this machine: whose sessions it runs, and where its person sits. Found by the edge
 * (process_look.h), used by the sessions, which know of no /proc.
 */
#ifndef AGENTBUS_PROCESS_H
#define AGENTBUS_PROCESS_H

#include "hint.h"

#include <stdbool.h>
#include <stdint.h>

/* Text ends in NUL; "" is unknown. */
struct process {
	uint32_t pid;
	uint64_t birth; /* tells it from others that had or will have its pid; never 0 */
	bool watched;   /* its end will be told */
	char tty[32];   /* "/dev/pts/3" */
	char tmux_pane[16];
	char window[HINT_WINDOW_MAX]; /* see hint_window() */
	char dir[256];                /* that it works in */
};

/* Whether a process still runs. */
enum process_life {
	LIFE_UNKNOWN, /* nobody can tell, or nobody would be told of its end */
	LIFE_GOES_ON, /* it does, and its end will be told */
	LIFE_IS_OVER
};

/* The repository that a directory belongs to. */
struct repository {
	char name[128];    /* the directory of its main work tree; never "" */
	char branch[128];  /* or the beginning of the commit, where none is checked out; "": unknown */
	char worktree[64]; /* of a linked work tree its name, else "" */
};

#endif
