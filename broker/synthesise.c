#include "synthesise.h"

#include "attribute.h"
#include "enrich.h"

#include <stdio.h>

#define TRACE_ID_SIZE 16
#define SPAN_ID_SIZE  8
#define KIND_INTERNAL 1
#define KIND_CLIENT   3
#define STATUS_ERROR  2
#define SCOPE         "agentbus"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest TraceRequest;
typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;

/* One of everything that a request with one span is made of. */
struct parts {
	TraceRequest request;
	ResourceSpans resource_spans, *resource_list[1];
	Opentelemetry__Proto__Resource__V1__Resource resource;
	ScopeSpans scope_spans, *scope_list[1];
	Opentelemetry__Proto__Common__V1__InstrumentationScope scope;
	OtlpSpan span, *span_list[1];
	Opentelemetry__Proto__Trace__V1__Status status;
	uint8_t trace_id[TRACE_ID_SIZE], span_id[SPAN_ID_SIZE];
};

/* --- ids --- */

static uint64_t
hash(uint64_t seed, struct str s)
{
	uint64_t h = seed ^ 0xcbf29ce484222325ull;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3ull;
	/* FNV leaves neighbours alike: spread them. */
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ull;
	return h ^ h >> 29;
}

static void
put(uint8_t *dst, uint64_t n)
{
	for (size_t i = 0; i < sizeof(n); i++)
		dst[i] = (uint8_t)(n >> 8 * i);
}

/* Whatever the CLI calls it, else when it was. */
static uint64_t
name_of(uint64_t seed, struct str id, uint64_t time_ns)
{
	uint8_t when[8];

	if (id.len)
		return hash(seed, id);
	put(when, time_ns);
	return hash(seed, (struct str){ (const char *)when, sizeof(when) });
}

static void
make_ids(const struct call *c, struct parts *p)
{
	const uint64_t session = call_session_hash(c->provider, c->o.session);
	const struct str own = c->kind == CALL_TOOL ? c->o.call_id : c->o.request_id;
	const uint64_t call = name_of(session + c->kind, own, c->o.time_ns);

	if (c->o.has_trace_id) {
		memcpy(p->trace_id, c->o.trace_id, TRACE_ID_SIZE);
	} else {
		put(p->trace_id, session);
		put(p->trace_id + 8, name_of(session, c->o.prompt_id, c->turn_ns ? c->turn_ns : c->o.time_ns) | 1);
	}
	put(p->span_id, call | 1);
}

/* --- the request --- */

static bool
name_span(const struct call *c, OtlpSpan *span, struct arena *a)
{
	const struct str what = c->kind == CALL_TOOL ? c->o.tool : c->o.model;
	const char *verb = c->kind == CALL_TOOL ? "execute_tool" : "chat";
	const size_t size = what.len + 16;
	char *name = arena_take(a, size);

	if (!name)
		return false;
	snprintf(name, size, what.len ? "%s %.*s" : "%s", verb, (int)what.len, what.ptr ? what.ptr : "");
	span->name = name;
	return true;
}

static bool
describe_resource(const struct call *c, Opentelemetry__Proto__Resource__V1__Resource *r, struct arena *a)
{
	struct attributes to = attributes_of(NULL, 0, 2, a);

	attributes_text(&to, "service.name", c->o.service_name, true);
	attributes_text(&to, "service.version", str_from(c->version), true);
	r->attributes = to.list;
	r->n_attributes = to.count;
	return !to.failed;
}

static bool
describe_span(const struct call *c, const struct session *session, OtlpSpan *span, struct arena *a)
{
	const struct enrichment x = { .provider = c->provider,
				      .o = &c->o,
				      .session = session,
				      .session_id = c->o.session,
				      .call = c,
				      .typed = true,
				      .kind = c->kind == CALL_TOOL ? SPAN_TOOL : SPAN_LLM };
	struct attributes to = attributes_of(NULL, 0, 3, a);

	attributes_text(&to, SYNTHESISE_PROVIDER, str_from(c->provider->name), true);
	attributes_bool(&to, "agentbus.synthesised", true, true);
	if (c->kind == CALL_MODEL)
		attributes_text(&to, "gen_ai.response.id", c->o.request_id, true);
	span->attributes = to.list;
	span->n_attributes = to.count;
	return !to.failed && enrich_attributes(&x, &span->attributes, &span->n_attributes, a);
}

static void
assemble(struct parts *p)
{
	opentelemetry__proto__collector__trace__v1__export_trace_service_request__init(&p->request);
	opentelemetry__proto__trace__v1__resource_spans__init(&p->resource_spans);
	opentelemetry__proto__resource__v1__resource__init(&p->resource);
	opentelemetry__proto__trace__v1__scope_spans__init(&p->scope_spans);
	opentelemetry__proto__common__v1__instrumentation_scope__init(&p->scope);
	opentelemetry__proto__trace__v1__span__init(&p->span);
	opentelemetry__proto__trace__v1__status__init(&p->status);
	p->span_list[0] = &p->span;
	p->scope.name = (char *)SCOPE;
	p->scope.version = (char *)AGENTBUS_VERSION;
	p->scope_spans.scope = &p->scope;
	p->scope_spans.spans = p->span_list;
	p->scope_spans.n_spans = 1;
	p->scope_list[0] = &p->scope_spans;
	p->resource_spans.resource = &p->resource;
	p->resource_spans.scope_spans = p->scope_list;
	p->resource_spans.n_scope_spans = 1;
	p->resource_list[0] = &p->resource_spans;
	p->request.resource_spans = p->resource_list;
	p->request.n_resource_spans = 1;
	p->span.status = &p->status;
}

bool
synthesise_span(const struct call *c, const struct session *session, struct arena *a, struct otlp_request *ret)
{
	struct parts *p = arena_take(a, sizeof(*p));

	if (!p)
		return false;
	assemble(p);
	make_ids(c, p);
	p->span.trace_id = (ProtobufCBinaryData){ TRACE_ID_SIZE, p->trace_id };
	p->span.span_id = (ProtobufCBinaryData){ SPAN_ID_SIZE, p->span_id };
	p->span.kind = c->kind == CALL_TOOL ? KIND_INTERNAL : KIND_CLIENT;
	p->span.start_time_unix_nano = c->o.start_ns;
	p->span.end_time_unix_nano = c->o.time_ns;
	if (c->o.means == MEANS_ERROR || (c->o.flags & OBS_FAILED))
		p->status.code = STATUS_ERROR;
	if (!name_span(c, &p->span, a) || !describe_resource(c, &p->resource, a) || !describe_span(c, session, &p->span, a))
		return false;
	*ret = (struct otlp_request){ .signal = OTLP_TRACES, .traces = &p->request };
	return true;
}
