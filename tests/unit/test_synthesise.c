#include "synthesise.h"

#include "call_bed.h"
#include "otlp.h"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest TraceRequest;

static struct calls *calls;
static struct arena arena;
static TraceRequest *request; /* as protobuf-c itself reads it */

static void
setup(void)
{
	arena_init(&arena, 1 << 20);
	calls = calls_create();
	cr_assert_not_null(calls);
}

static void
forget(void)
{
	if (request)
		opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(request, NULL);
	request = NULL;
}

static void
teardown(void)
{
	forget();
	calls_destroy(calls);
	arena_finish(&arena);
}

TestSuite(synthesise, .init = setup, .fini = teardown);

static struct call *
add(enum call_kind kind, const struct observation *o)
{
	return calls_add(calls, &provider_codex, kind, o, NULL, STR("0.169.0"), NOW);
}

/* The span of a call, packed and read by others. */
static const OtlpSpan *
made(const struct call *x, const struct session *session)
{
	struct otlp_request req;
	uint8_t *bytes;
	size_t len;

	forget();
	arena_reset(&arena);
	cr_assert(synthesise_span(x, session, &arena, &req));
	cr_assert_eq(req.signal, OTLP_TRACES);
	len = protobuf_c_message_get_packed_size(&req.traces->base);
	bytes = malloc(len);
	cr_assert(bytes);
	protobuf_c_message_pack(&req.traces->base, bytes);
	request = opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(NULL, len, bytes);
	free(bytes);
	cr_assert_not_null(request);
	cr_assert_eq(request->n_resource_spans, 1);
	cr_assert_eq(request->resource_spans[0]->n_scope_spans, 1);
	cr_assert_eq(request->resource_spans[0]->scope_spans[0]->n_spans, 1);
	return request->resource_spans[0]->scope_spans[0]->spans[0];
}

static const char *
text(OtlpKeyValue **list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i]->key, key) == 0)
			return list[i]->value->string_value;
	return NULL;
}

#define TEXT(span, key) text((span)->attributes, (span)->n_attributes, key)

struct ids {
	uint8_t trace[16], span[8];
};

static struct ids
ids_of(const struct call *x)
{
	const OtlpSpan *span = made(x, NULL);
	struct ids ids;

	cr_assert_eq(span->trace_id.len, 16);
	cr_assert_eq(span->span_id.len, 8);
	memcpy(ids.trace, span->trace_id.data, 16);
	memcpy(ids.span, span->span_id.data, 8);
	return ids;
}

static bool
same_span(struct ids a, struct ids b)
{
	return memcmp(a.span, b.span, sizeof(a.span)) == 0;
}

static bool
same_trace(struct ids a, struct ids b)
{
	return memcmp(a.trace, b.trace, sizeof(a.trace)) == 0;
}

Test(synthesise, a_call_of_the_model)
{
	struct observation o = record(MEANS_RESPONSE, 900);
	const OtlpSpan *span;

	o.duration_ms = 700;
	o.request_id = STR("req-1");
	o.service_name = STR("codex_exec");
	o.tokens = (struct tokens){ .input = 10, .output = 20 };
	o.has_cost = true;
	o.cost = 1500000000000;
	span = made(add(CALL_MODEL, &o), NULL);
	cr_expect_str_eq(span->name, "chat m");
	cr_expect_eq((int)span->kind, 3);
	cr_expect_eq(span->start_time_unix_nano, NOW + 200 * MS);
	cr_expect_eq(span->end_time_unix_nano, NOW + 900 * MS);
	cr_expect_eq(span->parent_span_id.len, 0, "no parent is made up");
	cr_expect_eq((int)span->status->code, 0);
	cr_expect_str_eq(TEXT(span, "session.id"), "s");
	cr_expect_str_eq(TEXT(span, "gen_ai.response.id"), "req-1");
	cr_expect_str_eq(TEXT(span, "openinference.span.kind"), "LLM");
	cr_expect_str_eq(TEXT(span, "gen_ai.request.model"), "m");
	cr_expect_str_eq(request->resource_spans[0]->scope_spans[0]->scope->name, "agentbus");
	cr_expect_str_eq(text(request->resource_spans[0]->resource->attributes,
			      request->resource_spans[0]->resource->n_attributes, "service.name"),
			 "codex_exec");
	cr_expect_str_eq(text(request->resource_spans[0]->resource->attributes,
			      request->resource_spans[0]->resource->n_attributes, "service.version"),
			 "0.169.0");
}

Test(synthesise, its_attributes_once_each_and_said_to_be_made)
{
	const struct observation o = record(MEANS_RESPONSE, 0);
	const OtlpSpan *span = made(add(CALL_MODEL, &o), NULL);
	bool said = false;

	for (size_t i = 0; i < span->n_attributes; i++) {
		said |= strcmp(span->attributes[i]->key, "agentbus.synthesised") == 0 && span->attributes[i]->value->bool_value;
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(span->attributes[i]->key, span->attributes[k]->key);
	}
	cr_expect(said);
}

Test(synthesise, a_tool)
{
	struct observation o = record(MEANS_TOOL, 0);
	const OtlpSpan *span;

	o.tool = STR("exec_command");
	o.call_id = STR("call-1");
	o.flags = OBS_FAILED;
	span = made(add(CALL_TOOL, &o), NULL);
	cr_expect_str_eq(span->name, "execute_tool exec_command");
	cr_expect_eq((int)span->kind, 1);
	cr_expect_eq((int)span->status->code, 2);
	cr_expect_str_eq(TEXT(span, "openinference.span.kind"), "TOOL");
	cr_expect_str_eq(TEXT(span, "gen_ai.tool.name"), "exec_command");
	cr_expect_str_eq(TEXT(span, "gen_ai.tool.call.id"), "call-1");
	cr_expect_str_eq(TEXT(span, "error.type"), "tool_error");
	cr_expect_null(TEXT(span, "gen_ai.response.id"));
}

