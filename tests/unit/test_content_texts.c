/* Texts of which something may stay: errors, bodies that are sentences, addresses. */
#include "content_bed.h"

TestSuite(content_texts, .init = setup, .fini = teardown);

/* --- errors --- */

Test(content_texts, errors_of_requests_stay_and_errors_of_tools_go)
{
	static const struct {
		const char *what, *attributes;
		bool kept;
	} cases[] = {
		{ "Claude's api_error", EVENT("api_error") "," TEXT("model", "m") "," TEXT("error", "canary"), true },
		{ "the same, the other way round", TEXT("error", "canary") "," TEXT("model", "m") "," EVENT("api_error"), true },
		{ "Codex's api_request",
		  EVENT("codex.api_request") "," TEXT("error.message", "canary") "," TEXT("endpoint", "/models"), true },
		{ "Gemini's api_error", TEXT("error.message", "canary") "," TEXT("model_name", "m"), true },
		{ "Qwen's api_retry", TEXT("error_message", "canary") "," TEXT("model", "m"), true },
		{ "an HTTP request",
		  TEXT("error.message", "canary") ",{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":429}}", true },
		{ "Claude's tool_result", EVENT("tool_result") "," TEXT("error", "canary") "," TEXT("tool_name", "Bash"), false },
		{ "Gemini's tool_call", TEXT("error", "canary") "," TEXT("function_name", "read_file") "," TEXT("model", "m"),
		  false },
		{ "a tool of OpenInference",
		  TEXT("error.message", "canary") "," TEXT("model", "m") "," TEXT("openinference.span.kind", "TOOL"), false },
		{ "a model of OpenInference",
		  TEXT("error.message", "canary") "," TEXT("model", "m") "," TEXT("openinference.span.kind", "LLM"), true },
		{ "a hook", TEXT("error", "canary") "," TEXT("hook_name", "h") "," TEXT("model", "m"), false },
		{ "nobody knows what", TEXT("error", "canary"), false },
		{ "a list",
		  "{\"key\":\"error\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"canary\"}]}}}," TEXT("model",
														     "m"),
		  false },
	};
	struct otlp_request req;

	for
		EACH(cases)
		{
			drop(OTLP_LOGS, &req, RECORD("\"attributes\":[%s]"), cases[i].attributes);
			cr_assert_eq(left("canary"), cases[i].kept, "%s", cases[i].what);
		}
}

#define SPAN(attributes, rest) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[" attributes "]," rest "}]}]}]}"
#define FAILED                                                                                                                   \
	"\"status\":{\"code\":2,\"message\":\"canary-status\"},\"events\":[{\"name\":\"exception\",\"attributes\":[" TEXT(       \
	    "exception.type", "Kept") "," TEXT("exception.message", "canary-message") "," TEXT("exception.stacktrace",           \
											       "canary-stack") "]}]"

Test(content_texts, spans_tell_what_their_status_and_exceptions_are_about)
{
	static const struct {
		const char *body;
		bool kept;
	} cases[] = {
		{ SPAN(TEXT("gen_ai.request.model", "m"), FAILED), true },
		{ SPAN(TEXT("http.request.method", "POST"), FAILED), true },
		{ SPAN(TEXT("gen_ai.tool.name", "t") "," TEXT("gen_ai.request.model", "m"), FAILED), false },
		{ SPAN(TEXT("gen_ai.operation.name", "execute_tool") "," TEXT("gen_ai.request.model", "m"), FAILED), false },
		{ SPAN(TEXT("gen_ai.operation.name", "invoke_agent"), FAILED), false },
		{ SPAN("", FAILED), false },
	};
	struct otlp_request req;

	for
		EACH(cases)
		{
			drop(OTLP_TRACES, &req, cases[i].body);
			cr_assert_eq(left("canary-status"), cases[i].kept, "%zu", i);
			cr_assert_eq(left("canary-message"), cases[i].kept, "%zu", i);
			cr_assert_not(left("canary-stack"));
			cr_assert(left("Kept"));
			cr_assert_eq(req.traces->resource_spans[0]->scope_spans[0]->spans[0]->status->code, 2);
		}
}

Test(content_texts, an_event_of_a_span_may_be_about_something_else)
{
	struct otlp_request req;

	drop(OTLP_TRACES, &req,
	     SPAN(TEXT("model", "m"),
		  "\"events\":[{\"attributes\":[" TEXT("tool_name", "t") "," TEXT("error.message", "canary") "]}]"));
	cr_assert_not(left("canary"));
	drop(OTLP_TRACES, &req,
	     SPAN(TEXT("tool_name", "t"),
		  "\"events\":[{\"attributes\":[" TEXT("endpoint", "/r") "," TEXT("error.message", "canary") "]}]"));
	cr_assert(left("canary"));
}

