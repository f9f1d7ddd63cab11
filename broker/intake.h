/*
 * The way in: one export request, whatever carried it, from bytes to published events. Besides it only time and lost
 * connections move sessions, and they come through here too, so that whatever happened is numbered and kept at once.
 */
#ifndef AGENTBUS_INTAKE_H
#define AGENTBUS_INTAKE_H

#include "arena.h"
#include "clock.h"
#include "enricher.h"
#include "hook.h"
#include "limit.h"
#include "otlp.h"
#include "publish.h"
#include "session.h"

struct intake {
	const struct clock *clock;
	struct sessions *sessions;
	struct publisher *publisher;
	const struct limits *limits;
	enum verdict closed;       /* not OK: nothing is taken at present, and this is why */
	bool deferred;             /* what is taken is not safe yet: answers of VERDICT_OK wait until it is stored */
	size_t held;               /* bytes of bodies under way */
	struct enricher *enricher; /* passes it on to others; NULL: nobody does */
	struct arena arena;
};

/* One request's body as it came. */
struct intake_body {
	const uint8_t *bytes;
	size_t len;
	enum otlp_encoding encoding;
	bool compressed;   /* gzip or zlib */
	bool signal_known; /* else the body must tell */
	enum otlp_signal signal;
	uint64_t peer;  /* the connection */
	bool passed_on; /* by another broker: not passed on again, which could go round for ever */
};

void intake_init(struct intake *in, const struct clock *clock, struct sessions *sessions, struct publisher *publisher,
		 const struct limits *limits);
void intake_finish(struct intake *in);

/* Accounts for len more bytes of a body under way; false if all bodies together would be too much. */
bool intake_hold(struct intake *in, size_t len);
void intake_release(struct intake *in, size_t len);

/*
 * Takes a request. When this returns VERDICT_OK its events are in the journal, and if in->deferred is set the answer must wait
 * for the store; else nothing has changed.
 */
enum verdict intake_take(struct intake *in, const struct intake_body *body);

/*
 * Takes what a hook was told: the payload of a CLI of this provider, or with NULL a message of the hooks' command. As
 * intake_take(), but nothing of it is passed on.
 */
enum verdict intake_take_hook(struct intake *in, const struct provider *p, const char *text, size_t len);

/* Takes what is told in another way than by a hook. VERDICT_OK, or why nothing is taken at present. */
enum verdict intake_take_told(struct intake *in, const struct observation *o);

/* A connection is gone from the other side, after so many requests. */
void intake_peer_closed(struct intake *in, uint64_t peer, unsigned requests);

/* Lets timers of sessions that are due run out. */
void intake_tick(struct intake *in);

#endif
