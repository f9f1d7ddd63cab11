#include "common/roster.h"
#include "sample_session.h"

#include <criterion/criterion.h>

static struct roster
build(const struct agentbus_session *sessions, size_t count, enum roster_scope scope)
{
	const struct agentbus_session *pointers[16];
	struct roster r = { 0 };

	cr_assert_leq(count, 16);
	for (size_t i = 0; i < count; i++)
		pointers[i] = &sessions[i];
	cr_assert(roster_build(&r, pointers, count, scope));
	return r;
}

static struct agentbus_session
child_of(const char *id, const char *parent_id, enum agentbus_state state)
{
	struct agentbus_session s = sample_session(id, state);

	s.parent_id = parent_id;
	s.auxiliary = true;
	return s;
}

static void
expect_order(const struct roster *r, const char *ids)
{
	cr_expect_eq(r->count, strlen(ids));
	for (size_t i = 0; i < r->count && ids[i]; i++)
		cr_expect_eq(r->rows[i].session->id[0], ids[i], "row %zu is %s", i, r->rows[i].session->id);
}

Test(roster, empty)
{
	struct roster r = build(NULL, 0, ROSTER_ALL);

	cr_assert_eq(r.count, 0);
	cr_assert_not(r.totals.cost_known);
	roster_finish(&r);
	roster_finish(&r);
}

Test(roster, order_and_states)
{
	struct agentbus_session s[] = {
		sample_session("a", AGENTBUS_IDLE),    sample_session("b", AGENTBUS_COMPLETED),
		sample_session("c", AGENTBUS_WORKING), sample_session("d", AGENTBUS_WAITING),
		sample_session("e", AGENTBUS_ENDED),   sample_session("f", AGENTBUS_WORKING),
		sample_session("g", AGENTBUS_WORKING),
	};
	struct roster r;

	s[6].state_since -= SAMPLE_SECOND;
	r = build(s, 7, ROSTER_SHOWN);
	expect_order(&r, "dgcfba");
	cr_expect_eq(r.states[AGENTBUS_WAITING], 1);
	cr_expect_eq(r.states[AGENTBUS_WORKING], 3);
	cr_expect_eq(r.states[AGENTBUS_ENDED], 0);
	roster_finish(&r);
	r = build(s, 7, ROSTER_ALL);
	expect_order(&r, "dgcfbae");
	cr_expect_eq(r.states[AGENTBUS_ENDED], 1);
	roster_finish(&r);
}

/* p has c and, below c, g; c of another provider is none of its business; x has lost its parent. */
static size_t
family(struct agentbus_session *s)
{
	s[0] = child_of("g", "c", AGENTBUS_ENDED);
	s[1] = child_of("c", "p", AGENTBUS_WORKING);
	s[2] = sample_session("p", AGENTBUS_COMPLETED);
	s[3] = child_of("c", "p", AGENTBUS_WORKING);
	s[3].provider = "codex";
	s[4] = child_of("x", "gone", AGENTBUS_WORKING);
	s[5] = sample_session("w", AGENTBUS_WORKING);
	for (size_t i = 0; i < 6; i++) {
		s[i].requests = 1u << i;
		s[i].tokens.input = 10u << i;
	}
	return 6;
}

Test(roster, figures_of_children_are_their_parents)
{
	struct agentbus_session s[6];
	struct roster r = build(s, family(s), ROSTER_SHOWN);

	expect_order(&r, "wp");
	cr_expect_eq(r.rows[0].figures.requests, 32);
	cr_expect_eq(r.rows[1].figures.requests, 4 + 2 + 1);
	cr_expect_eq(r.rows[1].figures.tokens.input, 70);
	cr_expect_eq(r.totals.requests, 63, "orphans count in the totals");
	roster_finish(&r);
}

