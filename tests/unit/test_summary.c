#include "eww/summary.h"

#include "eww/label.h"
#include "eww_bed.h"

#include <criterion/criterion.h>

/* What polybar's line says of the states, "w" waiting, "f" failed, "r" working, "c" completed, "i" idle, "u" unknown. */
static const char *
line_of(const char *states, struct view view)
{
	static const struct {
		char letter;
		enum agentbus_state state;
	} letters[] = {
		{ 'w', AGENTBUS_WAITING }, { 'r', AGENTBUS_WORKING }, { 'c', AGENTBUS_COMPLETED },
		{ 'i', AGENTBUS_IDLE },    { 'u', AGENTBUS_UNKNOWN },
	};
	static const char *const ids[] = { "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8" };
	struct agentbus_session sessions[8];
	size_t count = 0;

	for (; states[count]; count++) {
		sessions[count] = bed_failed(ids[count], ids[count]);
		for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
			if (letters[i].letter == states[count])
				sessions[count] = bed_session(ids[count], letters[i].state, ids[count]);
		}
	}
	return bed_render(label_render_polybar, view, sessions, count);
}

Test(summary, text)
{
	static const struct {
		const char *states, *text;
	} cases[] = {
		{ "", "" },
		{ "w", "1 waiting (s1)" },
		{ "rrw", "1 waiting (s3) 2 working" },
		{ "icfrw", "1 waiting (s5) 1 failed (s3) 1 working 1 done" },
		{ "ff", "2 failed (s1)" },
		{ "iic", "1 done" },
		{ "iiu", "3 idle" },
		{ "wwi", "2 waiting (s1)" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(line_of(cases[i].states, (struct view){ .connected = true }), cases[i].text);
}

Test(summary, nothing_to_tell)
{
	struct view v = { .empty = "no <agents>", .away = "off%{F-}" };

	cr_expect_str_eq(line_of("", v), "off% {F-}");
	v.connected = true;
	cr_expect_str_eq(line_of("", v), "no <agents>");
}

Test(summary, colours)
{
	struct view v = { .connected = true, .colours = true };

	cr_expect_str_eq(line_of("wr", v), "%{F#f2b45c}1 waiting (s1)%{F-} %{F#7fc97f}1 working%{F-}");
	cr_expect_str_eq(line_of("i", v), "%{F#8a8f98}1 idle%{F-}");
}

Test(summary, strongest_and_its_first_session)
{
	struct agentbus_session s[] = { bed_session("a", AGENTBUS_WORKING, "a"), bed_failed("b", "b"), bed_failed("c", "c"),
					bed_session("d", AGENTBUS_IDLE, "d") };
	const struct agentbus_session *pointers[] = { &s[0], &s[1], &s[2], &s[3] };
	struct roster r = { 0 };
	struct summary sum;

	cr_assert(roster_build(&r, pointers, 4, ROSTER_SHOWN));
	sum = summary_of(&(struct view){ .roster = &r, .connected = true });
	cr_expect_eq(sum.state, SUMMARY_FAILED);
	cr_expect_eq(sum.top->session, &s[1]);
	cr_expect_eq(sum.counts[SUMMARY_FAILED], 2);
	cr_expect_eq(sum.counts[SUMMARY_COMPLETED], 0);
	roster_finish(&r);
	sum = summary_of(&(struct view){ .roster = &r, .connected = true });
	cr_expect_eq(sum.state, SUMMARY_EMPTY);
	cr_expect_null(sum.top);
	sum = summary_of(&(struct view){ .roster = &r });
	cr_expect_eq(sum.state, SUMMARY_DISCONNECTED);
}

/* A turn that goes on after an error has not failed, and one that was seen is over. */
Test(summary, failed_only_until_somebody_looked)
{
	struct agentbus_session s = bed_failed("a", "a");

	cr_expect_eq(summary_of_session(&s), SUMMARY_FAILED);
	s.state = AGENTBUS_WORKING;
	cr_expect_eq(summary_of_session(&s), SUMMARY_WORKING);
	s.state = AGENTBUS_IDLE;
	cr_expect_eq(summary_of_session(&s), SUMMARY_IDLE);
	s.state = (enum agentbus_state)99;
	cr_expect_eq(summary_of_session(&s), SUMMARY_IDLE);
}

Test(summary, names)
{
	static const char *const names[] = { "disconnected", "empty", "idle", "completed", "working", "failed", "waiting" };

	for (int i = 0; i < SUMMARY_STATES; i++) {
		cr_expect_str_eq(summary_name((enum summary_state)i), names[i]);
		cr_expect_eq(strlen(summary_colour((enum summary_state)i)), 7);
	}
}
