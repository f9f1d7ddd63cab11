/* What hooks tell, beside what telemetry shows of the same: later, earlier, or something else. */
#include "session_bed.h"

TestSuite(session_told, .init = setup, .fini = teardown);

static struct observation
hook(enum meaning means, uint64_t ms, unsigned flags)
{
	struct observation o = obs(means, ms, flags | OBS_TOLD);

	o.reason = means == MEANS_TURN_END ? "turn_end" : NULL;
	return o;
}

static struct observation
with_tool(struct observation o, const char *tool)
{
	o.tool = str_from(tool);
	return o;
}

static struct observation
span(enum meaning means, uint64_t start_ms, uint64_t end_ms)
{
	struct observation o = obs(means, end_ms, OBS_SPAN);

	o.start_ns = T0 + start_ms * 1000000;
	return o;
}

static size_t
changes(void)
{
	return count_kind(EVENT_STATE_CHANGED);
}

Test(session_told, a_turn_of_hooks_alone)
{
	see(hook(MEANS_START, 0, 0), 0);
	cr_expect_eq(f->count, 0, "not shown before its first prompt");
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(get("a")->evidence, EVIDENCE_TOLD);
	cr_expect_eq(get("a")->prompts, 0, "telemetry counts");
	cr_expect_eq(count_kind(EVENT_PROMPT), 0);
	see(with_tool(hook(MEANS_ACTIVITY, 2000, OBS_OPENS), "Bash"), 0);
	see(with_tool(hook(MEANS_ASK, 2010, 0), "Bash"), 0);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	see(with_tool(hook(MEANS_ACTIVITY, 2500, 0), "Bash"), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	see(hook(MEANS_TURN_END, 3000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(get("a")->reason, "turn_end");
	cr_expect_eq(f->seen[f->count - 1].turn_ns, 2 * S);
	see(hook(MEANS_END, 4000, 0), 0);
	see(hook(MEANS_END, 4010, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1, "Gemini tells it twice");
	cr_expect_eq(changes(), 4);
}

Test(session_told, telemetry_of_the_same_turn_comes_seconds_later)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 3000, 0), 0);
	see(obs(MEANS_PROMPT, 1010, OBS_COUNTED), 5000);
	see(obs(MEANS_RESPONSE, 2990, OBS_OPENS), 5000);
	see(span(MEANS_RESPONSE_END, 1020, 2990), 5000);
	see(span(MEANS_TURN_END, 1005, 3040), 5000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->evidence, EVIDENCE_TOLD);
	cr_expect_eq(get("a")->prompts, 1);
	cr_expect_eq(get("a")->requests, 1);
	cr_expect_eq(changes(), 2, "it neither begins nor ends again");
}

Test(session_told, the_span_of_the_last_turn_does_not_end_the_next)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 3000, 0), 0);
	see(hook(MEANS_TURN_START, 3005, 0), 0);
	see(span(MEANS_TURN_END, 1005, 3040), 500);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session_told, a_span_ends_a_turn_that_was_interrupted)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(span(MEANS_TURN_END, 1005, 3040), 500);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->evidence, EVIDENCE_SHOWN);
}

Test(session_told, a_dialog_outlasts_what_runs_beside_it)
{
	struct observation sub = obs(MEANS_RESPONSE, 9000, OBS_OPENS);

	sub.agent = STR("sub");
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 2000, 0), "Bash"), 0);
	see(obs(MEANS_DECISION, 2137, OBS_OPENS), 0);
	cr_expect_eq(get("a")->state, SESSION_WAITING, "of another tool, at once");
	see(obs(MEANS_TOOL, 5000, OBS_OPENS), 0);
	see(span(MEANS_TOOL_END, 2100, 5000), 0);
	see(with_tool(hook(MEANS_ACTIVITY, 5001, 0), "Read"), 0);
	see(with_tool(hook(MEANS_ACTIVITY, 2100, OBS_OPENS), "Read"), 0);
	see(sub, 0);
	see(hook(MEANS_CONTEXT, 6000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	see(obs(MEANS_DECISION, 12000, OBS_OPENS), 500);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "the person's decision");
	cr_expect_eq(changes(), 3);
}

