/*
 * Listening sockets in the loop. What they accept is handed over as it comes; nothing of it is read here.
 */
#ifndef AGENTBUS_LISTEN_H
#define AGENTBUS_LISTEN_H

#include "config.h"

#include <ev.h>

struct listener {
	ev_io acceptable;
	struct address address; /* with the real port */
};

struct listeners {
	struct ev_loop *loop;
	const struct log *log;
	struct listener items[CONFIG_LISTEN_MAX];
	size_t count;
	ev_timer pause; /* runs while the system has no descriptor for us */
	bool starved;   /* said so in the log already */
	void (*arrived)(void *ctx, int fd, const struct address *from);
	void *ctx;
};

/*
 * Listens on all the addresses of the configuration; arrived() gets each connection and owns its descriptor (non-blocking,
 * closed on exec). An address family that the machine lacks is passed over where nobody asked for it. False after logging
 * why not; nothing is open then.
 */
bool listen_open(struct listeners *ls, struct ev_loop *loop, const struct config *config, const struct log *log,
		 void (*arrived)(void *ctx, int fd, const struct address *from), void *ctx);

/* Closes the sockets; what they still hold is refused by the system. May be called twice. */
void listen_close(struct listeners *ls);

/* Writes the real addresses with spaces between. */
void listen_format(const struct listeners *ls, char *text, size_t size);

#endif
