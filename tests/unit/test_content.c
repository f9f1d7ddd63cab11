#include "content_bed.h"
#include "content_keys.h"
#include "otlp_pb.h"
#include "otlp_sample.h"

TestSuite(content, .init = setup, .fini = teardown);

/* Where attributes may be: bodies with a place for a list of them. */
static const struct place {
	const char *what;
	enum otlp_signal signal;
	bool point;
	const char *body;
} places[] = {
	{ "resource of logs", OTLP_LOGS, false, "{\"resourceLogs\":[{\"resource\":{\"attributes\":[%s]}}]}" },
	{ "scope of logs", OTLP_LOGS, false, "{\"resourceLogs\":[{\"scopeLogs\":[{\"scope\":{\"attributes\":[%s]}}]}]}" },
	{ "log record", OTLP_LOGS, false, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{\"attributes\":[%s]}]}]}]}" },
	{ "body", OTLP_LOGS, false,
	  "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"kvlistValue\":{\"values\":[%s]}}}]}]}]}" },
	{ "resource of spans", OTLP_TRACES, false, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[%s]}}]}" },
	{ "scope of spans", OTLP_TRACES, false, "{\"resourceSpans\":[{\"scopeSpans\":[{\"scope\":{\"attributes\":[%s]}}]}]}" },
	{ "span", OTLP_TRACES, false, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"attributes\":[%s]}]}]}]}" },
	{ "span event", OTLP_TRACES, false,
	  "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"events\":[{\"attributes\":[%s]}]}]}]}]}" },
	{ "link", OTLP_TRACES, false,
	  "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"links\":[{\"attributes\":[%s]}]}]}]}]}" },
	{ "resource of metrics", OTLP_METRICS, false, "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[%s]}}]}" },
	{ "scope of metrics", OTLP_METRICS, false,
	  "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"scope\":{\"attributes\":[%s]}}]}]}" },
	{ "metadata", OTLP_METRICS, false, "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"metadata\":[%s]}]}]}]}" },
#define POINT(type)                                                                                                              \
	"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"" type "\":{\"dataPoints\":[{\"attributes\":[%s]}]}}]}]}]}"
	{ "gauge", OTLP_METRICS, true, POINT("gauge") },
	{ "sum", OTLP_METRICS, true, POINT("sum") },
	{ "histogram", OTLP_METRICS, true, POINT("histogram") },
	{ "exponential histogram", OTLP_METRICS, true, POINT("exponentialHistogram") },
	{ "summary", OTLP_METRICS, true, POINT("summary") },
#define EXEMPLAR(type)                                                                                                           \
	"{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"" type                                                        \
	"\":{\"dataPoints\":[{\"exemplars\":[{\"filteredAttributes\":[%s]}]}]}}]}]}]}"
	{ "exemplar of a gauge", OTLP_METRICS, false, EXEMPLAR("gauge") },
	{ "exemplar of a sum", OTLP_METRICS, false, EXEMPLAR("sum") },
	{ "exemplar of a histogram", OTLP_METRICS, false, EXEMPLAR("histogram") },
	{ "exemplar of an exponential histogram", OTLP_METRICS, false, EXEMPLAR("exponentialHistogram") },
};

/* --- the tables --- */

Test(content, tables_are_sorted_and_families_are_apart)
{
	for (size_t i = 0; i < content_key_count; i++) {
		cr_assert_lt(strlen(content_keys[i].key), 64, "%s", content_keys[i].key);
		cr_assert_null(strchr(content_keys[i].key, '*'), "%s", content_keys[i].key);
		cr_assert(i == 0 || strcmp(content_keys[i - 1].key, content_keys[i].key) < 0, "%s", content_keys[i].key);
	}
	for (size_t i = 0; i < content_family_count; i++) {
		const char *key = content_families[i].key;

		cr_assert_eq(strchr(key, '*'), key + strlen(key) - 1, "%s", key);
		if (i == 0)
			continue;
		cr_assert_lt(strcmp(content_families[i - 1].key, key), 0, "%s", key);
		cr_assert_neq(strncmp(content_families[i - 1].key, key, strlen(content_families[i - 1].key) - 1), 0, "%s", key);
	}
}