/* Gemini tells the tool with BeforeTool, not with the dialog's Notification 20 ms later; telemetry comes seconds late. */
Test(session_told, the_newest_tool_is_shown)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ACTIVITY, 2000, OBS_OPENS), "write_file"), 0);
	see(with_tool(obs(MEANS_TOOL, 500, OBS_OPENS), "run_shell_command"), 1510);
	see(hook(MEANS_ASK, 2020, 0), 0);
	cr_expect_str_eq(get("a")->tool, "write_file");
	see(with_tool(hook(MEANS_ACTIVITY, 9000, OBS_OPENS), "read_file"), 0);
	cr_expect_str_eq(get("a")->tool, "read_file");
}

/* Qwen Code hands a sub-agent's result to the model by itself, and tells of that turn the end alone. */
Test(session_told, an_end_without_a_beginning_is_no_turn_where_beginnings_are_told)
{
	struct observation end = hook(MEANS_TURN_END, 3000, 0);

	see(hook(MEANS_TURN_START, 1000, 0), 0);
	end.prompt_id = STR("one");
	see(end, 0);
	end = hook(MEANS_TURN_END, 3650, 0);
	end.prompt_id = STR("two");
	see(end, 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(changes(), 2);
}

/* In -p mode Claude Code asks nobody, and refuses; the log of the hook's run comes half a second later. */
Test(session_told, a_dialog_that_was_answered_is_not_asked_again_by_telemetry)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 2000, 0), "Bash"), 0);
	see(hook(MEANS_ACTIVITY, 2005, 0), 0);
	see(obs(MEANS_ASK, 1996, 0), 400);
	see(obs(MEANS_ASK, 2007, 0), 400);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	see(obs(MEANS_ASK, 9000, 0), 400);
	cr_expect_eq(get("a")->state, SESSION_WAITING, "another, of which the hook was lost");
}

Test(session_told, a_turn_that_ends_in_a_dialog_was_stopped)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 2000, 0), "write_file"), 0);
	see(span(MEANS_TURN_END, 1005, 9010), 5000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(get("a")->reason, "interrupted");
	see(hook(MEANS_TURN_START, 20000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 21000, 0), "write_file"), 0);
	see(hook(MEANS_END, 30000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(f->seen[f->count - 2].state, SESSION_COMPLETED);
	cr_expect_str_eq(f->seen[f->count - 2].reason, "interrupted");
}

Test(session_told, a_notification_of_the_same_dialog_changes_nothing)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 2000, 0), "Bash"), 0);
	see(hook(MEANS_ASK, 2050, 0), 0);
	see(with_tool(hook(MEANS_ACTIVITY, 9000, 0), "Bash"), 0);
	see(hook(MEANS_ASK, 8000, 0), 2000);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "it comes late");
	cr_expect_eq(changes(), 3);
}

