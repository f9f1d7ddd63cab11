#include "enrich.h"

#include "enricher_bed.h"
#include "provider.h"

#define TEXT(k, v)   "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define INT(k, v)    "{\"key\":\"" k "\",\"value\":{\"intValue\":\"" #v "\"}}"
#define DOUBLE(k, v) "{\"key\":\"" k "\",\"value\":{\"doubleValue\":" #v "}}"
#define BOOL(k, v)   "{\"key\":\"" k "\",\"value\":{\"boolValue\":" #v "}}"

static struct arena arena;
static struct price_table *prices;

static void
setup(void)
{
	struct config_report report = { .line = bed_complain };

	arena_init(&arena, 16 << 20);
	prices = pricing_load("", &report);
	cr_assert_not_null(prices);
}

static void
teardown(void)
{
	price_table_destroy(prices);
	arena_finish(&arena);
}

TestSuite(enrich, .init = setup, .fini = teardown);

static struct otlp_request
decode(enum otlp_signal signal, const char *format, const char *name, const char *attributes, const char *more)
{
	struct otlp_request req;
	char *json = arena_take(&arena, 8192);

	cr_assert_lt(snprintf(json, 8192, format, name, attributes, more), 8192);
	cr_assert_eq(otlp_json_decode(signal, json, strlen(json), OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK, "%s", json);
	return req;
}

static OtlpSpan *
span_from(const char *name, const char *attributes, const char *more)
{
	const struct otlp_request req =
	    decode(OTLP_TRACES,
		   "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"%s\",\"attributes\":[%s],"
		   "\"startTimeUnixNano\":\"1799999999000000000\",\"endTimeUnixNano\":\"1800000000000000000\"%s}]}]}]}",
		   name, attributes, more);

	return req.traces->resource_spans[0]->scope_spans[0]->spans[0];
}

static OtlpLogRecord *
log_from(const char *event, const char *attributes)
{
	const struct otlp_request req =
	    decode(OTLP_LOGS,
		   "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1800000000000000000\","
		   "\"attributes\":[{\"key\":\"event.name\",\"value\":{\"stringValue\":\"%s\"}},%s]%s}]}]}]}",
		   event, attributes, "");

	return req.logs->resource_logs[0]->scope_logs[0]->log_records[0];
}

/* What a log record says of a call, as long as the test runs. */
static const struct call *
call_from(const struct provider *p, const char *event, const char *attributes)
{
	static struct calls *calls;
	const struct resource_view r = { .now_ns = BED_NOW, .max_attributes = 100 };
	struct observation o;
	enum call_kind kind;

	calls_destroy(calls);
	calls = calls_create();
	provider_read_log(p, &r, log_from(event, attributes), &o);
	cr_assert(call_is_told(&o, &kind), "%s says nothing of a call", event);
	o.session = STR("s");
	return calls_add(calls, p, kind, &o, prices, STR(""), BED_NOW);
}

static struct got
written(OtlpKeyValue **list, size_t count)
{
	struct got g = { 0 };
	size_t len;
	FILE *out = open_memstream(&g.attributes, &len);

	cr_assert(out);
	bed_write_attributes(out, "", list, count);
	fclose(out);
	return g;
}

static struct got
enriched_span(const struct provider *p, OtlpSpan *span, const struct call *call, const struct session *session)
{
	const struct resource_view r = { .now_ns = BED_NOW, .max_attributes = 100 };
	struct observation o;
	struct enrichment x = {
		.provider = p, .o = &o, .session = session, .session_id = STR("s"), .call = call, .typed = true, .prices = prices
	};

	x.kind = provider_read_span(p, &r, span, &o);
	cr_assert(enrich_attributes(&x, &span->attributes, &span->n_attributes, &arena));
	return written(span->attributes, span->n_attributes);
}

/* Each "key=value" has to be there, and no "!key". */
static void
expect(const char *what, const struct got *g, const char *expected)
{
	char *lines = strdup(expected), *save = NULL;

	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');

		if (line[0] == '!') {
			cr_expect(got_is(g, line + 1, NULL), "%s: %s\n%s", what, line, g->attributes);
			continue;
		}
		cr_assert_not_null(value);
		*value++ = '\0';
		cr_expect(got_is(g, line, value), "%s: %s is not %s\n%s", what, line, value, g->attributes);
	}
	free(lines);
}