Test(content, every_row_is_found_by_its_key_alone)
{
	struct content_index ix;
	char key[128];

	content_index_init(&ix);
	for (size_t i = 0; i < content_key_count; i++) {
		cr_assert_eq(content_rule_of(&ix, str_from(content_keys[i].key)), &content_keys[i], "%s", content_keys[i].key);
		snprintf(key, sizeof(key), "%s~", content_keys[i].key);
		cr_assert(!content_rule_of(&ix, str_from(key)) || strchr(content_rule_of(&ix, str_from(key))->key, '*'), "%s",
			  key);
		snprintf(key, sizeof(key), "x.%s", content_keys[i].key);
		cr_assert_null(content_rule_of(&ix, str_from(key)), "%s", key);
	}
	for (size_t i = 0; i < content_family_count; i++) {
		snprintf(key, sizeof(key), "%.*s0.more", (int)strlen(content_families[i].key) - 1, content_families[i].key);
		cr_assert_eq(content_rule_of(&ix, str_from(key)), &content_families[i], "%s", key);
	}
	cr_assert_null(content_rule_of(&ix, STR("")));
	memset(key, 'p', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	cr_assert_null(content_rule_of(&ix, str_from(key)));
}

/* --- keys and places --- */

static const char *const content_everywhere[] = {
	"ai.prompt.messages",
	"bash_command",
	"full_command",
	"function_args",
	"gen_ai.completion",
	"gen_ai.completion.0.content",
	"gen_ai.input.messages",
	"gen_ai.output.messages",
	"gen_ai.prompt.0.content",
	"gen_ai.prompt.variable",
	"gen_ai.system_instructions",
	"gen_ai.tool.call.arguments",
	"gen_ai.tool.call.result",
	"gen_ai.tool.definitions",
	"hook_input",
	"input.value",
	"langfuse.trace.output",
	"llm.input_messages.0.message.content",
	"llm.prompts.1.content",
	"new_context",
	"output.value",
	"process.command_args",
	"process.command_line",
	"prompt",
	"prompt_text",
	"reasoning",
	"request_text",
	"response",
	"response_text",
	"routing.reasoning",
	"stderr",
	"stdout",
	"system_prompt",
	"tool_input",
	"tool_parameters",
	"traceloop.entity.input",
	"traceloop.entity.output",
	"url.query",
	"user.account_id",
	"user.account_uuid",
	"user.email",
	"user_prompt",
};

static const char *const kept_everywhere[] = {
	"agent.name",
	"bash_argv0",
	"bash_command_class",
	"conversation.id",
	"cwd",
	"decision",
	"error.type",
	"error_type",
	"event.timestamp",
	"exception.type",
	"extension",
	"finish_reasons",
	"gen_ai.conversation.id",
	"gen_ai.operation.name",
	"gen_ai.prompt.name",
	"gen_ai.request.model",
	"gen_ai.response.id",
	"gen_ai.tool.call.id",
	"gen_ai.tool.name",
	"gen_ai.usage.input_tokens",
	"host.name",
	"http.response.status_code",
	"llm.token_count.prompt",
	"model",
	"openinference.span.kind",
	"process.command",
	"process.owner",
	"project.name",
	"prompt.id",
	"prompt_id",
	"prompt_length",
	"response_length",
	"routing.decision_model",
	"service.name",
	"session.id",
	"skill.name",
	"tool_name",
	"user.id",
	"vcs.repository.name",
	"somebody.elses.key",
};

static void
check_key(const struct place *p, const char *key, bool kept)
{
	struct otlp_request req;
	char attribute[256];
	size_t dropped;

	snprintf(attribute, sizeof(attribute), TEXT("before", "1") "," TEXT("%s", "canary") "," TEXT("after", "2"), key);
	dropped = drop(p->signal, &req, p->body, attribute);
	cr_assert_eq(dropped, kept ? 0 : 1, "%s: %s", p->what, key);
	cr_assert_eq(left("canary"), kept, "%s: %s", p->what, key);
	cr_assert_eq(left(key), kept, "%s: %s", p->what, key);
	cr_assert(left("before") && left("after"), "%s: %s", p->what, key);
}

Test(content, keys_are_judged_alike_in_every_place)
{
	for
		EACH(places)
		{
			for (size_t k = 0; k < sizeof(content_everywhere) / sizeof(content_everywhere[0]); k++)
				check_key(&places[i], content_everywhere[k], false);
			for (size_t k = 0; k < sizeof(kept_everywhere) / sizeof(kept_everywhere[0]); k++)
				check_key(&places[i], kept_everywhere[k], true);
		}
}

Test(content, points_of_metrics_have_words_of_their_own)
{
	static const char *const words[] = { "command", "error", "input", "message", "output", "query", "result" };

	for
		EACH(places)
		{
			for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
				check_key(&places[i], words[k], places[i].point);
		}
}

Test(content, what_a_word_means_may_depend_on_the_event)
{
	static const struct {
		const char *key, *event;
		bool kept;
	} cases[] = {
		{ "command", "gemini_cli.slash_command", true },
		{ "command", "qwen-code.slash_command", true },
		{ "command", "gemini_cli.tool_call", false },
		{ "result", "retention_sweep", true },
		{ "result", "qwen-code.subagent_execution", false },
		{ "result", "tool", false },
		{ "tool", "claude_code.tool", false },
		{ "tool", "tool", false },
		{ "tool", "codex.tool_result", true },
		{ "metadata", "gemini_cli.tool_call", false },
		{ "metadata", "something", true },
		{ "policy", "gemini_cli.conseca.verdict", false },
		{ "policy", "codex.sandbox_outcome", true },
	};
	struct otlp_request req;

	for
		EACH(cases)
		{
			drop(OTLP_LOGS, &req, RECORD("\"attributes\":[" TEXT("%s", "canary") "," EVENT("%s") "]"), cases[i].key,
			     cases[i].event);
			cr_assert_eq(left("canary"), cases[i].kept, "%s of %s in an attribute", cases[i].key, cases[i].event);
			drop(OTLP_LOGS, &req, RECORD("\"attributes\":[" TEXT("%s", "canary") "],\"eventName\":\"%s\""),
			     cases[i].key, cases[i].event);
			cr_assert_eq(left("canary"), cases[i].kept, "%s of %s in the field", cases[i].key, cases[i].event);
		}
}

Test(content, numbers_and_truths_under_common_words_stay)
{
	struct otlp_request req;

	cr_assert_eq(
	    drop(OTLP_LOGS, &req,
		 RECORD("\"attributes\":[{\"key\":\"usage\",\"value\":{\"kvlistValue\":{\"values\":["
			"{\"key\":\"input\",\"value\":{\"intValue\":5}},{\"key\":\"output\",\"value\":{\"doubleValue\":1}},"
			"{\"key\":\"prompt\",\"value\":{\"intValue\":7}},{\"key\":\"error\",\"value\":{\"boolValue\":true}}]}}},"
			"{\"key\":\"gen_ai.tool.call.result\",\"value\":{\"intValue\":42}}]")),
	    1);
	cr_assert(left("input") && left("output") && left("prompt") && left("error"));
	cr_assert_not(left("gen_ai.tool.call.result"));
}

/* --- nested values --- */

Test(content, nested_values_are_judged_by_their_keys)
{
	struct otlp_request req;

	cr_assert_eq(
	    drop(OTLP_LOGS, &req,
		 RECORD(
		     "\"attributes\":[{\"key\":\"call\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":1},"
		     "{\"kvlistValue\":{\"values\":[" TEXT("id", "kept-id") "," TEXT(
			 "arguments",
			 "canary-1") ","
				     "{\"key\":\"function\",\"value\":{\"kvlistValue\":{\"values\":[" TEXT(
					 "name",
					 "kept-name") "," TEXT("content",
							       "canary-2") "]}}}]}}]}}},"
									   "{\"key\":\"prompt\",\"value\":{\"kvlistValue\":{"
									   "\"values\":[" TEXT(
									       "id",
									       "canary-3") "]}}},"
											   "{\"key\":\"process.command_args\","
											   "\"value\":{\"arrayValue\":{"
											   "\"values\":[{\"stringValue\":"
											   "\"canary-4\"}]}}}],"
											   "\"body\":{\"arrayValue\":{"
											   "\"values\":[{\"kvlistValue\":{"
											   "\"values\":[" TEXT(
											       "text",
											       "canary-5") "," TEXT("role",
														    "kept-"
														    "role") "]"
															    "}"
															    "}"
															    "]"
															    "}"
															    "}")),
	    5);
	cr_assert_not(left("canary"));
	cr_assert(left("kept-id") && left("kept-name") && left("kept-role"));
	cr_assert_eq(req.logs->resource_logs[0]->scope_logs[0]->log_records[0]->dropped_attributes_count, 2);
}

