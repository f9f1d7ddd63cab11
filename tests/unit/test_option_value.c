#include "common/option_value.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

Test(option_value, durations)
{
	static const struct {
		const char *text;
		double seconds;
	} good[] = {
		{ "0", 0 },    { "10", 10 },    { "1.5", 1.5 },    { "10s", 10 },   { "500ms", 0.5 },
		{ "2m", 120 }, { "2min", 120 }, { "1h30m", 5400 }, { "1d", 86400 }, { "1m0.5s", 60.5 },
	};
	static const char *const bad[] = { "",      " 1", "1 ",  "-1",   "+1",  "1x", "1m30", "m",
					   "1.2.3", ".",  "inf", "0x10", "1e3", "s1", "1ss" };
	double seconds;

	for (size_t i = 0; i < COUNT(good); i++) {
		cr_expect(options_duration(good[i].text, &seconds), "%s", good[i].text);
		cr_expect_float_eq(seconds, good[i].seconds, 1e-9, "%s", good[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		seconds = -1;
		cr_expect_not(options_duration(bad[i], &seconds), "'%s'", bad[i]);
		cr_expect_eq(seconds, -1);
	}
}

Test(option_value, flags)
{
	static const struct option_row row = { .name = "flag", .type = OPTION_FLAG };
	static const char *const on[] = { "yes", "true", "on", "1", "YES" }, *const off[] = { "no", "false", "off", "0", "No" };
	bool flag;

	for (size_t i = 0; i < COUNT(on); i++) {
		flag = false;
		cr_expect(option_value_store(&row, on[i], &flag) && flag, "%s", on[i]);
		cr_expect(option_value_store(&row, off[i], &flag) && !flag, "%s", off[i]);
	}
	cr_expect_not(option_value_store(&row, "y", &flag));
	cr_expect_not(option_value_store(&row, "", &flag));
}

Test(option_value, whole_numbers)
{
	static const struct option_row row = { .name = "n", .type = OPTION_UINT, .min = 2, .max = 100 };
	static const char *const bad[] = { "", "1", "101", "-5", "+5", " 5", "5 ", "5.0", "0x5", "18446744073709551616" };
	uint64_t n = 7;

	for (size_t i = 0; i < COUNT(bad); i++)
		cr_expect_not(option_value_store(&row, bad[i], &n), "'%s'", bad[i]);
	cr_expect_eq(n, 7);
	cr_expect(option_value_store(&row, "2", &n) && n == 2);
	cr_expect(option_value_store(&row, "100", &n) && n == 100);
}

Test(option_value, descriptions)
{
	static const char *const words[] = { "json", "logfmt", NULL };
	static const struct {
		struct option_row row;
		const char *text;
	} cases[] = {
		{ { .type = OPTION_FLAG }, "yes or no" },
		{ { .type = OPTION_UINT, .min = 1 }, "a whole number of at least 1" },
		{ { .type = OPTION_UINT }, "a whole number" },
		{ { .type = OPTION_DOUBLE, .min = 0.1, .max = 1000 }, "a number from 0.1 to 1000" },
		{ { .type = OPTION_DURATION, .max = 60 }, "a duration such as 10s or 2m from 0s to 60s" },
		{ { .type = OPTION_CHOICE, .choices = words }, "one of these words: json logfmt" },
	};
	char text[160];

	for (size_t i = 0; i < COUNT(cases); i++) {
		option_value_describe(&cases[i].row, text, sizeof(text));
		cr_expect_str_eq(text, cases[i].text);
		for (size_t size = 1; size < sizeof("one of these words: json"); size++) {
			option_value_describe(&cases[i].row, text, size);
			cr_expect_lt(strlen(text), size);
		}
	}
}
