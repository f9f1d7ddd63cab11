#include "log/line.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define NOW  UINT64_C(1795401000123456789) /* 2026-11-22T23:50:00.123456789Z */
#define BOOT "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

static const struct agentbus_session session = {
	.id = "01a205d0-88e7",
	.provider = "codex",
	.service_name = "codex_exec",
	.model = "gpt-5.5",
	.state = AGENTBUS_WORKING,
	.reason = "prompt",
	.title = "a title",
	.project = "shop",
	.project_dir = "/home/p/shop",
	.tty = "",
	.tmux_pane = "",
	.window = "",
	.parent_id = "",
	.tool = "shell",
	.tokens = { .input = 5200, .output = 340 },
	.cost = { .total = INT64_C(1234500000000), .has_computed = true },
	.last_error = { .type = "server", .message = "bad gateway", .status = 502 },
};

static struct agentbus_event
event_of(enum agentbus_kind kind)
{
	return (struct agentbus_event){
		.seq = 57,
		.boot_id = BOOT,
		.time = NOW,
		.observed = NOW + 1,
		.kind = kind,
		.reason = "",
		.session = &session,
		.api_request = { .model = "", .request_id = "", .source = "" },
		.api_error = { .model = "", .request_id = "", .error = { .type = "", .message = "" } },
		.tool = { .name = "", .call_id = "", .error_type = "", .decision = "" },
		.gap = { .boot_id = "" },
	};
}

static char *
line_of(enum line_format format, const struct agentbus_event *e)
{
	struct buffer b = { 0 };

	cr_assert(line_append(&b, format, e, NOW));
	cr_assert(b.len > 0 && b.ptr[b.len - 1] == '\n');
	cr_assert(memchr(b.ptr, '\n', b.len) == b.ptr + b.len - 1, "one line");
	b.ptr[b.len - 1] = '\0';
	return b.ptr;
}

static cJSON *
json_of(const struct agentbus_event *e)
{
	char *line = line_of(LINE_JSON, e);
	cJSON *json = cJSON_Parse(line);

	cr_assert(json != NULL, "%s", line);
	free(line);
	return json;
}

static const char *
text_at(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	cr_assert(item != NULL, "no key %s", key);
	return cJSON_IsString(item) ? item->valuestring : cJSON_IsNull(item) ? "(null)" : "(no text)";
}

static double
number_at(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	cr_assert(item && cJSON_IsNumber(item), "%s is no number", key);
	return item->valuedouble;
}

Test(log_line, every_kind_has_every_key_in_order)
{
	static const enum agentbus_kind kinds[] = { AGENTBUS_SESSION_STARTED, AGENTBUS_PROMPT, AGENTBUS_API_REQUEST,
						    AGENTBUS_API_ERROR,       AGENTBUS_TOOL,   AGENTBUS_STATE_CHANGED,
						    AGENTBUS_SESSION_ENDED,   AGENTBUS_BUDGET, AGENTBUS_GAP };

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct agentbus_event e = event_of(kinds[k]);
		if (kinds[k] == AGENTBUS_GAP)
			e.session = NULL;
		cJSON *json = json_of(&e);
		const cJSON *item = json->child;

		for (size_t i = 0; line_key(i); i++, item = item->next)
			cr_assert(item && strcmp(item->string, line_key(i)) == 0, "kind %d, key %s", kinds[k], line_key(i));
		cr_assert(item == NULL);
		cr_assert_str_eq(text_at(json, "event"), agentbus_kind_name(kinds[k]));
		cJSON_Delete(json);
	}
}

Test(log_line, keys_are_unique)
{
	for (size_t i = 0; line_key(i); i++)
		for (size_t j = 0; j < i; j++)
			cr_assert(strcmp(line_key(i), line_key(j)) != 0, "%s", line_key(i));
}

