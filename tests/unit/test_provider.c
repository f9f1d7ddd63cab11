#include "provider.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW      1800000000000000000ull
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Attributes on the stack: text if `text` is set, else a number. */
struct attr {
	const char *key, *text;
	int64_t number;
};

struct record {
	OtlpAnyValue values[16];
	OtlpKeyValue pairs[16];
	OtlpKeyValue *list[16];
	OtlpLogRecord log;
	OtlpSpan span;
};

static void
fill(struct record *r, const struct attr *attrs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		r->values[i] = (OtlpAnyValue)OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
		r->pairs[i] = (OtlpKeyValue)OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT;
		if (attrs[i].text) {
			r->values[i].value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
			r->values[i].string_value = (char *)attrs[i].text;
		} else {
			r->values[i].value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
			r->values[i].int_value = attrs[i].number;
		}
		r->pairs[i].key = (char *)attrs[i].key;
		r->pairs[i].value = &r->values[i];
		r->list[i] = &r->pairs[i];
	}
	r->log = (OtlpLogRecord)OPENTELEMETRY__PROTO__LOGS__V1__LOG_RECORD__INIT;
	r->log.attributes = r->list;
	r->log.n_attributes = count;
	r->log.time_unix_nano = NOW - 5;
	r->span = (OtlpSpan)OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT;
	r->span.attributes = r->list;
	r->span.n_attributes = count;
	r->span.end_time_unix_nano = NOW - 5;
}

static bool
observe_log(const struct provider *p, const struct attr *attrs, size_t count, struct observation *ret)
{
	struct resource_view view = { .now_ns = NOW, .max_attributes = SIZE_MAX };
	static struct record r;

	fill(&r, attrs, count);
	return provider_log(p, &view, &r.log, ret);
}

static bool
observe_span(const struct provider *p, const char *name, const struct attr *attrs, size_t count, struct observation *ret)
{
	struct resource_view view = { .now_ns = NOW, .max_attributes = SIZE_MAX };
	static struct record r;

	fill(&r, attrs, count);
	r.span.name = (char *)name;
	return provider_span(p, &view, &r.span, ret);
}

#define LOG(p, ret, ...) observe_log(p, (struct attr[]){ __VA_ARGS__ }, COUNT(((struct attr[]){ __VA_ARGS__ })), ret)
#define SPAN(p, name, ret, ...)                                                                                                  \
	observe_span(p, name, (struct attr[]){ __VA_ARGS__ }, COUNT(((struct attr[]){ __VA_ARGS__ })), ret)

static void
check_rules_sorted(const char *provider, const struct meaning_rule *rules, size_t count)
{
	for (size_t i = 1; i < count; i++)
		cr_expect_leq(strcmp(rules[i - 1].name, rules[i].name), 0, "%s: %s stands after %s", provider, rules[i].name,
			      rules[i - 1].name);
}

Test(provider, tables_are_sorted)
{
	for (const struct provider *const *p = providers; *p; p++) {
		for (size_t i = 1; i < (*p)->field_count; i++)
			cr_expect_lt(strcmp((*p)->fields[i - 1].attr, (*p)->fields[i].attr), 0, "%s: %s", (*p)->name,
				     (*p)->fields[i].attr);
		check_rules_sorted((*p)->name, (*p)->events, (*p)->event_count);
		check_rules_sorted((*p)->name, (*p)->spans, (*p)->span_count);
		check_rules_sorted((*p)->name, (*p)->hooks, (*p)->hook_count);
	}
}

