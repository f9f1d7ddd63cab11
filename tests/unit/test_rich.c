#include "eww/rich.h"

#include "eww_bed.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum rich_kind all_kinds[] = { RICH_PLAIN, RICH_MARKUP, RICH_POLYBAR, RICH_JSON };

Test(rich, escapes)
{
	static const struct {
		enum rich_kind kind;
		const char *text, *escaped;
	} cases[] = {
		{ RICH_PLAIN, "a&b<c>'\"%{\\", "a&b<c>'\"%{\\" },
		{ RICH_MARKUP, "a&b<c>'\"%{\\", "a&amp;b&lt;c&gt;&#39;&quot;%{\\" },
		{ RICH_JSON, "a&b'\"%{\\", "a&b'\\\"%{\\\\" },
		{ RICH_POLYBAR, "a&b%{F#f00}50% {%}", "a&b% {F#f00}50% {%}" },
		{ RICH_POLYBAR, "%%{A1:x:}100%", "%% {A1:x:}100% " },
		{ RICH_PLAIN, "a\nb\tc\033[1m\x7f", "a?b?c?[1m?" },
		{ RICH_PLAIN,
		  "\xc2\x9b"
		  "31m\xe2\x80\xaex",
		  "?31m?x" },
		{ RICH_MARKUP, "\xff<\xc3", "?&lt;?" },
		{ RICH_PLAIN, "日本語 é", "日本語 é" },
		{ RICH_MARKUP, "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rich t = { .kind = cases[i].kind };

		rich_text(&t, cases[i].text);
		cr_expect_str_eq(t.text, cases[i].escaped);
		cr_expect_eq(t.len, strlen(t.text));
	}
}

static void
expect_harmless(const struct rich *t)
{
	char quoted[RICH_SIZE + 2];
	cJSON *parsed;

	switch (t->kind) {
	case RICH_MARKUP:
		cr_expect(bed_is_markup(t->text), "%s", t->text);
		break;
	case RICH_POLYBAR:
		cr_expect_null(strstr(t->text, "%{"), "%s", t->text);
		break;
	case RICH_JSON:
		snprintf(quoted, sizeof(quoted), "\"%s\"", t->text);
		parsed = cJSON_Parse(quoted);
		cr_expect_not_null(parsed, "%s", quoted);
		cJSON_Delete(parsed);
		break;
	case RICH_PLAIN:
		cr_expect_null(strpbrk(t->text, "\n\t\033"));
		break;
	}
}

/* Whatever one text ends and another begins with. */
Test(rich, every_pair_of_hostile_texts_and_each_prefix)
{
	for (size_t k = 0; k < sizeof(all_kinds) / sizeof(all_kinds[0]); k++) {
		for (size_t i = 0; i < BED_HOSTILE * BED_HOSTILE; i++) {
			const char *first = bed_hostile[i / BED_HOSTILE], *second = bed_hostile[i % BED_HOSTILE];

			for (size_t len = 0; len <= strlen(first); len++) {
				struct rich t = { .kind = all_kinds[k] };
				char *prefix = strndup(first, len);

				rich_text(&t, prefix);
				rich_text(&t, second);
				expect_harmless(&t);
				free(prefix);
			}
		}
	}
}

/* Ours comes after theirs. */
Test(rich, polybars_own_tags_stay_tags)
{
	struct rich t = { .kind = RICH_POLYBAR };

	rich_colour(&t, "#ff0000");
	rich_text(&t, "100%");
	rich_uncolour(&t);
	rich_text(&t, "%");
	rich_raw(&t, "{");
	cr_expect_str_eq(t.text, "%{F#ff0000}100% %{F-}% {");
}

Test(rich, colours)
{
	static const char *const texts[] = { "x", "<span foreground=\"#ff0000\">x</span>", "%{F#ff0000}x%{F-}", "x" };

	for (size_t k = 0; k < sizeof(all_kinds) / sizeof(all_kinds[0]); k++) {
		struct rich t = { .kind = all_kinds[k] };

		rich_colour(&t, "#ff0000");
		rich_raw(&t, "x");
		rich_uncolour(&t);
		cr_expect_str_eq(t.text, texts[k]);
	}
}

Test(rich, clips_before_it_escapes)
{
	struct rich t = { .kind = RICH_MARKUP };

	rich_clip(&t, "<<<<<<", 4);
	cr_expect_str_eq(t.text, "&lt;&lt;&lt;…");
}

/* An escape is whole or not there, and nothing follows what had no room. */
Test(rich, full)
{
	for (size_t before = RICH_SIZE - 8; before < RICH_SIZE; before++) {
		struct rich t = { .kind = RICH_MARKUP };
		size_t room = RICH_SIZE - 1 - before;

		for (size_t i = 0; i < before; i++)
			rich_raw(&t, "x");
		rich_text(&t, "&&");
		cr_expect_eq(t.full, room < 10);
		cr_expect_eq(t.len, before + (room >= 5 ? 5 : 0));
		rich_raw(&t, "y");
		cr_expect_eq(t.len, before + (room >= 5 ? 5 : 0));
		rich_rewind(&t, 3);
		cr_expect_str_eq(t.text, "xxx");
		rich_raw(&t, "y");
		cr_expect_str_eq(t.text, "xxxy");
	}
}
