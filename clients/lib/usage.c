/* What was used: one question over a connection of its own. */
#include "agentbus.h"
#include "decode.h"
#include "link.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS   UINT64_C(1000000)
#define PATIENCE    (1000 * NS_PER_MS) /* for an answer, before the question is asked anew */
#define RETRY       (100 * NS_PER_MS)  /* until a broker is there */
#define DECODED_MAX (16u << 20)
#define DAY_LEN     10
#define REQUEST_MAX (2 * (DAY_LEN + 2) + 16)

/* The answer with the memory that it lies in. */
struct held {
	struct agentbus_usage usage; /* first */
	struct region region;
};

struct question {
	struct link *link;
	uint8_t request[REQUEST_MAX];
	size_t len;
	uint64_t asked_at; /* 0: not yet */
	struct held *held;
};

static bool
is_day(const char *day)
{
	return !day || strlen(day) <= DAY_LEN;
}

static void
write_request(struct question *q, const struct agentbus_usage_query *query)
{
	Agentbus__V1__UsageRequest usage = AGENTBUS__V1__USAGE_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;

	if (query->since)
		usage.since = (char *)query->since;
	if (query->until)
		usage.until = (char *)query->until;
	usage.group = (Agentbus__V1__UsageGroup)query->group;
	request.request_case = AGENTBUS__V1__REQUEST__REQUEST_USAGE;
	request.usage = &usage;
	q->len = agentbus__v1__request__pack(&request, q->request);
}

/* Takes an answer if there is one. 1: it is usage; 0: none that is of use; below 0: an error. */
static int
take_answer(struct question *q)
{
	nng_msg *msg = link_receive_answer(q->link);
	bool refused = false;

	if (!msg)
		return 0;
	region_reset(&q->held->region);
	const bool ok = decode_usage(&q->held->region, nng_msg_body(msg), nng_msg_len(msg), &q->held->usage, &refused);
	nng_msg_free(msg);
	if (ok)
		return 1;
	return refused ? AGENTBUS_EREFUSED : 0;
}

/* Looks once at everything. Returns as take_answer(). */
static int
step(struct question *q)
{
	const int found = link_poll(q->link);
	bool linked, changed;

	if (found < 0)
		return found;
	link_peers(q->link, &linked, &changed);
	if (changed)
		q->asked_at = 0;
	if (linked && (!q->asked_at || link_now() - q->asked_at > PATIENCE) && link_ask(q->link, q->request, q->len))
		q->asked_at = link_now();
	return found & LINK_ANSWER ? take_answer(q) : 0;
}

static int
wait_for_answer(struct question *q, unsigned timeout_ms)
{
	const uint64_t deadline = link_now() + timeout_ms * NS_PER_MS;

	for (;;) {
		const int done = step(q);
		const uint64_t now = link_now();
		uint64_t until = q->asked_at ? q->asked_at + PATIENCE : now + RETRY;

		if (done != 0)
			return done < 0 ? done : AGENTBUS_OK;
		if (now >= deadline)
			return AGENTBUS_ETIMEOUT;
		until = until < deadline ? until : deadline;
		poll(&(struct pollfd){ .fd = q->link->epoll, .events = POLLIN }, 1,
		     until > now ? (int)((until - now) / NS_PER_MS) + 1 : 1);
	}
}

int
agentbus_usage(const struct agentbus_usage_query *query, struct agentbus_usage **ret_usage)
{
	struct question q = { 0 };

	if (!query || !ret_usage || !is_day(query->since) || !is_day(query->until) || query->group > AGENTBUS_USAGE_BY_SESSION)
		return AGENTBUS_EINVAL;
	q.held = calloc(1, sizeof(*q.held));
	if (!q.held)
		return AGENTBUS_ENOMEM;
	region_init(&q.held->region, DECODED_MAX);
	write_request(&q, query);
	int e = link_create(query->runtime_dir, &q.link);
	if (e == AGENTBUS_OK) {
		e = wait_for_answer(&q, query->timeout_ms);
		link_destroy(q.link);
	}
	if (e == AGENTBUS_OK)
		*ret_usage = &q.held->usage;
	else
		agentbus_usage_free(&q.held->usage);
	return e;
}

void
agentbus_usage_free(struct agentbus_usage *usage)
{
	struct held *held = (struct held *)usage;

	if (!held)
		return;
	region_finish(&held->region);
	free(held);
}
