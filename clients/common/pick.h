/* Which session a person means. Pure: sessions and words in, a session out. */
#ifndef CLIENTS_COMMON_PICK_H
#define CLIENTS_COMMON_PICK_H

#include "agentbus.h"

#include <stdbool.h>
#include <stddef.h>

enum { PICK_NAMED = 4, PICK_TEXT_SIZE = 512 };

/* What was found: one session, none, or several of which the first are named. */
struct pick {
	const struct agentbus_session *session; /* NULL unless it is one */
	size_t count;
	const struct agentbus_session *named[PICK_NAMED];
};

/*
 * The session of count ones that text means: its id, "provider/id", else the end of its id as `status` prints it, or a beginning
 * (of "provider/id", too). Ended sessions are meant by a part of their id only where no other one is.
 */
struct pick pick_session(const struct agentbus_session *const *sessions, size_t count, const char *text);

/* The first of a panel that wants its person: who waits longest, else who was completed first; NULL if none does. */
const struct agentbus_session *pick_next(const struct agentbus_session *const *sessions, size_t count);

/* A sentence about text that meant none or several, which a terminal can take. out has PICK_TEXT_SIZE bytes. Returns it. */
const char *pick_explain(const struct pick *p, const char *text, char *out);

#endif
