/* Which process a hook runs for, and on what terminal. Reads /proc; some 0.1 ms. */
#ifndef CLIENTS_AGENTBUS_EMIT_HOST_H
#define CLIENTS_AGENTBUS_EMIT_HOST_H

#include <stdint.h>

#define EMIT_TTY_MAX 32

struct emit_host {
	uint32_t pid;           /* the parent, without the shells between it and us; 0: unknown */
	char tty[EMIT_TTY_MAX]; /* its controlling terminal, "/dev/pts/3"; "": none */
};

struct emit_host emit_host_find(void);

/* Reads a line of /proc/PID/stat. Returns the parent's pid, 0 if it is none; *ret_name_len of what begins at *ret_name. */
uint32_t emit_host_parse(const char *stat, const char **ret_name, int *ret_name_len, unsigned *ret_tty);

/* The name of a terminal by its device number as in /proc/PID/stat; "" if it is none that we know. */
void emit_host_tty(unsigned device, char ret[EMIT_TTY_MAX]);

#endif
