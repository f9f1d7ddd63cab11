/*
 * A broker that misbehaves on request: real nng sockets, no state machine, and every way to lose something.
 *
 * Events and answers are exactly those of agentbus.v1. It answers queries on a thread of its own; all calls are safe beside
 * it. An event is: session `id` of `provider` is now in `state`.
 */
#ifndef TEST_FAKE_BROKER_H
#define TEST_FAKE_BROKER_H

#include "agentbus/v1/agentbus.pb-c.h"

#include <criterion/criterion.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_EVENTS_MAX   200000
#define FAKE_SESSIONS_MAX 4096

enum fake_mood {
	FAKE_WELL,
	FAKE_MUTE,     /* takes queries and never answers */
	FAKE_GARBLED,  /* answers with bytes that are no Response */
	FAKE_REFUSING, /* answers with an error */
	FAKE_OLD       /* knows none of the younger questions */
};

struct fake_event {
	const char *provider; /* static */
	char id[24];
	Agentbus__V1__State state;
};

struct fake_broker {
	nng_socket events, queries;
	char boot_id[64];
	pthread_t thread;
	pthread_mutex_t lock;
	struct fake_event *journal;      /* seq n is journal[n - 1] */
	uint64_t seq, forgotten, hidden; /* hidden: one event that the journal hands out without its session */
	size_t replay_max;               /* events in one answer */
	struct fake_event sessions[FAKE_SESSIONS_MAX];
	size_t session_count;
	enum fake_mood mood;
	unsigned snapshots, replays, positions; /* questions so far */
};

/* An event as protobuf, with all that it points to. */
struct fake_pb {
	Agentbus__V1__Event event;
	Agentbus__V1__Session session;
	Agentbus__V1__StateChange change;
};

static inline void
fake_fill_session(const struct fake_event *e, Agentbus__V1__Session *pb)
{
	agentbus__v1__session__init(pb);
	pb->id = (char *)(uintptr_t)e->id;
	pb->provider = (char *)(uintptr_t)e->provider;
	pb->state = e->state;
}

static inline void
fake_fill(struct fake_broker *f, uint64_t seq, struct fake_pb *pb)
{
	agentbus__v1__event__init(&pb->event);
	agentbus__v1__state_change__init(&pb->change);
	fake_fill_session(&f->journal[seq - 1], &pb->session);
	pb->change.to = pb->session.state;
	pb->event.seq = seq;
	pb->event.boot_id = f->boot_id;
	pb->event.kind = AGENTBUS__V1__EVENT_KIND__EVENT_KIND_STATE_CHANGED;
	pb->event.session = f->hidden == seq ? NULL : &pb->session;
	pb->event.details_case = AGENTBUS__V1__EVENT__DETAILS_STATE_CHANGE;
	pb->event.state_change = &pb->change;
}

static inline void
fake_answer_snapshot(struct fake_broker *f, Agentbus__V1__Response *r)
{
	static Agentbus__V1__Session sessions[FAKE_SESSIONS_MAX];
	static Agentbus__V1__Session *pointers[FAKE_SESSIONS_MAX];
	static Agentbus__V1__Snapshot snapshot;

	agentbus__v1__snapshot__init(&snapshot);
	for (size_t i = 0; i < f->session_count; i++) {
		fake_fill_session(&f->sessions[i], &sessions[i]);
		pointers[i] = &sessions[i];
	}
	snapshot.n_sessions = f->session_count;
	snapshot.sessions = pointers;
	r->response_case = AGENTBUS__V1__RESPONSE__RESPONSE_SNAPSHOT;
	r->snapshot = &snapshot;
	f->snapshots++;
}

static inline void
fake_answer_replay(struct fake_broker *f, uint64_t after, Agentbus__V1__Response *r)
{
	enum { MOST = 4096 };
	static struct fake_pb pbs[MOST];
	static Agentbus__V1__Event *pointers[MOST];
	static Agentbus__V1__Replay replay;
	size_t max = f->replay_max && f->replay_max < MOST ? f->replay_max : MOST;

	agentbus__v1__replay__init(&replay);
	replay.lost_up_to_seq = f->forgotten;
	if (after < f->forgotten)
		after = f->forgotten;
	size_t n = 0;
	for (; n < max && after + n < f->seq; n++) {
		fake_fill(f, after + n + 1, &pbs[n]);
		pointers[n] = &pbs[n].event;
	}
	replay.n_events = n;
	replay.events = pointers;
	replay.more = after + n < f->seq;
	r->response_case = AGENTBUS__V1__RESPONSE__RESPONSE_REPLAY;
	r->replay = &replay;
	f->replays++;
}

static inline void
fake_send_response(struct fake_broker *f, const Agentbus__V1__Response *r)
{
	nng_msg *msg;

	cr_assert_eq(nng_msg_alloc(&msg, agentbus__v1__response__get_packed_size(r)), 0);
	agentbus__v1__response__pack(r, nng_msg_body(msg));
	if (nng_sendmsg(f->queries, msg, 0) != 0)
		nng_msg_free(msg);
}