/* --- spans of all providers --- */

#define CLAUDE_LOG                                                                                                               \
	TEXT("model", "claude-opus-5-5")                                                                                         \
	"," INT("input_tokens", 100) "," INT("output_tokens", 20) "," INT("cache_read_tokens", 1000) "," INT(                    \
	    "cache_creation_tokens", 50) "," DOUBLE("cost_usd", 0.25)
#define CLAUDE_TOKENS                                                                                                            \
	"gen_ai.usage.input_tokens=1150\ngen_ai.usage.output_tokens=20\ngen_ai.usage.cache_read.input_tokens=1000\n"             \
	"gen_ai.usage.cache_write.input_tokens=50\ngen_ai.usage.reasoning.output_tokens=0\nllm.token_count.prompt=1150\n"        \
	"llm.token_count.completion=20\nllm.token_count.total=1170\nllm.token_count.prompt_details.cache_read=1000\n"            \
	"llm.token_count.prompt_details.cache_write=50\nllm.token_count.completion_details.reasoning=0\n"
#define GENAI_CALL                                                                                                               \
	TEXT("gen_ai.operation.name", "chat")                                                                                    \
	"," TEXT("gen_ai.request.model", "gpt-5.5") "," TEXT("gen_ai.response.model", "gpt-5.5-x") "," INT(                      \
	    "gen_ai.usage.input_tokens", 10) "," INT("gen_ai.usage.output_tokens", 2)

