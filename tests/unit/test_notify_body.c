#include "notify/body.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#define SECRET "swordfish"

static const struct agentbus_session plain = {
	.id = "01a205d0-88e7-7fc3-b9af-4615ceab61a0",
	.provider = "claude-code",
	.service_name = "claude-code",
	.model = "m",
	.reason = "turn_end",
	.title = SECRET,
	.project = "shop",
	.project_dir = "/home/" SECRET "/shop",
	.branch = "main",
	.worktree = "",
	.tty = "",
	.tmux_pane = "",
	.window = SECRET,
	.parent_id = "",
	.tool = "",
	.last_error = { .type = "", .message = "" },
};

static struct body
body_of(enum notice notice, const struct agentbus_session *s, uint64_t turn_ms)
{
	struct body b;

	setlocale(LC_CTYPE, "C.UTF-8");
	const struct roster_figures total = roster_figures_of(s);

	body_render(&b, notice, s, &(struct notice_turn){ .duration_ms = turn_ms }, &total);
	cr_assert(strstr(b.text, SECRET) == NULL && strstr(b.summary, SECRET) == NULL);
	return b;
}

Test(notify_body, a_finished_turn)
{
	struct agentbus_session s = plain;

	s.tokens = (struct agentbus_tokens){ .input = 52000, .output = 200 };
	s.cost = (struct agentbus_cost){ .total = INT64_C(1240000000000), .has_reported = true };
	struct body b = body_of(NOTICE_COMPLETED, &s, 192000);
	cr_assert_str_eq(b.summary, "Claude Code finished");
	cr_assert_str_eq(b.text, "shop \u00b7 3m 12s\nSession: 52.2k tokens, $1.24");

	s.turn_errors = 1;
	s.cost = (struct agentbus_cost){ .total = INT64_C(1240000000000), .has_computed = true, .estimated = true };
	b = body_of(NOTICE_COMPLETED, &s, 192000);
	cr_assert_str_eq(b.text, "shop \u00b7 3m 12s\n1 error\nSession: 52.2k tokens, about $1.24");
}

Test(notify_body, what_the_turn_has_cost)
{
	struct agentbus_session s = plain;
	struct roster_figures total = { .cost_known = true, .cost = INT64_C(1240000000000), .tokens = { .input = 1000 } };
	struct notice_turn turn = { .duration_ms = 12000, .cost_known = true, .cost = INT64_C(120000000000) };
	struct body b;

	body_render(&b, NOTICE_COMPLETED, &s, &turn, &total);
	cr_assert_str_eq(b.text, "shop \u00b7 12s \u00b7 $0.12\nSession: 1.0k tokens, $1.24");
	turn.cost_partial = true;
	body_render(&b, NOTICE_COMPLETED, &s, &turn, &total);
	cr_assert_str_eq(b.text, "shop \u00b7 12s \u00b7 at least $0.12\nSession: 1.0k tokens, $1.24");
	turn.cost_estimated = true;
	body_render(&b, NOTICE_COMPLETED, &s, &turn, &total);
	cr_assert_str_eq(b.text, "shop \u00b7 12s \u00b7 about $0.12\nSession: 1.0k tokens, $1.24");
	turn = (struct notice_turn){ .cost_known = true, .cost = INT64_C(9000000000000) };
	body_render(&b, NOTICE_FAILED, &s, &turn, &total);
	cr_assert_str_eq(b.text, "shop \u00b7 $1.24\nSession: 1.0k tokens", "not more than the session");
}

Test(notify_body, what_is_unknown_is_left_out)
{
	struct agentbus_session s = plain;

	s.project = "";
	s.provider = "codex";
	struct body b = body_of(NOTICE_COMPLETED, &s, 0);
	cr_assert_str_eq(b.summary, "Codex finished");
	cr_assert_str_eq(b.text, "ceab61a0");
	s.id = "";
	b = body_of(NOTICE_COMPLETED, &s, 12000);
	cr_assert_str_eq(b.text, "12s");
}

Test(notify_body, a_failed_turn_says_what_kind_of_error_but_not_its_words)
{
	struct agentbus_session s = plain;

	s.provider = "gemini-cli";
	s.turn_errors = 2;
	s.last_error = (struct agentbus_failure){ .type = "rate_limit", .message = SECRET, .status = 429 };
	struct body b = body_of(NOTICE_FAILED, &s, 5000);
	cr_assert_str_eq(b.summary, "Gemini CLI failed");
	cr_assert_str_eq(b.text, "shop \u00b7 5s\n2 errors, last: rate limit (HTTP 429)");

	s.turn_errors = 1;
	s.last_error = (struct agentbus_failure){ .type = "server", .message = SECRET, .status = 0 };
	b = body_of(NOTICE_FAILED, &s, 5000);
	cr_assert_str_eq(b.text, "shop \u00b7 5s\n1 error: server error");

	s.turn_errors = 0;
	s.last_error.type = "something new";
	b = body_of(NOTICE_FAILED, &s, 5000);
	cr_assert_str_eq(b.text, "shop \u00b7 5s\nunknown error");
}

