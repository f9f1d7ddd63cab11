#include "agentbus/period.h"

#include <criterion/criterion.h>
#include <string.h>

/* A Thursday. */
static const struct tm today = { .tm_year = 126, .tm_mon = 10, .tm_mday = 26, .tm_wday = 4 };

Test(period, words_days_and_dates)
{
	static const struct {
		const char *text, *since, *until;
	} cases[] = {
		{ "today", "2026-11-26", "" },
		{ "yesterday", "2026-11-25", "2026-11-25" },
		{ "week", "2026-11-23", "" },
		{ "month", "2026-11-01", "" },
		{ "year", "2026-01-01", "" },
		{ "all", "", "" },
		{ "1d", "2026-11-26", "" },
		{ "7d", "2026-11-20", "" },
		{ "30d", "2026-10-28", "" },
		{ "2026-11-01", "2026-11-01", "" },
		{ "2024-02-29", "2024-02-29", "" },
		{ "2026-11", "2026-11-01", "2026-11-30" },
		{ "2026-12", "2026-12-01", "2026-12-31" },
		{ "2024-02", "2024-02-01", "2024-02-29" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct period p = { "x", "y" };

		cr_expect(period_parse(cases[i].text, &today, &p), "%s", cases[i].text);
		cr_expect_str_eq(p.since, cases[i].since, "%s: %s", cases[i].text, p.since);
		cr_expect_str_eq(p.until, cases[i].until, "%s: %s", cases[i].text, p.until);
	}
}

Test(period, weeks_begin_on_monday)
{
	struct tm day = today;
	struct period p;

	day.tm_wday = 0;
	day.tm_mday = 29;
	cr_assert(period_parse("week", &day, &p));
	cr_assert_str_eq(p.since, "2026-11-23");
	day.tm_wday = 1;
	day.tm_mday = 30;
	cr_assert(period_parse("week", &day, &p));
	cr_assert_str_eq(p.since, "2026-11-30");
	day = (struct tm){ .tm_year = 127, .tm_mon = 0, .tm_mday = 1, .tm_wday = 5 };
	cr_assert(period_parse("yesterday", &day, &p));
	cr_assert_str_eq(p.since, "2026-12-31");
}

Test(period, nothing_else)
{
	static const char *const bad[] = { "",           "Today",      "tomorrow",  "7",          "0d",          "-1d",
					   "d",          "7d ",        " 7d",       "99999d",     "123456d",     "2026",
					   "2026-1-1",   "2026-13-01", "2026-00-1", "2026-02-29", "2026-11-31",  "2026-13",
					   "2026-00",    "26-11-01",   "2026/11/1", "2026-11-1x", "2026-11-011", "1969-12-31",
					   "20261-11-1", "2026-11-" };
	struct period p = { "x", "y" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(period_parse(bad[i], &today, &p), "%s", bad[i]);
	cr_expect_str_eq(p.since, "x");
	cr_expect_str_eq(p.until, "y");
}

/* Every beginning of what is right is right itself, or refused. */
Test(period, every_prefix)
{
	static const char *const good[] = { "yesterday", "2026-11-26", "36500d" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (size_t len = 0; len < strlen(good[i]); len++) {
			char text[16] = "";
			struct period p;

			memcpy(text, good[i], len);
			cr_expect_eq(period_parse(text, &today, &p), strcmp(text, "2026-11") == 0, "%s", text);
		}
	}
}
