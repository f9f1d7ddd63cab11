/* What time does to sessions across a restart: timers, silence, and clocks that were set. */
#include "session_record_bed.h"

TestSuite(session_record_time, .init = setup, .fini = teardown);

Test(session_record_time, timers_run_on)
{
	see_all(before);
	carry_over(T0 + 3 * S);
	cr_expect_eq(sessions_deadline(before->sessions), sessions_deadline(after->sessions));
	expect_same_future(T0 + 3 * S, T0 + 1000 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_ENDED);
	cr_expect_null(find(after, "hidden"));
}

Test(session_record_time, timers_that_ran_out_meanwhile_run_out_at_once)
{
	see_all(before);
	carry_over(T0 + 900 * S);
	expect_same_future(T0 + 900 * S, T0 + 2000 * S);
	cr_expect_eq(find(after, "idle")->state, SESSION_ENDED);
}

Test(session_record_time, what_was_going_on_begins_its_silence_anew)
{
	struct observation o = obs("connected", MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 7;
	see(before, o);
	see(before, obs("alone", MEANS_PROMPT, 0, OBS_COUNTED));
	see_an_ask(before, "waiting");
	sessions_tick(before->sessions, T0 + 4 * S);
	cr_expect_eq(find(before, "waiting")->state, SESSION_WAITING);
	carry_over(T0 + 100 * S);
	sessions_tick(after->sessions, T0 + 115 * S - 1);
	cr_expect_eq(find(after, "connected")->state, SESSION_WORKING);
	cr_expect_eq(find(after, "alone")->state, SESSION_WORKING);
	sessions_tick(after->sessions, T0 + 115 * S);
	cr_expect_eq(find(after, "connected")->state, SESSION_COMPLETED);
	cr_expect_eq(find(after, "alone")->state, SESSION_COMPLETED);
	sessions_tick(after->sessions, T0 + 1900 * S - 1);
	cr_expect_eq(find(after, "waiting")->state, SESSION_WAITING);
	sessions_tick(after->sessions, T0 + 1900 * S);
	cr_expect_eq(find(after, "waiting")->state, SESSION_IDLE);
}

Test(session_record_time, what_sat_idle_and_connected_has_time_to_come_back)
{
	struct observation o = obs("a", MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 7;
	see(before, o);
	see(before, obs("a", MEANS_TURN_END, 1000, OBS_SPAN));
	sessions_tick(before->sessions, T0 + 5000 * S);
	cr_expect_eq(find(before, "a")->state, SESSION_IDLE);
	carry_over(T0 + 6000 * S);
	sessions_tick(after->sessions, T0 + 6300 * S - 1);
	cr_expect_eq(find(after, "a")->state, SESSION_IDLE);
	sessions_tick(after->sessions, T0 + 6300 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_ENDED);
}

Test(session_record_time, a_dialog_that_was_about_to_show_does)
{
	see_an_ask(before, "a");
	carry_over(T0 + 2 * S + S / 2);
	expect_same_future(T0 + 2 * S + S / 2, T0 + 10 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_WAITING);
}

Test(session_record_time, an_error_that_was_about_to_end_the_turn_does)
{
	struct observation o = obs("a", MEANS_ERROR, 1000, OBS_FINAL);

	o.error = ERROR_SERVER;
	see(before, obs("a", MEANS_PROMPT, 0, OBS_COUNTED));
	see(before, o);
	carry_over(T0 + S);
	expect_same_future(T0 + S, T0 + 10 * S);
	cr_expect_eq(find(after, "a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(find(after, "a")->reason, "error");
}

Test(session_record_time, a_clock_that_was_set_back_stops_no_timer)
{
	const uint64_t now = T0 - 500 * S;

	see_all(before);
	see_an_ask(before, "asking");
	see_a_full_one(before, "working");
	carry_over(now);
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer) {
		cr_expect_leq(x->track->heard_ns, now);
		cr_expect_leq(x->track->entered_ns, now);
		cr_expect_leq(x->state_observed_ns, now);
		cr_expect(x->track->fail_due_ns == NEVER);
	}
	cr_expect_leq(sessions_deadline(after->sessions), now + 2 * S);
	sessions_tick(after->sessions, now + 2 * S);
	cr_expect_eq(find(after, "asking")->state, SESSION_WAITING);
	sessions_tick(after->sessions, now + 30 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_IDLE);
	sessions_tick(after->sessions, now + 400 * S);
	cr_expect_eq(find(after, "completed")->state, SESSION_ENDED);
	cr_expect_eq(find(after, "idle")->state, SESSION_ENDED);
}

Test(session_record_time, a_clock_that_was_set_back_makes_nothing_late)
{
	const uint64_t now = T0 - 500 * S;
	struct observation o = obs("completed", MEANS_PROMPT, 0, OBS_COUNTED);

	see_all(before);
	carry_over(now);
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer) {
		cr_expect_leq(x->state_since_ns, now);
		cr_expect_leq(x->last_event_ns, now);
		cr_expect_leq(x->last_error.time_ns, now);
	}
	o.time_ns = now + 1 * S;
	see(after, o);
	cr_expect_eq(find(after, "completed")->state, SESSION_WORKING);
	cr_expect_eq(find(after, "completed")->state_since_ns, o.time_ns);
	cr_expect_eq(find(after, "completed")->turn_started_ns, o.time_ns);
	cr_expect(!find(after, "completed")->failed);
}

Test(session_record_time, a_cli_whose_clock_is_a_little_ahead_keeps_its_times)
{
	const uint64_t now = T0 - 10 * S;

	see(before, obs("a", MEANS_PROMPT, 0, OBS_COUNTED));
	carry_over(now);
	cr_expect_eq(find(after, "a")->state_since_ns, T0);
	cr_expect_eq(find(after, "a")->track->evidence_cli_ns, T0);
}

Test(session_record_time, order_of_age_is_kept)
{
	static const char *const order[] = { "a", "b", "c", "d" };
	size_t i = 0;

	for (size_t n = 0; n < 4; n++) {
		see(before, obs(order[n], MEANS_PROMPT, n * 1000, OBS_COUNTED));
		see(before, obs(order[n], MEANS_END, n * 1000 + 1, 0));
	}
	for (const struct session *x = before->sessions->newest; x; x = x->track->older) {
		struct buf b = record_of(x);
		cr_assert(session_record_read(after->sessions, b.bytes, b.len, T0 + 10 * S));
		buf_finish(&b);
	}
	for (const struct session *x = after->sessions->oldest; x; x = x->track->newer)
		cr_expect_str_eq(x->id, order[i++]);
	cr_expect_eq(i, 4);
	for (const struct session *x = after->sessions->newest; x; x = x->track->older)
		cr_expect_str_eq(x->id, order[--i]);
	see(after, obs("b", MEANS_START, 9000, 0));
	cr_expect_str_eq(after->sessions->newest->id, "b");
}
