#include "query.h"
#include "agentbus/v1/agentbus.pb-c.h"
#include "bus_pack.h"
#include "bus_socket.h"
#include "bus_wire.h"

#include <nng/protocol/reqrep0/rep.h>

/* Answers are packed piece by piece: what protobuf-c would have to hold as a tree may be many megabytes. */
struct answer {
	const struct query_setup *with;
	struct buf body; /* of the answer's own message */
	struct buf item;
	size_t rows, left_out; /* of usage */
	enum store_usage_by by;
	const char *error; /* instead of an answer */
	bool failed;       /* no memory */
};

static void
put_embedded(struct buf *out, unsigned field, const uint8_t *bytes, size_t len, bool *failed)
{
	uint8_t head[BUS_WIRE_HEAD_MAX];
	const size_t head_len = bus_wire_put_head(head, field, len);

	if (!buf_reserve(out, head_len + len) || !buf_append(out, head, head_len) || !buf_append(out, bytes, len))
		*failed = true;
}

static void
put_message(struct buf *out, const ProtobufCMessage *m, bool *failed)
{
	const size_t size = protobuf_c_message_get_packed_size(m);

	if (!buf_reserve(out, size))
		*failed = true;
	else
		out->len += protobuf_c_message_pack(m, out->bytes + out->len);
}

static void
add_session(const struct session *s, void *ctx)
{
	struct answer *a = ctx;

	a->item.len = 0;
	if (bus_pack_session(s, &a->item))
		put_embedded(&a->body, 1, a->item.bytes, a->item.len, &a->failed);
	else
		a->failed = true;
}

static void
answer_snapshot(struct answer *a, const Agentbus__V1__Request *request)
{
	(void)request;
	sessions_each(a->with->sessions, add_session, a);
}

/* Events that only the archive still has. Returns the seq of the last one, after_seq if there is none. */
static uint64_t
add_archived(struct answer *a, uint64_t after_seq, size_t limit, uint64_t *ret_oldest)
{
	const struct publish_archive *archive = &a->with->publisher->archive;
	uint64_t last = after_seq, oldest = 0;

	*ret_oldest = journal_oldest(a->with->publisher->journal);
	if (!archive->read || after_seq >= *ret_oldest - 1)
		return after_seq;
	if (!archive->read(archive->ctx, after_seq, limit, &a->body, &last, &oldest))
		return after_seq;
	/* Without an event after it, what lies between the archive and the journal is lost. */
	if (last != after_seq)
		*ret_oldest = oldest;
	return last;
}

static void
answer_replay(struct answer *a, const Agentbus__V1__Request *request)
{
	const struct journal *j = a->with->publisher->journal;
	const Agentbus__V1__ReplayRequest *wanted = request->replay;
	const size_t limit = wanted->max_bytes && wanted->max_bytes < QUERY_REPLAY_MAX ? wanted->max_bytes : QUERY_REPLAY_MAX;
	Agentbus__V1__Replay tail = AGENTBUS__V1__REPLAY__INIT;
	const uint8_t *event;
	uint64_t oldest;
	size_t len;

	const uint64_t archived = add_archived(a, wanted->after_seq, limit, &oldest);
	tail.lost_up_to_seq = oldest - 1;
	uint64_t seq = (archived > tail.lost_up_to_seq ? archived : tail.lost_up_to_seq) + 1;
	while (journal_read(j, seq, &event, &len) && (a->body.len == 0 || a->body.len + len <= limit)) {
		put_embedded(&a->body, 1, event, len, &a->failed);
		if (a->failed)
			return;
		seq++;
	}
	tail.more = seq <= a->with->publisher->seq && a->body.len > 0;
	put_message(&a->body, &tail.base, &a->failed);
}

static void
answer_forward(struct answer *a, const Agentbus__V1__Request *request)
{
	const struct query_forward *forward = &a->with->forward;

	(void)request;
	if (forward->report && !forward->report(forward->ctx, &a->body))
		a->failed = true;
}

/* --- usage --- */

