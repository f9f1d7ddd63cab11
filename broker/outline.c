#include "outline.h"

#include "outline_past.h"
#include "provider.h"

#include <stdlib.h>
#include <string.h>

typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest TracesRequest;

/* Bits of a span's flags that tell whether its parent is of another process: nobody knows that of a new parent. */
#define FLAGS_REMOTE 0x300u

struct outline {
	struct outline_past past;
};

/* A span of the request, if it is of a trace. */
struct node {
	struct span_key key; /* a span of 0: nobody can name it */
	uint64_t parent;     /* 0: none. Of a dropped span, it is moved up the trace as that becomes known */
	OtlpSpan *span;
	size_t index;  /* in order of the request */
	bool internal; /* by the provider's table */
	bool stays;    /* all spans of one id do, or none */
	bool inner;    /* it has children */
};

struct work {
	struct outline_past *past;
	struct arena *arena;
	struct node *nodes; /* sorted by key: spans of one id stand together, and the first one stands for all */
	size_t node_count;
	size_t span_count, link_count;
	bool outlined;               /* there are spans of a provider with an outline */
	bool *dropped;               /* of each span, in order of the request */
	uint64_t *links, *next_link; /* room for the new ids of links */
};

enum place { PLACE_UNKNOWN, PLACE_DROPPED, PLACE_STAYS, PLACE_ROOT };

struct outline *
outline_create(void)
{
	return calloc(1, sizeof(struct outline));
}

void
outline_destroy(struct outline *o)
{
	if (o)
		outline_past_finish(&o->past);
	free(o);
}

/* --- ids --- */

static uint64_t
span_id_of(const ProtobufCBinaryData *id)
{
	uint64_t n = 0;

	if (id->len == sizeof(n))
		memcpy(&n, id->data, sizeof(n));
	return n;
}

static bool
trace_id_of(const ProtobufCBinaryData *id, struct span_key *key)
{
	if (id->len != sizeof(key->trace))
		return false;
	memcpy(key->trace, id->data, sizeof(key->trace));
	return key->trace[0] || key->trace[1];
}

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_key(const struct span_key *a, const struct span_key *b)
{
	int c = compare_u64(a->span, b->span);

	if (c == 0)
		c = compare_u64(a->trace[0], b->trace[0]);
	return c ? c : compare_u64(a->trace[1], b->trace[1]);
}

static int
compare_node(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int c = compare_key(&x->key, &y->key);

	return c ? c : x->index < y->index ? -1 : x->index > y->index;
}

