/* What people and CLIs do: each in the order in which it really comes. */
#include "session_bed.h"

TestSuite(session_life, .init = setup, .fini = teardown);

static struct observation
hook(enum meaning means, uint64_t ms, unsigned flags)
{
	struct observation o = obs(means, ms, flags | OBS_TOLD);

	o.reason = means == MEANS_TURN_END ? "turn_end" : NULL;
	return o;
}

static struct observation
about(struct observation o, const char *tool, const char *agent)
{
	o.tool = str_from(tool);
	o.agent = str_from(agent);
	return o;
}

static struct observation
span(enum meaning means, uint64_t start_ms, uint64_t end_ms)
{
	struct observation o = obs(means, end_ms, OBS_SPAN);

	o.start_ns = T0 + start_ms * 1000000;
	return o;
}

static void
expect(enum session_state st, size_t changes, const char *why)
{
	const size_t n = count_kind(EVENT_STATE_CHANGED);

	cr_assert_not_null(get("a"), "%s", why);
	cr_expect_eq(get("a")->state, st, "%s: %s", why, session_state_name(get("a")->state));
	cr_expect_eq(n, changes, "%s: %zu changes", why, n);
}

/* --- hooks and telemetry that come without each other --- */

Test(session_life, a_prompt_before_the_start)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_START, 990, 0), 15);
	see(hook(MEANS_START, 1005, 0), 0);
	expect(SESSION_WORKING, 1, "starts are no news");
}

Test(session_life, hooks_alone_till_the_end)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 2000, 0), 0);
	tick_at(32000);
	expect(SESSION_IDLE, 3, "seen or not");
	tick_at(332000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_life, hooks_that_were_taken_away)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(obs(MEANS_PROMPT, 1010, OBS_COUNTED), 500);
	see(hook(MEANS_TURN_END, 2000, 0), 0);
	see(obs(MEANS_PROMPT, 60000, OBS_COUNTED), 500);
	see(obs(MEANS_RESPONSE, 61000, OBS_OPENS), 500);
	tick_at(61500 + 15000);
	expect(SESSION_COMPLETED, 4, "silence is an end again");
	see(obs(MEANS_PROMPT, 120000, OBS_COUNTED), 500);
	see(hook(MEANS_TURN_START, 119995, 0), 600);
	tick_at(120600 + 599000);
	expect(SESSION_WORKING, 5, "and is believed when they are back");
}

Test(session_life, a_hook_that_was_lost_is_made_up_for)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(span(MEANS_RESPONSE_END, 1020, 2990), 2000);
	see(span(MEANS_TURN_END, 1005, 3040), 2000);
	expect(SESSION_COMPLETED, 2, "no Stop, but the span");
}

Test(session_life, the_broker_was_away_between_the_hook_and_its_telemetry)
{
	see(hook(MEANS_ASK, 2000, 0), 0);
	see(obs(MEANS_PROMPT, 1010, OBS_COUNTED), 5000);
	see(obs(MEANS_RESPONSE, 1900, OBS_OPENS), 5000);
	expect(SESSION_WAITING, 1, "its telemetry is of before");
	cr_expect_eq(get("a")->prompts, 1);
}

/* --- ends that come before beginnings --- */

Test(session_life, spans_come_before_the_logs_of_what_they_end)
{
	struct observation end = span(MEANS_TURN_END, 995, 3000);

	end.flags |= OBS_FAILED;
	see(end, 100);
	see(span(MEANS_END, 0, 3010), 100);
	cr_expect_eq(f->count, 0, "nobody has asked for anything");
	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 2500);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect(get("a")->failed);
	cr_expect_eq(count_kind(EVENT_STATE_CHANGED), 2, "working, completed");
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1);
	see(obs(MEANS_RESPONSE, 2000, OBS_OPENS), 1500);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

Test(session_life, an_end_that_nothing_follows_is_forgotten)
{
	see(span(MEANS_TURN_END, 995, 3000), 100);
	see(span(MEANS_END, 0, 3010), 100);
	tick_at(310000);
	cr_expect_null(get("a"));
	cr_expect_eq(f->count, 0);
}

