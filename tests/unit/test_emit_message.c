/* What leaves a hook: what the broker uses, and nothing that anybody wrote. */
#include "agentbus/emit_message.h"

#include "agentbus/emit_scan.h"
#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define CLAUDE                                                                                                                   \
	"{\"session_id\": \"s-1\", \"transcript_path\": \"/h/.claude/projects/p/s.jsonl\", \"cwd\": \"/home/\\\"dev\\\"\","      \
	" \"hook_event_name\": \"PostToolUse\", \"tool_name\": \"Bash\", \"tool_input\": {\"command\": \"canary {[\\\"}\","      \
	" \"session_id\": \"canary\"}, \"tool_response\": [\"canary\", {\"stdout\": \"canary\"}], \"prompt\": \"canary\","       \
	" \"message\": \"canary\", \"tool_use_id\": \"t1\", \"duration_ms\": 95, \"is_interrupt\": false}"

static const char *
no_variable(const char *name)
{
	(void)name;
	return NULL;
}

static const char *
some_variables(const char *name)
{
	return strcmp(name, "TMUX_PANE") == 0 ? "%3" : strcmp(name, "WINDOWID") == 0 ? "7\"8" : NULL;
}

static struct emit_origin
origin(void)
{
	return (struct emit_origin){ .source = "hook", .tty = "", .variable = no_variable };
}

static const char *
message_of(const struct emit_origin *o, const char *payload)
{
	static char message[EMIT_MESSAGE_MAX];

	message[emit_message(o, payload, strlen(payload), message)] = '\0';
	return message;
}

Test(emit_message, all_of_it)
{
	const struct emit_origin o = {
		.source = "hook", .pid = 12, .tty = "/dev/pts/0", .time_ns = 1234567890123456789ull, .variable = some_variables
	};

	cr_expect_str_eq(
	    message_of(&o, CLAUDE),
	    "{\"v\":1,\"provider\":\"claude\",\"source\":\"hook\",\"pid\":12,\"time_unix_nano\":\"1234567890123456789\","
	    "\"tty\":\"/dev/pts/0\",\"env\":{\"TMUX_PANE\":\"%3\"},\"payload\":{\"session_id\":\"s-1\","
	    "\"cwd\":\"/home/\\\"dev\\\"\",\"hook_event_name\":\"PostToolUse\",\"tool_name\":\"Bash\","
	    "\"tool_use_id\":\"t1\",\"is_interrupt\":false}}");
}

