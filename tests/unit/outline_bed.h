/*
 * Requests of made-up spans, and a ledger of spans that were sent or forwarded. For tests of outline.c, and for fuzzing it:
 * the helpers return false, or say nothing, where a test would fail.
 */
#ifndef AGENTBUS_TEST_OUTLINE_BED_H
#define AGENTBUS_TEST_OUTLINE_BED_H

#include "outline.h"

#include <stdlib.h>
#include <string.h>

typedef Opentelemetry__Proto__Trace__V1__ResourceSpans BedResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans BedScopeSpans;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest BedTraces;

enum made_kind { MADE_INNER, MADE_KEPT, MADE_TOOL, MADE_FOREIGN };

/* A span; ids are numbers, the parent 0 is none. */
struct made {
	uint32_t trace, id, parent;
	enum made_kind kind;
};

/* --- requests --- */

static inline void *
bed_zero(struct arena *a, size_t size)
{
	void *p = arena_alloc(a, size);

	if (!p)
		abort();
	return p;
}

static inline ProtobufCBinaryData
bed_id(struct arena *a, uint32_t number, size_t len)
{
	ProtobufCBinaryData id = { .len = number ? len : 0 };

	if (id.len) {
		id.data = bed_zero(a, len);
		for (size_t i = 0; i < 4 && i < len; i++)
			id.data[len - 1 - i] = (uint8_t)(number >> 8 * i);
	}
	return id;
}

static inline OtlpKeyValue *
bed_attribute(struct arena *a, char *key, char *text)
{
	OtlpKeyValue *kv = bed_zero(a, sizeof(*kv));

	opentelemetry__proto__common__v1__key_value__init(kv);
	kv->key = key;
	kv->value = bed_zero(a, sizeof(*kv->value));
	opentelemetry__proto__common__v1__any_value__init(kv->value);
	kv->value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
	kv->value->string_value = text;
	return kv;
}

static inline OtlpSpan *
bed_span(struct arena *a, const struct made *m)
{
	static char *const names[] = { "run_turn", "codex.sampling", "exec_command", "run_turn" };
	OtlpSpan *span = bed_zero(a, sizeof(*span));

	opentelemetry__proto__trace__v1__span__init(span);
	span->name = names[m->kind];
	span->trace_id = bed_id(a, m->trace, 16);
	span->span_id = bed_id(a, m->id, 8);
	span->parent_span_id = bed_id(a, m->parent, 8);
	span->flags = 0x301;
	if (m->kind == MADE_TOOL) {
		span->attributes = bed_zero(a, sizeof(*span->attributes));
		span->attributes[span->n_attributes++] = bed_attribute(a, "codex.tool.phase", "dispatch");
	}
	return span;
}

static inline BedResourceSpans *
bed_resource(struct arena *a, char *service, size_t span_count)
{
	BedResourceSpans *rs = bed_zero(a, sizeof(*rs));
	BedScopeSpans *ss = bed_zero(a, sizeof(*ss));

	opentelemetry__proto__trace__v1__resource_spans__init(rs);
	opentelemetry__proto__trace__v1__scope_spans__init(ss);
	rs->resource = bed_zero(a, sizeof(*rs->resource));
	opentelemetry__proto__resource__v1__resource__init(rs->resource);
	rs->resource->attributes = bed_zero(a, sizeof(*rs->resource->attributes));
	rs->resource->attributes[rs->resource->n_attributes++] = bed_attribute(a, "service.name", service);
	rs->scope_spans = bed_zero(a, sizeof(*rs->scope_spans));
	rs->scope_spans[rs->n_scope_spans++] = ss;
	ss->spans = bed_zero(a, (span_count + 1) * sizeof(*ss->spans));
	return rs;
}