Test(log_line, api_request)
{
	struct agentbus_event e = event_of(AGENTBUS_API_REQUEST);

	e.api_request.model = "gpt-5.5-mini";
	e.api_request.request_id = "req_1";
	e.api_request.tokens =
	    (struct agentbus_tokens){ .input = 100, .cache_read = 60, .cache_write = 5, .output = 20, .reasoning = 7 };
	e.api_request.cost =
	    (struct agentbus_cost){ .total = 42000001, .has_reported = true, .computed = 1, .has_computed = true };
	e.api_request.duration_ms = 2300;
	e.has_trace_id = e.has_span_id = true;
	memset(e.trace_id, 0xab, sizeof(e.trace_id));
	memset(e.span_id, 0x01, sizeof(e.span_id));
	e.evidence = AGENTBUS_SHOWN;

	cJSON *json = json_of(&e);
	cr_assert_str_eq(text_at(json, "time"), "2026-11-23T02:30:00.123456789Z");
	cr_assert_str_eq(text_at(json, "level"), "info");
	cr_assert_str_eq(text_at(json, "boot_id"), BOOT);
	cr_assert_str_eq(text_at(json, "session_id"), "01a205d0-88e7");
	cr_assert_str_eq(text_at(json, "provider"), "codex");
	cr_assert_str_eq(text_at(json, "project"), "shop");
	cr_assert_str_eq(text_at(json, "state"), "working");
	cr_assert_str_eq(text_at(json, "previous_state"), "(null)");
	cr_assert_str_eq(text_at(json, "evidence"), "shown");
	cr_assert_str_eq(text_at(json, "model"), "gpt-5.5-mini", "the request's model, not the session's");
	cr_assert_str_eq(text_at(json, "request_id"), "req_1");
	cr_assert_str_eq(text_at(json, "trace_id"), "abababababababababababababababab");
	cr_assert_str_eq(text_at(json, "span_id"), "0101010101010101");
	cr_assert_str_eq(text_at(json, "tool"), "(null)");
	cr_assert_eq(number_at(json, "seq"), 57);
	cr_assert_eq(number_at(json, "input_tokens"), 100);
	cr_assert_eq(number_at(json, "cache_read_tokens"), 60);
	cr_assert_eq(number_at(json, "cache_write_tokens"), 5);
	cr_assert_eq(number_at(json, "output_tokens"), 20);
	cr_assert_eq(number_at(json, "reasoning_tokens"), 7);
	cr_assert_eq(number_at(json, "duration_ms"), 2300);
	cr_assert_eq(number_at(json, "session_input_tokens"), 5200);
	cr_assert_eq(number_at(json, "session_output_tokens"), 340);
	cJSON_Delete(json);

	char *line = line_of(LINE_JSON, &e);
	cr_assert(strstr(line, "\"cost_usd\":0.000042000001,") != NULL, "exact: %s", line);
	cr_assert(strstr(line, "\"session_cost_usd\":1.2345}") != NULL, "%s", line);
	free(line);
}

Test(log_line, api_error_is_an_error)
{
	struct agentbus_event e = event_of(AGENTBUS_API_ERROR);

	e.api_error.error = (struct agentbus_failure){ .type = "rate_limit", .message = "slow down", .status = 429 };
	e.api_error.attempt = 3;
	e.api_error.attempts = 4;
	e.api_error.final = true;
	cJSON *json = json_of(&e);
	cr_assert_str_eq(text_at(json, "level"), "error");
	cr_assert_str_eq(text_at(json, "error_type"), "rate_limit");
	cr_assert_str_eq(text_at(json, "error_message"), "slow down");
	cr_assert_eq(number_at(json, "http_status"), 429);
	cr_assert_eq(number_at(json, "attempt"), 3);
	cr_assert_eq(number_at(json, "attempts"), 4);
	cr_assert(cJSON_IsTrue(cJSON_GetObjectItem(json, "final")));
	cr_assert(cJSON_IsFalse(cJSON_GetObjectItem(json, "retried")));
	cr_assert_str_eq(text_at(json, "model"), "(null)", "of the failed request, not the session's");
	cr_assert_str_eq(text_at(json, "input_tokens"), "(null)");
	cJSON_Delete(json);
}