Test(session_life, a_turn_that_a_record_has_ended_is_not_ended_by_its_span)
{
	see(obs(MEANS_PROMPT, 1020, OBS_COUNTED), 0);
	see(obs(MEANS_RESPONSE, 2000, OBS_OPENS), 0);
	see(obs(MEANS_TURN_END, 2010, 0), 0);
	see(span(MEANS_RESPONSE_END, 1030, 2001), 0);
	see(span(MEANS_TURN_END, 1000, 2040), 500);
	expect(SESSION_COMPLETED, 2, "it began before the prompt was recorded");
}

Test(session_life, a_second_turn_of_which_only_notify_tells)
{
	struct observation first = hook(MEANS_TURN_END, 1000, 0), second = hook(MEANS_TURN_END, 9000, 0);

	first.request_id = STR("turn-1"), second.request_id = STR("turn-2");
	see(obs(MEANS_PROMPT, 500, OBS_COUNTED), 0);
	see(first, 0);
	first.time_ns += 20000000;
	see(first, 0);
	expect(SESSION_COMPLETED, 2, "Stop and notify are of one turn");
	see(second, 0);
	expect(SESSION_COMPLETED, 4, "another turn is over");
	see(obs(MEANS_PROMPT, 8900, OBS_COUNTED), 1000);
	expect(SESSION_COMPLETED, 4, "it is known to be over");
}

/* --- dialogs --- */

Test(session_life, a_dialog_that_a_rule_answers_at_once)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", ""), 0);
	expect(SESSION_WAITING, 2, "the state is exact");
	see(hook(MEANS_ACTIVITY, 2010, 0), 0);
	expect(SESSION_WORKING, 3, "and over 10 ms later: PostToolBatch names no tool");
}

Test(session_life, two_dialogs_at_once)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", ""), 0);
	see(about(hook(MEANS_ASK, 2005, 0), "Write", ""), 0);
	see(about(hook(MEANS_ASK, 2006, 0), "Bash", ""), 0);
	see(hook(MEANS_ASK, 8000, 0), 0);
	see(about(hook(MEANS_ACTIVITY, 9000, 0), "Bash", ""), 0);
	expect(SESSION_WAITING, 2, "Write waits");
	see(about(hook(MEANS_ACTIVITY, 9500, 0), "Read", ""), 0);
	expect(SESSION_WAITING, 2, "Read was never asked about");
	see(about(hook(MEANS_ACTIVITY, 12000, 0), "Write", ""), 0);
	expect(SESSION_WORKING, 3, "both are answered");
	see(about(hook(MEANS_ASK, 13000, 0), "Bash", ""), 0);
	see(about(hook(MEANS_ACTIVITY, 14000, 0), "Bash", ""), 0);
	expect(SESSION_WORKING, 5, "nothing is left of the ones before");
}

Test(session_life, a_sub_agent_works_beside_the_dialog_of_its_session)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", ""), 0);
	see(about(hook(MEANS_ACTIVITY, 5000, OBS_OPENS), "Bash", "sub"), 0);
	see(about(hook(MEANS_ACTIVITY, 5100, 0), "Bash", "sub"), 0);
	see(about(hook(MEANS_ACTIVITY, 5200, 0), "", "sub"), 0);
	expect(SESSION_WAITING, 2, "it is not the one that was asked about");
	see(about(hook(MEANS_ACTIVITY, 6000, OBS_OPENS), "Read", ""), 0);
	expect(SESSION_WORKING, 3, "the session itself goes on");
}

Test(session_life, the_dialog_of_a_sub_agent_outlasts_the_turn)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", "sub"), 0);
	see(obs(MEANS_RESPONSE, 3000, OBS_OPENS), 0);
	see(hook(MEANS_TURN_END, 3100, 0), 0);
	expect(SESSION_WAITING, 2, "its person is still asked");
	see(span(MEANS_TURN_END, 1005, 3110), 500);
	expect(SESSION_WAITING, 2, "as the span of that turn does not say either");
	see(obs(MEANS_TURN_END, 3090, 0), 500);
	see(obs(MEANS_TURN_END, 3108, 0), 500);
	expect(SESSION_WAITING, 2, "nor the log of its hooks");
	see(about(hook(MEANS_ACTIVITY, 9000, 0), "Bash", "sub"), 0);
	expect(SESSION_WORKING, 3, "it works on in the background");
	see(hook(MEANS_TURN_START, 9500, 0), 0);
	see(hook(MEANS_TURN_END, 9900, 0), 0);
	expect(SESSION_COMPLETED, 4, "the turn that takes its result");
}