static const char *
error_of(struct otlp_request *req)
{
	return req->logs->resource_logs[0]->scope_logs[0]->log_records[0]->attributes[1]->value->string_value;
}

Test(content_texts, errors_are_one_line_that_fits)
{
	char text[1024] = "";
	struct otlp_request req;

	cr_assert_eq(drop(OTLP_LOGS, &req, RECORD("\"attributes\":[" TEXT("model", "m") "," TEXT("error", "two\\nlines\\t") "]")),
		     1);
	cr_assert_null(strpbrk(error_of(&req), "\n\t"));
	for (size_t n = 0; n < 120; n++) {
		strcat(text, "\xc3\xa9");
		cr_assert_eq(
		    drop(OTLP_LOGS, &req, RECORD("\"attributes\":[" TEXT("model", "m") "," TEXT("error", "%s") "]"), text),
		    2 * (n + 1) > CONTENT_ERROR_MAX);
		cr_assert_leq(strlen(error_of(&req)), CONTENT_ERROR_MAX);
		cr_assert_eq(strlen(error_of(&req)) % 2, 0, "a character was cut in two");
		cr_assert_eq(strncmp(error_of(&req), text, strlen(error_of(&req))), 0);
	}
}

/* --- bodies --- */

Test(content_texts, bodies_that_are_messages_go)
{
	static const char *const events[] = { "gen_ai.user.message",      "gen_ai.system.message", "gen_ai.assistant.message",
					      "gen_ai.tool.message",      "gen_ai.choice",         "gen_ai.content.prompt",
					      "gen_ai.content.completion" };
	struct otlp_request req;

	for
		EACH(events)
		{
			cr_assert_eq(drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"canary\"},\"eventName\":\"%s\""),
					  events[i]),
				     1);
			cr_assert_not(left("canary"), "%s", events[i]);
			drop(OTLP_LOGS, &req,
			     RECORD("\"body\":{\"kvlistValue\":{\"values\":[" TEXT(
				 "whatever", "canary") "]}},\"attributes\":[" EVENT("%s") "]"),
			     events[i]);
			cr_assert_not(left("canary"), "%s", events[i]);
			cr_assert(left(events[i]));
		}
	cr_assert_eq(drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"User prompt. Length: 26.\"}")), 0);
	cr_assert(left("User prompt. Length: 26."));
}

Test(content_texts, sentences_keep_what_comes_before_the_error)
{
	static const char *const api = TEXT("model", "m"), *const tool = TEXT("tool_name", "t");
	const OtlpLogRecord *r;
	struct otlp_request req;
	char text[2048];

	memset(text, 'e', sizeof(text));
	text[1000] = '\0';
	drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"API error for m. Error: %s\"},\"attributes\":[%s]"), text, api);
	r = req.logs->resource_logs[0]->scope_logs[0]->log_records[0];
	cr_assert_eq(strlen(r->body->string_value), CONTENT_ERROR_MAX);
	cr_assert_eq(strncmp(r->body->string_value, "API error for m. Error: eee", 27), 0);
	drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"It failed. Error: canary\"},\"attributes\":[%s]"), tool);
	cr_assert(left("It failed. Error: "));
	cr_assert_not(left("canary"));
	/* What comes before is too long itself. */
	drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"%sError: canary\"},\"attributes\":[%s]"), text, api);
	cr_assert_not(left("canary"));
	/* A record of an error, whose body does not say where it begins. */
	drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"%scanary\"},\"attributes\":[%s," TEXT("error", "short") "]"),
	     text, api);
	cr_assert_not(left("canary"));
	drop(OTLP_LOGS, &req, RECORD("\"body\":{\"stringValue\":\"canary\"},\"attributes\":[%s," TEXT("error", "short") "]"),
	     tool);
	cr_assert_not(left("canary"));
}

/* --- addresses --- */

Test(content_texts, addresses_end_with_their_path)
{
	static const char *const keys[] = { "url.full", "http.url", "http.target", "url.original" };
	struct otlp_request req;

	for
		EACH(keys)
		{
			cr_assert_eq(drop(OTLP_LOGS, &req,
					  RECORD("\"attributes\":[" TEXT("%s", "http://h:1/kept?q=canary#f") "]"), keys[i]),
				     1);
			cr_assert(left("http://h:1/kept"));
			cr_assert_not(left("canary"));
			cr_assert_eq(drop(OTLP_LOGS, &req, RECORD("\"attributes\":[" TEXT("%s", "http://h:1/kept") "]"), keys[i]),
				     0);
		}
}