struct fake_usage {
	Agentbus__V1__Usage usage;
	Agentbus__V1__UsageRow row, *rows[1];
	Agentbus__V1__Cost cost;
	Agentbus__V1__Budget budget, *budgets[1];
	char key[64];
};

/* One row, which says what was asked for, and one budget. */
static inline void
fake_answer_usage(const Agentbus__V1__UsageRequest *q, struct fake_usage *f, Agentbus__V1__Response *r)
{
	agentbus__v1__usage__init(&f->usage);
	agentbus__v1__usage_row__init(&f->row);
	agentbus__v1__cost__init(&f->cost);
	agentbus__v1__budget__init(&f->budget);
	snprintf(f->key, sizeof(f->key), "%s to %s by %d", q->since, q->until, (int)q->group);
	f->cost.reported = 5;
	f->cost.unreported = 2;
	f->row.key = f->key;
	f->row.requests = 3;
	f->row.cost = &f->cost;
	f->rows[0] = f->usage.total = &f->row;
	f->budget.period = (char *)(uintptr_t) "month";
	f->budget.spent = 7;
	f->budgets[0] = &f->budget;
	f->usage.n_rows = f->usage.n_budgets = 1;
	f->usage.rows = f->rows;
	f->usage.budgets = f->budgets;
	f->usage.left_out = 9;
	r->response_case = AGENTBUS__V1__RESPONSE__RESPONSE_USAGE;
	r->usage = &f->usage;
}

static inline void
fake_answer_ack(const struct fake_broker *f, const Agentbus__V1__AckRequest *q, Agentbus__V1__Ack *answer,
		Agentbus__V1__Response *r)
{
	agentbus__v1__ack__init(answer);
	for (size_t i = 0; i < f->session_count; i++) {
		const struct fake_event *e = &f->sessions[i];

		if (strcmp(e->id, q->session_id) != 0 || strcmp(e->provider, q->provider) != 0)
			continue;
		answer->found = true;
		answer->acknowledged = e->state == AGENTBUS__V1__STATE__STATE_COMPLETED;
		answer->state = e->state;
	}
	r->response_case = AGENTBUS__V1__RESPONSE__RESPONSE_ACK;
	r->ack = answer;
}

static inline void
fake_answer(struct fake_broker *f, const Agentbus__V1__Request *q)
{
	Agentbus__V1__Response r = AGENTBUS__V1__RESPONSE__INIT;
	struct fake_usage answer;
	Agentbus__V1__Ack ack;

	r.boot_id = f->boot_id;
	r.seq = f->seq;
	if (q->request_case == AGENTBUS__V1__REQUEST__REQUEST_SNAPSHOT)
		fake_answer_snapshot(f, &r);
	else if (q->request_case == AGENTBUS__V1__REQUEST__REQUEST_REPLAY)
		fake_answer_replay(f, q->replay->after_seq, &r);
	else if (q->request_case == AGENTBUS__V1__REQUEST__REQUEST_USAGE)
		fake_answer_usage(q->usage, &answer, &r);
	else if (q->request_case == AGENTBUS__V1__REQUEST__REQUEST_ACK && f->mood != FAKE_OLD)
		fake_answer_ack(f, q->ack, &ack, &r);
	else
		f->positions++;
	if (f->mood == FAKE_REFUSING || f->mood == FAKE_OLD)
		r.error = (char *)(uintptr_t) "no";
	if (f->mood == FAKE_GARBLED)
		nng_send(f->queries, (void *)(uintptr_t) "\xff\xff\xff", 3, 0);
	else if (f->mood != FAKE_MUTE)
		fake_send_response(f, &r);
}

static inline void *
fake_serve(void *arg)
{
	struct fake_broker *f = arg;
	nng_msg *msg;

	while (nng_recvmsg(f->queries, &msg, 0) == 0) {
		Agentbus__V1__Request *q = agentbus__v1__request__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
		cr_assert_not_null(q, "the library sends what is no Request");
		pthread_mutex_lock(&f->lock);
		fake_answer(f, q);
		pthread_mutex_unlock(&f->lock);
		agentbus__v1__request__free_unpacked(q, NULL);
		nng_msg_free(msg);
	}
	return NULL;
}

