/* What hooks tell: each row of each table, and what is no message. */
#include "hook.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define NOW 1800000000000000000ull
#define SAMPLE                                                                                                                   \
	"{\"v\":1,\"provider\":\"claude\",\"source\":\"hook\",\"pid\":42,\"time_unix_nano\":\"1799999999000000001\","            \
	"\"tty\":\"/dev/pts/3\",\"env\":{\"TMUX_PANE\":\"%7\",\"KITTY_WINDOW_ID\":\"5\",\"WINDOWID\":\"99\",\"SWAYSOCK\":"       \
	"\"/run/x\"},\"payload\":{\"session_id\":\"s\",\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"Bash\","        \
	"\"cwd\":\"/a/b\",\"tool_input\":{\"command\":\"secret\"}}}"

static struct arena arena;

static void
make_arena(void)
{
	arena_init(&arena, (size_t)1 << 20);
}

static void
free_arena(void)
{
	arena_finish(&arena);
}

TestSuite(hook, .init = make_arena, .fini = free_arena);

static enum verdict
read_text(const char *text, struct observation *ret)
{
	return hook_read_message(text, strlen(text), NOW, &arena, ret);
}

static struct observation
payload_of(const char *provider, const char *payload)
{
	struct observation o = { 0 };

	cr_assert_eq(hook_read_payload(hook_provider(str_from(provider)), payload, strlen(payload), NOW, &arena, &o), VERDICT_OK,
		     "%s", payload);
	return o;
}

static void
expect_text(struct str s, const char *want)
{
	cr_expect(str_eq(s, str_from(want)), "%.*s, not %s", (int)s.len, s.ptr, want);
}

Test(hook, a_message)
{
	struct observation o;

	cr_assert_eq(read_text(SAMPLE, &o), VERDICT_OK);
	cr_expect_eq(o.means, MEANS_ASK);
	cr_expect_eq(o.flags, OBS_TOLD);
	cr_expect_str_eq(o.provider, "claude-code");
	cr_expect_str_eq(o.reason, "permission");
	expect_text(o.session, "s");
	expect_text(o.tool, "Bash");
	expect_text(o.project_dir, "/a/b");
	expect_text(o.tty, "/dev/pts/3");
	expect_text(o.tmux_pane, "%7");
	expect_text(o.window, "kitty:5,x11:99,sway");
	cr_expect_eq(o.pid, 42);
	cr_expect_eq(o.time_ns, 1799999999000000001ull);
}

Test(hook, every_prefix_is_refused)
{
	struct guard g = guard_create(sizeof(SAMPLE));

	for (size_t len = 0; len < sizeof(SAMPLE) - 1; len++) {
		struct observation o;

		cr_expect_eq(hook_read_message(guard_put(&g, SAMPLE, len), len, NOW, &arena, &o), VERDICT_BAD_HOOK, "%zu", len);
		arena_reset(&arena);
	}
	guard_destroy(&g);
}

/* One byte changed into any other never breaks it. */
Test(hook, every_changed_byte_is_survived)
{
	char text[sizeof(SAMPLE)];

	for (size_t i = 0; i < sizeof(SAMPLE) - 1; i++) {
		for (unsigned c = 0; c < 256; c += 3) {
			struct observation o = { 0 };

			memcpy(text, SAMPLE, sizeof(text));
			text[i] = (char)c;
			if (hook_read_message(text, sizeof(text) - 1, NOW, &arena, &o) == VERDICT_OK)
				cr_expect(o.flags & OBS_TOLD);
			arena_reset(&arena);
		}
	}
}

Test(hook, what_is_no_message)
{
	static const char *const wrong[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"provider\":\"claude\"}",
		"{\"provider\":\"claude\",\"payload\":[]}",
		"{\"provider\":\"claude\",\"payload\":\"x\"}",
		"{\"provider\":\"nobody\",\"payload\":{}}",
		"{\"provider\":7,\"payload\":{}}",
		"{\"payload\":{\"session_id\":\"s\"}}",
		"{\"provider\":\"claude\",\"payload\":{}} x",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct observation o;

		cr_expect_eq(read_text(wrong[i], &o), VERDICT_BAD_HOOK, "%s", wrong[i]);
	}
}