/* A request of these spans in their order; there is a resource for each stretch of one sender. */
static inline struct otlp_request
bed_request(struct arena *a, const struct made *made, size_t count)
{
	struct otlp_request req = { .signal = OTLP_TRACES };
	BedResourceSpans *rs = NULL;

	req.traces = bed_zero(a, sizeof(*req.traces));
	opentelemetry__proto__collector__trace__v1__export_trace_service_request__init(req.traces);
	req.traces->resource_spans = bed_zero(a, (count + 1) * sizeof(*req.traces->resource_spans));
	for (size_t i = 0; i < count; i++) {
		bool foreign = made[i].kind == MADE_FOREIGN;
		if (i == 0 || foreign != (made[i - 1].kind == MADE_FOREIGN)) {
			rs = bed_resource(a, foreign ? "mcp-server" : "codex_exec", count - i);
			req.traces->resource_spans[req.traces->n_resource_spans++] = rs;
		}
		rs->scope_spans[0]->spans[rs->scope_spans[0]->n_spans++] = bed_span(a, &made[i]);
	}
	return req;
}

/* --- the ledger --- */

struct ledger_row {
	uint8_t ids[24]; /* trace and span */
	uint8_t parent[8];
	bool has_parent, model, tool;
};

struct ledger {
	struct ledger_row *rows;
	size_t count, capacity;
	bool sorted;
};

static inline void
ledger_add_span(struct ledger *l, const OtlpSpan *span)
{
	struct ledger_row *row;

	if (l->count == l->capacity) {
		l->capacity = l->capacity ? 2 * l->capacity : 64;
		l->rows = realloc(l->rows, l->capacity * sizeof(*l->rows));
		if (!l->rows)
			abort();
	}
	row = &l->rows[l->count++];
	memset(row, 0, sizeof(*row));
	if (span->trace_id.len == 16)
		memcpy(row->ids, span->trace_id.data, 16);
	if (span->span_id.len == 8)
		memcpy(row->ids + 16, span->span_id.data, 8);
	if (span->parent_span_id.len == 8)
		memcpy(row->parent, span->parent_span_id.data, 8);
	row->has_parent = span->parent_span_id.len == 8;
	row->model = strcmp(span->name, "codex.sampling") == 0;
	for (size_t i = 0; i < span->n_attributes; i++)
		row->tool |= strcmp(span->attributes[i]->key, "codex.tool.phase") == 0;
	l->sorted = false;
}

static inline void
ledger_add(struct ledger *l, const BedTraces *req)
{
	for (size_t i = 0; i < req->n_resource_spans; i++)
		for (size_t k = 0; k < req->resource_spans[i]->n_scope_spans; k++)
			for (size_t n = 0; n < req->resource_spans[i]->scope_spans[k]->n_spans; n++)
				ledger_add_span(l, req->resource_spans[i]->scope_spans[k]->spans[n]);
}

static inline int
ledger_compare(const void *a, const void *b)
{
	return memcmp(a, b, 24);
}

static inline const struct ledger_row *
ledger_find(struct ledger *l, const uint8_t *trace_id, const uint8_t *span_id)
{
	uint8_t ids[24];

	memcpy(ids, trace_id, 16);
	memcpy(ids + 16, span_id, 8);
	if (!l->sorted && l->count)
		qsort(l->rows, l->count, sizeof(*l->rows), ledger_compare);
	l->sorted = true;
	return l->count ? bsearch(ids, l->rows, l->count, sizeof(*l->rows), ledger_compare) : NULL;
}

/* Spans that name a parent which is not there. */
static inline size_t
ledger_orphans(struct ledger *l)
{
	size_t orphans = 0;

	for (size_t i = 0; i < l->count; i++)
		orphans += l->rows[i].has_parent && !ledger_find(l, l->rows[i].ids, l->rows[i].parent);
	return orphans;
}

static inline size_t
ledger_models(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->rows[i].model;
	return n;
}

static inline size_t
ledger_tools(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->rows[i].tool;
	return n;
}

static inline void
ledger_finish(struct ledger *l)
{
	free(l->rows);
	*l = (struct ledger){ 0 };
}

#endif