Test(emit_message, the_payload_tells_whose_it_is)
{
	static const struct {
		const char *payload, *provider;
	} cases[] = {
		{ "\"thread-id\":\"a\",\"type\":\"agent-turn-complete\"", "codex" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"Stop\",\"transcript_path\":\"/h/.codex/x\"", "codex" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"Stop\",\"turn_id\":\"x\"", "codex" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"Stop\",\"transcript_path\":\"/h/.qwen/x\"", "qwen" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"Stop\",\"transcript_path\":\"/h/.gemini/x\"", "gemini" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"AfterAgent\"", "gemini" },
		{ "\"session_id\":\"a\",\"hook_event_name\":\"Stop\"", "claude" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct emit_origin o = origin();
		char payload[256], want[64];

		snprintf(payload, sizeof(payload), "{%s}", cases[i].payload);
		snprintf(want, sizeof(want), "\"provider\":\"%s\"", cases[i].provider);
		cr_expect(strstr(message_of(&o, payload), want), "%s", payload);
	}
}

Test(emit_message, title_threads_are_marked_without_their_text)
{
	const struct emit_origin o = origin();
	const char *asked =
	    message_of(&o, "{\"type\":\"agent-turn-complete\",\"thread-id\":\"t\",\"input-messages\": [ \"Generate a "
			   "concise, single-line task title canary\"]}");

	cr_expect(strstr(asked, ",\"title_thread\":true}}"));
	cr_expect_not(strstr(asked, "canary"));
	cr_expect(strstr(
	    message_of(&o, "{\"type\":\"x\",\"thread-id\":\"t\",\"last-assistant-message\":\"{\\\"title\\\":\\\"canary\"}"),
	    "title_thread"));
	cr_expect_not(strstr(message_of(&o, "{\"type\":\"x\",\"thread-id\":\"t\",\"input-messages\":[\"Do it\"],\"last-assistant-"
					    "message\":\"Done\"}"),
			     "title_thread"));
}

Test(emit_message, a_typed_prompt_is_marked_without_its_text)
{
	const struct emit_origin o = origin();
	const char *typed = message_of(&o, "{\"session_id\":\"a\",\"transcript_path\":\"/h/.qwen/x\",\"hook_event_name\":"
					   "\"UserPromptSubmit\",\"prompt\":\"canary\",\"submitted_prompt\":\"canary\"}");

	cr_expect(strstr(typed, ",\"typed\":true}}"));
	cr_expect_not(strstr(typed, "canary"));
	cr_expect_not(
	    strstr(message_of(&o, "{\"session_id\":\"a\",\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"x\"}"), "typed"));
}

Test(emit_message, every_prefix_tells_no_more)
{
	const struct emit_origin o = origin();
	struct guard g = guard_create(sizeof(CLAUDE));
	char message[EMIT_MESSAGE_MAX + 1];
	size_t some = 0;

	for (size_t len = 0; len < sizeof(CLAUDE); len++) {
		const size_t n = emit_message(&o, guard_put(&g, CLAUDE, len), len, message);

		message[n] = '\0';
		some += n > 0;
		cr_expect_not(strstr(message, "canary"), "%zu", len);
		cr_expect(n == 0 || (message[n - 1] == '}' && message[n - 2] == '}'), "%zu", len);
	}
	cr_expect_gt(some, 100);
	guard_destroy(&g);
}

Test(emit_message, what_has_nothing_to_say)
{
	static const char *const nothing[] = {
		"",
		"{",
		"{}",
		"[]",
		"null",
		"{\"session_id\":\"a\"}",
		"{\"hook_event_name\":\"Stop\"}",
		"{\"session_id\":7,\"hook_event_name\":\"Stop\"}",
		"{\"session_id\":\"\",\"hook_event_name\":\"Stop\"}",
		"{\"session_id\":\"a\nb\",\"hook_event_name\":\"Stop\"}",
		"{\"session_id\" \"a\",\"hook_event_name\":\"Stop\"}",
		"{\"x\":{\"session_id\":\"a\",\"hook_event_name\":\"Stop\"}}",
		"]]}}",
		"{\"a\":}",
		"{\"a\":\"\\",
	};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		const struct emit_origin o = origin();

		cr_expect_str_eq(message_of(&o, nothing[i]), "", "%s", nothing[i]);
	}
}

Test(emit_message, long_values_are_left_out)
{
	const struct emit_origin o = origin();
	char payload[4096];

	snprintf(payload, sizeof(payload), "{\"session_id\":\"a\",\"hook_event_name\":\"Stop\",\"cwd\":\"%02000d\"}", 0);
	cr_expect(strstr(message_of(&o, payload), "\"payload\":{\"session_id\":\"a\",\"hook_event_name\":\"Stop\"}}"));
	/* The same key again and again is more than a message holds. */
	char *many = calloc(1, 200000);
	size_t at = (size_t)sprintf(many, "{\"session_id\":\"a\",\"hook_event_name\":\"Stop\"");
	for (int i = 0; i < 50; i++)
		at += (size_t)sprintf(many + at, ",\"cwd\":\"%0900d\"", 0);
	sprintf(many + at, "}");
	cr_expect_str_eq(message_of(&o, many), "");
	free(many);
}

Test(emit_message, members_of_an_object)
{
	static const char text[] = " { \"a\" : [1, {\"b\":\"]\"}] , \"c\":true }";
	struct emit_member m;
	size_t at = 0;

	cr_assert(emit_scan(text, sizeof(text) - 1, &at, &m));
	cr_expect(m.key_len == 1 && *m.key == 'a' && m.value_len == 14, "%zu", m.value_len);
	cr_assert(emit_scan(text, sizeof(text) - 1, &at, &m));
	cr_expect(m.value_len == 4 && memcmp(m.value, "true", 4) == 0);
	cr_expect_not(emit_scan(text, sizeof(text) - 1, &at, &m));
}
