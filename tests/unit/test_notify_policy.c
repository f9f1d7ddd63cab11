#include "notify/policy.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define S UINT64_C(1000000000)

static struct agentbus_session
session_of(const char *id, uint64_t turn, enum agentbus_state state)
{
	return (struct agentbus_session){ .id = id, .provider = "codex", .turn_started = turn * S, .state = state };
}

static struct policy *
policy_of(uint64_t min_turn_ms)
{
	return policy_create(&(struct policy_settings){ .min_turn_ms = min_turn_ms, .wanted = { true, true, true } });
}

static struct agentbus_event
change_of(const struct agentbus_session *s, enum agentbus_state from, enum agentbus_state to, uint64_t turn_s)
{
	return (struct agentbus_event){ .seq = 1,
					.boot_id = "b",
					.time = s->turn_started + turn_s * S,
					.kind = AGENTBUS_STATE_CHANGED,
					.reason = "turn_end",
					.session = s,
					.state_change = { .from = from, .to = to, .turn_duration_ms = turn_s * 1000 } };
}

/* What session s, which is in state `from`, makes the policy do by going to `to`. */
static struct policy_verdict
change(struct policy *p, struct agentbus_session *s, enum agentbus_state to, uint64_t turn_s)
{
	struct agentbus_event e = change_of(s, s->state, to, turn_s);

	s->state = to;
	return policy_event(p, &e);
}

static void
check_shows(struct policy_verdict v, enum notice notice)
{
	cr_assert_eq(v.action, POLICY_SHOW);
	cr_assert_eq(v.notice, notice);
}

Test(notify_policy, a_long_turn_is_shown_once)
{
	struct policy *p = policy_of(10000);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_IDLE);

	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_NOTHING);
	struct policy_verdict v = change(p, &s, AGENTBUS_COMPLETED, 12);
	check_shows(v, NOTICE_COMPLETED);
	cr_assert_eq(v.turn.duration_ms, 12000);

	/* Late telemetry makes it flap. */
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	cr_assert_eq(change(p, &s, AGENTBUS_COMPLETED, 13).action, POLICY_NOTHING);
	cr_assert_eq(change(p, &s, AGENTBUS_IDLE, 0).action, POLICY_NOTHING);

	s.turn_started = 100 * S;
	change(p, &s, AGENTBUS_WORKING, 0);
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 10), NOTICE_COMPLETED);
	policy_destroy(p);
}

Test(notify_policy, a_short_turn_is_not_shown_unless_all_are)
{
	struct policy *p = policy_of(10000), *all = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING), t = s;

	cr_assert_eq(change(p, &s, AGENTBUS_COMPLETED, 9).action, POLICY_NOTHING);
	check_shows(change(all, &t, AGENTBUS_COMPLETED, 0), NOTICE_COMPLETED);
	policy_destroy(p);
	policy_destroy(all);
}

Test(notify_policy, a_failed_turn_is_shown_however_short)
{
	struct policy *p = policy_of(10000);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	s.failed = true;
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 1), NOTICE_FAILED);
	policy_destroy(p);
}

Test(notify_policy, what_was_lost_has_not_finished)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);
	struct agentbus_event e = change_of(&s, AGENTBUS_WORKING, AGENTBUS_COMPLETED, 60);

	e.reason = "lost";
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING);
	e.reason = "interrupted";
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING, "by the person, who knows");
	e.reason = "clear";
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING, "Claude Code is busy for a moment with /clear");
	e.reason = "quiet";
	check_shows(policy_event(p, &e), NOTICE_COMPLETED);
	policy_destroy(p);
}

Test(notify_policy, waiting_is_shown_and_taken_back)
{
	struct policy *p = policy_of(10000);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	check_shows(change(p, &s, AGENTBUS_WAITING, 0), NOTICE_WAITING);
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	check_shows(change(p, &s, AGENTBUS_WAITING, 0), NOTICE_WAITING);
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE, "and again in the same turn");
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_NOTHING, "no change");
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 30), NOTICE_COMPLETED);

	s.turn_started = 50 * S;
	change(p, &s, AGENTBUS_WORKING, 0);
	check_shows(change(p, &s, AGENTBUS_WAITING, 0), NOTICE_WAITING);
	cr_assert_eq(change(p, &s, AGENTBUS_COMPLETED, 2).action, POLICY_CLOSE, "too short to be shown, but it waits no more");

	s.turn_started = 60 * S;
	check_shows(change(p, &s, AGENTBUS_WAITING, 0), NOTICE_WAITING);
	cr_assert_eq(change(p, &s, AGENTBUS_ENDED, 0).action, POLICY_CLOSE);
	policy_destroy(p);
}

