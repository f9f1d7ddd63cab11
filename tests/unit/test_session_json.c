#include "common/session_json.h"
#include "sample_session.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(session_json, session_in_full)
{
	static const struct agentbus_model_usage models[] = {
		{ "z", 1, { .input = 1, .cache_read = 2, .cache_write = 3, .output = 4, .reasoning = 5 }, { 0 } },
		{ "a",
		  UINT64_MAX,
		  { .input = UINT64_C(9007199254740993) },
		  { .total = 2 * SAMPLE_USD, .has_computed = true, .estimated = true } },
	};
	const struct agentbus_error_count errors[] = { { "auth", 3 }, { "server", 1 } };
	struct agentbus_session s = sample_session("id", AGENTBUS_ENDED);
	struct json j = { 0 };

	s.model = "z";
	s.reason = "exit";
	s.evidence = AGENTBUS_SHOWN;
	s.project = "p";
	s.parent_id = "up";
	s.auxiliary = true;
	s.children = 2;
	s.tool = "Bash";
	s.started = 1;
	s.last_event = 1700000000000000001;
	s.prompts = 1;
	s.requests = 2;
	s.tool_calls = 3;
	s.api_errors = 4;
	s.errors_by_type = errors;
	s.error_type_count = 2;
	s.tokens = (struct agentbus_tokens){ .input = 11, .cache_read = 12, .cache_write = 13, .output = 14, .reasoning = 15 };
	s.cost = (struct agentbus_cost){
		.total = SAMPLE_USD / 2, .reported = SAMPLE_USD / 2, .computed = 9, .has_reported = true, .has_computed = true
	};
	s.last_error = (struct agentbus_failure){ .type = "auth", .message = "no", .status = 401 };
	s.failed = true;
	s.branch = "main";
	s.models = models;
	s.model_count = 2;
	session_json(&j, NULL, &s);
	cr_assert_str_eq(
	    json_text(&j),
	    "{\"id\":\"id\",\"provider\":\"claude-code\",\"service_name\":\"claude-code\",\"state\":\"ended\","
	    "\"state_since\":\"2023-11-14T22:13:20.000000000Z\",\"reason\":\"exit\",\"evidence\":\"shown\",\"ended\":true,"
	    "\"auxiliary\":true,\"parent_id\":\"up\",\"children\":2,\"project\":\"p\",\"branch\":\"main\",\"worktree\":null,"
	    "\"pid\":0,\"tty\":null,"
	    "\"tmux_pane\":null,\"window\":null,\"model\":\"z\",\"tool\":\"Bash\","
	    "\"started\":\"1970-01-01T00:00:00.000000001Z\",\"turn_started\":null,\"last_event\":\"2023-11-14T22:13:20."
	    "000000001Z\","
	    "\"failed\":true,\"error_type\":\"auth\",\"error_message\":\"no\",\"error_status\":401,\"cost_usd\":0.5,\"cost_"
	    "estimated\":false,\"reported_cost_usd\":0.5,"
	    "\"computed_cost_usd\":0.000000000009,\"prompts\":1,\"requests\":2,\"input_tokens\":11,\"cache_read_tokens\":12,"
	    "\"cache_write_tokens\":13,"
	    "\"output_tokens\":14,\"reasoning_tokens\":15,\"tool_calls\":3,\"api_errors\":4,\"errors_by_type\":{\"auth\":3,"
	    "\"server\":1},\"models\":[\"z\",\"a\"],"
	    "\"by_model\":{\"z\":{\"requests\":1,\"input_tokens\":1,\"cache_read_tokens\":2,\"cache_write_tokens\":3,"
	    "\"output_tokens\":4},\"a\":{\"requests\":18446744073709551615,\"input_"
	    "tokens\":9007199254740993,"
	    "\"cache_read_tokens\":0,\"cache_write_tokens\":0,\"output_tokens\":0}},"
	    "\"cost_by_model\":{\"z\":{\"cost_usd\":null,\"cost_estimated\":false},"
	    "\"a\":{\"cost_usd\":2,\"cost_estimated\":true}}}");
	json_finish(&j);
}

Test(session_json, cost_is_the_total_or_null)
{
	static const struct {
		struct agentbus_cost cost;
		const char *text;
	} cases[] = {
		{ { 0 }, "\"cost_usd\":null,\"cost_estimated\":false,\"reported_cost_usd\":0,\"computed_cost_usd\":null," },
		{ { .total = 1, .computed = 1, .has_computed = true },
		  "\"cost_usd\":0.000000000001,\"cost_estimated\":false,\"reported_cost_usd\":0,"
		  "\"computed_cost_usd\":0.000000000001," },
		{ { .total = SAMPLE_USD, .computed = SAMPLE_USD, .has_computed = true, .estimated = true },
		  "\"cost_usd\":1,\"cost_estimated\":true,\"reported_cost_usd\":0,\"computed_cost_usd\":1," },
		{ { .total = 5 * SAMPLE_USD,
		    .reported = 2 * SAMPLE_USD,
		    .computed = 4 * SAMPLE_USD,
		    .has_reported = true,
		    .has_computed = true },
		  "\"cost_usd\":5,\"cost_estimated\":false,\"reported_cost_usd\":2,\"computed_cost_usd\":4," },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
		struct json j = { 0 };

		s.cost = cases[i].cost;
		session_json(&j, NULL, &s);
		cr_expect_not_null(strstr(json_text(&j), cases[i].text), "%s", json_text(&j));
		json_finish(&j);
	}
}

