#include "forward_rules.h"

#include <criterion/criterion.h>

#define S   1000000000ull
#define NOW (1800000000 * S)

static const struct forward_pace defaults = { 5 * S, 30 * S, 0 };

Test(forward_rules, what_each_status_means)
{
	static const struct {
		unsigned status;
		enum forward_result result;
	} cases[] = {
		{ 0, FORWARD_AGAIN },       { 200, FORWARD_SENT },      { 202, FORWARD_SENT },      { 204, FORWARD_SENT },
		{ 101, FORWARD_UNWELCOME }, { 301, FORWARD_UNWELCOME }, { 308, FORWARD_UNWELCOME }, { 400, FORWARD_REFUSED },
		{ 401, FORWARD_UNWELCOME }, { 403, FORWARD_UNWELCOME }, { 404, FORWARD_UNWELCOME }, { 405, FORWARD_UNWELCOME },
		{ 408, FORWARD_REFUSED },   { 413, FORWARD_REFUSED },   { 415, FORWARD_UNWELCOME }, { 422, FORWARD_REFUSED },
		{ 429, FORWARD_AGAIN },     { 500, FORWARD_REFUSED },   { 501, FORWARD_REFUSED },   { 502, FORWARD_AGAIN },
		{ 503, FORWARD_AGAIN },     { 504, FORWARD_AGAIN },     { 505, FORWARD_REFUSED },   { 999, FORWARD_REFUSED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(forward_rules_judge(cases[i].status), cases[i].result, "%u", cases[i].status);
	cr_expect_str_eq(forward_rules_name(503), "service unavailable");
	cr_expect_str_eq(forward_rules_name(418), "");
}

/* Only these are tried again: whatever else there is. */
Test(forward_rules, nothing_else_is_tried_again)
{
	for (unsigned status = 1; status < 1000; status++)
		if (status != 429 && status != 502 && status != 503 && status != 504)
			cr_expect_neq(forward_rules_judge(status), FORWARD_AGAIN, "%u", status);
}

Test(forward_rules, waits_grow_to_the_longest)
{
	static const uint64_t seconds_x1000[] = { 5000, 7500, 11250, 16875, 25312, 30000, 30000 };
	struct forward_pace p = defaults;

	for (size_t i = 0; i < sizeof(seconds_x1000) / sizeof(seconds_x1000[0]); i++) {
		const uint64_t ms = forward_rules_wait(&p, NULL, NOW, UINT32_MAX / 2) / 1000000;

		cr_expect(ms + 2 >= seconds_x1000[i] && ms <= seconds_x1000[i] + 2, "%zu: %llu ms", i, (unsigned long long)ms);
	}
	forward_rules_succeeded(&p);
	cr_expect_lt(forward_rules_wait(&p, NULL, NOW, UINT32_MAX / 2), 6 * S);
}

Test(forward_rules, chance_moves_a_wait_by_a_fifth)
{
	struct forward_pace early = defaults, late = defaults;

	cr_expect_eq(forward_rules_wait(&early, NULL, NOW, 0), 4 * S);
	cr_expect_eq(forward_rules_wait(&late, NULL, NOW, UINT32_MAX), 6 * S);
}

Test(forward_rules, retry_after_counts_if_it_asks_for_more)
{
	static const struct {
		const char *text;
		uint64_t wait;
	} cases[] = {
		{ "60", 60 * S },
		{ "1", 4 * S },
		{ "0", 4 * S },
		{ "100000", FORWARD_WAIT_MAX_NS },
		{ "99999999999999999999", FORWARD_WAIT_MAX_NS },
		{ "garbage", 4 * S },
		{ "", 4 * S },
		{ "Fri, 15 Jan 2027 08:01:00 GMT", 60 * S },
		{ "Fri, 15 Jan 2027 07:00:00 GMT", 4 * S },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct forward_pace p = defaults;

		cr_expect_eq(forward_rules_wait(&p, cases[i].text, NOW, 0), cases[i].wait, "%s", cases[i].text);
	}
}

/* A destination that is down for ten minutes: how often it is tried, and how soon after it is back. */
Test(forward_rules, ten_minutes_of_nobody)
{
	uint32_t chance = 12345;

	for (int round = 0; round < 1000; round++) {
		struct forward_pace p = defaults;
		uint64_t now = NOW;
		unsigned attempts = 0;

		for (; now < NOW + 600 * S; attempts++) {
			const uint64_t wait = forward_rules_wait(&p, NULL, now, chance = chance * 1664525 + 1013904223);

			cr_assert(wait >= 4 * S && wait <= 36 * S);
			now += wait;
		}
		cr_assert(attempts >= 18 && attempts <= 30, "%u", attempts);
		cr_assert_leq(now, NOW + 636 * S);
	}
}

Test(forward_rules, numbers_at_their_limits_do_not_overflow)
{
	struct forward_pace p = { 3600 * S, 3600 * S, 0 };

	for (int i = 0; i < 100; i++)
		cr_expect_leq(forward_rules_wait(&p, NULL, UINT64_MAX, UINT32_MAX), 4321 * S);
}

/* One bad row among many is found with few requests, and only it is given up. */
Test(forward_rules, halving_finds_each_bad_row)
{
	for (uint64_t bad = 0; bad < 200; bad++) {
		uint64_t at = 0, limit = 0, requests = 0, given_up = 0;

		while (at < 200) {
			const uint64_t left = 200 - at, rows = limit && limit < left ? limit : left;
			const bool hit = bad >= at && bad < at + rows;
			const enum forward_result r = hit ? FORWARD_REFUSED : FORWARD_SENT;

			if (!hit || rows == 1)
				at += rows;
			given_up += hit && rows == 1;
			limit = forward_rules_rows(r, limit, rows);
			requests++;
		}
		cr_assert_eq(given_up, 1);
		cr_assert_leq(requests, 40, "row %llu: %llu requests", (unsigned long long)bad, (unsigned long long)requests);
	}
}
