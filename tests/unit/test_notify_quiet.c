#include "notify/quiet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600

static void
use_berlin(void)
{
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
}

static struct quiet
quiet_of(const char *text)
{
	struct quiet q;

	use_berlin();
	cr_assert(quiet_parse(text, &q), "%s", text);
	return q;
}

/* Local time; dst tells the two hours apart that have one name in autumn, -1 where there is one. */
static time_t
at(const char *text, int dst)
{
	struct tm tm = { .tm_isdst = dst };
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	cr_assert(end && !*end, "%s", text);
	tm.tm_isdst = dst;
	return mktime(&tm);
}

static void
check(const struct quiet *q, const char *now, const char *end)
{
	time_t got;
	char text[32];
	struct tm tm;

	if (!end) {
		cr_assert_not(quiet_at(q, at(now, -1), &got), "%s", now);
		return;
	}
	cr_assert(quiet_at(q, at(now, -1), &got), "%s", now);
	localtime_r(&got, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	cr_assert_str_eq(text, end, "%s: %s", now, text);
}

/* 2026-11-27 is a Friday. */
Test(notify_quiet, nights)
{
	const struct quiet q = quiet_of("22:00-07:00");

	check(&q, "2026-11-27 21:59:59", NULL);
	check(&q, "2026-11-27 22:00:00", "2026-11-28 07:00:00");
	check(&q, "2026-11-28 00:00:00", "2026-11-28 07:00:00");
	check(&q, "2026-11-28 06:57:59", "2026-11-28 07:00:00");
	check(&q, "2026-11-28 07:00:00", NULL);
	check(&q, "2026-12-31 23:00:00", "2027-01-01 07:00:00");
}

Test(notify_quiet, none)
{
	const struct quiet q = quiet_of(""), blank = quiet_of(" , ");

	check(&q, "2026-11-27 23:00:00", NULL);
	check(&blank, "2026-11-27 23:00:00", NULL);
}

Test(notify_quiet, whole_days_and_nights_are_one)
{
	const struct quiet q = quiet_of("22:00-07:00, sat, sun");

	check(&q, "2026-11-27 21:00:00", NULL);
	check(&q, "2026-11-27 22:30:00", "2026-11-30 07:00:00");
	check(&q, "2026-11-28 12:00:00", "2026-11-30 07:00:00");
	check(&q, "2026-11-30 12:00:00", NULL);
}

Test(notify_quiet, a_time_over_midnight_belongs_to_the_day_it_begins_on)
{
	const struct quiet q = quiet_of("fri 22:00-07:00");

	check(&q, "2026-11-27 06:00:00", NULL);
	check(&q, "2026-11-27 23:00:00", "2026-11-28 07:00:00");
	check(&q, "2026-11-28 06:00:00", "2026-11-28 07:00:00");
	check(&q, "2026-11-28 23:00:00", NULL);
}

Test(notify_quiet, days_are_those_of_the_times_after_them)
{
	const struct quiet q = quiet_of("mon-fri 12:00-13:30 sat,sun 0:00-10:00");

	check(&q, "2026-11-27 12:00:00", "2026-11-27 13:30:00");
	check(&q, "2026-11-27 09:00:00", NULL);
	check(&q, "2026-11-28 09:00:00", "2026-11-28 10:00:00");
	check(&q, "2026-11-28 12:00:00", NULL);
	check(&q, "2026-11-29 00:00:00", "2026-11-29 10:00:00");
}

Test(notify_quiet, the_week_goes_round)
{
	const struct quiet q = quiet_of("SAT-Mon");

	check(&q, "2026-11-27 23:59:59", NULL);
	check(&q, "2026-11-28 00:00:00", "2026-12-01 00:00:00");
	check(&q, "2026-12-01 00:00:00", NULL);
}

Test(notify_quiet, always)
{
	const struct quiet q = quiet_of("0:00-24:00");
	time_t end;

	use_berlin();
	for (int i = 0; i < 24 * 8; i++)
		cr_assert(quiet_at(&q, at("2026-11-27 00:30:00", -1) + i * HOUR, &end));
	cr_assert_gt(end, at("2026-11-27 00:30:00", -1) + 24 * 8 * HOUR);
}

/* On 2026-03-29 the clock goes from 1:59 to 3:00. */
Test(notify_quiet, an_hour_that_is_not)
{
	const struct quiet night = quiet_of("22:00-07:00"), within = quiet_of("02:15-02:45"), until = quiet_of("01:00-02:30");
	time_t end;

	check(&night, "2026-03-28 23:00:00", "2026-03-29 07:00:00");
	cr_assert_eq(at("2026-03-29 07:00:00", -1) - at("2026-03-28 22:00:00", -1), 8 * HOUR);
	cr_assert(quiet_at(&night, at("2026-03-28 22:00:00", -1), &end) && end == at("2026-03-28 22:00:00", -1) + 8 * HOUR);
	check(&within, "2026-03-29 01:59:59", NULL);
	check(&within, "2026-03-29 03:00:00", NULL);
	/* Its end is never on the clock: it is over when the clock says so, at 3:00 or within half an hour of that. */
	cr_assert(quiet_at(&until, at("2026-03-29 01:59:00", -1), &end));
	cr_assert_geq(end, at("2026-03-29 03:00:00", -1));
	cr_assert_leq(end, at("2026-03-29 03:30:00", -1));
	check(&until, "2026-03-29 03:00:00", NULL);
}

/* On 2026-10-25 the clock goes from 2:59 back to 2:00. */
Test(notify_quiet, an_hour_that_comes_twice)
{
	const struct quiet night = quiet_of("22:00-07:00"), until = quiet_of("01:00-02:30");
	const time_t first = at("2026-10-25 02:10:00", 1), second = at("2026-10-25 02:10:00", 0);
	time_t end;

	cr_assert_eq(second - first, HOUR);
	cr_assert(quiet_at(&night, first, &end));
	cr_assert_eq(end - first, 5 * HOUR + 50 * 60);
	cr_assert(quiet_at(&until, first, &end) && end > first);
	cr_assert_not(quiet_at(&until, first + 30 * 60, &end), "2:40, the first time");
	cr_assert(quiet_at(&until, second, &end));
	cr_assert_gt(end, second, "the end is never in the past, whichever of the two is meant");
	cr_assert_leq(end, second + 20 * 60);
}

/* Whatever the clock does, who asks again at each end sees quiet hours end, and never asks often. */
Test(notify_quiet, asking_again_at_each_end_comes_to_an_end)
{
	const struct quiet q = quiet_of("22:00-02:30, 02:20-07:00, sat 1:00-3:00");

	for (time_t t = at("2026-01-01 00:00:00", -1); t < at("2027-01-01 00:00:00", -1); t += 1777) {
		time_t now = t, end;
		int asked = 0;

		while (quiet_at(&q, now, &end)) {
			cr_assert_gt(end, now);
			now = end;
			cr_assert_lt(++asked, 70, "at %jd", (intmax_t)t);
		}
		cr_assert_leq(now - t, 11 * HOUR);
	}
}

Test(notify_quiet, the_time_zone_is_that_of_the_moment)
{
	const struct quiet q = quiet_of("22:00-07:00");
	const time_t now = at("2026-11-27 12:00:00", -1);
	time_t end;

	cr_assert_not(quiet_at(&q, now, &end));
	setenv("TZ", "Pacific/Auckland", 1);
	cr_assert(quiet_at(&q, now, &end));
	use_berlin();
	cr_assert_not(quiet_at(&q, now, &end));
}

Test(notify_quiet, what_is_no_time_is_refused)
{
	static const char *const texts[] = {
		"22:00",       "22-7",          "22:00-07:00x", "25:00-07:00", "22:60-07:00",     "24:00-07:00", "22:00-24:01",
		"07:00-07:00", "-07:00",        "satur",        "sat-",        "sat-xyz",         "s",           "22:00--7:00",
		"222:00-7:00", "22:00 - 07:00", "22:00-7:000",  "mon-fri-sat", "22:00-07:00;sat",
	};
	struct quiet q = { .count = 7 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_not(quiet_parse(texts[i], &q), "%s", texts[i]);
	cr_assert_eq(q.count, 7, "untouched");
}

/* Every beginning of a text is taken or refused, and none is read beyond its end. */
Test(notify_quiet, every_prefix)
{
	static const char text[] = "22:00-07:00, sat, mon-fri 12:00-13:00 sun";
	struct quiet q;
	int taken = 0;

	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = strndup(text, len);

		taken += quiet_parse(copy, &q);
		free(copy);
	}
	cr_assert_gt(taken, 10);
	cr_assert_lt(taken, 35);
}

Test(notify_quiet, at_most_as_many_as_fit)
{
	char text[QUIET_RANGES_MAX * 16 + 32] = "";
	struct quiet q;

	for (int i = 0; i < QUIET_RANGES_MAX; i++)
		sprintf(text + strlen(text), "%02d:00-%02d:30 ", i, i);
	cr_assert(quiet_parse(text, &q));
	cr_assert_eq(q.count, QUIET_RANGES_MAX);
	strcat(text, "sun");
	cr_assert_not(quiet_parse(text, &q));
}
