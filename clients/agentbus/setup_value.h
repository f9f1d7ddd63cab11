/* Values of configuration: what ours are, and whether a person's do as well. Pure. */
#ifndef CLIENTS_AGENTBUS_SETUP_VALUE_H
#define CLIENTS_AGENTBUS_SETUP_VALUE_H

#include "setup_table.h"

enum { SETUP_VALUE_SIZE = 2048 };

/* What is wanted of all CLIs. */
struct setup_wish {
	const char *http, *grpc; /* endpoints, without a slash at the end */
	const char *program;     /* agentbus, or where it is */
	bool telemetry, hooks;
	bool force;
};

/* Writes a row's value with what stands in braces filled in. False if it does not fit. */
bool setup_value(const struct setup_wish *w, const char *cli, const char *value, char out[SETUP_VALUE_SIZE]);

/* The command of a hook, for a shell. */
bool setup_command(const struct setup_wish *w, const char *cli, char out[SETUP_VALUE_SIZE]);

/* The element of an event's array that runs it, as JSON. */
bool setup_element(const struct setup_wish *w, const char *cli, const struct setup_file *f, const struct setup_hook *h,
		   char out[SETUP_VALUE_SIZE]);

/* Whether a command of somebody's runs `agentbus emit`. */
bool setup_is_emit(const char *command);

/* Whether an endpoint reaches the broker: that of the wish, or one of its two ports on this machine. */
bool setup_reaches(const struct setup_wish *w, const char *url);

/* Whether a value that is there does; ours is what the row wants, filled in and without quotes. */
bool setup_accepts(const struct setup_wish *w, enum setup_accept accept, const char *value, const char *ours);

#endif
