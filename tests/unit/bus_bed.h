/* A publisher with a journal and sessions in a directory of its own, and a subscriber. For test_publish.c and test_query.c. */
#ifndef AGENTBUS_TEST_BUS_BED_H
#define AGENTBUS_TEST_BUS_BED_H

#include "agentbus/v1/agentbus.pb-c.h"
#include "bus_wire.h"
#include "publish.h"

#include <criterion/criterion.h>
#include <nng/protocol/pubsub0/sub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct log quiet = { .level = LEVEL_ERROR };

/* A publisher on a socket of its own, and a subscriber to everything that is connected. */
struct bus {
	char dir[64], url[128];
	struct journal journal;
	struct publisher publisher;
	struct sessions *sessions;
	nng_socket subscriber;
};

static inline struct session
make_session(const char *id)
{
	struct session s = { .provider = "codex", .state = SESSION_WORKING, .evidence = EVIDENCE_SHOWN, .reason = "prompt" };

	snprintf(s.id, sizeof(s.id), "%s", id);
	return s;
}

static inline void
emit(struct bus *b, const struct session *s, enum event_kind kind)
{
	b->publisher.sink.emit(
	    &b->publisher.sink,
	    &(struct event){ .kind = kind, .evidence = EVIDENCE_SHOWN, .reason = "prompt", .session = s, .from = SESSION_IDLE });
}

/* What a request and a turn of the loop do. */
static inline void
publish(struct bus *b)
{
	publish_flush(&b->publisher);
	publish_send(&b->publisher);
}

static inline void
open_bus(struct bus *b, size_t journal_size)
{
	const struct session_settings settings = session_settings_default();

	*b = (struct bus){ .dir = "/tmp/agentbus-test-XXXXXX" };
	cr_assert_not_null(mkdtemp(b->dir));
	snprintf(b->url, sizeof(b->url), "ipc://%s/events", b->dir);
	cr_assert(journal_init(&b->journal, journal_size));
	cr_assert(publish_open(&b->publisher, b->url, &b->journal, &quiet));
	b->sessions = sessions_create(&settings, &b->publisher.sink);
	cr_assert_not_null(b->sessions);
}

static inline void
subscribe(struct bus *b)
{
	const struct session probe = make_session("probe");
	nng_msg *msg;

	cr_assert_eq(nng_sub0_open(&b->subscriber), 0);
	cr_assert_eq(nng_socket_set(b->subscriber, NNG_OPT_SUB_SUBSCRIBE, "v1/", 3), 0);
	cr_assert_eq(nng_dial(b->subscriber, b->url, NULL, 0), 0);
	/* Dialled is not yet known to the publisher: what arrives is the proof. */
	nng_socket_set_ms(b->subscriber, NNG_OPT_RECVTIMEO, 20);
	for (int tries = 0; tries < 200; tries++) {
		emit(b, &probe, EVENT_STATE_CHANGED);
		publish(b);
		if (nng_recvmsg(b->subscriber, &msg, 0) == 0) {
			nng_msg_free(msg);
			break;
		}
	}
	while (nng_recvmsg(b->subscriber, &msg, 0) == 0)
		nng_msg_free(msg);
	nng_socket_set_ms(b->subscriber, NNG_OPT_RECVTIMEO, 5000);
}

static inline void
close_bus(struct bus *b)
{
	char path[128];

	if (b->subscriber.id != 0)
		nng_close(b->subscriber);
	publish_close(&b->publisher);
	sessions_destroy(b->sessions);
	journal_finish(&b->journal);
	snprintf(path, sizeof(path), "%s/events", b->dir);
	unlink(path);
	rmdir(b->dir);
}

#endif
