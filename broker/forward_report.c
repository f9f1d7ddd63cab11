#include "forward_report.h"

#include "agentbus/v1/agentbus.pb-c.h"
#include "config_forward.h"

/* What a report points to. */
struct report {
	Agentbus__V1__Forward forward;
	Agentbus__V1__Destination destinations[DESTINATIONS_MAX];
	Agentbus__V1__Destination *destination_list[DESTINATIONS_MAX];
	char urls[DESTINATIONS_MAX][DESTINATION_TEXT_SIZE];
	Agentbus__V1__ForwardLane lanes[DESTINATION_LANES_MAX];
	Agentbus__V1__ForwardLane *lane_list[DESTINATION_LANES_MAX];
};

/* When what waits longest came; 0 if nothing waits. */
static uint64_t
oldest_of(const struct forward *f, const struct queue_lane *l)
{
	struct store_mark mark;
	uint64_t time_ns;

	if (forward_queue_waiting(f->queue, l).row == 0 || !f->queue->store ||
	    !store_queue_read(f->queue->store, l->signal, &l->at, NULL, &mark, &time_ns))
		return 0;
	return time_ns;
}

static void
fill_lane(const struct forward *f, const struct forward_lane *l, Agentbus__V1__ForwardLane *ret)
{
	const struct store_mark waiting = forward_queue_waiting(f->queue, l->queue);
	const struct store_lane_counts *c = &l->queue->counts;

	agentbus__v1__forward_lane__init(ret);
	ret->signal = (char *)config_forward_signal(l->queue->signal);
	ret->state = (char *)forward_state_name(l->state);
	ret->queued_bytes = waiting.bytes;
	ret->queued_items = waiting.items;
	ret->oldest_unix_nano = oldest_of(f, l->queue);
	ret->sent_items = c->sent;
	ret->sent_requests = c->sent_requests;
	ret->sent_bytes = c->sent_bytes;
	ret->rejected_items = c->rejected;
	ret->dropped_items = c->dropped;
	ret->retries = c->retries;
	ret->last_error = (char *)l->error;
	ret->last_error_unix_nano = l->error_ns;
	ret->last_success_unix_nano = l->success_ns;
	ret->again_unix_nano = l->state == FORWARD_WAITING ? l->again_ns : 0;
}

/* Lanes are in the order of their destinations. */
static void
fill(const struct forward *f, struct report *r)
{
	size_t lane = 0;

	agentbus__v1__forward__init(&r->forward);
	r->forward.destinations = r->destination_list;
	for (size_t i = 0; i < f->queue->to->count; i++) {
		const struct destination *to = &f->queue->to->list[i];
		Agentbus__V1__Destination *d = r->destination_list[r->forward.n_destinations++] = &r->destinations[i];

		agentbus__v1__destination__init(d);
		config_forward_show_url(to->url, r->urls[i], sizeof(r->urls[i]));
		d->name = (char *)to->name;
		d->url = r->urls[i];
		d->lanes = &r->lane_list[lane];
		for (; lane < f->queue->lane_count && f->queue->lanes[lane].number == i; lane++) {
			fill_lane(f, &f->lanes[lane], &r->lanes[lane]);
			r->lane_list[lane] = &r->lanes[lane];
			d->n_lanes++;
		}
	}
}

bool
forward_report(void *ctx, struct buf *out)
{
	const struct forward *f = ctx;
	struct report r;

	if (!f->lanes)
		return true;
	fill(f, &r);
	if (!buf_reserve(out, agentbus__v1__forward__get_packed_size(&r.forward)))
		return false;
	out->len += agentbus__v1__forward__pack(&r.forward, out->bytes + out->len);
	return true;
}

size_t
forward_report_lanes(const struct forward *f, struct metrics_lane out[DESTINATION_LANES_MAX])
{
	const size_t count = f->lanes ? f->queue->lane_count : 0;
	const uint64_t now = count ? clock_now(f->clock) : 0;

	for (size_t i = 0; i < count; i++) {
		const struct queue_lane *l = &f->queue->lanes[i];
		const uint64_t oldest = oldest_of(f, l);

		out[i] = (struct metrics_lane){
			.destination = l->to->name,
			.signal = config_forward_signal(l->signal),
			.sent = l->counts.sent,
			.retries = l->counts.retries,
			.rejected = l->counts.rejected,
			.dropped = l->counts.dropped,
			.queued_bytes = forward_queue_waiting(f->queue, l).bytes,
			.oldest_ns = oldest && now > oldest ? now - oldest : 0,
		};
	}
	return count;
}
