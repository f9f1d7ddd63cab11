/*
 * The way out: passes telemetry on to OTLP/HTTP backends, out of the queue, at whatever pace they take it. Nothing here delays
 * the rest of the broker: nothing blocks, and each step is short.
 */
#ifndef AGENTBUS_FORWARD_H
#define AGENTBUS_FORWARD_H

#include "forward_lane.h"

struct forward {
	struct ev_loop *loop;
	const struct clock *clock;
	const struct log *log;
	struct forward_queue *queue;
	struct forward_multi multi;
	struct forward_target targets[DESTINATIONS_MAX];
	struct forward_lane *lanes; /* one for each of the queue's, in the same order */
	ev_timer tidy;              /* runs while there are rows to be dropped: ends a turn of the loop */
};

/*
 * Begins to pass on what waits. Does nothing if there are no destinations. False after logging why not: a secret cannot be had,
 * or no memory. The queue must outlive it.
 */
bool forward_open(struct forward *f, struct ev_loop *loop, const struct clock *clock, struct forward_queue *queue,
		  const struct log *log);

/* Ends all transfers; what they carried is sent again by the next one who opens the queue. Fine if nothing was opened. */
void forward_close(struct forward *f);

#endif
