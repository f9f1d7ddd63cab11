/*
 * Moves the write-ahead log into the database in a process of its own, for that waits for the disk, and the broker must not.
 * The process is the broker's own program, started with TIDIER_OPTION and the path of the database.
 */
#ifndef AGENTBUS_TIDIER_H
#define AGENTBUS_TIDIER_H

#include <ev.h>
#include <stdbool.h>

#define TIDIER_OPTION "--checkpoint-database"

struct tidier {
	struct ev_loop *loop;
	ev_child ended; /* active while the process runs */
	/* It has ended: what was in the log when it began is in the database, if it could be. */
	void (*done)(void *ctx);
	void *ctx;
};

void tidier_init(struct tidier *t, struct ev_loop *loop, void (*done)(void *ctx), void *ctx);

/* Starts it, unless it runs already. False if it cannot be started: without memory, or in a loop that hears of no children. */
bool tidier_start(struct tidier *t, const char *database);

/* Hears no more of a process that still runs: it ends by itself. */
void tidier_finish(struct tidier *t);

/* What the process does. Returns its exit status. */
int tidier_main(const char *database);

#endif
