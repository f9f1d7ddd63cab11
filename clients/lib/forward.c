/* agentbus_forward_read(): one question and its answer. */
#include "agentbus.h"
#include "ask.h"
#include "decode.h"

#include <errno.h>
#include <stddef.h>

#define ANSWER_MAX  ((size_t)1 << 20)
#define DECODED_MAX ((size_t)4 << 20)

/* What is handed out, and all it points to. */
struct answer {
	struct agentbus_forward forward; /* first: its address is the answer's */
	struct region region;
};

static struct agentbus_forward_lane
lane_of(const Agentbus__V1__ForwardLane *pb)
{
	return (struct agentbus_forward_lane){
		.signal = pb->signal,
		.state = pb->state,
		.queued_bytes = pb->queued_bytes,
		.queued_items = pb->queued_items,
		.oldest = pb->oldest_unix_nano,
		.sent_items = pb->sent_items,
		.sent_requests = pb->sent_requests,
		.sent_bytes = pb->sent_bytes,
		.rejected_items = pb->rejected_items,
		.dropped_items = pb->dropped_items,
		.retries = pb->retries,
		.last_error = pb->last_error,
		.last_error_at = pb->last_error_unix_nano,
		.last_success = pb->last_success_unix_nano,
		.again = pb->again_unix_nano,
	};
}

static int
take_destination(struct region *r, const Agentbus__V1__Destination *pb, struct agentbus_destination *ret)
{
	struct agentbus_forward_lane *lanes = region_alloc(r, (pb->n_lanes + 1) * sizeof(*lanes));

	if (!lanes)
		return AGENTBUS_ENOMEM;
	for (size_t i = 0; i < pb->n_lanes; i++)
		lanes[i] = lane_of(pb->lanes[i]);
	*ret = (struct agentbus_destination){ pb->name, pb->url, lanes, pb->n_lanes };
	return AGENTBUS_OK;
}

/* From the bytes of a Response. A broker that does not know the question is as good as none. */
static int
take_answer(void *answer, const void *bytes, size_t len)
{
	struct answer *a = answer;
	Agentbus__V1__Response *response;
	struct agentbus_destination *list;
	int e = AGENTBUS_OK;

	if (!decode_response(&a->region, bytes, len, &response) ||
	    response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_FORWARD) {
		errno = EPROTO;
		return AGENTBUS_ESYSTEM;
	}
	const size_t count = response->forward->n_destinations;
	list = region_alloc(&a->region, (count + 1) * sizeof(*list));
	if (!list)
		return AGENTBUS_ENOMEM;
	for (size_t i = 0; i < count && e == AGENTBUS_OK; i++)
		e = take_destination(&a->region, response->forward->destinations[i], &list[i]);
	a->forward = (struct agentbus_forward){ list, count };
	return e;
}

static const struct ask_kind kind = {
	.size = sizeof(struct answer),
	.region = offsetof(struct answer, region),
	.answer_max = ANSWER_MAX,
	.decoded_max = DECODED_MAX,
	.take = take_answer,
};

int
agentbus_forward_read(const char *runtime_dir, int timeout_ms, struct agentbus_forward **ret_forward)
{
	Agentbus__V1__ForwardRequest forward = AGENTBUS__V1__FORWARD_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	void *answer;

	if (!ret_forward)
		return AGENTBUS_EINVAL;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_FORWARD;
	request.forward = &forward;
	const int e = ask_and_take(runtime_dir, timeout_ms, &request, &kind, &answer);
	if (e == AGENTBUS_OK)
		*ret_forward = &((struct answer *)answer)->forward;
	return e;
}

void
agentbus_forward_free(struct agentbus_forward *forward)
{
	ask_free(forward, &kind);
}
