/*
 * Commands that run beside us: few at a time, each for a limited time, and nothing here waits for one.
 *
 * A command gets the null device as its input; its process group is killed when its time is over. Needs the default loop.
 */
#ifndef CLIENTS_NOTIFY_CHILD_H
#define CLIENTS_NOTIFY_CHILD_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct children;

struct child_order {
	char *const *argv;      /* the first word is looked up in PATH */
	const char *const *env; /* NAME=VALUE, beside and before our own; ended by NULL */
	double seconds;         /* that it may take */
	bool silent;            /* what it prints is dropped; else all of it goes to our standard error */
	/* It is over: status is what it exited with, -1 if it was killed. NULL if nobody wants to know. */
	void (*done)(void *user, uint64_t tag, int status);
	void *user;
	uint64_t tag;
};

/* Returns NULL without memory. */
struct children *children_create(struct ev_loop *loop);

/* Kills what still runs; done is not called any more. */
void children_destroy(struct children *c);

/* Returns 0; or -errno, and then done is not called: EAGAIN if too many run already, ENOENT if there is no such command. */
int children_run(struct children *c, const struct child_order *order);

#endif