static const struct {
	const char *what;
	const struct provider *provider;
	const char *name, *attributes;
	const char *event, *log; /* of the same call; NULL: none came */
	const char *expected;
} spans[] = {
	{ "claude: llm with its log", &provider_claude, "claude_code.llm_request", TEXT("model", "claude-opus-5-5"),
	  "api_request", CLAUDE_LOG,
	  "session.id=s\ngen_ai.conversation.id=s\ngen_ai.provider.name=anthropic\ngen_ai.system=anthropic\n"
	  "gen_ai.operation.name=chat\nopeninference.span.kind=LLM\ngen_ai.request.model=claude-opus-5-5\n"
	  "llm.model_name=claude-opus-5-5\n" CLAUDE_TOKENS "gen_ai.usage.cost_usd=0.250000000000\ncost.estimated=false\n"
	  "!error.type\n!gen_ai.tool.name\n" },
	{ "claude: llm, what its cost is computed to", &provider_claude, "claude_code.llm_request",
	  TEXT("model", "claude-opus-5-5") "," INT("input_tokens", 100) "," INT("output_tokens", 20) "," INT(
	      "cache_read_tokens", 1000) "," INT("cache_creation_tokens", 50),
	  NULL, NULL, CLAUDE_TOKENS "input_tokens=100\ngen_ai.usage.cost_usd=0.001250000000\ncost.estimated=false\n" },
	{ "claude: llm of an unknown model", &provider_claude, "claude_code.llm_request",
	  TEXT("model", "x") "," INT("input_tokens", 1000000) "," INT("output_tokens", 0), NULL, NULL,
	  "gen_ai.usage.cost_usd=5.000000000000\ncost.estimated=true\n" },
	{ "claude: llm without anything", &provider_claude, "claude_code.llm_request", TEXT("model", "claude-opus-5-5"), NULL,
	  NULL, "openinference.span.kind=LLM\n!gen_ai.usage.input_tokens\n!gen_ai.usage.cost_usd\n!cost.estimated\n" },
	{ "claude: tool", &provider_claude, "claude_code.tool", TEXT("tool_name", "Bash") "," TEXT("tool_use_id", "t1"),
	  "tool_result", TEXT("tool_name", "Bash") "," TEXT("success", "true"),
	  "openinference.span.kind=TOOL\ngen_ai.operation.name=execute_tool\ngen_ai.tool.name=Bash\ntool.name=Bash\n"
	  "gen_ai.tool.call.id=t1\n!error.type\n!gen_ai.request.model\n!gen_ai.usage.input_tokens\n" },
	{ "claude: tool that failed", &provider_claude, "claude_code.tool", TEXT("tool_name", "Bash"), "tool_result",
	  TEXT("tool_use_id", "t2") "," TEXT("success", "false") "," TEXT("error_type", "Error:ENOENT"),
	  "gen_ai.tool.call.id=t2\nerror.type=Error:ENOENT\n!error.message\n!error.original_type\n" },
	{ "claude: interaction", &provider_claude, "claude_code.interaction", TEXT("x", "y"), NULL, NULL,
	  "openinference.span.kind=AGENT\ngen_ai.operation.name=invoke_agent\nsession.id=s\n!gen_ai.request.model\n" },
	{ "claude: any other", &provider_claude, "claude_code.hook", TEXT("x", "y"), NULL, NULL,
	  "openinference.span.kind=CHAIN\nsession.id=s\n!gen_ai.operation.name\n!gen_ai.request.model\n" },
	{ "codex: llm", &provider_codex, "codex.sampling", TEXT("model", "gpt-5.5"), "codex.sse_event",
	  TEXT("model", "gpt-5.5") "," TEXT("event.kind", "response.completed") "," TEXT("input_token_count", "4210") "," TEXT(
	      "output_token_count", "157") "," INT("cached_token_count", 3072) "," INT("reasoning_token_count", 64),
	  "gen_ai.provider.name=openai\ngen_ai.request.model=gpt-5.5\ngen_ai.usage.input_tokens=4210\n"
	  "gen_ai.usage.output_tokens=157\ngen_ai.usage.cache_read.input_tokens=3072\n"
	  "gen_ai.usage.reasoning.output_tokens=64\nllm.token_count.total=4367\n"
	  "gen_ai.usage.cost_usd=0.011936000000\ncost.estimated=false\n" },
	{ "codex: tool", &provider_codex, "exec_command", TEXT("codex.tool.phase", "x") "," TEXT("call_id", "c1"),
	  "codex.tool_result", TEXT("tool_name", "exec_command") "," TEXT("call_id", "c1") "," TEXT("success", "false"),
	  "openinference.span.kind=TOOL\ngen_ai.tool.name=exec_command\ngen_ai.tool.call.id=c1\nerror.type=tool_error\n" },
	{ "codex: turn", &provider_codex, "session_task.turn", TEXT("thread_id", "s"), NULL, NULL,
	  "openinference.span.kind=AGENT\ngen_ai.operation.name=invoke_agent\n" },
	{ "codex: attempt that failed", &provider_codex, "codex.sampling", TEXT("model", "gpt-5.5"), "codex.api_request",
	  INT("http.response.status_code", 429) "," TEXT("error.message", "http 429"),
	  "error.type=rate_limit\nerror.message=http 429\n!error.original_type\n!gen_ai.usage.input_tokens\n" },
	{ "codex: stream that broke", &provider_codex, "codex.sampling", TEXT("model", "gpt-5.5"), "codex.sse_event",
	  TEXT("error.message", "idle timeout waiting for SSE"), "error.type=timeout\n" },
	{ "gemini: llm", &provider_gemini, "llm_call",
	  TEXT("gen_ai.operation.name", "llm_call") "," TEXT("gen_ai.request.model", "gemini-2.5-pro"), "gemini_cli.api_response",
	  TEXT("model", "gemini-2.5-pro") "," INT("input_token_count", 1000) "," INT("output_token_count", 10) "," INT(
	      "thoughts_token_count", 30) "," INT("cached_content_token_count", 0),
	  "gen_ai.provider.name=gcp.gen_ai\ngen_ai.operation.name=chat\ngen_ai.usage.input_tokens=1000\n"
	  "gen_ai.usage.output_tokens=40\ngen_ai.usage.reasoning.output_tokens=30\n"
	  "gen_ai.usage.cost_usd=0.001650000000\ncost.estimated=false\n" },
	{ "gemini: call that failed", &provider_gemini, "llm_call", TEXT("gen_ai.request.model", "gemini-2.5-pro"),
	  "gemini_cli.api_error", TEXT("error_type", "ApiError") "," INT("status_code", 503) "," TEXT("error", "overloaded"),
	  "error.type=server\nerror.original_type=ApiError\nerror.message=overloaded\n" },
	{ "gemini: tool", &provider_gemini, "tool_call",
	  TEXT("gen_ai.tool.name", "read_file") "," TEXT("gen_ai.tool.call_id", "g1"), NULL, NULL,
	  "openinference.span.kind=TOOL\ngen_ai.tool.name=read_file\ntool.name=read_file\ngen_ai.tool.call.id=g1\n"
	  "gen_ai.operation.name=execute_tool\n" },
	{ "gemini: agent", &provider_gemini, "agent_call", TEXT("x", "y"), NULL, NULL, "openinference.span.kind=AGENT\n" },
	{ "qwen: llm tells all but the cost", &provider_qwen, "qwen-code.llm_request",
	  TEXT("gen_ai.request.model", "gpt-5.5") "," INT("gen_ai.usage.input_tokens", 1000) "," INT("gen_ai.usage.output_tokens",
												     10),
	  NULL, NULL,
	  "gen_ai.request.model=gpt-5.5\ngen_ai.usage.input_tokens=1000\nllm.token_count.prompt=1000\n"
	  "gen_ai.usage.cost_usd=0.005300000000\n" },
	{ "qwen: tool", &provider_qwen, "qwen-code.tool", TEXT("tool_name", "shell") "," TEXT("call_id", "q1"), NULL, NULL,
	  "openinference.span.kind=TOOL\ngen_ai.tool.name=shell\ngen_ai.tool.call.id=q1\n" },
	{ "qwen: interaction", &provider_qwen, "qwen-code.interaction", TEXT("x", "y"), NULL, NULL,
	  "openinference.span.kind=AGENT\n" },
	{ "genai: chat", &provider_genai, "chat gpt-5.5", GENAI_CALL, NULL, NULL,
	  "openinference.span.kind=LLM\ngen_ai.operation.name=chat\ngen_ai.request.model=gpt-5.5\nllm.model_name=gpt-5.5-x\n"
	  "llm.token_count.total=12\n!gen_ai.provider.name\n!gen_ai.system\n" },
	{ "genai: cost of its own", &provider_genai, "chat", GENAI_CALL "," DOUBLE("gen_ai.usage.cost_usd", 7.5), NULL, NULL,
	  "gen_ai.usage.cost_usd=7.500000000000\ncost.estimated=false\n" },
	{ "genai: other operations keep their names", &provider_genai, "x",
	  TEXT("gen_ai.operation.name", "text_completion") "," TEXT("gen_ai.provider.name", "mistral"), NULL, NULL,
	  "openinference.span.kind=LLM\ngen_ai.operation.name=text_completion\ngen_ai.provider.name=mistral\n" },
	{ "genai: tool", &provider_genai, "x",
	  TEXT("gen_ai.operation.name", "execute_tool") "," TEXT("gen_ai.tool.name", "t") "," TEXT("error.type", "timeout"), NULL,
	  NULL, "openinference.span.kind=TOOL\ntool.name=t\nerror.type=timeout\n" },
	{ "genai: agent", &provider_genai, "x", TEXT("gen_ai.operation.name", "invoke_agent"), NULL, NULL,
	  "openinference.span.kind=AGENT\ngen_ai.operation.name=invoke_agent\n" },
};

