/* Log records on their way: completed, and remembered for the spans of the same calls. */
#include "enrich.h"
#include "enricher_passage.h"
#include "synthesise.h"

typedef Opentelemetry__Proto__Logs__V1__ResourceLogs ResourceLogs;
typedef Opentelemetry__Proto__Logs__V1__ScopeLogs ScopeLogs;

static enum span_kind
kind_of_record(const struct observation *o, bool *ret_typed)
{
	enum call_kind kind;

	*ret_typed = o->means != MEANS_FAULT;
	if (call_is_told(o, &kind))
		return kind == CALL_TOOL ? SPAN_TOOL : SPAN_LLM;
	*ret_typed = false;
	return SPAN_CHAIN;
}

/* A call that no span may ever tell of becomes one, which waits: its CLI may export spans after all, until that is known better.
 */
static void
make_span(struct passage *t, const struct note *n, const struct session *x, struct call *c)
{
	const bool traced = n->o.has_trace_id || (x && x->has_trace_id);
	struct otlp_request req;
	struct held_item *item;

	if (!t->e->with.settings.synthesise || !t->e->with.wanted[OTLP_TRACES] || !c->is_whole ||
	    (x && session_exports_spans(x)) || !synthesise_span(c, x, t->arena, &req))
		return;
	item = calls_are_untraced(t->e->calls, call_session_hash(n->provider, n->o.session))
		   ? NULL
		   : passage_hold(t, &req, t->now_ns + (traced ? TRACED_NS : UNTRACED_NS));
	if (item)
		item->made = c->made = ++t->e->held.last_made;
	else
		passage_deliver(t, &req);
}

static const struct call *
learn_call(struct passage *t, const struct note *n, const struct session *x)
{
	enum call_kind kind;
	struct call *c;

	calls_note(t->e->calls, n->provider, &n->o);
	if (!call_is_told(&n->o, &kind))
		return NULL;
	c = calls_add(t->e->calls, n->provider, kind, &n->o, t->e->prices, n->version, t->now_ns);
	if (c->turn_ns == 0 && x)
		c->turn_ns = x->turn_started_ns;
	wants_add(&t->e->news, call_session_hash(n->provider, n->o.session));
	make_span(t, n, x, c);
	return c;
}

static void
complete_record(struct passage *t, struct note *n)
{
	struct enrichment x = { .provider = n->provider, .o = &n->o, .prices = t->e->prices };

	x.session = passage_session(t, n, true);
	if (x.session && n->o.has_trace_id)
		wants_add(&t->e->news, passage_trace_hash(n->o.trace_id));
	x.session_id = n->o.session;
	x.call = learn_call(t, n, x.session);
	x.kind = kind_of_record(&n->o, &x.typed);
	enrich_attributes(&x, &n->record->attributes, &n->record->n_attributes, t->arena); /* without memory it goes as it is */
}

static size_t
count_records(const struct otlp_request *req)
{
	size_t count = 0;

	for (size_t i = 0; i < req->logs->n_resource_logs; i++)
		for (size_t k = 0; k < req->logs->resource_logs[i]->n_scope_logs; k++)
			count += req->logs->resource_logs[i]->scope_logs[k]->n_log_records;
	return count;
}

static bool
read_records(struct passage *t, const struct otlp_request *req, struct notes *notes)
{
	if (!passage_reserve(t, notes, count_records(req)))
		return false;
	for (size_t i = 0; i < req->logs->n_resource_logs; i++) {
		const ResourceLogs *rl = req->logs->resource_logs[i];
		struct str version;
		const struct resource_view *r = passage_resource(t, rl->resource, &version);

		if (!r)
			return false;

		for (size_t k = 0; k < rl->n_scope_logs; k++) {
			const ScopeLogs *sl = rl->scope_logs[k];
			const struct provider *p = provider_of_scope(r, sl->scope ? sl->scope->name : "");

			for (size_t m = 0; m < sl->n_log_records; m++) {
				struct note *n = &notes->list[notes->count++];

				*n = (struct note){ .resource = r, .record = sl->log_records[m], .version = version };
				n->provider = provider_of_log(p, r, n->record);
				provider_read_log(n->provider, r, n->record, &n->o);
			}
		}
	}
	return true;
}

bool
passage_logs(struct passage *t, struct otlp_request *req)
{
	struct notes notes = { 0 };

	if (!read_records(t, req, &notes) || !passage_drop_content(t, req, &notes))
		return false;
	for (size_t i = 0; i < notes.count; i++)
		complete_record(t, &notes.list[i]);
	return passage_deliver(t, req);
}
