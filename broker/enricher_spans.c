/* Spans on their way: those that are not complete wait for what logs will say of them. */
#include "enrich.h"
#include "enricher_passage.h"
#include "enricher_split.h"
#include "otlp_pb.h"
#include "synthesise.h"

#include <stdlib.h>

typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest TraceRequest;

static size_t
count_spans(const TraceRequest *traces)
{
	size_t count = 0;

	for (size_t i = 0; i < traces->n_resource_spans; i++)
		for (size_t k = 0; k < traces->resource_spans[i]->n_scope_spans; k++)
			count += traces->resource_spans[i]->scope_spans[k]->n_spans;
	return count;
}

static bool
read_spans(struct passage *t, const struct otlp_request *req, struct notes *notes)
{
	if (!passage_reserve(t, notes, count_spans(req->traces)))
		return false;
	for (size_t i = 0; i < req->traces->n_resource_spans; i++) {
		const ResourceSpans *rs = req->traces->resource_spans[i];
		struct str version;
		const struct resource_view *r = passage_resource(t, rs->resource, &version);

		if (!r)
			return false;

		for (size_t k = 0; k < rs->n_scope_spans; k++) {
			const ScopeSpans *ss = rs->scope_spans[k];
			const struct provider *p = provider_of_scope(r, ss->scope ? ss->scope->name : "");

			for (size_t m = 0; m < ss->n_spans; m++) {
				struct note *n = &notes->list[notes->count++];

				*n = (struct note){ .resource = r, .provider = p ? p : &provider_genai, .span = ss->spans[m] };
				n->kind = provider_read_span(n->provider, r, n->span, &n->o);
			}
		}
	}
	return true;
}

/* Whether the log may still tell what the span itself does not. */
static bool
needs_call(const struct note *n)
{
	if (n->provider->spans_tell_all)
		return false;
	/* How it failed the span may tell itself. */
	if (n->kind == SPAN_LLM && (n->o.flags & OBS_FAILED))
		return n->o.status == 0;
	return n->kind == SPAN_TOOL || (n->kind == SPAN_LLM && (!(n->o.flags & OBS_HAS_TOKENS) || n->provider->logs_cost));
}

/* Completes a span, or leaves it for later. */
static void
complete_span(struct passage *t, struct note *n)
{
	struct enrichment x = { .provider = n->provider, .o = &n->o, .typed = true, .kind = n->kind, .prices = t->e->prices };
	bool last;

	x.session = passage_session(t, n, t->last);
	if (n->o.session.len == 0) {
		n->waits = true;
		wants_add(&t->wants, n->o.has_trace_id ? passage_trace_hash(n->o.trace_id) : 0);
		return;
	}
	if (n->o.has_trace_id)
		wants_add(&t->e->news, passage_trace_hash(n->o.trace_id));
	x.session_id = n->o.session;
	last = t->last || !needs_call(n);
	if (n->kind == SPAN_LLM || n->kind == SPAN_TOOL)
		x.call =
		    calls_claim(t->e->calls, n->provider, n->kind == SPAN_TOOL ? CALL_TOOL : CALL_MODEL, &n->o, last, t->now_ns);
	if (x.call && x.call->made)
		held_forget(&t->e->held, x.call->made);
	if (!x.call && !last) {
		n->waits = true;
		wants_add(&t->wants, call_session_hash(n->provider, n->o.session));
		return;
	}
	enrich_attributes(&x, &n->span->attributes, &n->span->n_attributes, t->arena); /* without memory it goes as it is */
}

struct held_item *
passage_hold(struct passage *t, const struct otlp_request *req, uint64_t due_ns)
{
	const size_t len = protobuf_c_message_get_packed_size(req->message);
	uint8_t *bytes = t->arena->used <= t->e->arena.cap ? malloc(len ? len : 1) : NULL;
	struct held_item *item;

	if (!bytes)
		return NULL;
	protobuf_c_message_pack(req->message, bytes);
	item = held_add(&t->e->held, 0, due_ns, t->peer, &t->wants, bytes, len);
	if (!item)
		free(bytes);
	return item;
}

