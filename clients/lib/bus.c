#include "agentbus.h"
#include "decode.h"
#include "link.h"
#include "sessions.h"
#include "sync.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX   256         /* of one agentbus_next(), each at most one message */
#define DECODED_MAX (64u << 20) /* bytes of one decoded message */
#define REPLAY_SIZE (1u << 20)  /* bytes of events to ask of the journal at once */
#define TABLE_SPARE 1024        /* sessions beyond twice those of the last snapshot before the next is asked for */
#define REQUEST_MAX 64

/* Events that were received together and are taken one by one. */
struct inbox {
	struct region region;
	Agentbus__V1__Event **events;
	size_t count, taken;
};

struct agentbus {
	struct link *link;
	struct sync sync;
	struct sessions table, aside; /* aside: the snapshot that sync wants adopted later */
	size_t table_max;
	struct inbox live, replay;
	char *topic;
	struct agentbus_event event; /* the one handed out */
	int error;                   /* once below 0, for good */
};

static void
inbox_init(struct inbox *in)
{
	*in = (struct inbox){ 0 };
	region_init(&in->region, DECODED_MAX);
}

static void
inbox_clear(struct inbox *in)
{
	in->events = NULL;
	in->count = in->taken = 0;
	region_reset(&in->region);
}

static bool
inbox_is_empty(const struct inbox *in)
{
	return in->taken == in->count;
}

int
agentbus_open(const struct agentbus_options *options, struct agentbus **ret_bus)
{
	static const struct agentbus_options defaults = { 0 };
	const struct agentbus_options *o = options ? options : &defaults;
	const char *topic = o->topic ? o->topic : "v1/";

	if (!ret_bus || strncmp(topic, "v1/", 3) != 0)
		return AGENTBUS_EINVAL;
	struct agentbus *bus = calloc(1, sizeof(*bus));
	if (!bus)
		return AGENTBUS_ENOMEM;

	int e = AGENTBUS_EINVAL;
	if (!sync_init(&bus->sync, o->after_boot_id, o->after_seq))
		goto out;
	e = AGENTBUS_ENOMEM;
	bus->topic = strdup(topic);
	if (!bus->topic)
		goto out;
	e = link_create(o->runtime_dir, &bus->link);
	if (e < 0)
		goto out;
	inbox_init(&bus->live);
	inbox_init(&bus->replay);
	sessions_init(&bus->table);
	sessions_init(&bus->aside);
	bus->table_max = TABLE_SPARE;
	*ret_bus = bus;
	return AGENTBUS_OK;
out:
	free(bus->topic);
	free(bus);
	return e;
}

void
agentbus_close(struct agentbus *bus)
{
	if (!bus)
		return;
	link_destroy(bus->link);
	region_finish(&bus->live.region);
	region_finish(&bus->replay.region);
	sessions_finish(&bus->table);
	sessions_finish(&bus->aside);
	free(bus->topic);
	free(bus);
}

int
agentbus_fd(const struct agentbus *bus)
{
	return bus->link->epoll;
}

bool
agentbus_connected(const struct agentbus *bus)
{
	return bus->sync.connected;
}

uint64_t
agentbus_seq(const struct agentbus *bus)
{
	return bus->sync.seq;
}

const char *
agentbus_boot_id(const struct agentbus *bus)
{
	return bus->sync.boot_id;
}

size_t
agentbus_session_count(const struct agentbus *bus)
{
	return bus->table.count;
}

const struct agentbus_session *
agentbus_session_at(const struct agentbus *bus, size_t i)
{
	return sessions_at(&bus->table, i);
}

const struct agentbus_session *
agentbus_session_find(const struct agentbus *bus, const char *provider, const char *id)
{
	return provider && id ? sessions_get(&bus->table, provider, id) : NULL;
}

/* Whether the topic of a session begins with the one asked for. */
static bool
topic_matches(const char *topic, const struct agentbus_session *s)
{
	const char *parts[] = { "v1/", s->provider, "/", s->id };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *p = parts[i]; *p; p++, topic++) {
			if (!*topic)
				return true;
			if (*topic != *p)
				return false;
		}
	}
	return !*topic;
}

static void
tell(struct agentbus *bus)
{
	const struct sync_note *note = &bus->sync.note;

	bus->event = decode_blank_event(note->kind);
	if (note->kind == AGENTBUS_GAP) {
		bus->event.gap.first_seq = note->first_seq;
		bus->event.gap.last_seq = note->last_seq;
		bus->event.gap.boot_id = note->boot_id;
	}
	sync_told(&bus->sync);
}

