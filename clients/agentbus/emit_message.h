/*
 * What `agentbus emit` sends: of a hook's payload only what says what happens, and to whom; never what people wrote. Pure.
 */
#ifndef CLIENTS_AGENTBUS_EMIT_MESSAGE_H
#define CLIENTS_AGENTBUS_EMIT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMIT_MESSAGE_MAX 16384

/* The variables of the environment that are sent; ends in NULL. */
extern const char *const emit_variables[];

/* Of the process: all text ends in NUL. */
struct emit_origin {
	const char *provider; /* NULL: the payload tells */
	const char *source;   /* hook or notify */
	uint32_t self;        /* our own pid */
	uint32_t pid;         /* of the CLI, 0: unknown */
	const char *tty;      /* "": none */
	uint64_t time_ns;
	const char *(*variable)(const char *name); /* getenv() */
};

/*
 * Writes the message about a payload of len bytes, which may be cut off. Returns its length, or 0 if the payload names no session
 * or no event: then there is nothing to say.
 */
size_t emit_message(const struct emit_origin *o, const char *payload, size_t len, char message[EMIT_MESSAGE_MAX]);

#endif