Test(hook, wrong_types_tell_nothing)
{
	struct observation o;

	cr_assert_eq(read_text("{\"provider\":\"codex\",\"pid\":-1,\"tty\":3,\"env\":[],\"time_unix_nano\":5,\"payload\":"
			       "{\"session_id\":{\"a\":1},\"thread-id\":7,\"hook_event_name\":[\"Stop\"],\"cwd\":true}}",
			       &o),
		     VERDICT_OK);
	cr_expect_eq(o.means, MEANS_NOTHING);
	cr_expect_eq(o.pid, 0);
	cr_expect_eq(o.time_ns, NOW);
	cr_expect_eq(o.session.len + o.tty.len + o.window.len + o.project_dir.len, 0);
	o = payload_of("claude", "{\"session_id\":\"s\",\"hook_event_name\":\"NoSuchHook\"}");
	cr_expect_eq(o.means, MEANS_NOTHING);
	o = payload_of("claude", "{\"hook_event_name\":\"Stop\"}");
	cr_expect_eq(o.means, MEANS_NOTHING, "a hook without a session");
}

Test(hook, limits)
{
	char deep[400] = "{\"provider\":\"claude\",\"payload\":{\"session_id\":";
	struct observation o;
	char *large = calloc(1, 600000);

	for (size_t at = strlen(deep), i = 0; i < 100; i++)
		deep[at + i] = '[';
	cr_expect_neq(read_text(deep, &o), VERDICT_OK);
	strcat(deep, "1");
	for (size_t at = strlen(deep), i = 0; i < 102; i++)
		deep[at + i] = i < 100 ? ']' : '}';
	cr_expect_eq(read_text(deep, &o), VERDICT_TOO_DEEP);

	size_t at = (size_t)sprintf(large, "{\"provider\":\"claude\",\"payload\":{\"x\":[0");
	for (int i = 0; i < 200000; i++)
		at += (size_t)sprintf(large + at, ",1");
	sprintf(large + at, "]}}");
	cr_expect_eq(read_text(large, &o), VERDICT_TOO_LARGE);
	free(large);
}

Test(hook, a_time_far_ahead_is_now)
{
	struct observation o;

	cr_assert_eq(
	    read_text("{\"provider\":\"claude\",\"time_unix_nano\":\"18000000000000000000\",\"payload\":{\"session_id\":\"s\","
		      "\"hook_event_name\":\"Stop\"}}",
		      &o),
	    VERDICT_OK);
	cr_expect_eq(o.time_ns, NOW);
}

/* Each row is found by an event that meets its conditions. */
Test(hook, tables_are_walked)
{
	static const char *const names[] = {
		[F_TOOL] = "tool_name",     [F_NOTIFICATION] = "notification_type",
		[F_STOP_REASON] = "reason", [F_INTERRUPT] = "is_interrupt",
		[F_ORIGINATOR] = "client",  [F_AGENT] = "agent_id",
		[F_TYPED] = "typed",
	};

	for (const struct provider *const *p = providers; *p; p++) {
		for (size_t i = 0; i < (*p)->hook_count; i++) {
			const struct meaning_rule *r = &(*p)->hooks[i];
			char text[512];
			int n = snprintf(text, sizeof(text), "{\"session_id\":\"s\",\"hook_event_name\":\"%s\"", r->name);

			for (size_t c = 0; c < RULE_CONDITIONS; c++) {
				const struct condition *w = &r->when[c];
				const char *value = w->is ? w->is : "x";

				if (w->field == F_NONE || w->negated)
					continue;
				cr_assert(w->field < sizeof(names) / sizeof(names[0]) && names[w->field], "%s", r->name);
				n += snprintf(text + n, sizeof(text) - (size_t)n,
					      strcmp(value, "true") == 0 ? ",\"%s\":%s" : ",\"%s\":\"%s\"", names[w->field],
					      value);
			}
			snprintf(text + n, sizeof(text) - (size_t)n, "}");
			const struct observation o = payload_of((*p)->name, text);
			cr_expect_eq(o.means, r->means, "%s %s", (*p)->name, text);
			cr_expect_eq(o.reason, r->reason, "%s %s", (*p)->name, text);
			cr_expect_eq(o.flags, r->flags | OBS_TOLD, "%s %s", (*p)->name, text);
			cr_expect(o.flags & OBS_TOLD);
			arena_reset(&arena);
		}
	}
}