static void
adopt(struct agentbus *bus)
{
	sessions_finish(&bus->table);
	bus->table = bus->aside;
	sessions_init(&bus->aside);
	bus->table_max = 2 * bus->table.count + TABLE_SPARE;
	sync_adopted(&bus->sync);
}

static void
ask(struct agentbus *bus)
{
	Agentbus__V1__SnapshotRequest snapshot = AGENTBUS__V1__SNAPSHOT_REQUEST__INIT;
	Agentbus__V1__ReplayRequest replay = AGENTBUS__V1__REPLAY_REQUEST__INIT;
	Agentbus__V1__PositionRequest position = AGENTBUS__V1__POSITION_REQUEST__INIT;
	Agentbus__V1__Request request = AGENTBUS__V1__REQUEST__INIT;
	uint8_t data[REQUEST_MAX];

	switch (bus->sync.query) {
	case SYNC_ASK_SNAPSHOT:
		request.request_case = AGENTBUS__V1__REQUEST__REQUEST_SNAPSHOT;
		request.snapshot = &snapshot;
		break;
	case SYNC_ASK_REPLAY:
		replay.after_seq = bus->sync.seq;
		replay.max_bytes = REPLAY_SIZE;
		request.request_case = AGENTBUS__V1__REQUEST__REQUEST_REPLAY;
		request.replay = &replay;
		break;
	case SYNC_ASK_POSITION:
		request.request_case = AGENTBUS__V1__REQUEST__REQUEST_POSITION;
		request.position = &position;
		break;
	case SYNC_ASK_NOTHING:
		return;
	}
	size_t len = agentbus__v1__request__pack(&request, data);
	sync_asked(&bus->sync, link_ask(bus->link, data, len), link_now());
}

/* Puts a snapshot aside; sessions that make no sense are left out. */
static bool
put_aside(struct agentbus *bus, const Agentbus__V1__Snapshot *snapshot)
{
	struct agentbus_session s;

	sessions_finish(&bus->aside);
	for (size_t i = 0; i < snapshot->n_sessions; i++) {
		if (decode_session(&bus->replay.region, snapshot->sessions[i], &s) && !sessions_put(&bus->aside, &s))
			return false;
	}
	return true;
}

static void
take_snapshot(struct agentbus *bus, const Agentbus__V1__Response *response)
{
	if (response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_SNAPSHOT)
		sync_useless_answer(&bus->sync, link_now());
	else if (!put_aside(bus, response->snapshot))
		bus->error = AGENTBUS_ENOMEM;
	else
		sync_snapshot(&bus->sync, response->boot_id, response->seq, link_now());
	inbox_clear(&bus->replay);
}

static void
take_replay(struct agentbus *bus, const Agentbus__V1__Response *response)
{
	const Agentbus__V1__Replay *replay = response->replay;

	if (response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_REPLAY)
		sync_useless_answer(&bus->sync, link_now());
	else if (sync_replay(&bus->sync, response->boot_id, replay->lost_up_to_seq, replay->more, link_now())) {
		bus->replay.events = replay->events;
		bus->replay.count = replay->n_events;
	}
}

static void
take_answer(struct agentbus *bus)
{
	nng_msg *msg = link_receive_answer(bus->link);
	Agentbus__V1__Response *response;

	if (!msg)
		return;
	if (!bus->sync.asked) {
		/* The question is out of date. */
		nng_msg_free(msg);
		return;
	}
	inbox_clear(&bus->replay);
	if (!decode_response(&bus->replay.region, nng_msg_body(msg), nng_msg_len(msg), &response))
		sync_useless_answer(&bus->sync, link_now());
	else if (bus->sync.query == SYNC_ASK_SNAPSHOT)
		take_snapshot(bus, response);
	else if (bus->sync.query == SYNC_ASK_REPLAY)
		take_replay(bus, response);
	else
		sync_position(&bus->sync, response->boot_id, response->seq, link_now());
	nng_msg_free(msg);
}

/* What does not decode counts as lost; the hole it leaves is noticed like any other. */
static void
take_message(struct agentbus *bus)
{
	nng_msg *msg = link_receive_event(bus->link);
	Agentbus__V1__EventBatch *batch;

	if (!msg)
		return;
	inbox_clear(&bus->live);
	if (decode_batch(&bus->live.region, nng_msg_body(msg), nng_msg_len(msg), &batch)) {
		bus->live.events = batch->events;
		bus->live.count = batch->n_events;
	}
	nng_msg_free(msg);
	sync_activity(&bus->sync, link_now());
}