Test(notify_policy, the_end_of_a_turn_replaces_waiting)
{
	struct policy *p = policy_of(10000);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	check_shows(change(p, &s, AGENTBUS_WAITING, 0), NOTICE_WAITING);
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 20), NOTICE_COMPLETED);
	cr_assert_eq(change(p, &s, AGENTBUS_IDLE, 0).action, POLICY_NOTHING, "a finished turn stays on the screen");
	policy_destroy(p);
}

/* codex exec and claude -p. */
Test(notify_policy, a_program_of_one_turn_finishes_by_ending)
{
	struct policy *p = policy_of(10000);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING), idle = session_of("b", 1, AGENTBUS_IDLE);

	check_shows(change(p, &s, AGENTBUS_ENDED, 40), NOTICE_COMPLETED);
	cr_assert_eq(change(p, &idle, AGENTBUS_ENDED, 0).action, POLICY_NOTHING);

	struct agentbus_session done = session_of("c", 1, AGENTBUS_WORKING);
	check_shows(change(p, &done, AGENTBUS_COMPLETED, 40), NOTICE_COMPLETED);
	cr_assert_eq(change(p, &done, AGENTBUS_ENDED, 0).action, POLICY_NOTHING, "it was shown");
	policy_destroy(p);
}

Test(notify_policy, auxiliary_sessions_and_other_events_are_silent)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WAITING);
	struct agentbus_event e = change_of(&s, AGENTBUS_WORKING, AGENTBUS_WAITING, 0);

	for (int kind = 0; kind < 70; kind++) {
		e.kind = (enum agentbus_kind)kind;
		bool change =
		    kind == AGENTBUS_STATE_CHANGED || kind == AGENTBUS_SESSION_STARTED || kind == AGENTBUS_SESSION_ENDED;
		struct policy *fresh = policy_of(0);

		cr_assert_eq(policy_event(fresh, &e).action, change ? POLICY_SHOW : POLICY_NOTHING, "kind %d", kind);
		policy_destroy(fresh);
	}
	e.kind = AGENTBUS_STATE_CHANGED;
	s.auxiliary = true;
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING);
	cr_assert_eq(policy_session(p, &s).action, POLICY_NOTHING);
	e.session = NULL;
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING);
	policy_destroy(p);
}

Test(notify_policy, what_is_off_is_never_shown)
{
	struct policy *p = policy_create(&(struct policy_settings){ .wanted = { [NOTICE_FAILED] = true } });
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	cr_assert_eq(change(p, &s, AGENTBUS_WAITING, 0).action, POLICY_NOTHING);
	cr_assert_eq(change(p, &s, AGENTBUS_COMPLETED, 20).action, POLICY_NOTHING);
	s.turn_started = 30 * S;
	s.failed = true;
	check_shows(change(p, &s, AGENTBUS_IDLE, 20), NOTICE_FAILED);
	policy_destroy(p);
}

Test(notify_policy, a_snapshot_shows_who_waits_and_nothing_else)
{
	struct policy *p = policy_of(0);
	struct agentbus_session waiting = session_of("w", 1, AGENTBUS_WAITING), done = session_of("d", 1, AGENTBUS_COMPLETED);

	policy_begin(p);
	check_shows(policy_session(p, &waiting), NOTICE_WAITING);
	cr_assert_eq(policy_session(p, &done).action, POLICY_NOTHING);
	cr_assert(policy_vanished(p) == NULL);

	policy_begin(p);
	cr_assert_eq(policy_session(p, &waiting).action, POLICY_NOTHING, "it is known already");
	waiting.state = AGENTBUS_COMPLETED;
	cr_assert_eq(policy_session(p, &waiting).action, POLICY_CLOSE, "it went on while nobody saw");
	cr_assert_eq(policy_session(p, &waiting).action, POLICY_NOTHING);
	cr_assert(policy_vanished(p) == NULL);
	policy_destroy(p);
}