Test(content, the_deepest_value_is_looked_into)
{
	static char deep[16384];
	struct otlp_request req;
	size_t len = 0;

	/* An attribute's value is the first level; a pair within a list one more each. */
	for (unsigned i = 1; i < OTLP_MAX_DEPTH; i++)
		len += (size_t)snprintf(deep + len, sizeof(deep) - len,
					"{\"key\":\"k\",\"value\":{\"kvlistValue\":{\"values\":[" TEXT("l", "v") ",");
	len += (size_t)snprintf(deep + len, sizeof(deep) - len, TEXT("prompt", "canary"));
	for (unsigned i = 1; i < OTLP_MAX_DEPTH; i++)
		len += (size_t)snprintf(deep + len, sizeof(deep) - len, "]}}}");
	cr_assert_lt(len, sizeof(deep));
	cr_assert_eq(drop(OTLP_LOGS, &req, RECORD("\"attributes\":[%s]"), deep), 1);
	cr_assert_not(left("canary"));
}

/* --- counts, and what else must not change --- */

Test(content, owners_count_what_they_lost)
{
	struct otlp_request req;
	OtlpSpan *s;

	drop(OTLP_TRACES, &req,
	     "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
		 "process.command_args",
		 "x") "],\"droppedAttributesCount\":4},"
		      "\"scopeSpans\":[{\"scope\":{\"attributes\":[" TEXT("prompt", "x") "]},\"spans\":[{\"attributes\":[" TEXT(
			  "prompt",
			  "x") "," TEXT("model", "m") "," TEXT("response",
							       "x") "],\"droppedAttributesCount\":4294967294,"
								    "\"traceState\":\"prompt=kept\",\"events\":[{\"attributes\":"
								    "[" TEXT("output", "x") "]},{\"attributes\":[" TEXT(
									"a",
									"b") "]}],\"links\":[{\"attributes\":[" TEXT("diff",
														     "x") "]}]}]}"
															  "]}]}");
	s = req.traces->resource_spans[0]->scope_spans[0]->spans[0];
	cr_assert_eq(req.traces->resource_spans[0]->resource->dropped_attributes_count, 5);
	cr_assert_eq(req.traces->resource_spans[0]->scope_spans[0]->scope->dropped_attributes_count, 1);
	cr_assert_eq(s->n_attributes, 1);
	cr_assert_str_eq(s->attributes[0]->key, "model");
	cr_assert_eq(s->dropped_attributes_count, UINT32_MAX, "counts stop at the largest number");
	cr_assert_str_eq(s->trace_state, "prompt=kept");
	cr_assert_eq(s->events[0]->dropped_attributes_count, 1);
	cr_assert_eq(s->events[1]->dropped_attributes_count, 0);
	cr_assert_eq(s->links[0]->dropped_attributes_count, 1);
}