/* Every attribute that a table knows is found by its lookup and reaches its field. */
Test(provider, every_field_is_reachable)
{
	for (const struct provider *const *p = providers; *p; p++)
		for (size_t i = 0; i < (*p)->field_count; i++) {
			struct observation o;
			const char *attr = (*p)->fields[i].attr;
			if ((*p)->fields[i].field != F_SESSION)
				continue;
			/* The first event without conditions carries the session through. */
			for (size_t e = 0; e < (*p)->event_count; e++)
				if ((*p)->events[e].when[0].field == F_NONE && !(*p)->events[e].refine) {
					cr_assert(LOG(*p, &o, { "event.name", (*p)->events[e].name, 0 }, { attr, "abc", 0 }),
						  "%s %s", (*p)->name, (*p)->events[e].name);
					cr_expect(str_eq(o.session, STR("abc")), "%s %s", (*p)->name, attr);
					break;
				}
		}
}

/* Every row that has a name of its own is taken for it. */
Test(provider, every_event_row_is_reachable)
{
	for (const struct provider *const *p = providers; *p; p++)
		for (size_t i = 0; i < (*p)->event_count; i++) {
			const struct meaning_rule *r = &(*p)->events[i];
			struct attr attrs[8] = { { "event.name", r->name, 0 }, { "session.id", "s", 0 } };
			size_t n = 2;
			struct observation o = { 0 };
			bool whole = true;
			char text[RULE_CONDITIONS][64];
			for (size_t c = 0; c < RULE_CONDITIONS && r->when[c].field != F_NONE; c++) {
				const struct condition *w = &r->when[c];
				const char *attr = NULL;
				for (size_t f = 0; f < (*p)->field_count; f++)
					if ((*p)->fields[f].field == w->field)
						attr = (*p)->fields[f].attr;
				cr_assert_not_null(attr, "%s: %s asks for a field that no attribute gives", (*p)->name, r->name);
				if (w->negated)
					continue;
				snprintf(text[c], sizeof(text[c]), "%s", w->is ? w->is : "x");
				if (strlen(text[c]) && text[c][strlen(text[c]) - 1] == '*')
					text[c][strlen(text[c]) - 1] = '\0';
				attrs[n++] = (struct attr){ attr, text[c], 0 };
			}
			if (r->refine)
				continue;
			whole = observe_log(*p, attrs, n, &o);
			cr_expect(whole, "%s: %s says nothing", (*p)->name, r->name);
			cr_expect_eq(o.means, r->means, "%s: row %zu of %s", (*p)->name, i, r->name);
		}
}

Test(provider, claude_request)
{
	struct observation o;

	cr_assert(LOG(&provider_claude, &o, { "event.name", "api_request", 0 }, { "session.id", "s1", 0 },
		      { "input_tokens", NULL, 1200 }, { "cache_read_tokens", NULL, 11000 },
		      { "cache_creation_tokens", "5000", 0 }, { "output_tokens", NULL, 47 }, { "cost_usd", "0.03294", 0 },
		      { "model", "m", 0 }));
	cr_expect_eq(o.means, MEANS_RESPONSE);
	cr_expect_eq(o.tokens.input, 17200);
	cr_expect_eq(o.tokens.cache_write, 5000);
	cr_expect_eq(o.tokens.output, 47);
	cr_expect(o.has_cost);
	cr_expect_eq(o.cost, 32940000000ll);
	cr_expect_eq(o.time_ns, NOW - 5);
	cr_expect_not(o.flags & OBS_BACKGROUND);
	cr_expect_eq(o.cache_write_1h, 0);
	cr_expect_eq(o.speed.len, 0);
}

Test(provider, claude_tells_what_a_request_costs_more_for)
{
	struct observation o;

	cr_assert(LOG(&provider_claude, &o, { "event.name", "api_request", 0 }, { "session.id", "s1", 0 },
		      { "cache_creation_tokens", NULL, 5000 }, { "cache_creation_1h_tokens", NULL, 2000 },
		      { "cache_creation_5m_tokens", NULL, 3000 }, { "speed", "fast", 0 }));
	cr_expect_eq(o.tokens.cache_write, 5000);
	cr_expect_eq(o.cache_write_1h, 2000);
	cr_expect(str_eq(o.speed, STR("fast")));
}