Test(roster, children_stand_below_their_parent)
{
	struct agentbus_session s[6];
	struct roster r = build(s, family(s), ROSTER_ALL);

	/* The two orphans, c of codex and x, work as w does: by state, time and id. */
	expect_order(&r, "cwxpcg");
	cr_expect_str_eq(r.rows[0].session->provider, "codex");
	cr_expect_not(r.rows[0].child);
	cr_expect_not(r.rows[3].child);
	cr_expect(r.rows[4].child);
	cr_expect(r.rows[5].child);
	cr_expect_eq(r.rows[3].figures.requests, 4, "each has its own");
	cr_expect_eq(r.totals.requests, 63);
	roster_finish(&r);
}

Test(roster, children_of_the_ended_are_not_counted)
{
	struct agentbus_session s[] = { sample_session("p", AGENTBUS_ENDED), child_of("c", "p", AGENTBUS_WORKING) };
	struct roster r;

	s[0].requests = s[1].requests = 1;
	r = build(s, 2, ROSTER_SHOWN);
	cr_expect_eq(r.count, 0);
	cr_expect_eq(r.totals.requests, 0);
	roster_finish(&r);
}

Test(roster, circles_do_not_hang)
{
	struct agentbus_session s[] = { child_of("a", "b", AGENTBUS_WORKING), child_of("b", "a", AGENTBUS_WORKING),
					child_of("c", "c", AGENTBUS_WORKING) };
	struct roster r = build(s, 3, ROSTER_ALL);

	cr_expect_eq(r.count, 3);
	roster_finish(&r);
	r = build(s, 3, ROSTER_SHOWN);
	cr_expect_eq(r.count, 0);
	roster_finish(&r);
}

/* A session that continues another one is its own. */
Test(roster, a_parent_alone_makes_no_child)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_WORKING), sample_session("b", AGENTBUS_WORKING) };
	struct roster r;

	s[1].parent_id = "a";
	r = build(s, 2, ROSTER_SHOWN);
	expect_order(&r, "ab");
	roster_finish(&r);
}

Test(roster, cost)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_WORKING), sample_session("b", AGENTBUS_WORKING),
					sample_session("c", AGENTBUS_WORKING) };
	struct roster r;

	s[0].cost =
	    (struct agentbus_cost){ .total = 5, .reported = 5, .computed = 7, .has_reported = true, .has_computed = true };
	s[1].cost = (struct agentbus_cost){ .total = 11, .has_computed = true, .estimated = true };
	r = build(s, 3, ROSTER_SHOWN);
	cr_expect_eq(r.rows[0].figures.cost, 5, "the CLI's own figure");
	cr_expect_not(r.rows[0].figures.cost_estimated);
	cr_expect_eq(r.rows[1].figures.cost, 11);
	cr_expect(r.rows[1].figures.cost_estimated);
	cr_expect_not(r.rows[2].figures.cost_known);
	cr_expect_eq(r.totals.cost, 16);
	cr_expect(r.totals.cost_known && r.totals.cost_estimated);
	roster_finish(&r);
	s[0].cost.total = INT64_MAX;
	r = build(s, 3, ROSTER_SHOWN);
	cr_expect_eq(r.totals.cost, INT64_MAX, "a sum that does not fit is the most that does");
	roster_finish(&r);
}

Test(roster, since_is_by_the_cli_s_clock_unless_that_is_another)
{
	struct agentbus_session s = { .state_since = 100000000000ull, .state_observed = 105000000000ull };

	cr_assert_eq(roster_since(&s), s.state_since);
	s.state_observed = 100000000000000ull;
	cr_assert_eq(roster_since(&s), s.state_observed);
	s.state_observed = 0;
	cr_assert_eq(roster_since(&s), s.state_since);
}

Test(roster, work_trees_of_a_project_are_told_apart)
{
	static const struct {
		const char *project, *branch, *worktree, *place;
	} cases[] = {
		{ "shop", "login", "shop-login", "shop (login)" },
		{ "shop", "main", "", "shop" },
		{ "shop", "", "shop-login", "shop" },
		{ "", "main", "x", "" },
	};
	char out[ROSTER_PLACE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct agentbus_session s = { .project = cases[i].project,
						    .branch = cases[i].branch,
						    .worktree = cases[i].worktree };

		cr_expect_str_eq(roster_place(&s, out), cases[i].place);
	}
}
