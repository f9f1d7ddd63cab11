/*
 * The enricher behind enricher.h: one request on its way through, and what is remembered between requests. For enricher*.c only.
 */
#ifndef AGENTBUS_ENRICHER_PASSAGE_H
#define AGENTBUS_ENRICHER_PASSAGE_H

#include "call.h"
#include "enricher.h"
#include "outline.h"

#define SPEAKERS_MAX 256
#define UNTRACED_NS  (3 * 1000000000ull)  /* a call whose CLI shows no sign of exporting traces is a span after so long … */
#define TRACED_NS    (15 * 1000000000ull) /* … and one with such signs: the slowest exporters take ten seconds */

/* Whose records a connection carried last: those of its records that tell no session are likely that one's. */
struct speaker {
	uint64_t peer;
	const struct provider *provider;
	char session[SESSION_ID_MAX];
};

struct enricher {
	struct enricher_setup with;
	const struct price_table *prices;
	struct outline *outline;
	struct calls *calls;
	struct held held;
	uint64_t names_kept; /* outline_changes() when it was stored */
	struct wants news;   /* what has arrived since the last enricher_settle() */
	struct speaker speakers[SPEAKERS_MAX];
	struct arena arena; /* of enricher_settle() */
};

/* One request on its way through. */
struct passage {
	struct enricher *e;
	uint64_t peer, now_ns;
	bool last;    /* nothing waits any more */
	bool refused; /* whoever takes it had no memory */
	struct arena *arena;
	struct wants wants; /* what spans wait for that are not complete */
};

/* One record or span, as it was before its content was dropped. */
struct note {
	const struct resource_view *resource;
	const struct provider *provider;
	struct observation o;
	struct str version; /* of the service */
	enum span_kind kind;
	bool waits; /* a span that is not complete */
	OtlpLogRecord *record;
	OtlpSpan *span;
};

struct notes {
	struct note *list;
	size_t count;
};

/* What joins a trace's records and spans; those of sessions (call_session_hash()) are odd. */
uint64_t passage_trace_hash(const uint8_t id[16]);

/*
 * Whose it is: it says so itself, or by its trace; else, where it is to be guessed, whose records came over the same connection,
 * or its process stands for a session. Sets its session id unless nobody knows; returns the session, NULL if there is none of
 * that id.
 */
const struct session *passage_session(struct passage *t, struct note *n, bool guess);

/* Reads a resource, and the version of its service. NULL without memory. */
const struct resource_view *passage_resource(const struct passage *t, const Opentelemetry__Proto__Resource__V1__Resource *r,
					     struct str *ret_version);

/* Room for so many notes; false without memory. */
bool passage_reserve(struct passage *t, struct notes *n, size_t count);

/*
 * Drops content, unless it is to be kept: from the request, and from what was noted of it before (the class of an error is noted
 * while its text is still whole). notes may be NULL. False without memory.
 */
bool passage_drop_content(const struct passage *t, struct otlp_request *req, struct notes *notes);

/* Hands a request on, if anybody takes its signal. False without memory. */
bool passage_deliver(struct passage *t, const struct otlp_request *req);

/* Each takes a request of its signal the whole way. False without memory. */
bool passage_logs(struct passage *t, struct otlp_request *req);
bool passage_traces(struct passage *t, struct otlp_request *req);

/* Lets spans wait until due_ns. NULL if there is no place for more, or none for the tree that they will be again. */
struct held_item *passage_hold(struct passage *t, const struct otlp_request *req, uint64_t due_ns);

/* A span that was made of a call goes now, unless its session has shown spans of its own. False without memory. */
bool passage_made(struct passage *t, const struct held_item *item);

/* Tries again what waits: complete or not, at its time it goes. *ret_stays: nothing of it was complete. False without memory. */
bool passage_retry(struct passage *t, const struct held_item *item, bool *ret_stays);

#endif