Test(provider, claude_title_is_background)
{
	struct observation o;

	cr_assert(LOG(&provider_claude, &o, { "event.name", "api_request", 0 }, { "query_source", "generate_session_title", 0 }));
	cr_expect(o.flags & OBS_BACKGROUND);
}

Test(provider, claude_commands_are_not_prompts)
{
	struct observation o;

	cr_assert(LOG(&provider_claude, &o, { "event.name", "user_prompt", 0 }, { "command_name", "cost", 0 },
		      { "command_source", "builtin", 0 }));
	cr_expect_eq(o.means, MEANS_COMMAND);
	cr_assert(LOG(&provider_claude, &o, { "event.name", "user_prompt", 0 }, { "command_name", "clear", 0 },
		      { "command_source", "builtin", 0 }));
	cr_expect_eq(o.means, MEANS_END);
	cr_assert(LOG(&provider_claude, &o, { "event.name", "user_prompt", 0 }, { "command_name", "custom", 0 },
		      { "command_source", "custom", 0 }));
	cr_expect_eq(o.means, MEANS_PROMPT);
	cr_expect_not(o.flags & OBS_COUNTED);
	cr_assert(LOG(&provider_claude, &o, { "event.name", "user_prompt", 0 }));
	cr_expect(o.flags & OBS_COUNTED);
}

Test(provider, a_cost_is_a_sum_that_somebody_may_pay)
{
	static const struct {
		const char *text;
		int64_t cost;
	} cases[] = { { "0.25", 250000000000 }, { "0", 0 }, { "-4", 0 }, { "-1e300", 0 }, { "1e300", 1000000000000000000 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct observation o;

		cr_assert(LOG(&provider_claude, &o, { "event.name", "api_request", 0 }, { "cost_usd", cases[i].text, 0 }));
		cr_expect_eq(o.cost, cases[i].cost, "%s", cases[i].text);
	}
}

Test(provider, codex_tokens_and_doubles)
{
	struct observation o;

	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 }, { "event.kind", "response.completed", 0 },
		      { "input_token_count", "4210", 0 }, { "output_token_count", "157", 0 },
		      { "cached_token_count", NULL, 3072 }, { "reasoning_token_count", NULL, 64 },
		      { "tool_token_count", "4367", 0 }));
	cr_expect_eq(o.means, MEANS_RESPONSE);
	cr_expect_eq(o.tokens.input, 4210);
	cr_expect_eq(o.tokens.output, 157);
	cr_expect_eq(o.tokens.reasoning, 64);
	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 }, { "event.kind", "response.completed", 0 }));
	cr_expect_eq(o.means, MEANS_ACTIVITY);
	cr_expect_not(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 }, { "input_token_count", "0", 0 },
			  { "output_token_count", "0", 0 }));
}

Test(provider, codex_failed_attempts)
{
	struct observation o;

	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.api_request", 0 }, { "http.response.status_code", NULL, 200 }));
	cr_expect_eq(o.means, MEANS_CALL);
	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.api_request", 0 }, { "http.response.status_code", NULL, 429 }));
	cr_expect_eq(o.means, MEANS_ERROR);
	cr_assert(
	    LOG(&provider_codex, &o, { "event.name", "codex.api_request", 0 }, { "error.message", "error sending request", 0 }));
	cr_expect_eq(o.means, MEANS_ERROR);
	/* The list of models is no answer of a model, and nobody's. */
	cr_expect_not(LOG(&provider_codex, &o, { "event.name", "codex.api_request", 0 }, { "endpoint", "/models", 0 },
			  { "success", "false", 0 }, { "http.response.status_code", NULL, 401 }));
	cr_assert(SPAN(&provider_codex, "session_task.turn", &o, { "codex.turn.token_usage.total_tokens", NULL, 0 }));
	cr_expect(o.flags & OBS_FAILED);
	cr_assert(SPAN(&provider_codex, "session_task.turn", &o, { "codex.turn.token_usage.total_tokens", NULL, 7 }));
	cr_expect_not(o.flags & OBS_FAILED);
	cr_assert(SPAN(&provider_codex, "session_task.turn", &o, { "model", "gpt-5.5", 0 }));
	cr_expect_not(o.flags & OBS_FAILED);
}

