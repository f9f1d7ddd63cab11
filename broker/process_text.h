/*
 * What the kernel writes about processes in /proc, read: stat, environ, and the targets of descriptors. Pure; trusts no length.
 */
#ifndef AGENTBUS_PROCESS_TEXT_H
#define AGENTBUS_PROCESS_TEXT_H

#include "hint.h"

#include <stdint.h>

#define PROCESS_NAME_MAX 16
#define PROCESS_TTY_MAX  32

struct process_stat {
	char name[PROCESS_NAME_MAX]; /* what it calls itself, cut */
	uint32_t parent;
	uint32_t tty;   /* its controlling terminal, as a device number; 0: none */
	uint64_t start; /* ticks from the machine's start to its own */
	bool dead;      /* a zombie, or about to become one */
};

/* Reads the line of /proc/PID/stat. False if it is none, or cut off before the time of start. */
bool process_text_stat(struct str text, struct process_stat *ret);

/* The name of a terminal by its device number; "" if it is none that we know. */
void process_text_tty(uint32_t device, char ret[PROCESS_TTY_MAX]);

/* The inode in "socket:[1234]". False if it is no socket. */
bool process_text_socket(struct str link, uint32_t *ret);

/* The pid that an entry of /proc is named after. False if it is none. */
bool process_text_number(const char *name, uint32_t *ret);

/* An environment that is read in pieces. Only the variables of hint_variables[] are kept: it holds secrets. Start with all 0.
 */
struct process_environ {
	char values[HINT_COUNT][HINT_VALUE_MAX];
	char entry[HINT_VALUE_MAX + 32]; /* that is being read */
	size_t held;
	bool passed_over; /* the entry is too long to be one of ours */
};

/* Takes the next piece; entries end in NUL, and one that has not ended yet counts for nothing. */
void process_environ_feed(struct process_environ *e, const char *bytes, size_t len);

/* What was read, for hint_window(): views into e. */
void process_environ_values(const struct process_environ *e, struct str ret[HINT_COUNT]);

#endif
