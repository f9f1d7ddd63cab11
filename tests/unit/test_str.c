#include "str.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define FFFD "\xef\xbf\xbd"

static const struct {
	struct str from;
	const char *to;
} copies[] = {
	{ { "", 0 }, "" },
	{ { "plain", 5 }, "plain" },
	{ { "caf\xc3\xa9", 5 }, "caf\xc3\xa9" },
	{ { "\xe2\x82\xac \xf0\x9f\x8c\x8d", 8 }, "\xe2\x82\xac \xf0\x9f\x8c\x8d" },
	{ { "two\nlines\tand a tab\x7f", 20 }, "two lines and a tab " },
	{ { "esc\x1b[31m", 8 }, "esc [31m" },
	{ { "nul\0nul", 7 }, "nul nul" },
	{ { "c1\xc2\x9b"
	    "31m",
	    7 },
	  "c1 31m" },                                       /* U+009B is a CSI to some terminals */
	{ { "\xc2\xa0", 2 }, "\xc2\xa0" },                  /* but U+00A0 is a space */
	{ { "a\x80z", 3 }, "a" FFFD "z" },                  /* a continuation without a start */
	{ { "a\xff", 2 }, "a" FFFD },                       /* never in UTF-8 */
	{ { "\xc0\xaf", 2 }, FFFD FFFD },                   /* overlong */
	{ { "\xe0\x80\xaf", 3 }, FFFD FFFD FFFD },          /* overlong */
	{ { "\xed\xa0\x80", 3 }, FFFD FFFD FFFD },          /* a surrogate */
	{ { "\xf4\x90\x80\x80", 4 }, FFFD FFFD FFFD FFFD }, /* above U+10FFFF */
	{ { "\xe2\x82", 2 }, FFFD FFFD },                   /* cut in the middle */
	{ { "\xe2\x82z", 3 }, FFFD FFFD "z" },
};

Test(str, copy_gives_valid_text_without_controls)
{
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		char dst[64];

		memset(dst, 'x', sizeof(dst));
		str_copy(dst, sizeof(dst), copies[i].from);
		cr_assert_str_eq(dst, copies[i].to, "case %zu", i);
	}
}

Test(str, copy_cuts_between_characters_at_every_size)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8dz";
	static const size_t fits[] = { 0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 }; /* bytes that fit into so large a buffer */

	for (size_t size = 1; size < sizeof(fits) / sizeof(fits[0]); size++) {
		char dst[16];

		memset(dst, 'x', sizeof(dst));
		str_copy(dst, size, str_from(text));
		cr_assert_eq(strlen(dst), fits[size], "size %zu", size);
		cr_assert_eq(memcmp(dst, text, fits[size]), 0);
		cr_assert_eq(dst[size], 'x', "wrote behind %zu bytes", size);
	}
}

Test(str, copy_never_splits_its_replacement)
{
	char dst[3] = "";

	str_copy(dst, sizeof(dst), STR("\xff"));
	cr_assert_str_eq(dst, "");
}

Test(str, equality_and_prefix_look_at_length_first)
{
	cr_assert(str_eq(STR("abc"), STR("abc")));
	cr_assert_not(str_eq(STR("abc"), STR("ab")));
	cr_assert_not(str_eq(STR("abc"), STR("abd")));
	cr_assert(str_eq(str_from(NULL), STR("")));
	cr_assert(str_starts(STR("claude_code.api_request"), STR("claude_code.")));
	cr_assert_not(str_starts(STR("claude"), STR("claude_code.")));
	cr_assert(str_starts(STR("x"), (struct str){ NULL, 0 }));
}

static const struct {
	struct str from;
	size_t valid; /* bytes of its beginning */
	const char *to;
} mended[] = {
	{ { "", 0 }, 0, "" },
	{ { "two\nlines\x1b[31m \x7f", 16 }, 16, "two\nlines\x1b[31m \x7f" }, /* all that is text stays */
	{ { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d", 14 }, 14, "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x8d" },
	{ { "\xff", 1 }, 0, FFFD },
	{ { "eight by\xfftes", 12 }, 8, "eight by" FFFD "tes" },
	{ { "eight b\xc3\xa9tes", 12 }, 12, "eight b\xc3\xa9tes" }, /* a character across two words */
	{ { "\xed\xa0\x80z", 4 }, 0, FFFD FFFD FFFD "z" },
	{ { "sixteen bytes so\xe2\x82", 18 }, 16, "sixteen bytes so" FFFD FFFD },
};

Test(str, mend_changes_only_what_is_not_utf8)
{
	for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++) {
		const struct str from = mended[i].from;
		const size_t len = strlen(mended[i].to);
		char dst[64];

		memset(dst, 'x', sizeof(dst));
		cr_assert_eq(str_valid(from), mended[i].valid, "case %zu", i);
		cr_assert_eq(str_mend(NULL, from), len, "case %zu", i);
		cr_assert_eq(str_mend(dst, from), len, "case %zu", i);
		cr_assert_eq(memcmp(dst, mended[i].to, len), 0, "case %zu", i);
		cr_assert_eq(dst[len], 'x', "case %zu", i);
		cr_assert_eq(str_valid((struct str){ dst, len }), len, "case %zu", i);
	}
}

Test(str, mend_reads_no_further_at_every_prefix)
{
	static const char text[] = "plain \xc3\xa9\xe2\x82\xac\xff\xf0\x9f\x8c\x8d and more";
	struct guard g = guard_create(sizeof(text));

	for (size_t len = 0; len < sizeof(text); len++) {
		char dst[3 * sizeof(text)];
		const size_t n = str_mend(dst, (struct str){ guard_put(&g, text, len), len });

		cr_assert_eq(str_valid((struct str){ dst, n }), n, "%zu bytes", len);
	}
	guard_destroy(&g);
}

/* Text is looked at in words: wherever a byte stands among 21 others, the verdict on it is the same. */
Test(str, each_byte_is_seen_in_each_place)
{
	char text[22], dst[3 * sizeof(text)], expected[3 * sizeof(text)];

	for (unsigned byte = 0; byte <= 0xff; byte++) {
		const char *shown = byte >= 0x80 ? FFFD : byte < 0x20 || byte == 0x7f ? " " : (char[]){ (char)byte, '\0' };

		for (size_t at = 0; at < sizeof(text); at++) {
			const int after = (int)(sizeof(text) - at - 1);

			memset(text, '~', sizeof(text));
			text[at] = (char)byte;
			snprintf(expected, sizeof(expected), "%.*s%s%.*s", (int)at, "~~~~~~~~~~~~~~~~~~~~~~", shown, after,
				 "~~~~~~~~~~~~~~~~~~~~~~");
			str_copy(dst, sizeof(dst), (struct str){ text, sizeof(text) });
			cr_assert_str_eq(dst, expected, "byte %02x at %zu", byte, at);
			cr_assert_eq(str_valid((struct str){ text, sizeof(text) }), byte >= 0x80 ? at : sizeof(text));
		}
	}
}
