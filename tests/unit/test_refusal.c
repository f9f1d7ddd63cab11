#include "refusal.h"
#include "said.h"

#include <stdio.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define BEGIN  (1000 * SECOND)

static const struct log talking = { .level = LEVEL_WARNING };

static size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		n++;
	return n;
}

/* Notes one refusal; its lines are in text. */
static void
note(struct refusals *r, enum verdict v, uint64_t now_ns, char text[SAID_MAX])
{
	const struct said s = said_begin();

	refusals_note(r, v, "/v1/logs", now_ns);
	said_end(&s, text);
}

Test(refusal, the_first_of_each_kind_is_told_at_once)
{
	struct refusals r;
	char text[SAID_MAX], expected[SAID_MAX];

	refusals_init(&r, &talking);
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		note(&r, v, BEGIN, text);
		snprintf(expected, sizeof(expected), "agentbusd: warning: refused /v1/logs: %u, %s\n", verdict_http_status(v),
			 verdict_text(v));
		cr_assert_str_eq(text, expected);
	}
}

Test(refusal, the_others_are_counted_and_told_after_a_minute)
{
	struct refusals r;
	char text[SAID_MAX];

	refusals_init(&r, &talking);
	note(&r, VERDICT_TOO_LARGE, BEGIN, text);
	cr_assert_eq(count(text, "\n"), 1);
	for (unsigned i = 0; i < 1000; i++) {
		note(&r, VERDICT_TOO_LARGE, BEGIN + i * (60 * SECOND - 1) / 999, text);
		cr_assert_str_empty(text);
	}
	note(&r, VERDICT_TOO_LARGE, BEGIN + 60 * SECOND, text);
	cr_assert_eq(count(text, "\n"), 2);
	cr_assert(strstr(text, "413"), "%s", text);
	cr_assert(strstr(text, " 1000 more were refused"), "%s", text);
	/* The minute and the count begin anew. */
	note(&r, VERDICT_TOO_LARGE, BEGIN + 61 * SECOND, text);
	cr_assert_str_empty(text);
	note(&r, VERDICT_TOO_LARGE, BEGIN + 120 * SECOND, text);
	cr_assert(strstr(text, " 1 more were refused"), "%s", text);
	note(&r, VERDICT_TOO_LARGE, BEGIN + 500 * SECOND, text);
	cr_assert_eq(count(text, "\n"), 1);
}

Test(refusal, one_kind_does_not_hide_another)
{
	struct refusals r;
	char text[SAID_MAX];

	refusals_init(&r, &talking);
	note(&r, VERDICT_NO_TOKEN, BEGIN, text);
	note(&r, VERDICT_NO_TOKEN, BEGIN + 1, text);
	cr_assert_str_empty(text);
	note(&r, VERDICT_FOREIGN_HOST, BEGIN + 2, text);
	cr_assert_eq(count(text, "refused"), 1);
}
