/*
 * One language for the telemetry of all CLIs: what a span or log record says in its own words is added in those of the GenAI
 * semantic conventions and of OpenInference, where it is missing. Pure.
 */
#ifndef AGENTBUS_ENRICH_H
#define AGENTBUS_ENRICH_H

#include "call.h"
#include "session.h"

/* Attributes that one record may gain at most. */
#define ENRICH_MAX 32

/* What is known of one span or record. */
struct enrichment {
	const struct provider *provider;
	const struct observation *o;
	const struct session *session; /* NULL: unknown */
	struct str session_id;
	const struct call *call; /* what the log says of the same call; NULL: nothing */
	bool typed;              /* kind is told: of each span, and of records of calls */
	enum span_kind kind;
	const struct price_table *prices; /* NULL: none */
};

/*
 * Adds to the list of a span or record, in the arena. Tokens, cost and the class of an error are what the broker counted, and
 * replace what was there under the same name: these mean the same for every CLI. The CLI's own word for an error goes to
 * error.original_type then. False without memory: the list is unchanged.
 */
bool enrich_attributes(const struct enrichment *x, OtlpKeyValue ***list, size_t *count, struct arena *a);

#endif
