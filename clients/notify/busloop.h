/*
 * A connection to the session bus in a libev loop, which nothing here ever blocks.
 *
 * A bus that is not there, or goes, is tried again with growing pauses for as long as somebody wants it, and not at all
 * while nobody does.
 */
#ifndef CLIENTS_NOTIFY_BUSLOOP_H
#define CLIENTS_NOTIFY_BUSLOOP_H

#include <ev.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

struct busloop;

/* What the connection is for. */
struct busloop_user {
	/* A connection has begun: calls and matches can be queued on b->bus. Returns 0 or -errno, which ends it. */
	int (*up)(struct busloop *b);
	/* The connection is gone: let go of every slot on b->bus. */
	void (*down)(struct busloop *b);
	/* Whether somebody wants the bus. */
	bool (*wanted)(struct busloop *b);
};

struct busloop {
	struct ev_loop *loop;
	const struct busloop_user *user;
	sd_bus *bus; /* NULL while there is none */
	ev_io io;
	ev_timer timeout; /* when sd-bus wants to be called */
	ev_timer retry;
	ev_prepare prepare;
	double pause, next_attempt; /* seconds; time of the loop */
	bool complained;            /* that there is no bus */
};

void busloop_init(struct busloop *b, struct ev_loop *loop, const struct busloop_user *user);

/* Somebody wants the bus: connects, or will when the pause after the last failure is over. Not from within the user's functions.
 */
void busloop_want(struct busloop *b);

/* The bus has answered: the next failure begins with the shortest pause again. */
void busloop_proven(struct busloop *b);

/* Disconnects, without a wait for what is queued. Calls down() if there was a connection. */
void busloop_finish(struct busloop *b);

#endif
