#include "forward.h"

#include "forward_secret.h"

#include <stdlib.h>

#define TIDY_S 0.02 /* between steps of dropping what nobody needs */

/* --- the loop --- */

/* broker_settle() follows, which drops some more. */
static void
tidy_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* The queue has changed, and that is committed. */
static void
kept(void *ctx)
{
	struct forward *f = ctx;

	for (size_t i = 0; i < f->queue->lane_count; i++)
		forward_lane_wake(&f->lanes[i]);
	if (!f->queue->more || ev_is_active(&f->tidy))
		return;
	ev_timer_set(&f->tidy, TIDY_S, 0.);
	ev_timer_start(f->loop, &f->tidy);
}

static void
transfer_done(CURL *easy, CURLcode code)
{
	char *lane;

	if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &lane) == CURLE_OK)
		forward_lane_done((struct forward_lane *)(void *)lane, code);
}

/* --- opening --- */

static bool
add_header(void *ctx, const char *header)
{
	struct curl_slist **list = ctx, *longer = curl_slist_append(*list, header);

	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool
open_target(struct forward_target *t, const struct destination *d, const struct log *log)
{
	t->to = d;
	return add_header(&t->headers, "Content-Type: application/x-protobuf") &&
	       (!d->gzip || add_header(&t->headers, "Content-Encoding: gzip")) &&
	       /* Nobody is asked whether the body may come. */
	       add_header(&t->headers, "Expect:") &&
	       add_header(&t->headers, "Accept: application/x-protobuf, application/json") &&
	       forward_secret_headers(d, add_header, &t->headers, log);
}

static bool
open_all(struct forward *f)
{
	struct forward_queue *q = f->queue;

	for (size_t i = 0; i < q->to->count; i++)
		if (!open_target(&f->targets[i], &q->to->list[i], f->log))
			return false;
	f->lanes = calloc(q->lane_count, sizeof(*f->lanes));
	if (!f->lanes || !forward_multi_open(&f->multi, f->loop, transfer_done))
		return false;
	for (size_t i = 0; i < q->lane_count; i++)
		if (!forward_lane_open(&f->lanes[i], f, &f->targets[q->lanes[i].number], &q->lanes[i]))
			return false;
	return true;
}

bool
forward_open(struct forward *f, struct ev_loop *loop, const struct clock *clock, struct forward_queue *queue,
	     const struct log *log)
{
	*f = (struct forward){ .loop = loop, .clock = clock, .log = log, .queue = queue };
	ev_timer_init(&f->tidy, tidy_due, 0., 0.);
	if (queue->lane_count == 0)
		return true;
	if (!open_all(f)) {
		log_error(log, "nothing can be passed on");
		forward_close(f);
		return false;
	}
	queue->kept = kept;
	queue->ctx = f;
	kept(f);
	return true;
}

void
forward_close(struct forward *f)
{
	if (!f->queue)
		return;
	ev_timer_stop(f->loop, &f->tidy);
	f->queue->kept = NULL;
	for (size_t i = 0; f->lanes && i < f->queue->lane_count; i++)
		forward_lane_close(&f->lanes[i]);
	forward_multi_close(&f->multi);
	for (size_t i = 0; i < f->queue->to->count; i++)
		curl_slist_free_all(f->targets[i].headers);
	free(f->lanes);
	*f = (struct forward){ 0 };
}
