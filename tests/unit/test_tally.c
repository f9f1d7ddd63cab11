#include "tally.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct tally tally;

static bool
add(const char *day, enum event_kind kind, enum meaning means, const char *model)
{
	static const struct cost cost = { 9, 8, 7, true, true, true };
	static const struct session session = { .provider = "codex", .project_name = "shop" };
	const struct observation o = { .means = means, .model = str_from(model), .tokens = { 10, 5, 1, 7, 3 } };
	const struct event e = {
		.kind = kind, .session = &session, .observation = &o, .cost = kind == EVENT_API_REQUEST ? &cost : NULL
	};

	return tally_add(&tally, day, &e);
}

Test(tally, keeps_sessions_apart)
{
	static const struct session sessions[] = { { .id = "a", .provider = "codex" }, { .id = "b", .provider = "codex" } };
	const struct observation o = { .means = MEANS_RESPONSE, .model = STR("gpt") };

	for (size_t i = 0; i < 4; i++)
		cr_assert(
		    tally_add(&tally, "2026-11-26",
			      &(struct event){ .kind = EVENT_API_REQUEST, .session = &sessions[i % 2], .observation = &o }));
	cr_assert_eq(tally.count, 2);
	cr_assert_str_eq(tally.rows[0].session, "a");
	cr_assert_eq(tally.rows[1].requests, 2);
}

/* A figure for a turn takes the place of what was computed. */
Test(tally, adds_what_a_turn_cost)
{
	static const struct session session = { .id = "a", .provider = "codex", .model = "gpt" };
	static const struct cost change = { .reported = 30, .unreported = -12, .has_reported = true };
	const struct observation o = { .means = MEANS_COST };

	cr_assert(tally_add(&tally, "2026-11-26", &(struct event){ .session = &session, .observation = &o, .cost = &change }));
	cr_assert_eq(tally.count, 1);
	cr_assert_str_eq(tally.rows[0].model, "gpt");
	cr_assert_eq(tally.rows[0].requests, 0);
	cr_assert_eq(tally.rows[0].cost.reported, 30);
	cr_assert_eq(tally.rows[0].cost.unreported, -12);
}

Test(tally, adds_up_by_its_key)
{
	cr_assert(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, "gpt"));
	cr_assert(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, "gpt"));
	cr_assert(add("2026-11-26", EVENT_API_ERROR, MEANS_ERROR, "gpt"));
	cr_assert(add("2026-11-27", EVENT_API_REQUEST, MEANS_RESPONSE, "gpt"));
	cr_assert(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, ""));
	cr_assert_eq(tally.count, 3);
	cr_assert_str_eq(tally.rows[0].project, "shop");
	cr_assert_eq(tally.rows[0].requests, 2);
	cr_assert_eq(tally.rows[0].api_errors, 1);
	cr_assert_eq(tally.rows[0].tokens.input, 20);
	cr_assert_eq(tally.rows[0].tokens.cache_read, 10);
	cr_assert_eq(tally.rows[0].tokens.cache_write, 2);
	cr_assert_eq(tally.rows[0].tokens.output, 14);
	cr_assert_eq(tally.rows[0].tokens.reasoning, 6);
	cr_assert_eq(tally.rows[0].cost.reported, 18);
	cr_assert_eq(tally.rows[0].cost.computed, 16);
	cr_assert_eq(tally.rows[0].cost.unreported, 14);
	cr_assert(tally.rows[0].cost.estimated);
	cr_assert_eq(tally.rows[1].requests, 1);
	cr_assert_str_eq(tally.rows[2].model, "unknown");
	tally_clear(&tally);
	cr_assert_eq(tally.count, 0);
}

Test(tally, other_events_say_nothing_of_usage)
{
	cr_assert(add("2026-11-26", EVENT_PROMPT, MEANS_PROMPT, "gpt"));
	cr_assert(add("2026-11-26", EVENT_TOOL, MEANS_TOOL, "gpt"));
	cr_assert(add("2026-11-26", EVENT_API_ERROR, MEANS_FAULT, "gpt"));
	cr_assert(tally_add(&tally, "2026-11-26", &(struct event){ .kind = EVENT_API_REQUEST }));
	cr_assert_eq(tally.count, 0);
}

Test(tally, tells_when_it_is_full)
{
	char model[16];

	for (int i = 0; i < TALLY_ROWS; i++) {
		snprintf(model, sizeof(model), "m%d", i);
		cr_assert(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, model));
	}
	cr_assert_not(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, "one more"));
	cr_assert(add("2026-11-26", EVENT_API_REQUEST, MEANS_RESPONSE, "m0"), "that one has its row");
	cr_assert_eq(tally.rows[0].requests, 2);
}
