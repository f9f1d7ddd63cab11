/*
 * The table of sessions: what agentbus_session_at() and agentbus_session_find() show.
 *
 * Sessions are only added and replaced; they go when a snapshot takes the place of the whole table.
 */
#ifndef AGENTBUS_LIB_SESSIONS_H
#define AGENTBUS_LIB_SESSIONS_H

#include "agentbus.h"

struct sessions_entry;

struct sessions {
	struct sessions_entry **entries;
	size_t count, capacity;
	uint32_t *index; /* open addressing by provider and id: 1 + place in entries, 0 is free; index_size is a power of two */
	size_t index_size;
};

void sessions_init(struct sessions *t);
void sessions_finish(struct sessions *t);

/*
 * Copies s into the table in place of the session of the same provider and id, or adds it. Returns the copy, or NULL
 * without memory; the table is then as before. Pointers to that session from earlier calls are void.
 */
const struct agentbus_session *sessions_put(struct sessions *t, const struct agentbus_session *s);

const struct agentbus_session *sessions_at(const struct sessions *t, size_t i);
const struct agentbus_session *sessions_get(const struct sessions *t, const char *provider, const char *id);

#endif
