/* What a person tells: that a session was looked at. */
#include "session_bed.h"

TestSuite(session_ack, .init = setup, .fini = teardown);

static const struct session *
acknowledge(const char *id, uint64_t ms, bool expect_done)
{
	bool done = !expect_done;
	const struct session *x = sessions_acknowledge(f->sessions, claude, id, T0 + ms * 1000000, &done);

	if (x)
		cr_expect_eq(done, expect_done, "%s at %d", id, (int)ms);
	return x;
}

static void
complete_a_turn(void)
{
	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 0);
	see(obs(MEANS_TURN_END, 3000, OBS_TOLD), 0);
	cr_assert_eq(get("a")->state, SESSION_COMPLETED);
}

Test(session_ack, completed_becomes_idle)
{
	complete_a_turn();
	const size_t before = f->count;
	const struct session *x = acknowledge("a", 4000, true);

	cr_assert_eq(x, get("a"));
	cr_expect_eq(x->state, SESSION_IDLE);
	cr_expect_eq(x->evidence, EVIDENCE_TOLD);
	cr_expect_str_eq(x->reason, "acknowledged");
	cr_expect_eq(x->state_since_ns, T0 + 4 * S);
	cr_assert_eq(f->count, before + 1);
	cr_expect_eq(f->seen[before].kind, EVENT_STATE_CHANGED);
	cr_expect_str_eq(f->seen[before].reason, "acknowledged");
	cr_expect(sessions_changed(f->sessions), "it is to be stored");
}

Test(session_ack, nothing_to_do_in_other_states)
{
	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 0);
	const size_t before = f->count;

	cr_expect_eq(acknowledge("a", 2000, false)->state, SESSION_WORKING);
	see(obs(MEANS_ASK, 2500, OBS_TOLD), 0);
	cr_expect_eq(acknowledge("a", 2600, false)->state, SESSION_WAITING);
	see(obs(MEANS_TURN_END, 3000, OBS_TOLD), 0);
	acknowledge("a", 3100, true);
	cr_expect_eq(acknowledge("a", 3200, false)->state, SESSION_IDLE, "once is enough");
	see(obs(MEANS_END, 4000, OBS_TOLD), 0);
	cr_expect_eq(acknowledge("a", 4100, false)->state, SESSION_ENDED);
	cr_expect_eq(f->count, before + 4, "waiting, completed, idle, ended");
}

Test(session_ack, whom_nobody_knows)
{
	see(obs(MEANS_START, 1000, 0), 0);
	cr_expect_null(acknowledge("a", 2000, false), "it was never shown");
	cr_expect_null(acknowledge("b", 2000, false));
	cr_expect_null(acknowledge("", 2000, false));
	cr_expect_eq(f->count, 0);
}

/* The broker's clock may be ahead of the CLI's. */
Test(session_ack, a_prompt_with_an_earlier_time_begins_a_turn)
{
	complete_a_turn();
	acknowledge("a", 9000, true);
	see(obs(MEANS_PROMPT, 3500, OBS_COUNTED), 6000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	see(obs(MEANS_TURN_END, 4000, OBS_TOLD), 6000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(acknowledge("a", 11000, true)->state, SESSION_IDLE);
}

Test(session_ack, what_is_late_of_the_same_turn_changes_nothing)
{
	complete_a_turn();
	acknowledge("a", 3500, true);
	see(obs(MEANS_RESPONSE, 2900, OBS_OPENS), 5000);
	see(obs(MEANS_TURN_END, 2990, 0), 5000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	cr_expect_eq(get("a")->requests, 1);
}

Test(session_ack, idle_ends_in_time)
{
	complete_a_turn();
	acknowledge("a", 4000, true);
	tick_at(4000 + 299000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	tick_at(4000 + 301000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
}

/* A long silence was taken for the end of the turn, and its person has looked: the dialog comes all the same. */
Test(session_ack, a_dialog_of_a_turn_that_goes_on_is_seen)
{
	struct observation ask = obs(MEANS_ASK, 30000, 0);

	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 0);
	tick_at(20000);
	acknowledge("a", 21000, true);
	see(ask, 0);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
}

Test(session_ack, a_dialog_of_before_is_not)
{
	complete_a_turn();
	acknowledge("a", 3500, true);
	see(obs(MEANS_ASK, 2950, 0), 5000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
}