Test(session_told, duplicates_and_late_ones_move_nothing)
{
	const struct observation begin = hook(MEANS_TURN_START, 1000, 0), end = hook(MEANS_TURN_END, 3000, 0);

	see(begin, 0);
	see(end, 0);
	see(end, 100);
	see(begin, 3000);
	see(with_tool(hook(MEANS_ACTIVITY, 2000, OBS_OPENS), "Bash"), 3000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	tick_at(3100 + 30000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	see(end, 60000);
	cr_expect_eq(get("a")->state, SESSION_IDLE, "an old end is no news");
}

Test(session_told, notify_alone_shows_a_turn)
{
	see(hook(MEANS_TURN_END, 1000, 0), 0);
	cr_assert_not_null(get("a"));
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	tick_at(31000);
	see(hook(MEANS_TURN_END, 90000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(f->seen[f->count - 1].turn_ns, 0, "nobody knows when it began");
}

Test(session_told, a_silent_turn_is_believed)
{
	see(hook(MEANS_TURN_START, 0, 0), 0);
	tick_at(599000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	tick_at(600000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

Test(session_told, a_tool_goes_on_after_an_end_that_was_told)
{
	struct observation sub = with_tool(hook(MEANS_ACTIVITY, 3100, OBS_OPENS), "Bash");

	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 3000, 0), 0);
	sub.agent = STR("sub");
	see(sub, 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "a sub-agent's");
	see(with_tool(hook(MEANS_ACTIVITY, 3200, OBS_OPENS), "Bash"), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "a Stop hook of somebody made it go on");
}

Test(session_told, where_its_person_sits)
{
	struct observation start = hook(MEANS_START, 0, 0), prompt = hook(MEANS_TURN_START, 10, 0),
			   other = obs(MEANS_PROMPT, 20, 0);

	start.pid = 7, start.tty = STR("/dev/pts/1"), start.project_dir = STR("/x/shop");
	prompt.pid = 8, prompt.tmux_pane = STR("%2"), prompt.window = STR("kitty:1"), prompt.project_dir = STR("/x/shop/deep");
	see(start, 0);
	see(prompt, 0);
	cr_expect_eq(get("a")->pid, 7);
	cr_expect_str_eq(get("a")->tty, "/dev/pts/1");
	cr_expect_str_eq(get("a")->tmux_pane, "%2");
	cr_expect_str_eq(get("a")->window, "kitty:1");
	cr_expect_str_eq(get("a")->project_dir, "/x/shop");
	cr_expect_str_eq(get("a")->project_name, "shop");
	other.pid = 9;
	see(other, 0);
	cr_expect_eq(get("a")->pid, 9, "the telemetry's own is better");
}

/* A turn with a dialog as hooks and telemetry tell it; telemetry may come in any order, and up to 5 s later. */
Test(session_told, any_order_of_arrival_ends_well)
{
	for (unsigned seed = 1; seed <= 500; seed++) {
		const struct observation all[] = {
			hook(MEANS_TURN_START, 1000, 0),
			obs(MEANS_PROMPT, 1010, OBS_COUNTED),
			obs(MEANS_RESPONSE, 1900, OBS_OPENS),
			span(MEANS_RESPONSE_END, 1020, 1901),
			with_tool(hook(MEANS_ACTIVITY, 1950, OBS_OPENS), "Bash"),
			with_tool(hook(MEANS_ASK, 2000, 0), "Bash"),
			obs(MEANS_DECISION, 9000, OBS_OPENS),
			with_tool(hook(MEANS_ACTIVITY, 9500, 0), "Bash"),
			obs(MEANS_TOOL, 9490, OBS_OPENS),
			span(MEANS_TOOL_END, 1950, 9495),
			obs(MEANS_RESPONSE, 10000, OBS_OPENS),
			span(MEANS_RESPONSE_END, 9600, 10001),
			hook(MEANS_TURN_END, 10020, 0),
			span(MEANS_TURN_END, 1005, 10060),
		};
		enum { N = sizeof(all) / sizeof(all[0]) };
		uint64_t arrival[N];
		unsigned rest = seed;
		bool done[N] = { false };

		teardown();
		setup();
		for (unsigned i = 0; i < N; i++) {
			rest = rest * 1103515245u + 12345u;
			arrival[i] = all[i].time_ns + (all[i].flags & OBS_TOLD ? 2 : rest >> 8 & 0xfff) * 1000000ull;
		}
		for (unsigned k = 0; k < N; k++) {
			unsigned next = N;

			for (unsigned i = 0; i < N; i++)
				if (!done[i] && (next == N || arrival[i] < arrival[next]))
					next = i;
			done[next] = true;
			sessions_observe(f->sessions, &all[next], arrival[next]);
		}
		cr_assert_eq(get("a")->state, SESSION_COMPLETED, "seed %u", seed);
		cr_assert_eq(get("a")->requests, 2);
		cr_assert_eq(get("a")->tool_calls, 1);
		cr_assert_eq(changes(), 4, "seed %u: %zu", seed, changes());
	}
}

/* --- how the whole session is --- */

static struct observation
status(enum meaning means, uint64_t ms)
{
	return hook(means, ms, OBS_STATUS | (means == MEANS_ACTIVITY ? OBS_OPENS : 0));
}

Test(session_told, a_status_alone_shows_a_turn)
{
	see(hook(MEANS_START, 0, 0), 0);
	see(status(MEANS_TURN_END, 100), 0);
	cr_expect_eq(f->count, 0, "idle, and never asked anything");
	see(status(MEANS_ACTIVITY, 1000), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	see(status(MEANS_ASK, 1100), 0);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	see(status(MEANS_ACTIVITY, 1200), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "answered fast");
	see(status(MEANS_TURN_END, 3000), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(f->seen[f->count - 1].turn_ns, 2 * S);
	cr_expect_eq(changes(), 4);
}

Test(session_told, a_status_creates_no_session_that_has_done_nothing)
{
	see(status(MEANS_TURN_END, 0), 0);
	cr_expect_null(get("a"));
}

/* The same moments, told by hooks and by a status some milliseconds before or after. */
Test(session_told, a_status_and_hooks_in_any_order)
{
	for (unsigned bits = 0; bits < 1u << 8; bits++) {
		const struct observation pairs[][2] = {
			{ hook(MEANS_TURN_START, 1000, 0), status(MEANS_ACTIVITY, bits & 1 ? 985 : 1020) },
			{ with_tool(hook(MEANS_ASK, 2000, 0), "Bash"), status(MEANS_ASK, bits & 2 ? 1990 : 2010) },
			{ with_tool(hook(MEANS_ACTIVITY, 9040, 0), "Bash"), status(MEANS_ACTIVITY, bits & 4 ? 9000 : 9060) },
			{ hook(MEANS_TURN_END, 12000, 0), status(MEANS_TURN_END, bits & 8 ? 11990 : 12030) },
		};

		teardown();
		setup();
		for (size_t i = 0; i < 4; i++) {
			see(pairs[i][bits >> (4 + i) & 1], 1);
			see(pairs[i][!(bits >> (4 + i) & 1)], 1);
			if (i == 1) {
				see(with_tool(hook(MEANS_ACTIVITY, 3000, 0), "Read"), 1);
				cr_assert_eq(get("a")->state, SESSION_WAITING, "%x: another tool", bits);
			}
		}
		cr_assert_eq(get("a")->state, SESSION_COMPLETED, "%x", bits);
		cr_assert_eq(changes(), 4, "%x: %zu", bits, changes());
	}
}

Test(session_told, a_turn_that_was_stopped_without_a_hook)
{
	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(with_tool(hook(MEANS_ASK, 2000, 0), "Bash"), 0);
	see(status(MEANS_TURN_END, 4000), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	see(hook(MEANS_TURN_START, 5000, 0), 0);
	see(status(MEANS_TURN_END, 4000), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "an old status ends no new turn");
}

Test(session_told, a_session_that_was_cleared_stays_so)
{
	struct observation busy = status(MEANS_ACTIVITY, 3020);

	see(hook(MEANS_TURN_START, 1000, 0), 0);
	see(hook(MEANS_TURN_END, 2000, 0), 0);
	see(hook(MEANS_END, 3000, 0), 0);
	see(busy, 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	see(status(MEANS_ACTIVITY, 60000), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING, "another process goes on with it");
}

/* Codex's notify program may run seconds after Codex is gone, and the span that tells of that may come before or after. */
Test(session_told, the_end_of_the_last_turn_comes_after_that_of_the_session)
{
	struct observation end = obs(MEANS_END, 2000, OBS_SPAN);

	see(obs(MEANS_TURN_END, 1990, OBS_SPAN), 0);
	see(end, 0);
	see(hook(MEANS_TURN_END, 6000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED, "before");
	see(obs(MEANS_PROMPT, 7000, OBS_COUNTED), 0);
	see(hook(MEANS_TURN_END, 9000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "resumed: the end of before ends it no more");
	end.time_ns += 6 * S;
	see(end, 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED, "after");
	see(hook(MEANS_TURN_START, 20000, 0), 0);
	see(hook(MEANS_TURN_END, 21000, 0), 0);
	see(end, 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "an old one");
}