Test(notify_policy, a_waiting_session_that_is_gone_is_closed)
{
	struct policy *p = policy_of(0);
	struct agentbus_session a = session_of("a", 1, AGENTBUS_WORKING), b = session_of("b", 1, AGENTBUS_WORKING),
				c = session_of("c", 1, AGENTBUS_WORKING);

	change(p, &a, AGENTBUS_WAITING, 0);
	change(p, &b, AGENTBUS_WAITING, 0);
	change(p, &c, AGENTBUS_COMPLETED, 20);
	policy_begin(p);
	policy_session(p, &b);
	cr_assert_str_eq(policy_vanished(p), "codex/a");
	cr_assert(policy_vanished(p) == NULL);

	policy_begin(p);
	check_shows(policy_session(p, &a), NOTICE_WAITING);
	cr_assert_str_eq(policy_vanished(p), "codex/b");
	policy_destroy(p);
}

/* More sessions than are remembered: the one that changed last is, the first one is not. */
Test(notify_policy, memory_is_bounded)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s;
	char id[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(id, sizeof(id), "%d", i);
		s = session_of(id, 1, AGENTBUS_WORKING);
		check_shows(change(p, &s, AGENTBUS_COMPLETED, 20), NOTICE_COMPLETED);
	}
	s.state = AGENTBUS_WORKING;
	cr_assert_eq(change(p, &s, AGENTBUS_COMPLETED, 20).action, POLICY_NOTHING);
	s = session_of("0", 1, AGENTBUS_WORKING);
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 20), NOTICE_COMPLETED);
	policy_destroy(p);
}

Test(notify_policy, budgets_are_shown_beside_sessions)
{
	struct policy_settings settings = { .wanted = { true, true, true, true, true } };
	struct policy *p = policy_create(&settings);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);
	struct agentbus_event e = {
		.seq = 1, .kind = AGENTBUS_BUDGET, .session = &s, .budget = { .key = "2026-11", .level = "warn" }
	};
	char key[64], other[64];

	check_shows(policy_budget(p, &e), NOTICE_BUDGET_WARN);
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING, "it says nothing of the session");
	e.budget.level = "limit";
	check_shows(policy_budget(p, &e), NOTICE_BUDGET_LIMIT);
	cr_assert_str_eq(policy_budget_key(&e.budget, key, sizeof(key)), "budget/2026-11");
	cr_assert_str_neq(policy_key(&s, other, sizeof(other)), key);
	policy_destroy(p);
	settings.wanted[NOTICE_BUDGET_LIMIT] = false;
	p = policy_create(&settings);
	cr_assert_eq(policy_budget(p, &e).action, POLICY_NOTHING);
	policy_destroy(p);
}

Test(notify_policy, what_was_shown_goes_when_work_goes_on)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	check_shows(change(p, &s, AGENTBUS_COMPLETED, 12), NOTICE_COMPLETED);
	s.turn_started = 50 * S;
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	s.failed = true;
	check_shows(change(p, &s, AGENTBUS_COMPLETED, 3), NOTICE_FAILED);
	s.turn_started = 60 * S;
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	cr_assert_eq(change(p, &s, AGENTBUS_IDLE, 0).action, POLICY_NOTHING);
	policy_destroy(p);
}

/* The broker guessed from silence, and was wrong: when it knows, the person is told. */
Test(notify_policy, a_supposed_end_may_be_followed_by_a_known_one)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);
	struct agentbus_event e = change_of(&s, AGENTBUS_WORKING, AGENTBUS_COMPLETED, 60);

	e.evidence = AGENTBUS_INFERRED;
	e.reason = "quiet";
	check_shows(policy_event(p, &e), NOTICE_COMPLETED);
	s.state = AGENTBUS_COMPLETED;
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	e.evidence = AGENTBUS_TOLD;
	e.reason = "turn_end";
	check_shows(policy_event(p, &e), NOTICE_COMPLETED);
	s.state = AGENTBUS_COMPLETED;
	cr_assert_eq(change(p, &s, AGENTBUS_WORKING, 0).action, POLICY_CLOSE);
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING, "once it is known, once is enough");
	policy_destroy(p);
}