Test(enrich, spans_of_each_provider)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		const struct call *call = spans[i].log ? call_from(spans[i].provider, spans[i].event, spans[i].log) : NULL;
		OtlpSpan *span = span_from(spans[i].name, spans[i].attributes, "");
		struct got once = enriched_span(spans[i].provider, span, call, NULL), twice;

		expect(spans[i].what, &once, spans[i].expected);
		twice = enriched_span(spans[i].provider, span, call, NULL);
		cr_expect_str_eq(twice.attributes, once.attributes, "%s: the second time it is another", spans[i].what);
		free(once.attributes);
		free(twice.attributes);
	}
}

Test(enrich, native_values_stay_and_ours_replace)
{
	OtlpSpan *span = span_from(
	    "claude_code.llm_request",
	    TEXT("session.id", "native") "," TEXT("gen_ai.system", "aws.bedrock") "," TEXT(
		"gen_ai.request.model",
		"alias") "," TEXT("project.name",
				  "own") "," TEXT("model",
						  "claude-opus-5-5") "," TEXT("openinference.span.kind",
									      "CHAIN") "," INT("gen_ai.usage.input_tokens",
											       3) "," TEXT("gen_ai.usage.cost_"
													   "usd",
													   "a lot") "," TEXT("err"
															     "or."
															     "typ"
															     "e",
															     "non"
															     "e"),
	    "");
	const struct call *call = call_from(&provider_claude, "api_request", CLAUDE_LOG);
	const struct session session = { .id = "s", .project_name = "of the session", .model = "of the session" };
	struct got g = enriched_span(&provider_claude, span, call, &session);

	expect("native", &g,
	       "session.id=native\ngen_ai.system=aws.bedrock\ngen_ai.provider.name=anthropic\ngen_ai.request.model=alias\n"
	       "project.name=own\nopeninference.span.kind=CHAIN\ngen_ai.usage.input_tokens=1150\n"
	       "gen_ai.usage.cost_usd=0.250000000000\nerror.type=none\nmodel=claude-opus-5-5\n");
	free(g.attributes);
}