Test(notify_body, what_a_session_waits_for)
{
	static const struct {
		const char *reason, *tool;
		enum agentbus_evidence evidence;
		const char *summary, *text;
	} cases[] = {
		{ "permission", "Bash", AGENTBUS_TOLD, "Claude Code wants to use Bash", "shop" },
		{ "permission", "", AGENTBUS_TOLD, "Claude Code asks for permission", "shop" },
		{ "permission", "Bash", AGENTBUS_SHOWN, "Claude Code asks for permission", "shop \u00b7 Bash" },
		{ "permission", "", AGENTBUS_INFERRED, "Claude Code asks for permission", "shop" },
		{ "question", "AskUserQuestion", AGENTBUS_TOLD, "Claude Code has a question", "shop" },
		{ "question", "ExitPlanMode", AGENTBUS_TOLD, "Claude Code has a plan for you", "shop" },
		{ "question", "exit_plan_mode", AGENTBUS_TOLD, "Claude Code has a plan for you", "shop" },
		{ "plan", "", AGENTBUS_TOLD, "Claude Code has a plan for you", "shop" },
		{ "elicitation", "", AGENTBUS_TOLD, "Claude Code needs an answer", "shop" },
		{ "tool_use", "Bash", AGENTBUS_INFERRED, "Claude Code waits for you", "shop \u00b7 Bash" },
		{ "something new", "", AGENTBUS_TOLD, "Claude Code waits for you", "shop" },
	};
	struct agentbus_session s = plain;

	s.turn_errors = 3;
	s.tokens.input = 100;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.reason = cases[i].reason;
		s.tool = cases[i].tool;
		s.evidence = cases[i].evidence;
		struct body b = body_of(NOTICE_WAITING, &s, 0);
		cr_assert_str_eq(b.summary, cases[i].summary, "%zu: %s", i, b.summary);
		cr_assert_str_eq(b.text, cases[i].text, "%zu: %s", i, b.text);
	}
}

Test(notify_body, an_unknown_program_goes_by_its_own_name)
{
	struct agentbus_session s = plain;

	s.provider = "genai";
	s.service_name = "my-agent";
	cr_assert_str_eq(body_of(NOTICE_COMPLETED, &s, 0).summary, "my-agent finished");
}

Test(notify_body, work_trees_of_a_project_are_told_apart)
{
	struct agentbus_session s = plain;

	s.worktree = "shop-login";
	s.branch = "login";
	cr_assert_str_eq(body_of(NOTICE_WAITING, &s, 0).text, "shop (login)");
	s.branch = "";
	cr_assert_str_eq(body_of(NOTICE_WAITING, &s, 0).text, "shop");
}

/* A daemon drops the connection of whoever sends it text that is not UTF-8. */
Test(notify_body, foreign_text_is_made_harmless)
{
	struct agentbus_session s = plain;
	char long_name[2000];

	s.project = "a\xff\x1b[31m\n\xc3\xa9";
	struct body b = body_of(NOTICE_COMPLETED, &s, 0);
	cr_assert_str_eq(b.text, "a??[31m?\xc3\xa9");

	s.project = "abc\xe2\x80\xaetxt.exe\xe2\x81\xa6";
	b = body_of(NOTICE_COMPLETED, &s, 0);
	cr_assert_str_eq(b.text, "abc?txt.exe?", "nothing turns the direction of the text");

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	s.project = s.tool = long_name;
	b = body_of(NOTICE_WAITING, &s, 0);
	cr_assert(strlen(b.text) < 200);
	cr_assert(strstr(b.text, "\u2026") != NULL);
}

Test(notify_body, escape)
{
	char out[BODY_MARKUP_SIZE], worst[BODY_TEXT_SIZE];

	cr_assert_str_eq(body_escape("a <b>&\"c\" \u00b7\n", out, sizeof(out)), "a &lt;b&gt;&amp;\"c\" \u00b7\n");
	cr_assert_str_eq(body_escape("", out, sizeof(out)), "");
	memset(worst, '&', sizeof(worst) - 1);
	worst[sizeof(worst) - 1] = '\0';
	body_escape(worst, out, sizeof(out));
	cr_assert_eq(strlen(out), 5 * (sizeof(worst) - 1));
}

Test(notify_body, escape_cuts_between_entities_and_characters)
{
	static const char text[] = "a&\u00b7<";
	static const char *const wanted[] = { [1] = "",
					      "a",
					      "a",
					      "a",
					      "a",
					      "a",
					      "a&amp;",
					      "a&amp;",
					      "a&amp;\u00b7",
					      "a&amp;\u00b7",
					      "a&amp;\u00b7",
					      "a&amp;\u00b7",
					      "a&amp;\u00b7&lt;" };
	char out[16];

	for (size_t size = 1; size < sizeof(wanted) / sizeof(wanted[0]); size++)
		cr_assert_str_eq(body_escape(text, out, size), wanted[size], "size %zu", size);
}

Test(notify_body, of_budgets)
{
	const struct agentbus_session s = { .provider = "codex", .service_name = "codex_exec", .project = "shop" };
	struct agentbus_budget budget = { "day", "2026-11-26", "warn", INT64_C(5000000000000), INT64_C(5250000000000), true };
	struct body b;

	body_render_budget(&b, &budget, &s);
	cr_assert_str_eq(b.summary, "Daily spending has reached $5.00");
	cr_assert_str_eq(b.text, "About $5.25 in 2026-11-26\nLast by Codex \u00b7 shop", "%s", b.text);
	budget =
	    (struct agentbus_budget){ "month", "2026-11", "limit", INT64_C(200000000000000), INT64_C(205000000000000), false };
	body_render_budget(&b, &budget, &(struct agentbus_session){ .provider = "codex", .service_name = "", .project = "" });
	cr_assert_str_eq(b.summary, "Monthly budget of $200 is spent");
	cr_assert_str_eq(b.text, "$205 in 2026-11\nLast by Codex", "%s", b.text);
}