/* What each CLI does after a failed request that ended with such a status. */
Test(provider, who_tries_again)
{
	static const struct {
		const struct provider *provider;
		const char *event;
		int64_t status; /* 0: none */
		unsigned flags;
	} cases[] = {
		{ &provider_claude, "claude_code.api_error", 429, OBS_FINAL },
		{ &provider_claude, "claude_code.api_error", 0, OBS_FINAL },
		{ &provider_claude, "claude_code.api_retries_exhausted", 429, OBS_FINAL },
		{ &provider_codex, "codex.api_request", 0, OBS_RETRIED },
		{ &provider_codex, "codex.api_request", 400, OBS_FINAL },
		{ &provider_codex, "codex.api_request", 401, OBS_RETRIED },
		{ &provider_codex, "codex.api_request", 404, 0 },
		{ &provider_codex, "codex.api_request", 429, 0 },
		{ &provider_codex, "codex.api_request", 503, OBS_RETRIED },
		{ &provider_gemini, "gemini_cli.api_error", 0, OBS_RETRIED },
		{ &provider_gemini, "gemini_cli.api_error", 401, OBS_FINAL },
		{ &provider_gemini, "gemini_cli.api_error", 429, 0 },
		{ &provider_gemini, "gemini_cli.api_error", 500, OBS_RETRIED },
		{ &provider_gemini, "gemini_cli.chat.content_retry", 0, OBS_RETRIED },
		{ &provider_gemini, "gemini_cli.chat.content_retry_failure", 0, OBS_FINAL },
		{ &provider_qwen, "qwen-code.api_error", 401, OBS_FINAL },
		{ &provider_qwen, "qwen-code.api_error", 429, 0 },
		{ &provider_qwen, "qwen-code.api_error", 503, 0 },
		{ &provider_qwen, "qwen-code.api_error", 0, 0 },
		{ &provider_qwen, "qwen-code.api_retry", 429, OBS_RETRIED },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *status = cases[i].provider == &provider_codex ? "http.response.status_code" : "status_code";
		struct observation o;

		cr_assert(LOG(cases[i].provider, &o, { "event.name", cases[i].event, 0 },
			      { cases[i].status ? status : "x", NULL, cases[i].status }));
		cr_expect_eq(o.status, cases[i].status);
		cr_expect_eq(o.flags & (OBS_FINAL | OBS_RETRIED), cases[i].flags, "%s %u", cases[i].event, o.status);
	}
}

/* Of a row's statuses the first is in no row before it; a row says one thing. */
Test(provider, every_retry_row_is_reachable)
{
	for (const struct provider *const *p = providers; *p; p++)
		for (const struct retry_rule *r = (*p)->retries; r && r->flags; r++) {
			cr_expect(r->flags == OBS_FINAL || r->flags == OBS_RETRIED);
			cr_expect_leq(r->first, r->last);
			for (const struct retry_rule *before = (*p)->retries; before < r; before++)
				cr_expect(r->first < before->first || r->first > before->last, "%s %u", (*p)->name, r->first);
		}
}

Test(provider, how_often_it_was_tried)
{
	struct observation o;

	cr_assert(LOG(&provider_claude, &o, { "event.name", "api_error", 0 }, { "attempt", NULL, 11 }));
	cr_expect_eq(o.attempt, 11);
	cr_expect_eq(o.attempts, 11);
	cr_assert(LOG(&provider_claude, &o, { "event.name", "api_retries_exhausted", 0 }, { "total_attempts", NULL, 4 }));
	cr_expect_eq(o.attempts, 4);
	cr_assert(LOG(&provider_gemini, &o, { "event.name", "gemini_cli.chat.content_retry_failure", 0 },
		      { "total_attempts", NULL, 4 }, { "final_error_type", "NO_RESPONSE_TEXT", 0 }));
	cr_expect_eq(o.attempts, 4);
	cr_expect(str_eq(o.error_type, STR("NO_RESPONSE_TEXT")));
	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.api_request", 0 }, { "attempt", NULL, 2 },
		      { "http.response.status_code", NULL, 500 }));
	cr_expect_eq(o.attempt, 2);
	cr_expect_eq(o.attempts, 0, "more may follow");
	cr_assert(LOG(&provider_qwen, &o, { "event.name", "qwen-code.api_retry", 0 }, { "attempt_number", NULL, 3 }));
	cr_expect_eq(o.attempt, 3);
	cr_expect_eq(o.attempts, 0);
}