/* As enum store_usage_by; what rows are called, and what is their key. */
static const struct {
	Agentbus__V1__UsageGroup group;
	size_t key; /* in struct store_usage */
} groups[STORE_USAGE_BY_COUNT] = {
	[STORE_USAGE_TOTAL] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_UNSPECIFIED, offsetof(struct store_usage, day) },
	[STORE_USAGE_DAY] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_DAY, offsetof(struct store_usage, day) },
	[STORE_USAGE_MODEL] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_MODEL, offsetof(struct store_usage, model) },
	[STORE_USAGE_PROVIDER] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_PROVIDER, offsetof(struct store_usage, provider) },
	[STORE_USAGE_PROJECT] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_PROJECT, offsetof(struct store_usage, project) },
	[STORE_USAGE_SESSION] = { AGENTBUS__V1__USAGE_GROUP__USAGE_GROUP_SESSION, offsetof(struct store_usage, session) },
};

static bool
add_usage(void *ctx, const struct store_usage *u)
{
	static const unsigned rows_field = 1, total_field = 2;
	struct answer *a = ctx;
	const bool session = a->by == STORE_USAGE_SESSION;
	const struct bus_usage row = {
		.key = *(const char *const *)((const char *)u + groups[a->by].key),
		.provider = session ? u->provider : "",
		.project = session ? u->project : "",
		.requests = u->requests,
		.api_errors = u->api_errors,
		.tokens = { u->input, u->cache_read, u->cache_write, u->output, u->reasoning },
		.cost = { u->reported_cost, u->computed_cost, u->unreported_cost, u->reported_cost != 0, true, u->estimated },
	};

	if (a->by != STORE_USAGE_TOTAL && a->rows++ >= QUERY_USAGE_ROWS) {
		a->left_out++;
		return true;
	}
	a->item.len = 0;
	if (bus_pack_usage(&row, &a->item))
		put_embedded(&a->body, a->by == STORE_USAGE_TOTAL ? total_field : rows_field, a->item.bytes, a->item.len,
			     &a->failed);
	else
		a->failed = true;
	return !a->failed;
}

static void
add_budgets(struct answer *a)
{
	static const unsigned budgets_field = 4;
	struct budget_alarm standings[BUDGET_ALARMS_MAX];
	const size_t count = ledger_standings(a->with->ledger, standings);

	for (size_t i = 0; i < count; i++) {
		a->item.len = 0;
		if (bus_pack_budget(&standings[i], &a->item))
			put_embedded(&a->body, budgets_field, a->item.bytes, a->item.len, &a->failed);
		else
			a->failed = true;
	}
}

static bool
add_sums(struct answer *a, enum store_usage_by by, struct store_days days)
{
	a->by = by;
	return ledger_each(a->with->ledger, by, days, add_usage, a);
}

static void
answer_usage(struct answer *a, const Agentbus__V1__Request *request)
{
	const Agentbus__V1__UsageRequest *wanted = request->usage;
	const struct store_days days = { wanted->since, wanted->until };
	Agentbus__V1__Usage tail = AGENTBUS__V1__USAGE__INIT;
	enum store_usage_by by = 0;

	while (by < STORE_USAGE_BY_COUNT && groups[by].group != wanted->group)
		by++;
	if (by == STORE_USAGE_BY_COUNT)
		a->error = "usage is not added up by that in this version";
	else if (!a->with->ledger || (by != STORE_USAGE_TOTAL && !add_sums(a, by, days)) || !add_sums(a, STORE_USAGE_TOTAL, days))
		a->error = "what was used cannot be read at the moment; see the broker's log";
	if (a->error)
		return;
	tail.left_out = a->left_out;
	put_message(&a->body, &tail.base, &a->failed);
	add_budgets(a);
}

/* --- what a person tells --- */

static void
answer_ack(struct answer *a, const Agentbus__V1__Request *request)
{
	const Agentbus__V1__AckRequest *wanted = request->ack;
	const struct query_ack *ack = &a->with->ack;
	Agentbus__V1__Ack tail = AGENTBUS__V1__ACK__INIT;
	bool done = false;

	if (!ack->acknowledge || !ack->acknowledge(ack->ctx, wanted->provider, wanted->session_id, &done)) {
		a->error = "the database cannot be written at the moment; see the broker's log";
		return;
	}
	/* As it is now: what could not be stored would have replaced the sessions. */
	const struct session *x = sessions_find(a->with->sessions, wanted->provider, wanted->session_id);

	tail.found = x && x->shown;
	if (tail.found) {
		tail.acknowledged = done;
		tail.state = (Agentbus__V1__State)x->state;
	}
	put_message(&a->body, &tail.base, &a->failed);
}