/* Escape calls no hook of Claude Code. */
Test(session_life, escape_in_a_dialog)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", ""), 0);
	see(obs(MEANS_DECISION, 9000, OBS_REFUSED), 400);
	see(span(MEANS_TURN_END, 1005, 9010), 450);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "by telemetry");
	see(hook(MEANS_TURN_START, 20000, 0), 0);
	see(about(hook(MEANS_ASK, 21000, 0), "Bash", ""), 0);
	see(hook(MEANS_TURN_END, 23000, OBS_STATUS), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "by the session file");
	cr_expect_str_eq(get("a")->reason, "interrupted");
	see(hook(MEANS_TURN_START, 30000, 0), 0);
	see(about(hook(MEANS_ASK, 31000, 0), "Bash", ""), 0);
	see(hook(MEANS_TURN_START, 40000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "at the latest by the next prompt");
}

Test(session_life, a_status_alone_says_why_a_turn_is_over)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 5000, OBS_STATUS), 0);
	cr_expect_str_eq(get("a")->reason, "interrupted", "a Stop would have come");
	see(hook(MEANS_TURN_START, 10000, 0), 0);
	see(hook(MEANS_TURN_END, 12000, 0), 0);
	see(hook(MEANS_TURN_END, 12030, OBS_STATUS), 0);
	cr_expect_str_eq(get("a")->reason, "turn_end", "and here it has");
	see(hook(MEANS_ACTIVITY, 20000, OBS_STATUS | OBS_OPENS), 0);
	see(hook(MEANS_TURN_END, 25000, OBS_STATUS), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(get("a")->reason, "turn_end", "/compact: no hook tells of such ends");
}

Test(session_life, interrupted_by_a_hook)
{
	struct observation stop = hook(MEANS_TURN_END, 3000, 0);

	stop.reason = "interrupted";
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(about(hook(MEANS_ASK, 2000, 0), "Bash", "sub"), 0);
	see(stop, 0);
	expect(SESSION_COMPLETED, 3, "Codex: that ends all dialogs");
	cr_expect_str_eq(get("a")->reason, "interrupted");
	see(span(MEANS_TURN_END, 1005, 3050), 5000);
	see(obs(MEANS_DECISION, 2990, OBS_REFUSED), 500);
	expect(SESSION_COMPLETED, 3, "telemetry of the same");
}

/* --- turns that go on --- */

Test(session_life, a_stop_hook_makes_it_go_on)
{
	struct observation stop = hook(MEANS_TURN_END, 3000, 0);

	stop.prompt_id = STR("p");
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(stop, 0);
	see(about(hook(MEANS_ACTIVITY, 3400, OBS_OPENS), "Bash", ""), 0);
	expect(SESSION_WORKING, 3, "it has a tool to run");
	stop.time_ns = T0 + 5 * S;
	see(stop, 0);
	expect(SESSION_COMPLETED, 4, "the second Stop of the same prompt");
}

Test(session_life, a_prompt_typed_while_it_works)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_START, 4000, 0), 0);
	expect(SESSION_WORKING, 1, "it works already");
	see(span(MEANS_TURN_END, 1005, 3950), 500);
	expect(SESSION_WORKING, 1, "the first turn was over before");
	see(hook(MEANS_TURN_END, 6000, 0), 0);
	expect(SESSION_COMPLETED, 2, "both are done");
}

Test(session_life, compaction_within_and_after_a_turn)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_ACTIVITY, 2000, 0), 0);
	see(hook(MEANS_START, 2500, 0), 0);
	expect(SESSION_WORKING, 1, "SessionStart (compact) begins nothing");
	see(hook(MEANS_TURN_END, 3000, 0), 0);
	see(hook(MEANS_ACTIVITY, 9000, 0), 0);
	see(hook(MEANS_START, 9500, 0), 0);
	expect(SESSION_COMPLETED, 2, "/compact by hand is no turn");
}

Test(session_life, clear_in_the_middle)
{
	struct observation busy = hook(MEANS_ACTIVITY, 2020, OBS_STATUS | OBS_OPENS), start = hook(MEANS_START, 2030, 0);

	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_END, 2000, 0), 0);
	see(busy, 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED, "the file is busy with it for a moment more");
	start.session = STR("b");
	see(start, 0);
	cr_expect_not(get("b")->shown);
}