Test(provider, codex_says_when_its_stream_is_over)
{
	struct observation o;

	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 },
		      { "error.message", "exceeded retry limit, last status: 429 Too Many Requests", 0 }));
	cr_expect_eq(o.means, MEANS_FAULT);
	cr_expect_eq(o.flags & (OBS_FINAL | OBS_RETRIED), OBS_FINAL);
	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 },
		      { "error.message", "stream disconnected before completion: x", 0 }));
	cr_expect_eq(o.flags & (OBS_FINAL | OBS_RETRIED), OBS_RETRIED);
	cr_assert(LOG(&provider_codex, &o, { "event.name", "codex.sse_event", 0 }, { "error.message", "idle timeout", 0 }));
	cr_expect_eq(o.means, MEANS_FAULT);
	cr_expect_eq(o.flags & (OBS_FINAL | OBS_RETRIED), 0);
}

Test(provider, gemini_output_gets_its_thoughts)
{
	struct observation o;

	cr_assert(LOG(&provider_gemini, &o, { "event.name", "gemini_cli.api_response", 0 }, { "output_token_count", NULL, 42 },
		      { "thoughts_token_count", NULL, 57 }, { "role", "main", 0 }));
	cr_expect_eq(o.tokens.output, 99);
	cr_assert(LOG(&provider_gemini, &o, { "event.name", "gemini_cli.api_response", 0 }, { "role", "utility_router", 0 }));
	cr_expect(o.flags & OBS_BACKGROUND);
}

Test(provider, spans_by_name_and_condition)
{
	struct observation o;

	cr_assert(
	    SPAN(&provider_claude, "claude_code.llm_request", &o, { "stop_reason", "tool_use", 0 }, { "request_id", "r", 0 }));
	cr_expect_eq(o.means, MEANS_RESPONSE_END);
	cr_expect(o.flags & OBS_WANTS_TOOL);
	cr_assert(SPAN(&provider_claude, "claude_code.llm_request", &o, { "stop_reason", "end_turn", 0 }));
	cr_expect_not(o.flags & OBS_WANTS_TOOL);
	cr_expect_not(SPAN(&provider_codex, "handle_responses", &o, { "conversation.id", "x", 0 }));
}

Test(provider, genai_spans_go_by_operation)
{
	struct observation o;

	cr_assert(SPAN(NULL, "chat some-model", &o, { "gen_ai.operation.name", "chat", 0 },
		       { "gen_ai.usage.input_tokens", NULL, 10 }, { "gen_ai.usage.output_tokens", NULL, 4 },
		       { "gen_ai.conversation.id", "c", 0 }));
	cr_expect_str_eq(o.provider, "genai");
	cr_expect_eq(o.means, MEANS_RESPONSE);
	cr_expect_eq(o.tokens.input, 10);
	cr_assert(SPAN(NULL, "chat some-model", &o, { "gen_ai.operation.name", "chat", 0 }, { "error.type", "timeout", 0 }));
	cr_expect_eq(o.means, MEANS_ERROR);
	cr_assert(SPAN(NULL, "execute_tool x", &o, { "gen_ai.operation.name", "execute_tool", 0 }));
	cr_expect_eq(o.means, MEANS_TOOL);
	cr_expect_not(SPAN(NULL, "GET /", &o, { "http.request.method", "GET", 0 }));
}

