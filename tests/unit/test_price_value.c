#include "prices/price_value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

static void
expect_pico(const char *text, int64_t want)
{
	int64_t got = -7;

	cr_expect(price_pico_of_decimal(text, INT64_MAX, &got), "%s", text);
	cr_expect_eq(got, want, "%s: %lld", text, (long long)got);
}

Test(price_value, decimals_with_exponents_are_exact)
{
	static const char *const bad[] = { "",      ".",     "e-6",        "1e",    "1e-",
					   "1e+",   "-1",    "+1",         "1e-13", "1.5e-12",
					   "0x1p3", "inf",   "nan",        "1 ",    " 1",
					   "1e5x",  "1.2.3", "1e99999999", "1e8",   "9999999999999999999",
					   "1e-6e" };
	int64_t ret = 5;

	expect_pico("3e-06", 3000000);
	expect_pico("0.000003", 3000000);
	expect_pico("2.5E-07", 250000);
	expect_pico("1e-12", 1);
	expect_pico("10e-13", 1);
	expect_pico("0", 0);
	expect_pico("0.0", 0);
	expect_pico("0e999", 0);
	expect_pico("0.000e-999", 0);
	expect_pico("1", 1000000000000);
	expect_pico("1.", 1000000000000);
	expect_pico(".5", 500000000000);
	expect_pico("12e+3", 12000000000000000);
	expect_pico("0.123456789012", 123456789012);
	expect_pico("9223372.036854775807", INT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(price_pico_of_decimal(bad[i], INT64_MAX, &ret), "%s", bad[i]);
	cr_expect_not(price_pico_of_decimal("2e-12", 1, &ret));
	cr_expect_eq(ret, 5);
}

/* Every rate of at most 15 digits survives its way through a double. */
Test(price_value, numbers_of_json_are_exact)
{
	char text[40];
	int64_t got;

	for (int64_t pico = 1; pico < INT64_C(400000000000000); pico = pico * 3 + 1) {
		snprintf(text, sizeof(text), "%llde-12", (long long)pico);
		cr_expect(price_pico_of_number(strtod(text, NULL), INT64_MAX, &got), "%s", text);
		cr_expect_eq(got, pico, "%s: %lld", text, (long long)got);
	}
	cr_expect_not(price_pico_of_number(-1, INT64_MAX, &got));
	cr_expect_not(price_pico_of_number(1.0 / 0.0, INT64_MAX, &got));
	cr_expect_not(price_pico_of_number(1.0 / 3, INT64_MAX, &got));
}
