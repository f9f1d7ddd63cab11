#include "pipeline.h"

#include "error.h"
#include "error_text.h"
#include "provider.h"

#include <stdlib.h>

/* The observations of one request, to be put in order of time, and what all of its records share. */
struct batch {
	struct observation *list;
	size_t count, capacity;
	size_t max_attributes;
	uint64_t peer, now_ns;
	struct arena *arena;
};

/* Makes room for one more. */
static bool
batch_reserve(struct batch *b)
{
	size_t capacity = b->capacity ? b->capacity * 2 : 32;
	struct observation *list;

	if (b->count < b->capacity)
		return true;
	list = arena_take(b->arena, capacity * sizeof(*list));
	if (!list)
		return false;
	if (b->count)
		memcpy(list, b->list, b->count * sizeof(*list));
	b->list = list;
	b->capacity = capacity;
	return true;
}

static bool
is_failure(const struct observation *o)
{
	switch (o->means) {
	case MEANS_ERROR:
	case MEANS_FAULT:
	case MEANS_GIVEN_UP:
		return true;
	case MEANS_RESPONSE_END:
		return (o->flags & OBS_FAILED) != 0;
	default:
		return false;
	}
}

/* Gives a failure its class, and puts in the place of its message what may be shown: of one without a message its CLI's class. */
static bool
judge(struct observation *o, struct arena *a)
{
	char text[ERROR_TEXT_SIZE], *kept;
	size_t len;

	o->error = error_classify(o->status, o->error_type, o->error_message);
	len = error_text(o->error_message.len ? o->error_message : o->error_type, text, sizeof(text));
	kept = arena_alloc(a, len + 1);
	if (!kept)
		return false;
	memcpy(kept, text, len + 1);
	o->error_message = (struct str){ kept, len };
	return true;
}

/* Takes the observation that was written behind the others. */
static bool
batch_add(struct batch *b)
{
	struct observation *o = &b->list[b->count++];

	return !is_failure(o) || judge(o, b->arena);
}

static struct resource_view
view_of(const Opentelemetry__Proto__Resource__V1__Resource *r, const struct batch *b)
{
	return provider_resource(r ? r->attributes : NULL, r ? r->n_attributes : 0, b->max_attributes, b->peer, b->now_ns,
				 b->arena);
}

static bool
collect_logs(const Opentelemetry__Proto__Logs__V1__ResourceLogs *rl, struct batch *b)
{
	struct resource_view r = view_of(rl->resource, b);

	for (size_t i = 0; i < rl->n_scope_logs; i++) {
		const Opentelemetry__Proto__Logs__V1__ScopeLogs *sl = rl->scope_logs[i];
		const struct provider *p = provider_of_scope(&r, sl->scope ? sl->scope->name : "");
		for (size_t k = 0; k < sl->n_log_records; k++) {
			if (!batch_reserve(b))
				return false;
			if (provider_log(p, &r, sl->log_records[k], &b->list[b->count]) && !batch_add(b))
				return false;
		}
	}
	return true;
}

static bool
collect_spans(const Opentelemetry__Proto__Trace__V1__ResourceSpans *rs, struct batch *b)
{
	struct resource_view r = view_of(rs->resource, b);

	for (size_t i = 0; i < rs->n_scope_spans; i++) {
		const Opentelemetry__Proto__Trace__V1__ScopeSpans *ss = rs->scope_spans[i];
		const struct provider *p = provider_of_scope(&r, ss->scope ? ss->scope->name : "");
		for (size_t k = 0; k < ss->n_spans; k++) {
			if (!batch_reserve(b))
				return false;
			if (provider_span(p, &r, ss->spans[k], &b->list[b->count]) && !batch_add(b))
				return false;
		}
	}
	return true;
}

/* Metrics repeat what logs say, later and per process: they are checked, and count nothing. */
static bool
collect(const struct otlp_request *req, struct batch *b)
{
	if (req->signal == OTLP_LOGS)
		for (size_t i = 0; i < req->logs->n_resource_logs; i++)
			if (!collect_logs(req->logs->resource_logs[i], b))
				return false;
	if (req->signal == OTLP_TRACES)
		for (size_t i = 0; i < req->traces->n_resource_spans; i++)
			if (!collect_spans(req->traces->resource_spans[i], b))
				return false;
	return true;
}

/* By time; a tie keeps the order of the request (both live in one array, so addresses tell). */
static int
compare_time(const void *a, const void *b)
{
	const struct observation *x = *(const struct observation *const *)a, *y = *(const struct observation *const *)b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x < y ? -1 : x > y;
}

enum verdict
pipeline_apply(struct sessions *s, const struct otlp_request *req, size_t max_attributes, uint64_t peer, uint64_t now_ns,
	       struct arena *a)
{
	struct batch b = { .max_attributes = max_attributes, .peer = peer, .now_ns = now_ns, .arena = a };
	const struct observation **order;

	if (!collect(req, &b))
		return a->exhausted ? VERDICT_TOO_LARGE : VERDICT_NO_MEMORY;
	if (b.count == 0)
		return VERDICT_OK;
	order = arena_alloc(a, b.count * sizeof(const struct observation *));
	if (!order)
		return a->exhausted ? VERDICT_TOO_LARGE : VERDICT_NO_MEMORY;
	for (size_t i = 0; i < b.count; i++)
		order[i] = &b.list[i];
	qsort(order, b.count, sizeof(const struct observation *), compare_time);
	for (size_t i = 0; i < b.count; i++)
		sessions_observe(s, order[i], now_ns);
	return VERDICT_OK;
}