Test(provider, detection_by_service_then_scope_then_event)
{
	struct arena a;
	struct resource_view r;
	struct record rec;
	struct observation o;

	arena_init(&a, 1 << 16);
	fill(&rec, (struct attr[]){ { "service.name", "codex-app-server", 0 } }, 1);
	r = provider_resource(rec.list, 1, SIZE_MAX, 0, NOW, &a);
	cr_expect_eq(r.provider, &provider_codex);
	cr_expect_eq(provider_of_scope(&r, "com.anthropic.claude_code.events"), &provider_codex);
	fill(&rec, (struct attr[]){ { "service.name", "my-own-name", 0 } }, 1);
	r = provider_resource(rec.list, 1, SIZE_MAX, 0, NOW, &a);
	cr_expect_null(r.provider);
	cr_expect_eq(provider_of_scope(&r, "com.anthropic.claude_code.events"), &provider_claude);
	cr_expect_null(provider_of_scope(&r, "something"));
	cr_assert(LOG(NULL, &o, { "event.name", "gemini_cli.user_prompt", 0 }, { "session.id", "s", 0 }));
	cr_expect_str_eq(o.provider, "gemini-cli");
	arena_finish(&a);
}

Test(provider, process_and_pid_of_the_resource)
{
	struct arena a;
	struct resource_view r;
	struct record rec;

	arena_init(&a, 1 << 16);
	fill(&rec, (struct attr[]){ { "host.name", "box", 0 }, { "process.pid", NULL, 2795 }, { "session.id", "old", 0 } }, 3);
	r = provider_resource(rec.list, 3, SIZE_MAX, 7, NOW, &a);
	cr_expect_eq(r.pid, 2795);
	cr_expect(str_eq(r.process, STR("box:2795")));
	cr_expect(str_eq(r.session, STR("old")));
	cr_expect_eq(r.peer, 7);
	arena_finish(&a);
}

Test(provider, attributes_over_the_limit_of_a_record)
{
	static const struct attr attrs[] = { { "x", "y", 0 },
					     { "session.id", "s", 0 },
					     { "event.name", "gemini_cli.user_prompt", 0 } };
	struct resource_view view = { .now_ns = NOW };
	struct observation o;
	struct record r;

	fill(&r, attrs, COUNT(attrs));
	for (view.max_attributes = 0; view.max_attributes < COUNT(attrs); view.max_attributes++) {
		cr_expect_not(provider_log(&provider_gemini, &view, &r.log, &o), "%zu", view.max_attributes);
		cr_expect_not(provider_log(NULL, &view, &r.log, &o), "%zu", view.max_attributes);
	}
	cr_assert(provider_log(NULL, &view, &r.log, &o));
	cr_expect_str_eq(o.provider, "gemini-cli");
	cr_expect(str_eq(o.session, STR("s")));
}

Test(provider, attributes_over_the_limit_of_a_span_and_its_events)
{
	static const struct attr attrs[] = { { "gen_ai.operation.name", "chat", 0 }, { "gen_ai.conversation.id", "c", 0 } };
	static const struct attr late[] = { { "x", "y", 0 }, { "gen_ai.conversation.id", "e", 0 } };
	Opentelemetry__Proto__Trace__V1__Span__Event event = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__EVENT__INIT, *events = &event;
	struct resource_view view = { .now_ns = NOW };
	struct observation o;
	struct record r, of_event;

	fill(&r, attrs, COUNT(attrs));
	r.span.name = (char *)"chat some-model";
	cr_expect_not(provider_span(NULL, &view, &r.span, &o));
	view.max_attributes = 1;
	cr_assert(provider_span(NULL, &view, &r.span, &o));
	cr_expect_eq(o.session.len, 0);
	view.max_attributes = 2;
	cr_assert(provider_span(NULL, &view, &r.span, &o));
	cr_expect(str_eq(o.session, STR("c")));

	fill(&of_event, late, COUNT(late));
	event.attributes = of_event.list;
	event.n_attributes = COUNT(late);
	r.span.events = &events;
	r.span.n_events = 1;
	r.span.n_attributes = 1;
	cr_assert(provider_span(NULL, &view, &r.span, &o));
	cr_expect(str_eq(o.session, STR("e")));
	view.max_attributes = 1;
	cr_assert(provider_span(NULL, &view, &r.span, &o));
	cr_expect_eq(o.session.len, 0);
}

