/* Hooks by the broker's clock, telemetry by one that is wrong. */
#include "session_bed.h"
#include "session_clock.h"

TestSuite(session_clock, .init = setup, .fini = teardown);

#define MINUTES(n) ((n)*60 * 1000)

static void
hook(enum meaning means, uint64_t ms, unsigned flags)
{
	see(obs(means, ms, flags | OBS_TOLD), 0);
}

/* Telemetry of what happened at `ms`, by a clock that is so far ahead, and here `delay` later. As provider.c does. */
static void
ahead(struct observation o, int64_t ahead_ms, uint64_t delay_ms)
{
	const uint64_t now_ns = o.time_ns + delay_ms * 1000000;

	o.time_ns += (uint64_t)(ahead_ms * 1000000);
	if (o.start_ns)
		o.start_ns += (uint64_t)(ahead_ms * 1000000);
	if (o.time_ns > now_ns + OBSERVATION_AHEAD_NS) {
		o.stated_ns = o.time_ns;
		o.time_ns = now_ns;
	}
	sessions_observe(f->sessions, &o, now_ns);
}

static struct observation
turn_span(uint64_t start_ms, uint64_t end_ms)
{
	struct observation o = obs(MEANS_TURN_END, end_ms, OBS_SPAN);

	o.start_ns = T0 + start_ms * 1000000;
	return o;
}

static const int64_t wrong_ms[] = { -MINUTES(5), -MINUTES(1), MINUTES(1) / 2, MINUTES(5), MINUTES(60) };
#define EACH_WRONG(w) (size_t w = 0; w < sizeof(wrong_ms) / sizeof(wrong_ms[0]); w++)

Test(session_clock, a_turn_of_hooks_is_right_whatever_the_other_clock)
{
	for
		EACH_WRONG(w)
		{
			teardown();
			setup();
			for (uint64_t t = 0; t < 5; t++) {
				const uint64_t at = t * 40000;
				hook(MEANS_TURN_START, at + 1000, 0);
				ahead(obs(MEANS_PROMPT, at + 1010, OBS_COUNTED), wrong_ms[w], 3000);
				ahead(obs(MEANS_RESPONSE, at + 4000, OBS_OPENS), wrong_ms[w], 200);
				hook(MEANS_ASK, at + 6000, 0);
				ahead(obs(MEANS_RESPONSE, at + 5990, OBS_OPENS), wrong_ms[w], 4000);
				cr_assert_eq(get("a")->state, SESSION_WAITING, "%lld ms, turn %llu", (long long)wrong_ms[w],
					     (unsigned long long)t);
				hook(MEANS_ACTIVITY, at + 12000, 0);
				cr_assert_eq(get("a")->state, SESSION_WORKING);
				hook(MEANS_TURN_END, at + 14000, 0);
				ahead(obs(MEANS_TOOL, at + 11990, OBS_OPENS), wrong_ms[w], 5000);
				ahead(turn_span(at + 1005, at + 14010), wrong_ms[w], 5000);
				cr_assert_eq(get("a")->state, SESSION_COMPLETED, "%lld ms, turn %llu", (long long)wrong_ms[w],
					     (unsigned long long)t);
			}
			cr_expect_eq(count_kind(EVENT_STATE_CHANGED), 20);
			cr_expect_eq(get("a")->prompts, 5);
		}
}

Test(session_clock, a_fresh_hook_moves_what_telemetry_of_a_clock_ahead_has_set)
{
	ahead(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 40000, 100);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	hook(MEANS_TURN_END, 3000, 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_leq(get("a")->state_since_ns, T0 + 3 * S);
}

/* Notify tells of ends alone: all else of a turn comes by a clock that is 5 minutes behind. */
Test(session_clock, a_turn_is_seen_after_an_end_that_was_told)
{
	for (uint64_t at = 0; at < MINUTES(4); at += MINUTES(1)) {
		ahead(obs(MEANS_PROMPT, at + 20000, OBS_COUNTED), -MINUTES(5), 500);
		if (at >= MINUTES(2))
			cr_expect_eq(get("a")->state, SESSION_WORKING, "at %llu", (unsigned long long)at);
		hook(MEANS_TURN_END, at + 30000, 0);
		cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	}
}

Test(session_clock, what_is_sent_again_is_no_clock_that_is_behind)
{
	hook(MEANS_TURN_START, MINUTES(5), 0);
	see(obs(MEANS_RESPONSE, 1000, OBS_OPENS), MINUTES(5));
	see(obs(MEANS_RESPONSE, MINUTES(5) + 2000, OBS_OPENS), 300);
	hook(MEANS_TURN_END, MINUTES(5) + 3000, 0);
	see(obs(MEANS_RESPONSE, 5000, OBS_OPENS), MINUTES(6) + 10000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED, "old records stay old");
}

Test(session_clock, a_clock_that_was_set_right_is_believed_after_two_windows)
{
	const uint64_t set = MINUTES(3);

	hook(MEANS_TURN_START, 0, 0);
	for (uint64_t at = 1000; at < set; at += 20000)
		ahead(obs(MEANS_ACTIVITY, at, 0), 40000, 100);
	for (uint64_t at = set; at < set + MINUTES(3); at += 20000)
		see(obs(MEANS_ACTIVITY, at, 0), 100);
	see(turn_span(0, set + MINUTES(3)), 100);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->state_since_ns, T0 + (set + MINUTES(3)) * 1000000);
}

Test(session_clock, one_record_of_another_century_changes_nothing)
{
	hook(MEANS_TURN_START, 0, 0);
	ahead(obs(MEANS_ACTIVITY, 1000, 0), 80ll * 365 * 24 * 60 * MINUTES(1), 100);
	see(turn_span(5, 5000), 100);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

Test(session_clock, without_hooks_times_stay_as_they_were_said)
{
	ahead(obs(MEANS_PROMPT, 1000, OBS_COUNTED), -MINUTES(5), 100);
	cr_expect_eq(get("a")->state_since_ns, T0 + S - 300 * S);
	ahead(obs(MEANS_PROMPT, 30000, OBS_COUNTED), 20000, 100);
	ahead(turn_span(30000, 31000), 20000, 100);
	cr_expect_eq(get("a")->state_since_ns, T0 + 51 * S);
}
