/*
 * Any bytes as a request on the query socket, of a broker with some sessions and a journal that has lost its oldest events.
 * Every answer is a Response that says where the broker is, and a replay has no hole.
 */
#include "agentbus/v1/agentbus.pb-c.h"
#include "query.h"
#include "require.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 6
#define NOW      UINT64_C(1700000000000000000)
#define SECOND   UINT64_C(1000000000)

struct bus {
	struct event_sink sink;
	struct journal journal;
	struct publisher publisher;
	struct sessions *sessions;
};

/* What publish.c does with an event, without a socket. */
static void
keep(struct event_sink *sink, const struct event *e)
{
	struct bus *bus = (struct bus *)sink;
	struct batch b = { 0 };
	uint8_t *message;

	batch_open(&b, e->session);
	require(batch_add(&b, e, bus->publisher.boot_id));
	message = malloc(batch_size(&b, bus->publisher.seq + 1));
	require(message);
	batch_write(&b, ++bus->publisher.seq, message, &bus->journal);
	free(message);
	batch_finish(&b);
}

static void
fill(struct bus *bus)
{
	static const enum meaning meanings[] = {
		MEANS_PROMPT, MEANS_CALL, MEANS_RESPONSE, MEANS_TOOL, MEANS_ERROR, MEANS_TURN_END
	};
	const struct session_settings settings = session_settings_default();
	char id[16];

	*bus = (struct bus){ .sink.emit = keep, .publisher = { .boot_id = "0123456789abcdef0123456789abcdef" } };
	require(journal_init(&bus->journal, 4096));
	bus->publisher.journal = &bus->journal;
	bus->sessions = sessions_create(&settings, &bus->sink);
	require(bus->sessions);
	for (unsigned i = 0; i < SESSIONS * sizeof(meanings) / sizeof(meanings[0]); i++) {
		snprintf(id, sizeof(id), "session-%u", i % SESSIONS);
		sessions_observe(bus->sessions,
				 &(struct observation){ .means = meanings[i / SESSIONS],
							.flags = OBS_COUNTED,
							.provider = i % 2 ? "codex" : "claude-code",
							.session = str_from(id),
							.model = STR("some-model"),
							.time_ns = NOW + i * SECOND,
							.tokens = { .input = i, .output = 2 * i } },
				 NOW + i * SECOND);
	}
	require(bus->publisher.seq > 0 && journal_oldest(&bus->journal) > 1);
	require(journal_oldest(&bus->journal) < bus->publisher.seq);
}

static void
check_replay(const struct bus *bus, const Agentbus__V1__Replay *r)
{
	for (size_t i = 0; i < r->n_events; i++) {
		require(r->events[i]->seq > r->lost_up_to_seq && r->events[i]->seq <= bus->publisher.seq);
		require(i == 0 || r->events[i]->seq == r->events[i - 1]->seq + 1);
		require(r->events[i]->session && *r->events[i]->session->id);
	}
	require(r->n_events == 0 || r->more == (r->events[r->n_events - 1]->seq < bus->publisher.seq));
}

static void
check_answer(const struct bus *bus, const struct buf *out)
{
	Agentbus__V1__Response *r = agentbus__v1__response__unpack(NULL, out->len, out->bytes);

	require(r && strcmp(r->boot_id, bus->publisher.boot_id) == 0 && r->seq == bus->publisher.seq && *r->version);
	require(*r->error == '\0' || r->response_case == AGENTBUS__V1__RESPONSE__RESPONSE__NOT_SET);
	if (r->response_case == AGENTBUS__V1__RESPONSE__RESPONSE_SNAPSHOT)
		require(r->snapshot->n_sessions == SESSIONS);
	if (r->response_case == AGENTBUS__V1__RESPONSE__RESPONSE_REPLAY)
		check_replay(bus, r->replay);
	agentbus__v1__response__free_unpacked(r, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bus bus; /* filled once: answers change nothing */
	struct buf out = { 0 };

	if (!bus.sessions)
		fill(&bus);
	if (size > QUERY_MESSAGE_MAX)
		return 0;
	require(query_answer(bus.sessions, &bus.publisher, &(struct query_forward){ 0 }, data, size, &out));
	check_answer(&bus, &out);
	buf_finish(&out);
	return 0;
}