/* `agentbus ack`, and not the time that makes a completed session idle. */
Test(notify_policy, what_the_person_has_looked_at_goes)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);
	struct agentbus_event e;

	check_shows(change(p, &s, AGENTBUS_COMPLETED, 12), NOTICE_COMPLETED);
	e = change_of(&s, AGENTBUS_COMPLETED, AGENTBUS_IDLE, 0);
	e.evidence = AGENTBUS_INFERRED;
	e.reason = "timeout";
	cr_assert_eq(policy_event(p, &e).action, POLICY_NOTHING);
	e.evidence = AGENTBUS_TOLD;
	cr_assert_eq(policy_event(p, &e).action, POLICY_CLOSE);
	policy_destroy(p);
}

static struct policy_verdict
request(struct policy *p, const struct agentbus_session *s, uint64_t time_s, int64_t cost, bool estimated)
{
	struct agentbus_event e = {
		.seq = 1,
		.time = time_s * S,
		.kind = AGENTBUS_API_REQUEST,
		.session = s,
		.api_request = { .cost = { .total = cost, .has_computed = cost >= 0, .estimated = estimated } },
	};

	return policy_event(p, &e);
}

Test(notify_policy, what_a_turn_has_cost)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 10, AGENTBUS_IDLE), helper = session_of("h", 11, AGENTBUS_WORKING);
	struct policy_verdict v;

	helper.auxiliary = true;
	helper.parent_id = "a";
	change(p, &s, AGENTBUS_WORKING, 0);
	cr_assert_eq(request(p, &s, 9, 1000, true).action, POLICY_NOTHING);
	request(p, &s, 12, 20, false);
	request(p, &helper, 13, 3, false);
	request(p, &s, 13, -1, true);
	v = change(p, &s, AGENTBUS_COMPLETED, 3);
	cr_assert(v.turn.cost_known && !v.turn.cost_estimated && !v.turn.cost_partial);
	cr_assert_eq(v.turn.cost, 23, "of this turn, with its sub-agents: %jd", (intmax_t)v.turn.cost);

	s.turn_started = 20 * S;
	change(p, &s, AGENTBUS_WORKING, 0);
	v = change(p, &s, AGENTBUS_COMPLETED, 5);
	cr_assert_not(v.turn.cost_known, "nothing was heard of");

	s.turn_started = 30 * S;
	change(p, &s, AGENTBUS_WORKING, 0);
	request(p, &s, 31, INT64_MAX, true);
	request(p, &s, 31, INT64_MAX, false);
	v = change(p, &s, AGENTBUS_COMPLETED, 5);
	cr_assert(v.turn.cost_known && v.turn.cost_estimated && v.turn.cost_partial);
	cr_assert_eq(v.turn.cost, INT64_MAX);
	policy_destroy(p);
}

Test(notify_policy, the_cost_of_a_turn_that_was_not_seen_whole_is_unknown)
{
	struct policy *p = policy_of(0);
	struct agentbus_session s = session_of("a", 10, AGENTBUS_WORKING);

	policy_begin(p);
	cr_assert_eq(policy_session(p, &s).action, POLICY_NOTHING);
	cr_assert_null(policy_vanished(p));
	request(p, &s, 12, 20, false);
	cr_assert_not(change(p, &s, AGENTBUS_COMPLETED, 5).turn.cost_known);

	s.turn_started = 20 * S;
	change(p, &s, AGENTBUS_WORKING, 0);
	request(p, &s, 22, 20, false);
	cr_assert(change(p, &s, AGENTBUS_COMPLETED, 5).turn.cost_known, "but that of the next one is");
	policy_destroy(p);
}

Test(notify_policy, waiting_that_nobody_wants_to_see_still_ends_what_was_before)
{
	struct policy *p = policy_create(&(struct policy_settings){ .wanted = { [NOTICE_COMPLETED] = true } });
	struct agentbus_session s = session_of("a", 1, AGENTBUS_WORKING);

	check_shows(change(p, &s, AGENTBUS_COMPLETED, 12), NOTICE_COMPLETED);
	cr_assert_eq(change(p, &s, AGENTBUS_WAITING, 0).action, POLICY_CLOSE);
	policy_destroy(p);
}
