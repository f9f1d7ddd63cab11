/* Parts the spans of a request. For enricher*.c only. */
#ifndef AGENTBUS_ENRICHER_SPLIT_H
#define AGENTBUS_ENRICHER_SPLIT_H

#include "enricher_passage.h"

/*
 * Moves the spans whose notes say that they wait out of a request, into another one. Resources and scopes that have spans of both
 * kinds are in both. The notes are those of all its spans, in order. False without memory: neither is good any more.
 */
bool split_request(Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *from,
		   Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *ret_waiting, const struct notes *notes,
		   struct arena *a);

#endif
