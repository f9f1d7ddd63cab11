#include "common/text.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void
utf8_locale(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

Test(text, rfc3339)
{
	char out[TEXT_SIZE];

	cr_assert_str_eq(text_rfc3339(0, out, sizeof(out)), "");
	cr_assert_str_eq(text_rfc3339(1, out, sizeof(out)), "1970-01-01T00:00:00.000000001Z");
	cr_assert_str_eq(text_rfc3339(UINT64_C(1700000000123456789), out, sizeof(out)), "2023-11-14T22:13:20.123456789Z");
	cr_assert_str_eq(text_rfc3339(UINT64_MAX, out, sizeof(out)), "2554-07-21T23:34:33.709551615Z");
	cr_assert_str_eq(text_rfc3339(UINT64_C(1700000000123456789), out, 5), "2023");
}

Test(text, clock_is_local)
{
	char out[TEXT_SIZE];

	setenv("TZ", "EET-2", 1);
	tzset();
	cr_assert_str_eq(text_clock(UINT64_C(1700000000123456789), out, sizeof(out)), "00:13:20");
	cr_assert_str_eq(text_clock(0, out, sizeof(out)), "");
	cr_assert_str_eq(text_clock(UINT64_C(1700000000123456789), out, 4), "");
}

Test(text, duration)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {
		{ 0, "0ms" },
		{ 0.85, "850ms" },
		{ 1, "1s" },
		{ 59.9, "59s" },
		{ 60, "1m 0s" },
		{ 192, "3m 12s" },
		{ 3599, "59m 59s" },
		{ 3600, "1h 00m" },
		{ 3900, "1h 05m" },
		{ 86399, "23h 59m" },
		{ 86400, "1d 0h" },
		{ 187200, "2d 4h" },
		{ 31536000, "365d 0h" },
	};
	char out[TEXT_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_str_eq(text_duration((uint64_t)(cases[i].seconds * 1e9), out, sizeof(out)), cases[i].text);
}

Test(text, count)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1.0k" },
		{ 1049, "1.0k" },
		{ 1050, "1.1k" },
		{ 52180, "52.2k" },
		{ 999949, "999.9k" },
		{ 999950, "1.0M" },
		{ 1250000, "1.3M" },
		{ 999950000, "1.0G" },
		{ UINT64_C(9007199254740993), "9.0P" },
		{ UINT64_MAX, "18.4E" },
	};
	char out[TEXT_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_str_eq(text_count(cases[i].n, out, sizeof(out)), cases[i].text, "%s", out);
}

Test(text, usd)
{
	static const struct {
		int64_t pico;
		const char *text;
	} cases[] = {
		{ 0, "$0.00" },
		{ 1, "$0.0000" },
		{ 4200000000, "$0.0042" },
		{ 10000000000, "$0.01" },
		{ 1240000000000, "$1.24" },
		{ 99990000000000, "$99.99" },
		{ 312400000000000, "$312" },
		{ -1240000000000, "-$1.24" },
		{ INT64_MAX, "$9223372" },
		{ INT64_MIN, "-$9223372" },
	};
	char out[TEXT_SIZE];

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_expect_str_eq(text_usd(cases[i].pico, out, sizeof(out)), cases[i].text, "%s", out);
}

Test(text, short_id)
{
	cr_assert_str_eq(text_short_id("11c1d189-baf9-4405-9994-693e03381bda"), "03381bda");
	cr_assert_str_eq(text_short_id("abc"), "abc");
	cr_assert_str_eq(text_short_id(""), "");
	cr_assert_str_eq(text_short_id("äöüäöü"), "üäöü", "begins at a character");
	cr_assert_str_eq(text_short_id("12345€678901"), "€678901", "begins at a character");
}

Test(text, rune_takes_what_utf8_allows)
{
	static const struct {
		const char *text;
		size_t len;
		uint32_t rune;
	} cases[] = {
		{ "a", 1, 'a' },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\x80", 1, 0xfffd },             /* continuation without a lead */
		{ "\xc0\xaf", 1, 0xfffd },         /* longer than need be */
		{ "\xe0\x80\xaf", 1, 0xfffd },     /* likewise */
		{ "\xed\xa0\x80", 1, 0xfffd },     /* half of a pair */
		{ "\xf4\x90\x80\x80", 1, 0xfffd }, /* beyond the last */
		{ "\xf8\x88\x80\x80\x80", 1, 0xfffd },
		{ "\xe2\x82", 1, 0xfffd }, /* cut */
		{ "\xe2\x82"
		  "a",
		  1, 0xfffd },
		{ "\xff", 1, 0xfffd },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t rune = 0;

		cr_expect_eq(text_rune(cases[i].text, &rune), cases[i].len, "case %zu", i);
		cr_expect_eq(rune, cases[i].rune, "case %zu: %x", i, (unsigned)rune);
	}
	uint32_t rune = 5;

	cr_assert_eq(text_rune("", &rune), 0);
	cr_assert_eq(rune, 5);
}

Test(text, clip, .init = utf8_locale)
{
	char out[64];

	cr_assert_str_eq(text_clip("project", 10, out, sizeof(out)), "project");
	cr_assert_str_eq(text_clip("project", 7, out, sizeof(out)), "project");
	cr_assert_str_eq(text_clip("project", 6, out, sizeof(out)), "proje…");
	cr_assert_str_eq(text_clip("project", 1, out, sizeof(out)), "…");
	cr_assert_str_eq(text_clip("project", 0, out, sizeof(out)), "");
	cr_assert_str_eq(text_clip("", 5, out, sizeof(out)), "");
	cr_assert_str_eq(text_clip("日本語", 6, out, sizeof(out)), "日本語");
	cr_assert_str_eq(text_clip("日本語", 5, out, sizeof(out)), "日本…", "each is two columns wide");
	cr_assert_str_eq(text_clip("日本語", 4, out, sizeof(out)), "日…");
	cr_assert_eq(text_columns("日本語"), 6);
}

Test(text, clip_keeps_commands_from_the_terminal, .init = utf8_locale)
{
	char out[64];

	cr_assert_str_eq(text_clip("a\033[2Jb\r\n\tc\x7f", 20, out, sizeof(out)), "a?[2Jb???c?");
	cr_assert_str_eq(text_clip("\xc2\x9b"
				   "31m",
				   20, out, sizeof(out)),
			 "?31m", "the C1 form of an escape");
	cr_assert_str_eq(text_clip("a\xff\xfe", 20, out, sizeof(out)), "a??");
	cr_assert_str_eq(text_clip("x\xe2\x80\xaey", 20, out, sizeof(out)), "x?y", "a mark that turns direction");
}

/* Whatever the room: ended by NUL, not overrun, and whole characters. */
Test(text, clip_at_every_size, .init = utf8_locale)
{
	static const char sample[] = "aé日😀\033b\xff"
				     "cdefgh";

	for (size_t size = 1; size < sizeof(sample) + 8; size++) {
		for (size_t columns = 0; columns < 20; columns++) {
			char *out = malloc(size);
			uint32_t rune;
			size_t n;

			text_clip(sample, columns, out, size);
			cr_assert_lt(strlen(out), size);
			cr_assert_leq(text_columns(out), columns);
			for (const char *p = out; (n = text_rune(p, &rune)) > 0; p += n)
				cr_assert_neq(rune, 0xfffd, "size %zu, columns %zu", size, columns);
			free(out);
		}
	}
}
