#include "prices/price_value.h"

#include <criterion/criterion.h>
#include <math.h>

#define MAX INT64_C(1000000000000)

Test(price_value, decimal_text)
{
	static const struct {
		const char *text;
		int64_t want;
	} cases[] = {
		{ "0", 0 },
		{ "4", 4000000 },
		{ "0.2", 200000 },
		{ ".5", 500000 },
		{ "5.", 5000000 },
		{ "0.000001", 1 },
		{ "6.25000000000000000000", 6250000 },
		{ "0000000000000000000000000001", 1000000 },
		{ "1000000", MAX },
		{ "999999.999999", MAX - 1 },
	};
	int64_t got;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect(price_micro_of_text(cases[i].text, MAX, &got), "%s", cases[i].text);
		cr_expect_eq(got, cases[i].want, "%s: %lld", cases[i].text, (long long)got);
	}
}

Test(price_value, text_that_is_no_decimal)
{
	static const char *const texts[] = { "",
					     ".",
					     "-1",
					     "+1",
					     "1e3",
					     " 1",
					     "1 ",
					     "1,5",
					     "1.5.",
					     "0x10",
					     "0.0000001",
					     "1000000.000001",
					     "1000001",
					     "12345678901234567890",
					     "99999999999999999999999999999999999999",
					     "inf",
					     "nan",
					     "1..2",
					     "$5" };
	int64_t got = 7;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_not(price_micro_of_text(texts[i], MAX, &got), "%s", texts[i]);
	cr_expect_eq(got, 7);
}

Test(price_value, numbers)
{
	static const struct {
		double number;
		int64_t want;
	} good[] = { { 0, 0 },       { .1, 100000 },      { .125, 125000 }, { 22.5, 22500000 },
		     { .000001, 1 }, { .1 + .2, 300000 }, { 1e6, MAX } };
	static const double bad[] = { -1, -.000001, .0000001, .1234567, 1000000.5, 1e300, INFINITY, NAN };
	int64_t got = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(price_micro_of_number(bad[i], MAX, &got), "%g", bad[i]);
	cr_expect_eq(got, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_expect(price_micro_of_number(good[i].number, MAX, &got), "%g", good[i].number);
		cr_expect_eq(got, good[i].want, "%g", good[i].number);
	}
}

Test(price_value, days)
{
	static const struct {
		const char *text;
		uint64_t days;
	} good[] = { { "1970-01-01", 0 },     { "1970-12-31", 364 },   { "2000-02-29", 11016 },
		     { "2026-11-26", 20783 }, { "2024-03-01", 19783 }, { "2100-03-01", 47541 } };
	static const char *const bad[] = { "",           "2026-11-2",  "2026-13-01", "2026-00-01", "2026-02-29",  "2100-02-29",
					   "2026-11-31", "1969-12-31", "2501-01-01", "2026/11/26", "2026-11-26T", "x026-11-26",
					   "2026-1-026", "-026-11-26", "20261126",   "2026--1-26" };
	uint64_t ns = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(price_day_of(bad[i], &ns), "%s", bad[i]);
	cr_expect_eq(ns, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_expect(price_day_of(good[i].text, &ns), "%s", good[i].text);
		cr_expect_eq(ns, good[i].days * 24 * 3600 * 1000000000, "%s: %llu", good[i].text, (unsigned long long)ns);
	}
}
