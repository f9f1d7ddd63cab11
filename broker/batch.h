/*
 * What one request did to one session: its events, packed, until they get their places in the order. Pure.
 */
#ifndef AGENTBUS_BATCH_H
#define AGENTBUS_BATCH_H

#include "buf.h"
#include "journal.h"
#include "session.h"

/* "v1/", provider, "/", id, NUL. */
#define BATCH_TOPIC_MAX (3 + 32 + 1 + SESSION_ID_MAX)

struct batch {
	const struct session *session; /* to recognise it; not looked into later */
	const char *provider;
	char topic[BATCH_TOPIC_MAX];
	char *id;          /* within the topic */
	struct buf events; /* each with its length before it */
	size_t count;
};

/* Makes an unused batch (zeroed, or cleared) the one of a session. */
void batch_open(struct batch *b, const struct session *s);

/* Whether it is this session's: the address alone could have been used again since. */
bool batch_is_for(const struct batch *b, const struct session *s);

/* Adds an event. False without memory. */
bool batch_add(struct batch *b, const struct event *e, const char *boot_id);

/* The size of the message that batch_write() writes. */
size_t batch_size(const struct batch *b, uint64_t first_seq);

/* Writes topic, NUL and EventBatch, its events numbered from first_seq on, and keeps each event in the journal. */
void batch_write(const struct batch *b, uint64_t first_seq, uint8_t *out, struct journal *j);

/* Empties it for another session; keeps a little memory. */
void batch_clear(struct batch *b);
void batch_finish(struct batch *b);

#endif
