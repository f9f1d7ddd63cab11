/*
 * One export request, from tree to events: find the provider of each record, put it into words, tell the sessions.
 * Pure: time and the connection are arguments.
 */
#ifndef AGENTBUS_PIPELINE_H
#define AGENTBUS_PIPELINE_H

#include "otlp.h"
#include "session.h"

/*
 * Applies all records of a request that arrived at now_ns (the broker's clock) over the connection `peer`. Of each
 * resource, record, span and event the attributes after the first max_attributes are passed over. Scratch memory comes from the
 * arena that holds the request. Returns VERDICT_OK, or VERDICT_TOO_LARGE / VERDICT_NO_MEMORY, and then nothing was applied.
 */
enum verdict pipeline_apply(struct sessions *s, const struct otlp_request *req, size_t max_attributes, uint64_t peer,
			    uint64_t now_ns, struct arena *a);

#endif
