#include "enricher_split.h"

typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest TraceRequest;

/* Moves the spans that wait from one scope's part to another's; *at is the note of the first. */
static bool
split_scope(ScopeSpans *from, ScopeSpans *to, const struct note **at, struct arena *a)
{
	size_t stay = 0;

	to->n_spans = 0;
	to->spans = arena_take(a, (from->n_spans + 1) * sizeof(OtlpSpan *));
	if (!to->spans)
		return false;
	for (size_t i = 0; i < from->n_spans; i++, ++*at) {
		if ((*at)->waits)
			to->spans[to->n_spans++] = from->spans[i];
		else
			from->spans[stay++] = from->spans[i];
	}
	from->n_spans = stay;
	return true;
}

static bool
split_resource(ResourceSpans *from, ResourceSpans *to, const struct note **at, struct arena *a)
{
	size_t stay = 0;

	to->n_scope_spans = 0;
	to->scope_spans = arena_take(a, (from->n_scope_spans + 1) * sizeof(ScopeSpans *));
	if (!to->scope_spans)
		return false;
	for (size_t i = 0; i < from->n_scope_spans; i++) {
		ScopeSpans *part = arena_take(a, sizeof(*part));

		if (!part)
			return false;
		*part = *from->scope_spans[i];
		if (!split_scope(from->scope_spans[i], part, at, a))
			return false;
		if (part->n_spans)
			to->scope_spans[to->n_scope_spans++] = part;
		if (from->scope_spans[i]->n_spans)
			from->scope_spans[stay++] = from->scope_spans[i];
	}
	from->n_scope_spans = stay;
	return true;
}

bool
split_request(TraceRequest *from, TraceRequest *to, const struct notes *notes, struct arena *a)
{
	const struct note *at = notes->list;
	size_t stay = 0;

	*to = *from;
	to->n_resource_spans = 0;
	to->resource_spans = arena_take(a, (from->n_resource_spans + 1) * sizeof(ResourceSpans *));
	if (!to->resource_spans)
		return false;
	for (size_t i = 0; i < from->n_resource_spans; i++) {
		ResourceSpans *part = arena_take(a, sizeof(*part));

		if (!part)
			return false;
		*part = *from->resource_spans[i];
		if (!split_resource(from->resource_spans[i], part, &at, a))
			return false;
		if (part->n_scope_spans)
			to->resource_spans[to->n_resource_spans++] = part;
		if (from->resource_spans[i]->n_scope_spans)
			from->resource_spans[stay++] = from->resource_spans[i];
	}
	from->n_resource_spans = stay;
	return true;
}
