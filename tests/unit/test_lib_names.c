#include "lib/names.h"

#include <criterion/criterion.h>
#include <limits.h>

Test(lib_names, of_states)
{
	static const char *const names[] = { "unknown", "idle", "working", "waiting", "completed", "ended" };

	for (int i = 0; i < 6; i++) {
		cr_assert_str_eq(agentbus_state_name((enum agentbus_state)i), names[i]);
		cr_assert_eq((int)names_state(i), i);
	}
	cr_assert_str_eq(agentbus_state_name((enum agentbus_state)6), "unknown");
	cr_assert_eq(names_state(6), AGENTBUS_UNKNOWN);
	cr_assert_eq(names_state(-1), AGENTBUS_UNKNOWN);
	cr_assert_eq(names_state(INT_MAX), AGENTBUS_UNKNOWN);
}

Test(lib_names, of_kinds)
{
	static const struct {
		int kind;
		const char *name;
	} kinds[] = {
		{ 1, "session_started" }, { 2, "prompt" },        { 3, "api_request" }, { 4, "api_error" }, { 5, "tool" },
		{ 6, "state_changed" },   { 7, "session_ended" }, { 8, "budget" },      { 64, "gap" },      { 65, "connected" },
		{ 66, "disconnected" },   { 67, "reset" },
	};
	int known = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		cr_assert_str_eq(agentbus_kind_name((enum agentbus_kind)kinds[i].kind), kinds[i].name);
	for (int i = -300; i < 300; i++)
		known += strcmp(agentbus_kind_name((enum agentbus_kind)i), "unknown") != 0;
	cr_assert_eq(known, sizeof(kinds) / sizeof(kinds[0]));
}

Test(lib_names, no_message_passes_for_the_librarys_own)
{
	for (int i = -300; i < 300; i++)
		cr_assert_eq((int)names_kind(i), i >= 1 && i <= 8 ? i : 0);
}

Test(lib_names, of_evidence)
{
	static const char *const names[] = { "none", "told", "shown", "inferred" };

	for (int i = 0; i < 4; i++) {
		cr_assert_str_eq(agentbus_evidence_name((enum agentbus_evidence)i), names[i]);
		cr_assert_eq((int)names_evidence(i), i);
	}
	cr_assert_str_eq(agentbus_evidence_name((enum agentbus_evidence)4), "unknown");
	cr_assert_eq(names_evidence(4), AGENTBUS_EVIDENCE_NONE);
	cr_assert_eq(names_evidence(-1), AGENTBUS_EVIDENCE_NONE);
}

Test(lib_names, of_errors)
{
	for (int e = 0; e >= -7; e--)
		cr_assert_str_neq(agentbus_strerror(e), "unknown error");
	cr_assert_str_eq(agentbus_strerror(-8), "unknown error");
	cr_assert_str_eq(agentbus_strerror(1), "unknown error");
	cr_assert_str_eq(agentbus_strerror(INT_MIN), "unknown error");
	cr_assert_str_eq(agentbus_strerror(INT_MAX), "unknown error");
}

/* Each comes before all that follow it. */
Test(lib_names, order_of_a_panel)
{
	static const struct agentbus_session order[] = {
		{ .id = "z", .provider = "b", .state = AGENTBUS_WAITING, .state_since = 1 },
		{ .id = "a", .provider = "b", .state = AGENTBUS_WAITING, .state_since = 2 },
		{ .id = "b", .provider = "b", .state = AGENTBUS_WAITING, .state_since = 2 },
		{ .id = "b", .provider = "c", .state = AGENTBUS_WAITING, .state_since = 2 },
		{ .id = "a", .provider = "b", .state = AGENTBUS_WORKING },
		{ .id = "a", .provider = "b", .state = AGENTBUS_COMPLETED },
		{ .id = "a", .provider = "b", .state = AGENTBUS_IDLE },
		{ .id = "a", .provider = "b", .state = AGENTBUS_UNKNOWN },
		{ .id = "b", .provider = "b", .state = (enum agentbus_state)99 },
		{ .id = "a", .provider = "b", .state = AGENTBUS_ENDED },
	};
	const int count = sizeof(order) / sizeof(order[0]);

	for (int i = 0; i < count; i++) {
		for (int k = 0; k < count; k++) {
			int c = agentbus_session_compare(&order[i], &order[k]);
			cr_assert_eq((c > 0) - (c < 0), (i > k) - (i < k), "%d and %d", i, k);
		}
	}
}