/* Completes all, or those that were not. Returns how many are not. */
static size_t
complete_spans(struct passage *t, const struct notes *notes, bool again)
{
	size_t waiting = 0;

	for (size_t i = 0; i < notes->count; i++) {
		struct note *n = &notes->list[i];

		if (again && !n->waits)
			continue;
		n->waits = false;
		complete_span(t, n);
		waiting += n->waits;
	}
	return waiting;
}

/* Delivers what is complete; the rest waits until due_ns, or, where there is no place, goes as it is. */
static bool
part_ways(struct passage *t, struct otlp_request *req, const struct notes *notes, uint64_t due_ns)
{
	TraceRequest waiting;
	const struct otlp_request rest = { .signal = OTLP_TRACES, .traces = &waiting };

	if (!split_request(req->traces, &waiting, notes, t->arena))
		return false;
	if (!passage_hold(t, &rest, due_ns)) {
		t->last = true;
		complete_spans(t, notes, true);
		if (!passage_deliver(t, &rest))
			return false;
	}
	return req->traces->n_resource_spans == 0 || passage_deliver(t, req);
}

bool
passage_traces(struct passage *t, struct otlp_request *req)
{
	struct notes notes = { 0 };

	if (!t->e->with.wanted[OTLP_TRACES])
		return true;
	if (!t->e->with.settings.keep_internal && outline_apply(t->e->outline, req, t->arena) != VERDICT_OK)
		return false;
	if (!read_spans(t, req, &notes) || !passage_drop_content(t, req, &notes))
		return false;
	if (notes.count == 0)
		return true;
	return complete_spans(t, &notes, false) == 0 ? passage_deliver(t, req)
						     : part_ways(t, req, &notes, t->now_ns + t->e->with.settings.hold_ns);
}

bool
passage_retry(struct passage *t, const struct held_item *item, bool *ret_stays)
{
	struct notes notes = { 0 };
	struct otlp_request req;
	size_t waiting;

	*ret_stays = false;
	/* What we packed ourselves can be read; whatever else the store gives back is nobody's. */
	if (otlp_pb_decode(OTLP_TRACES, item->bytes, item->len, (unsigned)t->e->with.max_depth, t->arena, &req) != VERDICT_OK)
		return !t->arena->out_of_memory;
	if (!read_spans(t, &req, &notes))
		return false;
	waiting = complete_spans(t, &notes, false);
	*ret_stays = waiting == notes.count && waiting > 0;
	if (*ret_stays || notes.count == 0)
		return true;
	return waiting == 0 ? passage_deliver(t, &req) : part_ways(t, &req, &notes, item->due_ns);
}

/* The provider that a made span is of. */
static const struct provider *
provider_of_made(const struct note *n)
{
	const OtlpKeyValue *const *attrs = (const OtlpKeyValue *const *)n->span->attributes;
	struct value name;

	for (size_t i = 0; i < n->span->n_attributes; i++) {
		if (strcmp(attrs[i]->key, SYNTHESISE_PROVIDER) != 0 || !value_of(attrs[i]->value, &name) ||
		    name.kind != VALUE_TEXT)
			continue;
		for (const struct provider *const *p = providers; *p; p++)
			if (str_eq(name.text, str_from((*p)->name)))
				return *p;
	}
	return n->provider;
}

/* Whether its session has spans of its own. If it has none by now, that is remembered. */
static bool
is_needless(struct passage *t, struct note *n)
{
	const struct provider *p = provider_of_made(n);
	const struct session *x;

	n->o.provider = p->name;
	x = sessions_of(t->e->with.sessions, &n->o);
	if (x && session_exports_spans(x))
		return true;
	calls_say_untraced(t->e->calls, call_session_hash(p, n->o.session));
	return false;
}

bool
passage_made(struct passage *t, const struct held_item *item)
{
	struct notes notes = { 0 };
	struct otlp_request req;

	if (otlp_pb_decode(OTLP_TRACES, item->bytes, item->len, (unsigned)t->e->with.max_depth, t->arena, &req) != VERDICT_OK)
		return !t->arena->out_of_memory;
	if (!read_spans(t, &req, &notes))
		return false;
	return (notes.count && is_needless(t, &notes.list[0])) || passage_deliver(t, &req);
}