/* The details of a kind, as text, and that the rest is complete. */
static void
expect_details(const struct agentbus_event *e, const char *details)
{
	static const char *const keys[] = { "seq",     "time",     "observed", "kind",    "reason", "evidence",
					    "details", "trace_id", "span_id",  "boot_id", "session" };
	struct json j = { 0 };
	char expected[512];
	const cJSON *member;
	size_t i = 0;

	event_json(&j, NULL, e);
	snprintf(expected, sizeof(expected), "\"details\":%s,\"trace_id\"", details);
	cr_expect_not_null(strstr(json_text(&j), expected), "%s", json_text(&j));
	cJSON *root = cJSON_Parse(json_text(&j));

	cJSON_ArrayForEach(member, root)
	{
		cr_expect_str_eq(member->string, keys[i]);
		i++;
	}
	cr_expect_eq(i, sizeof(keys) / sizeof(keys[0]));
	cJSON_Delete(root);
	json_finish(&j);
}

Test(session_json, details_of_each_kind)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	struct agentbus_event e = sample_event(AGENTBUS_PROMPT, &s);

	e.prompt.length = 5;
	expect_details(&e, "{\"length\":5}");
	e.kind = AGENTBUS_API_REQUEST;
	e.api_request.model = "m";
	e.api_request.tokens.input = 3;
	e.api_request.cost = (struct agentbus_cost){ .total = SAMPLE_USD, .has_computed = true, .estimated = true };
	e.api_request.duration_ms = 9;
	e.api_request.source = "title";
	expect_details(&e,
		       "{\"model\":\"m\",\"input_tokens\":3,\"cache_read_tokens\":0,\"cache_write_tokens\":0,\"output_tokens\":0,"
		       "\"reasoning_tokens\":0,\"cost_usd\":1,\"cost_estimated\":true,\"duration_ms\":9,\"request_id\":null,"
		       "\"source\":\"title\"}");
	e.kind = AGENTBUS_API_ERROR;
	e.api_error.error.type = "server";
	e.api_error.error.status = 529;
	e.api_error.attempt = 2;
	e.api_error.attempts = 4;
	e.api_error.final = true;
	expect_details(&e, "{\"model\":null,\"error_type\":\"server\",\"error_message\":null,\"status\":529,\"attempt\":2,"
			   "\"attempts\":4,\"final\":true,\"retried\":false,"
			   "\"duration_ms\":0,\"request_id\":null}");
	e.kind = AGENTBUS_TOOL;
	e.tool.name = "Bash";
	e.tool.success = true;
	expect_details(
	    &e, "{\"name\":\"Bash\",\"call_id\":null,\"success\":true,\"decision\":null,\"error_type\":null,\"duration_ms\":0}");
	e.state_change.from = AGENTBUS_IDLE;
	e.state_change.to = AGENTBUS_WORKING;
	e.state_change.turn_duration_ms = 8;
	for (size_t i = 0; i < 3; i++) {
		e.kind = ((enum agentbus_kind[]){ AGENTBUS_SESSION_STARTED, AGENTBUS_STATE_CHANGED, AGENTBUS_SESSION_ENDED })[i];
		expect_details(&e, "{\"from\":\"idle\",\"to\":\"working\",\"turn_duration_ms\":8}");
	}
	e.kind = AGENTBUS_BUDGET;
	e.budget = (struct agentbus_budget){ "day", "2026-11-26", "warn", SAMPLE_USD, 2 * SAMPLE_USD, true };
	expect_details(&e, "{\"period\":\"day\",\"key\":\"2026-11-26\",\"level\":\"warn\",\"budget_usd\":1,\"spent_usd\":2,"
			   "\"spent_estimated\":true}");
	e.kind = (enum agentbus_kind)63;
	expect_details(&e, "{}");
}

Test(session_json, events_of_the_library)
{
	struct agentbus_event e = sample_event(AGENTBUS_GAP, NULL);

	e.gap.first_seq = 3;
	expect_details(&e, "{\"first_seq\":3,\"last_seq\":null,\"boot_id\":null}");
	e.gap.last_seq = 7;
	e.gap.boot_id = "b";
	expect_details(&e, "{\"first_seq\":3,\"last_seq\":7,\"boot_id\":\"b\"}");
	e.kind = AGENTBUS_CONNECTED;
	expect_details(&e, "{}");
}

Test(session_json, event_around_the_details)
{
	struct agentbus_event e = sample_event(AGENTBUS_CONNECTED, NULL);
	struct json j = { 0 };

	e.has_trace_id = e.has_span_id = true;
	memset(e.trace_id, 0xab, sizeof(e.trace_id));
	memset(e.span_id, 0x01, sizeof(e.span_id));
	e.seq = UINT64_MAX;
	e.observed = 0;
	event_json(&j, NULL, &e);
	cr_assert_str_eq(
	    json_text(&j),
	    "{\"seq\":18446744073709551615,\"time\":\"2023-11-14T22:13:20.123456789Z\",\"observed\":null,\"kind\":\"connected\","
	    "\"reason\":null,\"evidence\":\"none\",\"details\":{},\"trace_id\":\"abababababababababababababababab\","
	    "\"span_id\":\"0101010101010101\",\"boot_id\":\"b1\",\"session\":null}");
	json_finish(&j);
}