/* What hooks tell must not count anything. */
Test(hook, no_row_counts)
{
	for (const struct provider *const *p = providers; *p; p++)
		for (size_t i = 0; i < (*p)->hook_count; i++) {
			const enum meaning m = (*p)->hooks[i].means;

			cr_expect(m != MEANS_PROMPT && m != MEANS_RESPONSE && m != MEANS_TOOL && m != MEANS_ERROR &&
				      m != MEANS_FAULT,
				  "%s %s", (*p)->name, (*p)->hooks[i].name);
		}
}

Test(hook, meanings_that_depend)
{
	static const struct {
		const char *provider, *payload;
		enum meaning means;
		const char *reason;
	} cases[] = {
		{ "claude", "\"hook_event_name\":\"Notification\",\"notification_type\":\"idle_prompt\"", MEANS_CONTEXT, NULL },
		{ "claude", "\"hook_event_name\":\"Stop\",\"agent_id\":\"a\"", MEANS_NOTHING, NULL },
		{ "claude", "\"hook_event_name\":\"SubagentStop\",\"agent_id\":\"a\"", MEANS_ACTIVITY, NULL },
		{ "claude", "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"AskUserQuestion\"", MEANS_ASK, "question" },
		{ "claude", "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Read\"", MEANS_ACTIVITY, NULL },
		{ "claude", "\"hook_event_name\":\"PostToolUseFailure\",\"is_interrupt\":false", MEANS_ACTIVITY, NULL },
		{ "codex", "\"type\":\"agent-turn-complete\",\"client\":\"codex-tui\"", MEANS_TURN_END, "turn_end" },
		{ "codex", "\"type\":\"agent-turn-complete\"", MEANS_NOTHING, NULL },
		{ "codex", "\"type\":\"agent-turn-complete\",\"client\":\"codex-tui\",\"title_thread\":true", MEANS_NOTHING,
		  NULL },
		{ "codex", "\"type\":\"agent-turn-complete\",\"client\":\"codex-tui\",\"title_thread\":false", MEANS_TURN_END,
		  "turn_end" },
		{ "gemini", "\"hook_event_name\":\"Notification\",\"notification_type\":\"ToolPermission\"", MEANS_ASK,
		  "permission" },
		{ "gemini", "\"hook_event_name\":\"Notification\"", MEANS_CONTEXT, NULL },
		{ "gemini", "\"hook_event_name\":\"BeforeTool\",\"tool_name\":\"ask_user\"", MEANS_ASK, "question" },
		{ "gemini", "\"hook_event_name\":\"BeforeTool\",\"tool_name\":\"write_file\"", MEANS_ACTIVITY, NULL },
		{ "qwen", "\"hook_event_name\":\"UserPromptSubmit\",\"typed\":true", MEANS_TURN_START, "prompt" },
		{ "qwen", "\"hook_event_name\":\"UserPromptSubmit\"", MEANS_ACTIVITY, NULL },
		{ "qwen", "\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"ask_user_question\"", MEANS_ASK,
		  "question" },
		{ "qwen", "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"ask_user_question\"", MEANS_ACTIVITY, NULL },
		{ "qwen", "\"hook_event_name\":\"Notification\",\"notification_type\":\"idle_prompt\"", MEANS_TURN_END,
		  "interrupted" },
		{ "qwen", "\"hook_event_name\":\"Notification\",\"notification_type\":\"auth_success\"", MEANS_CONTEXT, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "{\"thread-id\":\"s\",%s}", cases[i].payload);
		const struct observation o = payload_of(cases[i].provider, text);
		cr_expect_eq(o.means, cases[i].means, "%s", text);
		cr_expect(o.reason == cases[i].reason || strcmp(o.reason, cases[i].reason) == 0, "%s", text);
	}
}

Test(hook, names_of_providers)
{
	cr_expect_eq(hook_provider(STR("qwen")), &provider_qwen);
	cr_expect_eq(hook_provider(STR("gemini-cli")), &provider_gemini);
	cr_expect_null(hook_provider(STR("clau")));
	cr_expect_null(hook_provider(STR("")));
}
