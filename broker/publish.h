/*
 * The bus's outgoing side: events of the sessions, numbered, kept in the journal and sent to every subscriber.
 *
 * Two steps, for two costs. publish_flush() ends a request: its events get their numbers and are in the journal, one message
 * per session. publish_send() ends a turn of the loop: each message wakes threads of nng, and does so cheaper in a row than
 * between two requests. Nothing blocks: a subscriber that does not keep up loses messages, sees the hole in the numbers, and
 * asks for them again.
 */
#ifndef AGENTBUS_PUBLISH_H
#define AGENTBUS_PUBLISH_H

#include "batch.h"
#include "bus_socket.h"
#include "journal.h"
#include "log.h"
#include "session.h"

#include <nng/nng.h>

#define PUBLISH_SESSIONS_MAX 64          /* sessions with events held at the same time; then all are flushed */
#define PUBLISH_QUEUE_MAX    64          /* messages waiting for publish_send(); then all are sent */
#define PUBLISH_BYTES_MAX    (512 << 10) /* bytes of events held; then all are flushed */
#define PUBLISH_UNSENT_MAX   (4 << 20)   /* bytes of messages waiting for publish_send(); then all are sent */

/* Where events are that the journal no longer holds. */
struct publish_archive {
	/*
	 * Appends events after `after_seq`, framed as field 1 of a message, at most `limit` bytes but at least one event.
	 * *ret_last is the last one's seq (after_seq: none), *ret_oldest that of the oldest there is (0: none). False:
	 * unreadable.
	 */
	bool (*read)(void *ctx, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last, uint64_t *ret_oldest);
	void *ctx;
};

struct publisher {
	struct event_sink sink; /* for sessions_create() */
	struct bus_socket bus;
	struct journal *journal;
	const struct log *log;
	/*
	 * Called before messages are sent in the middle of a turn of the loop: false drops them instead. NULL: they are sent.
	 */
	bool (*secure)(void *ctx);
	void *secure_ctx;
	struct publish_archive archive; /* read is NULL without one */
	char boot_id[33];               /* 128 random bits in hex: which counter numbers the events */
	uint64_t seq;                   /* of the newest event; 0 before the first */
	uint64_t sent_ms;               /* when something was sent last, by nng's clock; 0 if never */
	struct batch batches[PUBLISH_SESSIONS_MAX];
	size_t open, held;                 /* batches in use, bytes in them */
	nng_msg *queue[PUBLISH_QUEUE_MAX]; /* flushed, not sent */
	size_t queued, queued_bytes;
	nng_aio *sending; /* of one message after the other */
};

/* Listens on url. False after logging why not. The journal must outlive it. */
bool publish_open(struct publisher *p, const char *url, struct journal *journal, const struct log *log);

/* Goes on with a counter of an earlier run: the next event is seq + 1 of boot_id. Only before the first event. */
void publish_resume(struct publisher *p, const char *boot_id, uint64_t seq);

/* Forgets what is held and what was flushed but not sent, and sets the counter back to seq, here and in the journal. */
void publish_rewind(struct publisher *p, uint64_t seq);

/* Numbers what is held and keeps it in the journal. */
void publish_flush(struct publisher *p);

/* Gives to nng what was flushed since the last time. */
void publish_send(struct publisher *p);

/* Closes the socket, after a moment in which subscribers can take what was sent last; at most 0.2 s. */
void publish_close(struct publisher *p);

#endif