/* A broker that has no sockets yet. */
static inline struct fake_broker *
fake_create(const char *boot_id)
{
	struct fake_broker *f = calloc(1, sizeof(*f));

	cr_assert_not_null(f);
	f->journal = calloc(FAKE_EVENTS_MAX, sizeof(*f->journal));
	cr_assert_not_null(f->journal);
	snprintf(f->boot_id, sizeof(f->boot_id), "%s", boot_id);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static inline void
fake_listen(struct fake_broker *f, const char *dir)
{
	char url[128];

	cr_assert_eq(nng_pub0_open(&f->events), 0);
	cr_assert_eq(nng_rep0_open(&f->queries), 0);
	cr_assert_eq(nng_socket_set_int(f->events, NNG_OPT_SENDBUF, 8192), 0);
	snprintf(url, sizeof(url), "ipc://%s/events", dir);
	cr_assert_eq(nng_listen(f->events, url, NULL, 0), 0);
	snprintf(url, sizeof(url), "ipc://%s/query", dir);
	cr_assert_eq(nng_listen(f->queries, url, NULL, 0), 0);
	cr_assert_eq(pthread_create(&f->thread, NULL, fake_serve, f), 0);
}

static inline struct fake_broker *
fake_start(const char *dir, const char *boot_id)
{
	struct fake_broker *f = fake_create(boot_id);

	fake_listen(f, dir);
	return f;
}

static inline void
fake_stop(struct fake_broker *f)
{
	nng_close(f->events);
	nng_close(f->queries);
	pthread_join(f->thread, NULL);
	pthread_mutex_destroy(&f->lock);
	free(f->journal);
	free(f);
}

static inline struct fake_event *
fake_session(struct fake_broker *f, const char *provider, const char *id)
{
	for (size_t i = 0; i < f->session_count; i++) {
		if (strcmp(f->sessions[i].id, id) == 0 && strcmp(f->sessions[i].provider, provider) == 0)
			return &f->sessions[i];
	}
	cr_assert_lt(f->session_count, FAKE_SESSIONS_MAX);
	return &f->sessions[f->session_count++];
}

static inline void
fake_record(struct fake_broker *f, const char *provider, const char *id, Agentbus__V1__State state)
{
	struct fake_event e = { .provider = provider, .state = state };

	snprintf(e.id, sizeof(e.id), "%s", id);
	cr_assert_lt(f->seq, FAKE_EVENTS_MAX);
	f->journal[f->seq++] = e;
	*fake_session(f, provider, id) = e;
}

static inline void
fake_send_raw(struct fake_broker *f, const void *data, size_t len)
{
	cr_assert_eq(nng_send(f->events, (void *)(uintptr_t)data, len, 0), 0);
}

/* Sends the journal's events first .. last as one message. */
static inline void
fake_send(struct fake_broker *f, uint64_t first, uint64_t last)
{
	enum { MOST = 64 };
	struct fake_pb pbs[MOST];
	Agentbus__V1__Event *pointers[MOST];
	Agentbus__V1__EventBatch batch = AGENTBUS__V1__EVENT_BATCH__INIT;
	uint8_t data[16384];

	pthread_mutex_lock(&f->lock);
	for (uint64_t seq = first; seq <= last; seq++) {
		cr_assert_lt(batch.n_events, MOST);
		fake_fill(f, seq, &pbs[batch.n_events]);
		pointers[batch.n_events] = &pbs[batch.n_events].event;
		batch.n_events++;
	}
	batch.events = pointers;
	const struct fake_event *e = &f->journal[first - 1];
	size_t topic = (size_t)snprintf((char *)data, sizeof(data), "v1/%s/%s", e->provider, e->id) + 1;
	cr_assert_lt(topic + agentbus__v1__event_batch__get_packed_size(&batch), sizeof(data));
	size_t len = topic + agentbus__v1__event_batch__pack(&batch, data + topic);
	pthread_mutex_unlock(&f->lock);
	fake_send_raw(f, data, len);
}

/* An event that no subscriber is sent: what nng drops. */
static inline uint64_t
fake_drop(struct fake_broker *f, const char *provider, const char *id, Agentbus__V1__State state)
{
	pthread_mutex_lock(&f->lock);
	fake_record(f, provider, id, state);
	uint64_t seq = f->seq;
	pthread_mutex_unlock(&f->lock);
	return seq;
}

static inline uint64_t
fake_publish(struct fake_broker *f, const char *provider, const char *id, Agentbus__V1__State state)
{
	uint64_t seq = fake_drop(f, provider, id, state);

	fake_send(f, seq, seq);
	return seq;
}

/* The journal loses all up to and including seq. */
static inline void
fake_forget(struct fake_broker *f, uint64_t seq)
{
	pthread_mutex_lock(&f->lock);
	f->forgotten = seq;
	pthread_mutex_unlock(&f->lock);
}

/* The broker evicts a session, without an event. */
static inline void
fake_evict(struct fake_broker *f, const char *provider, const char *id)
{
	pthread_mutex_lock(&f->lock);
	struct fake_event *e = fake_session(f, provider, id);
	*e = f->sessions[--f->session_count];
	pthread_mutex_unlock(&f->lock);
}

static inline void
fake_set_mood(struct fake_broker *f, enum fake_mood mood)
{
	pthread_mutex_lock(&f->lock);
	f->mood = mood;
	pthread_mutex_unlock(&f->lock);
}

static inline unsigned
fake_count(struct fake_broker *f, const unsigned *counter)
{
	pthread_mutex_lock(&f->lock);
	unsigned n = *counter;
	pthread_mutex_unlock(&f->lock);
	return n;
}

#endif
