/* What status and watch do alike: open the bus, wait for the broker, follow it until somebody says stop. */
#ifndef CLIENTS_AGENTBUS_FOLLOW_H
#define CLIENTS_AGENTBUS_FOLLOW_H

#include "agentbus.h"
#include "common/options.h"

#include <ev.h>
#include <stdbool.h>

enum { FOLLOW_PATH_SIZE = 4096 };

/* Where the library looks for the sockets, for messages. runtime_dir NULL is the default. out has FOLLOW_PATH_SIZE bytes. */
const char *follow_runtime_dir(const char *runtime_dir, char *out);

/*
 * Opens the bus and waits for the broker's sessions. Returns false after having said why not: "no broker at DIR" if none
 * answers within so many seconds. The caller closes *ret_bus.
 */
bool follow_connect(const char *runtime_dir, double timeout, struct agentbus **ret_bus);

/* A loop over one bus. Zero it, set the first four members, and run it; the callbacks may be NULL. */
struct follow {
	struct agentbus *bus;
	double every; /* seconds between two calls of on_quiet while nothing happens; 0: only when something does */
	/* Returns false to end the loop. */
	bool (*on_event)(struct follow *f, const struct agentbus_event *e);
	/* First of all, when all that arrived together was seen, and after each so many seconds. False ends the loop. */
	bool (*on_quiet)(struct follow *f);
	/* the loop's own */
	struct ev_loop *loop;
	ev_io readable;
	ev_timer timer;
	ev_signal term, interrupt;
	int status;
};

/* Runs until a callback returns false, or SIGTERM or SIGINT arrives. Returns the exit status: 1 if the bus failed. */
int follow_run(struct follow *f);

/* From a callback: calls on_quiet in so many seconds at the latest. */
void follow_soon(struct follow *f, double seconds);

#endif