/* Packs a tree; returns its length. */
static size_t
pack(const struct otlp_request *req, uint8_t *bytes)
{
	cr_assert_lt(protobuf_c_message_get_packed_size(req->message), sizeof(packed));
	return protobuf_c_message_pack(req->message, bytes);
}

/* The samples hold every field and every kind of value. */
Test(content, what_is_no_content_stays_to_the_byte)
{
	static uint8_t before[sizeof(packed)];

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };
		struct otlp_request req;
		size_t dropped, len;

		samples[signal].write(&w);
		put_text(&w, 1000, "of a later version");
		arena_reset(&arena);
		cr_assert_eq(otlp_pb_decode(signal, w.bytes, w.len, OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK);
		/* The little in them that would go. */
		if (signal == OTLP_LOGS)
			req.logs->resource_logs[0]->scope_logs[0]->log_records[0]->attributes[0]->key = (char *)"words";
		if (signal == OTLP_TRACES)
			req.traces->resource_spans[0]->scope_spans[0]->spans[0]->status->message = (char *)"";
		len = pack(&req, before);
		cr_assert_eq(content_drop(&req, &arena, &dropped), VERDICT_OK);
		cr_assert_eq(dropped, 0);
		cr_assert_eq(pack(&req, packed), len);
		cr_assert_arr_eq(packed, before, len);
		cr_assert(memmem(packed, len, "of a later version", 18));
	}
}

Test(content, an_empty_request_has_none)
{
	struct otlp_request req;

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++)
		cr_assert_eq(drop(signal, &req, "{}"), 0);
}

/* --- want of memory --- */

Test(content, without_memory_nothing_is_told)
{
	struct arena small;
	struct otlp_request req;
	size_t dropped = 77;

	drop(OTLP_LOGS, &req, "{}");
	snprintf(body, sizeof(body), RECORD("\"attributes\":[" TEXT("model", "m") "," TEXT("error", "two\\nlines") "]"));
	arena_reset(&arena);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, body, strlen(body), OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK);
	arena_init(&small, 0);
	cr_assert_eq(content_drop(&req, &small, &dropped), VERDICT_TOO_LARGE);
	cr_assert_eq(dropped, 77);
	arena_finish(&small);
}