Test(enrich, the_session_tells_what_the_span_does_not)
{
	const struct session session = { .id = "s", .project_name = "p", .model = "gpt-5.5" };
	struct got g = enriched_span(&provider_codex, span_from("codex.sampling", "", ""), NULL, &session);

	expect("session", &g, "project.name=p\ngen_ai.request.model=gpt-5.5\n");
	free(g.attributes);
}

Test(enrich, tokens_without_prices_have_no_cost)
{
	const struct resource_view r = { .now_ns = BED_NOW, .max_attributes = 100 };
	OtlpSpan *span = span_from("chat", GENAI_CALL, "");
	struct observation o;
	struct enrichment x = { .provider = &provider_genai, .o = &o, .session_id = STR("s"), .typed = true };
	struct got g;

	x.kind = provider_read_span(&provider_genai, &r, span, &o);
	cr_assert(enrich_attributes(&x, &span->attributes, &span->n_attributes, &arena));
	g = written(span->attributes, span->n_attributes);
	expect("no prices", &g, "gen_ai.usage.input_tokens=10\n!gen_ai.usage.cost_usd\n!cost.estimated\n");
	free(g.attributes);
}

Test(enrich, tokens_too_many_to_count_are_the_most_there_can_be)
{
	OtlpSpan *span =
	    span_from("chat",
		      TEXT("gen_ai.operation.name", "chat") "," INT("gen_ai.usage.input_tokens", 9223372036854775807) "," INT(
			  "gen_ai.usage.output_tokens", 9223372036854775807),
		      "");
	struct got g = enriched_span(&provider_genai, span, NULL, NULL);

	expect("many", &g, "llm.token_count.total=9223372036854775807\ngen_ai.usage.input_tokens=9223372036854775807\n");
	free(g.attributes);
}

/* --- errors --- */