Test(provider, attributes_over_the_limit_of_a_resource)
{
	static const struct attr attrs[] = { { "host.name", "box", 0 }, { "service.name", "codex-app-server", 0 } };
	struct resource_view r;
	struct record rec;
	struct arena a;

	arena_init(&a, 1 << 16);
	fill(&rec, attrs, COUNT(attrs));
	r = provider_resource(rec.list, 2, 1, 0, NOW, &a);
	cr_expect_null(r.provider);
	cr_expect_eq(r.max_attributes, 1);
	r = provider_resource(rec.list, 2, 2, 0, NOW, &a);
	cr_expect_eq(r.provider, &provider_codex);
	arena_finish(&a);
}

Test(provider, records_without_time)
{
	struct resource_view view = { .now_ns = NOW, .max_attributes = SIZE_MAX };
	struct observation o;
	struct record r;

	fill(&r,
	     (struct attr[]){ { "event.name", "codex.user_prompt", 0 }, { "event.timestamp", "2026-11-23T00:28:48.596Z", 0 } },
	     2);
	r.log.time_unix_nano = 0;
	r.log.observed_time_unix_nano = NOW - 77;
	cr_assert(provider_log(&provider_codex, &view, &r.log, &o));
	cr_expect_eq(o.time_ns, NOW - 77);
	r.log.observed_time_unix_nano = 0;
	cr_assert(provider_log(&provider_codex, &view, &r.log, &o));
	cr_expect_eq(o.time_ns, 1795393728596000000ull, "%llu", (unsigned long long)o.time_ns);
	r.list[1]->value->string_value = (char *)"not a time at all, really";
	cr_assert(provider_log(&provider_codex, &view, &r.log, &o));
	cr_expect_eq(o.time_ns, NOW);
	r.log.time_unix_nano = NOW * 2;
	cr_assert(provider_log(&provider_codex, &view, &r.log, &o));
	cr_expect_eq(o.time_ns, NOW);
}

Test(provider, numbers_of_any_type)
{
	struct fields f = { .present = 0 };
	static const struct {
		struct value v;
		uint64_t u;
		bool t;
	} cases[] = {
		{ { .kind = VALUE_TEXT, .text = { "42", 2 } }, 42, false },
		{ { .kind = VALUE_TEXT, .text = { "true", 4 } }, 0, true },
		{ { .kind = VALUE_TEXT, .text = { "4x", 2 } }, 0, false },
		{ { .kind = VALUE_TEXT, .text = { "nan", 3 } }, 0, false },
		{ { .kind = VALUE_INT, .i = -3 }, 0, true },
		{ { .kind = VALUE_INT, .i = INT64_MAX }, INT64_MAX, true },
		{ { .kind = VALUE_DOUBLE, .d = 1e300 }, 0, true },
		{ { .kind = VALUE_DOUBLE, .d = 568.6 }, 569, true },
		{ { .kind = VALUE_BOOL, .i = 1 }, 1, true },
	};

	f.present = 1ull << F_STATUS;
	for (size_t i = 0; i < COUNT(cases); i++) {
		f.values[F_STATUS] = cases[i].v;
		cr_expect_eq(field_u64(&f, F_STATUS), cases[i].u, "case %zu", i);
		cr_expect_eq(field_true(&f, F_STATUS), cases[i].t, "case %zu", i);
	}
	cr_expect_eq(field_u64(&f, F_INPUT), 0);
}