static bool
wants_messages(const struct agentbus *bus)
{
	return bus->sync.phase == SYNC_LIVE && inbox_is_empty(&bus->live);
}

static void
take_peers(struct agentbus *bus)
{
	bool linked, changed;

	link_peers(bus->link, &linked, &changed);
	if (changed)
		sync_link(&bus->sync, linked, link_now());
}

/* Looks once at everything that may have arrived. Returns whether there is more to do. */
static bool
receive(struct agentbus *bus)
{
	link_want_events(bus->link, wants_messages(bus));
	int found = link_poll(bus->link);
	if (found < 0) {
		bus->error = found;
		return false;
	}
	if (found & LINK_PEERS)
		take_peers(bus);
	if (found & LINK_EVENTS && wants_messages(bus))
		take_message(bus);
	if (found & LINK_ANSWER)
		take_answer(bus);
	return found || sync_live_empty(&bus->sync, link_now());
}

/* Applies an event that is next in line. Returns whether it is one to deliver. */
static bool
apply(struct agentbus *bus)
{
	const struct agentbus_session *s = sessions_put(&bus->table, bus->event.session);

	if (!s) {
		bus->error = AGENTBUS_ENOMEM;
		return false;
	}
	bus->event.session = s;
	if (bus->table.count > bus->table_max)
		sync_refresh(&bus->sync, link_now());
	return topic_matches(bus->topic, s);
}

/* Offers the next event of an inbox that has one. Returns whether there is one to deliver now. */
static bool
take_event(struct agentbus *bus, struct inbox *in)
{
	struct agentbus_session session;

	if (!decode_event(&in->region, in->events[in->taken], &bus->event, &session)) {
		in->taken++;
		return false;
	}
	switch (sync_offer(&bus->sync, bus->event.boot_id, bus->event.seq, link_now())) {
	case SYNC_TAKEN:
		in->taken++;
		return apply(bus);
	case SYNC_DROPPED:
		in->taken++;
		break;
	case SYNC_ENOUGH:
		in->taken = in->count;
		break;
	case SYNC_HELD:
		break;
	}
	return false;
}

/* Makes the descriptor readable if and only if there is, or will be, something to do. */
static void
settle(struct agentbus *bus)
{
	enum sync_action next = sync_next(&bus->sync, link_now());

	if (next != SYNC_WAIT && (next != SYNC_TAKE_LIVE || !inbox_is_empty(&bus->live)))
		link_nudge(bus->link);
	link_want_events(bus->link, wants_messages(bus));
	link_set_timer(bus->link, sync_deadline(&bus->sync));
}

enum step { STEP_IDLE, STEP_DONE, STEP_EVENT };

static enum step
take_replayed(struct agentbus *bus)
{
	if (!inbox_is_empty(&bus->replay))
		return take_event(bus, &bus->replay) ? STEP_EVENT : STEP_DONE;
	sync_replay_end(&bus->sync, link_now());
	return STEP_DONE;
}

static enum step
take_live(struct agentbus *bus)
{
	if (!inbox_is_empty(&bus->live))
		return take_event(bus, &bus->live) ? STEP_EVENT : STEP_DONE;
	return receive(bus) ? STEP_DONE : STEP_IDLE;
}

static enum step
step(struct agentbus *bus)
{
	switch (sync_next(&bus->sync, link_now())) {
	case SYNC_TELL:
		tell(bus);
		return STEP_EVENT;
	case SYNC_ADOPT:
		adopt(bus);
		return STEP_DONE;
	case SYNC_ASK:
		ask(bus);
		return STEP_DONE;
	case SYNC_TAKE_REPLAY:
		return take_replayed(bus);
	case SYNC_TAKE_LIVE:
		return take_live(bus);
	case SYNC_WAIT:
		break;
	}
	return receive(bus) ? STEP_DONE : STEP_IDLE;
}

int
agentbus_next(struct agentbus *bus, const struct agentbus_event **ret_event)
{
	enum step done = STEP_DONE;

	for (int i = 0; i < STEPS_MAX && done == STEP_DONE && bus->error == 0; i++)
		done = step(bus);
	if (bus->error < 0)
		return bus->error;
	settle(bus);
	if (done != STEP_EVENT)
		return 0;
	*ret_event = &bus->event;
	return 1;
}