static const struct {
	const char *attributes, *more, *expected;
} errors[] = {
	{ TEXT("success", "false") "," INT("status_code", 401), "", "error.type=auth\n" },
	{ TEXT("success", "false") "," INT("status_code", 529), "", "error.type=server\n" },
	{ TEXT("success", "false") "," INT("status_code", 404), "", "error.type=client\n" },
	{ TEXT("success", "false") "," TEXT("error_class", "rate_limit"), "", "error.type=rate_limit\n!error.original_type\n" },
	{ TEXT("success", "false") "," TEXT("error", "Connection error."), "",
	  "error.type=network\nerror.message=Connection error.\n" },
	{ TEXT("success", "false"), "", "error.type=unknown\n!error.message\n" },
	{ TEXT("success", "false") "," TEXT("error_type", "Weird"), "", "error.type=unknown\nerror.original_type=Weird\n" },
	{ TEXT("x", "y"), ",\"status\":{\"code\":2,\"message\":\"Request timed out\"}",
	  "error.type=timeout\nerror.message=Request timed out\n" },
	{ TEXT("x", "y"), ",\"status\":{\"code\":1}", "!error.type\n!error.message\n" },
};

Test(enrich, errors_have_a_class)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		OtlpSpan *span = span_from("claude_code.llm_request", errors[i].attributes, errors[i].more);
		struct got g = enriched_span(&provider_claude, span, NULL, NULL);

		expect(errors[i].attributes, &g, errors[i].expected);
		free(g.attributes);
	}
}

/* --- log records --- */

static struct got
enriched_log(const char *event, const char *attributes, enum span_kind kind, bool typed)
{
	const struct resource_view r = { .now_ns = BED_NOW, .max_attributes = 100 };
	OtlpLogRecord *rec = log_from(event, attributes);
	struct observation o;
	const struct enrichment x = {
		.provider = &provider_claude, .o = &o, .session_id = STR("s"), .typed = typed, .kind = kind, .prices = prices
	};

	provider_read_log(&provider_claude, &r, rec, &o);
	cr_assert(enrich_attributes(&x, &rec->attributes, &rec->n_attributes, &arena));
	return written(rec->attributes, rec->n_attributes);
}

Test(enrich, log_records)
{
	struct got g = enriched_log("api_request", CLAUDE_LOG, SPAN_LLM, true);

	expect("api_request", &g,
	       "openinference.span.kind=LLM\ngen_ai.usage.input_tokens=1150\ngen_ai.usage.cost_usd=0.250000000000\n");
	free(g.attributes);
	g = enriched_log("user_prompt", TEXT("prompt_length", "5"), SPAN_CHAIN, false);
	expect("user_prompt", &g, "session.id=s\n!openinference.span.kind\n!gen_ai.operation.name\n!gen_ai.request.model\n");
	free(g.attributes);
	g = enriched_log("api_error", TEXT("model", "m") "," INT("status_code", 429) "," TEXT("error", "slow down"), SPAN_LLM,
			 true);
	expect("api_error", &g, "error.type=rate_limit\nerror.message=slow down\n!gen_ai.usage.input_tokens\n");
	free(g.attributes);
}

Test(enrich, without_memory_the_list_stays)
{
	const struct resource_view r = { .now_ns = BED_NOW, .max_attributes = 100 };
	OtlpSpan *span = span_from("claude_code.interaction", TEXT("x", "y"), "");
	OtlpKeyValue **list = span->attributes;
	struct observation o;
	struct enrichment x = { .provider = &provider_claude, .o = &o, .session_id = STR("s"), .typed = true };

	x.kind = provider_read_span(&provider_claude, &r, span, &o);
	for (size_t cap = 0; cap < 1000; cap += 16) {
		struct arena small;

		arena_init(&small, cap);
		if (!enrich_attributes(&x, &span->attributes, &span->n_attributes, &small)) {
			cr_expect_eq(span->attributes, list);
			cr_expect_eq(span->n_attributes, 1);
		}
		span->attributes = list;
		span->n_attributes = 1;
		arena_finish(&small);
	}
}