Test(log_line, only_the_end_of_a_failed_turn_warns)
{
	struct agentbus_session failed = session;
	struct agentbus_event e = event_of(AGENTBUS_STATE_CHANGED);

	failed.failed = true;
	failed.state = AGENTBUS_COMPLETED;
	e.session = &failed;
	e.state_change.from = AGENTBUS_WORKING;
	e.state_change.to = AGENTBUS_COMPLETED;
	e.state_change.turn_duration_ms = 12000;
	cJSON *json = json_of(&e);
	cr_assert_str_eq(text_at(json, "level"), "warn");
	cr_assert_str_eq(text_at(json, "previous_state"), "working");
	cr_assert_str_eq(text_at(json, "error_type"), "server");
	cr_assert_eq(number_at(json, "http_status"), 502);
	cr_assert_eq(number_at(json, "turn_duration_ms"), 12000);
	cJSON_Delete(json);

	e.state_change.from = AGENTBUS_COMPLETED;
	e.state_change.to = AGENTBUS_IDLE;
	e.state_change.turn_duration_ms = 0;
	json = json_of(&e);
	cr_assert_str_eq(text_at(json, "level"), "info");
	cr_assert_str_eq(text_at(json, "error_type"), "(null)");
	cr_assert_str_eq(text_at(json, "turn_duration_ms"), "(null)");
	cJSON_Delete(json);
}

Test(log_line, tool)
{
	struct agentbus_event e = event_of(AGENTBUS_TOOL);

	e.tool.name = "Bash";
	e.tool.call_id = "call_7";
	e.tool.error_type = "exit";
	char *line = line_of(LINE_JSON, &e);
	cr_assert(strstr(line, "\"tool\":\"Bash\",\"tool_success\":false,\"call_id\":\"call_7\"") != NULL, "%s", line);
	cr_assert(strstr(line, "\"error_type\":\"exit\"") != NULL, "%s", line);
	free(line);
}

Test(log_line, gap_stands_in_the_boot_that_was_lost)
{
	struct agentbus_event e = { .kind = AGENTBUS_GAP, .boot_id = "new", .reason = "", .gap = { 58, 0, BOOT } };
	cJSON *json = json_of(&e);

	cr_assert_str_eq(text_at(json, "level"), "warn");
	cr_assert_str_eq(text_at(json, "event"), "gap");
	cr_assert_str_eq(text_at(json, "boot_id"), BOOT);
	cr_assert_str_eq(text_at(json, "seq"), "(null)");
	cr_assert_eq(number_at(json, "gap_first_seq"), 58);
	cr_assert_str_eq(text_at(json, "gap_last_seq"), "(null)");
	cr_assert_str_eq(text_at(json, "time"), "2026-11-23T02:30:00.123456789Z", "now, without a time of its own");
	cJSON_Delete(json);
}

Test(log_line, content_stays_out)
{
	struct agentbus_event e = event_of(AGENTBUS_STATE_CHANGED);
	char *line = line_of(LINE_JSON, &e);

	cr_assert(strstr(line, "a title") == NULL);
	cr_assert(strstr(line, "/home/p") == NULL);
	free(line);
}

Test(log_line, logfmt_has_only_values_and_quotes_what_needs_it)
{
	static const struct {
		const char *text, *written;
	} cases[] = {
		{ "plain-1.2/x", " project=plain-1.2/x " },
		{ "two words", " project=\"two words\" " },
		{ "a=b", " project=\"a=b\" " },
		{ "say \"hi\"", " project=\"say \\\"hi\\\"\" " },
		{ "back\\slash", " project=\"back\\\\slash\" " },
		{ "new\nline", " project=\"new\\nline\" " },
		{ "\xc3\xa9t\xc3\xa9", " project=\"\xc3\xa9t\xc3\xa9\" " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agentbus_session named = session;
		struct agentbus_event e = event_of(AGENTBUS_PROMPT);
		named.project = cases[i].text;
		e.session = &named;
		char *line = line_of(LINE_LOGFMT, &e);

		cr_assert(strstr(line, cases[i].written) != NULL, "%s", line);
		cr_assert(strstr(line, "null") == NULL && strstr(line, "gap_first_seq") == NULL, "%s", line);
		cr_assert(strncmp(line,
				  "time=2026-11-23T02:30:00.123456789Z level=info event=prompt seq=57 boot_id=" BOOT
				  " session_id=",
				  100) == 0,
			  "%s", line);
		free(line);
	}
}

Test(log_line, text_that_is_not_utf8_still_parses)
{
	struct agentbus_session named = session;
	struct agentbus_event e = event_of(AGENTBUS_PROMPT);

	named.project = "a\xff\xc3(\xe2\x82";
	e.session = &named;
	cJSON_Delete(json_of(&e));
}