/* The first span of the request with that id. */
static struct node *
find_node(const struct work *w, const struct span_key *key)
{
	size_t lo = 0, hi = w->node_count;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (compare_key(&w->nodes[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->node_count && compare_key(&w->nodes[lo].key, key) == 0 ? &w->nodes[lo] : NULL;
}

/* --- the request, taken apart --- */

static struct resource_view
view_of(const ResourceSpans *rs, struct arena *a)
{
	const Opentelemetry__Proto__Resource__V1__Resource *r = rs->resource;

	return provider_resource(r ? r->attributes : NULL, r ? r->n_attributes : 0, SIZE_MAX, 0, 0, a);
}

static const struct provider *
provider_of_spans(const struct resource_view *r, const ScopeSpans *ss)
{
	return provider_of_scope(r, ss->scope ? ss->scope->name : "");
}

static void
measure(const TracesRequest *req, struct work *w)
{
	for (size_t i = 0; i < req->n_resource_spans; i++) {
		const ResourceSpans *rs = req->resource_spans[i];
		struct resource_view r = view_of(rs, w->arena);
		for (size_t k = 0; k < rs->n_scope_spans; k++) {
			const ScopeSpans *ss = rs->scope_spans[k];
			const struct provider *p = provider_of_spans(&r, ss);
			w->outlined |= ss->n_spans && p && p->outline;
			w->span_count += ss->n_spans;
			for (size_t n = 0; n < ss->n_spans; n++)
				w->link_count += ss->spans[n]->n_links;
		}
	}
}

static void
add_node(struct work *w, const struct provider *p, OtlpSpan *span, size_t index)
{
	struct node *n = &w->nodes[w->node_count];

	memset(n, 0, sizeof(*n));
	if (!trace_id_of(&span->trace_id, &n->key))
		return;
	n->key.span = span_id_of(&span->span_id);
	n->parent = span_id_of(&span->parent_span_id);
	n->span = span;
	n->index = index;
	n->internal = provider_span_is_internal(p, span);
	w->node_count++;
}

static void
collect(const TracesRequest *req, struct work *w)
{
	size_t index = 0;

	for (size_t i = 0; i < req->n_resource_spans; i++) {
		const ResourceSpans *rs = req->resource_spans[i];
		struct resource_view r = view_of(rs, w->arena);
		for (size_t k = 0; k < rs->n_scope_spans; k++) {
			const ScopeSpans *ss = rs->scope_spans[k];
			const struct provider *p = provider_of_spans(&r, ss);
			for (size_t n = 0; n < ss->n_spans; n++)
				add_node(w, p, ss->spans[n], index++);
		}
	}
	if (w->node_count)
		qsort(w->nodes, w->node_count, sizeof(*w->nodes), compare_node);
}

static bool
allocate(struct work *w)
{
	w->nodes = arena_take(w->arena, w->span_count * sizeof(*w->nodes));
	w->dropped = arena_alloc(w->arena, w->span_count);
	if (w->link_count)
		w->links = w->next_link = arena_take(w->arena, w->link_count * sizeof(*w->links));
	return w->nodes && w->dropped && (w->links || !w->link_count);
}

/* The end of the spans that have the id of the first one. */
static size_t
end_of_id(const struct work *w, size_t first)
{
	size_t end = first + 1;

	while (end < w->node_count && compare_key(&w->nodes[first].key, &w->nodes[end].key) == 0)
		end++;
	return end;
}

/* Internal spans stay where another span of that id does, or did, or where a forwarded one names them. */
static void
decide(struct work *w)
{
	for (size_t i = 0, end; i < w->node_count; i = end) {
		const struct span_key *key = &w->nodes[i].key;
		const struct past_span *past;
		bool stays = key->span == 0;

		end = end_of_id(w, i);
		if (key->span) {
			past = outline_past_find(w->past, key);
			stays = outline_past_unname(w->past, key) || (past && past->state == PAST_FORWARDED);
		}
		for (size_t k = i; k < end; k++)
			stays |= !w->nodes[k].internal;
		for (size_t k = i; k < end; k++) {
			w->nodes[k].stays = stays;
			w->dropped[w->nodes[k].index] = !stays;
		}
	}
}

/* --- up the trace --- */

/* What became of the span with that id, and where its parent is kept if it was dropped. */
static enum place
look(const struct work *w, const struct span_key *key, uint64_t **ret_parent)
{
	struct node *n = find_node(w, key);
	struct past_span *past = n ? NULL : outline_past_find(w->past, key);

	if (n) {
		n->inner = true;
		*ret_parent = &n->parent;
		return n->stays ? PLACE_STAYS : PLACE_DROPPED;
	}
	if (past) {
		past->inner = true;
		*ret_parent = &past->parent;
		return past->state == PAST_FORWARDED ? PLACE_STAYS : PLACE_DROPPED;
	}
	return PLACE_UNKNOWN;
}

/* Makes all dropped spans from `from` on point to the end of the way, so that nobody goes it twice. */
static void
shorten(const struct work *w, struct span_key from, uint64_t end)
{
	uint64_t *parent;

	while (from.span && from.span != end && look(w, &from, &parent) == PLACE_DROPPED) {
		from.span = *parent;
		*parent = end;
	}
}

/*
 * Goes from a span up past the dropped ones, and makes *key the first that is not: PLACE_STAYS or PLACE_UNKNOWN. PLACE_ROOT: all
 * of them were dropped, or they go round in a circle, which a second look at a span of ever longer stretches tells.
 */
static enum place
climb(const struct work *w, struct span_key *key)
{
	struct span_key at = *key;
	uint64_t *parent, seen = 0;
	enum place place = PLACE_ROOT;

	for (size_t steps = 0, stretch = 1; at.span; at.span = *parent) {
		place = look(w, &at, &parent);
		if (place != PLACE_DROPPED)
			break;
		place = PLACE_ROOT;
		if (at.span == seen) {
			at.span = 0;
			break;
		}
		if (++steps == stretch) {
			seen = at.span;
			stretch *= 2;
			steps = 0;
		}
	}
	shorten(w, *key, at.span);
	*key = at;
	return place;
}

/* The nearest ancestor that is or will be forwarded, 0 if there is none. */
static uint64_t
ancestor(const struct work *w, const struct node *n)
{
	struct span_key key = n->key;

	key.span = n->parent;
	if (climb(w, &key) == PLACE_UNKNOWN)
		outline_past_name(w->past, &key);
	return key.span == n->key.span && n->parent != n->key.span ? 0 : key.span;
}

static void
move_parent(const struct work *w, struct node *n)
{
	uint64_t parent = n->parent ? ancestor(w, n) : 0;

	if (parent == n->parent)
		return;
	n->parent = parent;
	n->span->parent_span_id.len = parent ? sizeof(n->parent) : 0;
	n->span->parent_span_id.data = parent ? (uint8_t *)&n->parent : NULL;
	n->span->flags &= ~FLAGS_REMOTE;
}

/* Of a link that shows a dropped span without a known ancestor nothing better is known than what it says. */
static void
move_links(struct work *w, const struct node *n)
{
	for (size_t i = 0; i < n->span->n_links; i++) {
		Opentelemetry__Proto__Trace__V1__Span__Link *link = n->span->links[i];
		struct span_key key;
		uint64_t *parent;
		enum place place;

		if (!trace_id_of(&link->trace_id, &key) || (key.span = span_id_of(&link->span_id)) == 0)
			continue;
		if (look(w, &key, &parent) != PLACE_DROPPED)
			continue;
		place = climb(w, &key);
		if (place == PLACE_UNKNOWN)
			outline_past_name(w->past, &key);
		if (place == PLACE_ROOT)
			continue;
		*w->next_link = key.span;
		link->span_id.data = (uint8_t *)w->next_link++;
		link->flags &= ~FLAGS_REMOTE;
	}
}

/* --- what is left, and what is remembered --- */

static void
move_all(struct work *w)
{
	for (size_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		struct span_key key = n->key;

		if (n->stays) {
			move_parent(w, n);
			move_links(w, n);
		} else {
			key.span = n->parent;
			climb(w, &key);
			n->parent = key.span;
		}
	}
}

/* After all else: what is new may take the place of what the request needed. */
static void
remember(struct work *w)
{
	for (size_t i = 0; i < w->node_count; i = end_of_id(w, i)) {
		const struct node *n = &w->nodes[i];
		struct past_span past = { .key = n->key, .inner = n->inner };

		past.state = n->stays ? PAST_FORWARDED : PAST_DROPPED;
		past.parent = n->stays ? 0 : n->parent;
		if (n->key.span)
			outline_past_add(w->past, &past);
	}
}

/* Takes the dropped spans out; *index counts all spans of the request. Returns whether anything was taken and none is left. */
static bool
prune_scope(ScopeSpans *ss, const bool *dropped, size_t *index)
{
	size_t kept = 0, count = ss->n_spans;

	for (size_t n = 0; n < count; n++)
		if (!dropped[(*index)++])
			ss->spans[kept++] = ss->spans[n];
	ss->n_spans = kept;
	return count && kept == 0;
}

static bool
prune_resource(ResourceSpans *rs, const bool *dropped, size_t *index)
{
	size_t kept = 0, count = rs->n_scope_spans;

	for (size_t k = 0; k < count; k++)
		if (!prune_scope(rs->scope_spans[k], dropped, index))
			rs->scope_spans[kept++] = rs->scope_spans[k];
	rs->n_scope_spans = kept;
	return count && kept == 0;
}

static void
prune(TracesRequest *req, const bool *dropped)
{
	size_t kept = 0, index = 0;

	for (size_t i = 0; i < req->n_resource_spans; i++)
		if (!prune_resource(req->resource_spans[i], dropped, &index))
			req->resource_spans[kept++] = req->resource_spans[i];
	req->n_resource_spans = kept;
}

enum verdict
outline_apply(struct outline *o, struct otlp_request *req, struct arena *a)
{
	struct work w = { .past = &o->past, .arena = a };

	if (req->signal != OTLP_TRACES)
		return VERDICT_OK;
	measure(req->traces, &w);
	if (w.span_count == 0 || (!w.outlined && !o->past.spans && o->past.name_count == 0))
		return VERDICT_OK;
	if (!allocate(&w))
		return arena_verdict(a);
	if (!outline_past_prepare(&o->past))
		return VERDICT_NO_MEMORY;
	collect(req->traces, &w);
	decide(&w);
	move_all(&w);
	remember(&w);
	prune(req->traces, w.dropped);
	return VERDICT_OK;
}

/* --- names --- */

void
outline_each_named(const struct outline *o, outline_named_fn *fn, void *ctx)
{
	for (size_t i = 0; i < OUTLINE_PAST_NAMES; i++) {
		const struct span_key *key = &o->past.names[i].key;
		if (key->span)
			fn(ctx, (const uint8_t *)key->trace, (const uint8_t *)&key->span);
	}
}

void
outline_name(struct outline *o, const uint8_t *trace_id, const uint8_t *span_id)
{
	struct span_key key;

	memcpy(key.trace, trace_id, sizeof(key.trace));
	memcpy(&key.span, span_id, sizeof(key.span));
	if (key.span)
		outline_past_name(&o->past, &key);
}

uint64_t
outline_changes(const struct outline *o)
{
	return o->past.changes;
}