Test(synthesise, a_call_that_failed)
{
	struct observation o = record(MEANS_ERROR, 0);
	const OtlpSpan *span;

	o.status = 429;
	o.model = (struct str){ 0 };
	span = made(add(CALL_MODEL, &o), NULL);
	cr_expect_str_eq(span->name, "chat", "without a model");
	cr_expect_eq((int)span->status->code, 2);
	cr_expect_str_eq(TEXT(span, "error.type"), "rate_limit");
	cr_expect_null(TEXT(span, "gen_ai.usage.input_tokens"));
}

/* The record that the call was learnt from is long gone. */
Test(synthesise, looks_at_nothing_but_the_call)
{
	struct observation o = record(MEANS_RESPONSE, 0);
	char *project = strdup("project-1"), *process = strdup("host:1");
	struct call *x;

	o.project_name = str_from(project);
	o.project_dir = o.process = str_from(process);
	x = add(CALL_MODEL, &o);
	memset(project, '!', strlen(project));
	memset(process, '!', strlen(process));
	free(project);
	free(process);
	cr_expect_str_eq(TEXT(made(x, NULL), "project.name"), "project-1");
}

Test(synthesise, what_the_session_adds)
{
	const struct observation o = record(MEANS_RESPONSE, 0);
	const struct session session = { .id = "s", .project_name = "project-2" };

	cr_expect_str_eq(TEXT(made(add(CALL_MODEL, &o), &session), "project.name"), "project-2");
}

Test(synthesise, the_same_call_is_the_same_span)
{
	struct observation o = record(MEANS_RESPONSE, 5);
	struct ids first;

	o.prompt_id = STR("p1");
	first = ids_of(add(CALL_MODEL, &o));
	cr_expect(same_span(first, ids_of(add(CALL_MODEL, &o))));
	cr_expect(same_trace(first, ids_of(add(CALL_MODEL, &o))));
	o.request_id = STR("req-1");
	first = ids_of(add(CALL_MODEL, &o));
	o.time_ns++;
	cr_expect(same_span(first, ids_of(add(CALL_MODEL, &o))), "what it is called is enough");
}

Test(synthesise, ids_are_distinct)
{
	struct ids ids[6];
	struct observation o = record(MEANS_RESPONSE, 5);

	ids[0] = ids_of(add(CALL_MODEL, &o));
	o.time_ns++;
	ids[1] = ids_of(add(CALL_MODEL, &o));
	o.request_id = STR("call-1");
	ids[2] = ids_of(add(CALL_MODEL, &o));
	o.request_id = STR("call-2");
	ids[3] = ids_of(add(CALL_MODEL, &o));
	o.call_id = STR("call-1");
	ids[4] = ids_of(add(CALL_TOOL, &o));
	o.session = STR("t");
	ids[5] = ids_of(add(CALL_TOOL, &o));
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++)
			cr_expect_not(same_span(ids[i], ids[k]), "%zu and %zu", i, k);
	cr_expect_not(same_trace(ids[4], ids[5]), "each session has traces of its own");
}

Test(synthesise, the_same_prompt_is_the_same_trace)
{
	struct observation o = record(MEANS_RESPONSE, 5), tool = record(MEANS_TOOL, 800);
	struct ids first;

	o.prompt_id = tool.prompt_id = STR("p1");
	first = ids_of(add(CALL_MODEL, &o));
	cr_expect(same_trace(first, ids_of(add(CALL_TOOL, &tool))));
	tool.prompt_id = STR("p2");
	cr_expect_not(same_trace(first, ids_of(add(CALL_TOOL, &tool))));
}

Test(synthesise, the_same_turn_is_the_same_trace)
{
	const struct observation o = record(MEANS_RESPONSE, 5), tool = record(MEANS_TOOL, 800);
	struct call *x = add(CALL_MODEL, &o), *y = add(CALL_TOOL, &tool);

	x->turn_ns = y->turn_ns = NOW;
	cr_expect(same_trace(ids_of(x), ids_of(y)));
	y->turn_ns = NOW + 1;
	cr_expect_not(same_trace(ids_of(x), ids_of(y)));
	y->turn_ns = 0;
	cr_expect_not(same_trace(ids_of(x), ids_of(y)), "an unknown turn is nobody else's");
}

Test(synthesise, the_logs_own_trace_is_used)
{
	struct observation o = record(MEANS_RESPONSE, 5);

	o.has_trace_id = o.has_span_id = true;
	memset(o.trace_id, 7, sizeof(o.trace_id));
	memset(o.span_id, 8, sizeof(o.span_id));
	const struct ids ids = ids_of(add(CALL_MODEL, &o));
	cr_expect_eq(memcmp(ids.trace, o.trace_id, 16), 0);
	cr_expect_neq(memcmp(ids.span, o.span_id, 8), 0, "that is the span that the log was written in");
	cr_expect_eq(made(add(CALL_MODEL, &o), NULL)->parent_span_id.len, 0);
}

Test(synthesise, needs_memory)
{
	const struct observation o = record(MEANS_RESPONSE, 5);
	const struct call *x = add(CALL_MODEL, &o);
	struct otlp_request req;
	struct arena small;

	for (size_t cap = 0; cap < 6000; cap += 16) {
		req = (struct otlp_request){ .signal = OTLP_METRICS };
		arena_init(&small, cap);
		if (synthesise_span(x, NULL, &small, &req))
			cr_expect_eq(req.signal, OTLP_TRACES);
		else
			cr_expect_eq(req.signal, OTLP_METRICS, "untouched with %zu bytes", cap);
		arena_finish(&small);
	}
}
