/*
 * One lane: what a destination takes of one signal, passed on in order, one request at a time.
 *
 *	IDLE ──something waits──► COLLECTING ──0.2 s, or much──► PACKING ──► SENDING ──answer──► IDLE or COLLECTING
 *	                                                            ▲            │
 *	                                                            └──WAITING◄──┘ to try again
 *
 * A lane that is idle holds no timer and next to no memory, and a lane that waits has given its body back.
 */
#ifndef AGENTBUS_FORWARD_LANE_H
#define AGENTBUS_FORWARD_LANE_H

#include "clock.h"
#include "forward_answer.h"
#include "forward_multi.h"
#include "forward_pack.h"
#include "forward_queue.h"
#include "forward_rules.h"

#define FORWARD_BATCH_MAX  ((size_t)4 << 20) /* bytes of a request without its compression, unless one row is larger */
#define FORWARD_ERROR_SIZE 160

enum forward_state { FORWARD_IDLE, FORWARD_COLLECTING, FORWARD_PACKING, FORWARD_SENDING, FORWARD_WAITING };

/* What the lanes of one destination share. */
struct forward_target {
	const struct destination *to;
	struct curl_slist *headers;
	struct queue_warning down, refused, partial; /* troubles, each told of once a minute */
	bool is_down, said_down;
};

struct forward_lane {
	struct forward *host;
	struct forward_target *target;
	struct queue_lane *queue;
	enum forward_state state;
	ev_timer timer;
	CURL *easy;
	char url[DESTINATION_TEXT_SIZE + 16];
	struct forward_pack pack;
	struct store_mark from, up_to; /* what is being sent lies between */
	uint64_t rows;                 /* so many */
	uint64_t rows_max;             /* so many at most; 0: any number */
	struct forward_pace pace;
	uint64_t again_ns; /* WAITING: until then */
	struct buf answer; /* its beginning */
	bool headed;       /* its head came whole */
	bool cut;          /* the answer was longer, and we hung up */
	char retry_after[64];
	char curl_error[CURL_ERROR_SIZE];
	char error[FORWARD_ERROR_SIZE]; /* the last one, "" if there never was one */
	uint64_t error_ns, success_ns;
};

/* False without memory. */
bool forward_lane_open(struct forward_lane *l, struct forward *host, struct forward_target *target, struct queue_lane *queue);
void forward_lane_close(struct forward_lane *l);

/* Something may have been added to its queue. */
void forward_lane_wake(struct forward_lane *l);

/* Its transfer is over. */
void forward_lane_done(struct forward_lane *l, CURLcode code);

/* What a state is called. Static. */
const char *forward_state_name(enum forward_state s);

#endif