static void
answer_sources(struct answer *a, const Agentbus__V1__Request *request)
{
	const struct query_sources *sources = &a->with->sources;

	(void)request;
	if (sources->report && !sources->report(sources->ctx, &a->body))
		a->failed = true;
}

/* What answers each kind of request, and the answer's field in Response; 0: the position is in the head already. */
static const struct {
	void (*fill)(struct answer *a, const Agentbus__V1__Request *request);
	unsigned field;
} answers[] = {
	[AGENTBUS__V1__REQUEST__REQUEST_SNAPSHOT] = { answer_snapshot, 4 },
	[AGENTBUS__V1__REQUEST__REQUEST_REPLAY] = { answer_replay, 5 },
	[AGENTBUS__V1__REQUEST__REQUEST_POSITION] = { NULL, 0 },
	[AGENTBUS__V1__REQUEST__REQUEST_FORWARD] = { answer_forward, 7 },
	[AGENTBUS__V1__REQUEST__REQUEST_USAGE] = { answer_usage, 8 },
	[AGENTBUS__V1__REQUEST__REQUEST_ACK] = { answer_ack, 9 },
	[AGENTBUS__V1__REQUEST__REQUEST_SOURCES] = { answer_sources, 10 },
};

bool
query_answer(const struct query_setup *with, const uint8_t *bytes, size_t len, struct buf *out)
{
	struct answer a = { .with = with };
	Agentbus__V1__Response head = AGENTBUS__V1__RESPONSE__INIT;
	Agentbus__V1__Request *request = agentbus__v1__request__unpack(NULL, len, bytes);
	unsigned field = 0;

	if (!request)
		a.error = "the request is no agentbus.v1.Request";
	else if (request->request_case == AGENTBUS__V1__REQUEST__REQUEST__NOT_SET)
		a.error = "the request asks for nothing that this version knows";
	else
		field = answers[request->request_case].field;
	if (field != 0)
		answers[request->request_case].fill(&a, request);
	head.boot_id = (char *)with->publisher->boot_id;
	head.seq = with->publisher->seq;
	head.version = (char *)AGENTBUS_VERSION;
	if (a.error)
		head.error = (char *)a.error;
	put_message(out, &head.base, &a.failed);
	if (field != 0 && !a.error)
		put_embedded(out, field, a.body.bytes, a.body.len, &a.failed);
	if (request)
		agentbus__v1__request__free_unpacked(request, NULL);
	buf_finish(&a.body);
	buf_finish(&a.item);
	return !a.failed;
}

/* Turns a request's message into its answer. False without memory. */
static bool
answer_in_place(struct query *q, nng_msg *msg)
{
	struct buf out = { 0 };
	const bool ok = query_answer(&q->with, nng_msg_body(msg), nng_msg_len(msg), &out);

	nng_msg_clear(msg);
	const bool sent = ok && nng_msg_append(msg, out.bytes, out.len) == 0;
	buf_finish(&out);
	return sent;
}

static void
query_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct query *q = w->data;
	nng_msg *msg;

	(void)loop;
	(void)revents;
	q->with.settle(q->with.ctx);
	/* One that cannot be answered, or whose asker does not take the answer, is dropped: the asker asks again. */
	while (nng_recvmsg(q->bus.socket, &msg, NNG_FLAG_NONBLOCK) == 0)
		if (!answer_in_place(q, msg) || nng_sendmsg(q->bus.socket, msg, NNG_FLAG_NONBLOCK) != 0)
			nng_msg_free(msg);
}

bool
query_open(struct query *q, struct ev_loop *loop, const char *url, const struct query_setup *setup, const struct log *log)
{
	int fd = -1;

	*q = (struct query){ .loop = loop, .with = *setup };
	int error = nng_rep0_open(&q->bus.socket);
	if (error == 0)
		error = nng_socket_get_int(q->bus.socket, NNG_OPT_RECVFD, &fd);
	if (error != 0)
		log_error(log, "cannot open the query socket: %s", nng_strerror(error));
	if (error != 0 || !bus_socket_listen(&q->bus, url, QUERY_MESSAGE_MAX, log)) {
		nng_close(q->bus.socket);
		return false;
	}
	ev_io_init(&q->readable, query_readable, fd, EV_READ);
	q->readable.data = q;
	ev_io_start(loop, &q->readable);
	return true;
}

void
query_close(struct query *q)
{
	ev_io_stop(q->loop, &q->readable);
	bus_socket_finish(&q->bus);
	nng_close(q->bus.socket);
}
