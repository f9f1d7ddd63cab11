#include "common/table.h"
#include "common/text.h"
#include "sample_session.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void
utf8_locale(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

TestSuite(table, .init = utf8_locale);

static const uint64_t now = UINT64_C(1700000192) * SAMPLE_SECOND;

/* Prints sessions into text that the caller frees. */
static char *
print(const struct agentbus_session *sessions, size_t count, enum roster_scope scope, struct table_style style, size_t *ret_lines)
{
	const struct agentbus_session *pointers[8];
	struct roster r = { 0 };
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++)
		pointers[i] = &sessions[i];
	cr_assert(roster_build(&r, pointers, count, scope));
	style.now = now;
	*ret_lines = table_print(memory, &r, &style);
	roster_finish(&r);
	fclose(memory);
	return text;
}

static void
expect(const struct agentbus_session *s, size_t count, enum roster_scope scope, struct table_style style, size_t lines,
       const char *text)
{
	size_t got_lines;
	char *got = print(s, count, scope, style, &got_lines);

	cr_expect_str_eq(got, text, "got:\n%s", got);
	cr_expect_eq(got_lines, lines);
	free(got);
}

static struct agentbus_session
busy_session(void)
{
	struct agentbus_session s = sample_session("11c1d189-baf9-4405-9994-693e03381bda", AGENTBUS_WORKING);

	s.project = "agentbus";
	s.model = "claude-opus-5-5";
	s.tokens = (struct agentbus_tokens){ .input = 52180, .output = 1234 };
	s.cost = (struct agentbus_cost){ .total = SAMPLE_USD * 5 / 4, .has_reported = true };
	s.api_errors = 2;
	return s;
}

Test(table, as_wide_as_it_takes)
{
	struct agentbus_session s[] = { busy_session(), sample_session("b", AGENTBUS_COMPLETED) };

	s[1].failed = true;
	s[1].provider = "codex";
	s[1].state_since = now + SAMPLE_SECOND;
	s[1].cost = (struct agentbus_cost){ .total = 1, .has_computed = true, .estimated = true };
	expect(s, 2, ROSTER_SHOWN, (struct table_style){ 0 }, 3,
	       "STATE    TOOL    PROJECT   MODEL             SINCE     IN   OUT      COST  ERR  ID\n"
	       "working  claude  agentbus  claude-opus-5-5  3m 12s  52.2k  1.2k     $1.25    2  03381bda\n"
	       "failed   codex                                 now      0     0  ~$0.0000    -  b\n");
}

Test(table, children_are_indented)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_WORKING), sample_session("b", AGENTBUS_ENDED) };

	s[1].auxiliary = true;
	s[1].parent_id = "a";
	expect(s, 2, ROSTER_ALL, (struct table_style){ 0 }, 3,
	       "STATE    TOOL    PROJECT  MODEL   SINCE  IN  OUT  COST  ERR  ID\n"
	       "working  claude                  3m 12s   0    0     -    -  a\n"
	       "  ended  claude                  3m 12s   0    0     -    -  b\n");
}

/* Any width down to where nothing can give way any more: no line is longer, none ends in a blank. */
Test(table, fits_the_terminal)
{
	struct agentbus_session s[] = { busy_session(), busy_session() };

	s[0].project = "日本語のプロジェクト";
	s[1].project = "a-project-with-a-name-that-is-long-beyond-all-reason";
	s[1].model = "claude-sonnet-4-5-20250929-with-more";
	for (size_t width = 70; width < 160; width++) {
		size_t lines;
		char *text = print(s, 2, ROSTER_SHOWN, (struct table_style){ .width = width }, &lines);

		cr_assert_eq(lines, 3);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			cr_expect_leq(text_columns(line), width, "%zu: %s", width, line);
			cr_expect_neq(line[strlen(line) - 1], ' ');
		}
		free(text);
	}
}

Test(table, rows_beyond_the_limit_are_counted)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_IDLE), sample_session("b", AGENTBUS_IDLE),
					sample_session("c", AGENTBUS_IDLE) };

	expect(s, 3, ROSTER_SHOWN, (struct table_style){ .max_rows = 1 }, 3,
	       "STATE  TOOL    PROJECT  MODEL   SINCE  IN  OUT  COST  ERR  ID\n"
	       "idle   claude                  3m 12s   0    0     -    -  a\n"
	       "and 2 more\n");
}

Test(table, colour_changes_nothing_else)
{
	struct agentbus_session s[] = { busy_session(), sample_session("b", AGENTBUS_WAITING) };
	size_t lines, len = 0;
	char *plain = print(s, 2, ROSTER_SHOWN, (struct table_style){ .width = 80 }, &lines);
	char *colour = print(s, 2, ROSTER_SHOWN, (struct table_style){ .width = 80, .colour = true }, &lines);

	cr_assert_null(strchr(plain, '\033'));
	cr_assert_not_null(strstr(colour, "\033[1;33mwaiting\033[0m"));
	for (const char *p = colour; *p; p++) {
		if (*p == '\033')
			p += strcspn(p, "m");
		else
			colour[len++] = *p;
	}
	colour[len] = '\0';
	cr_assert_str_eq(colour, plain);
	free(plain);
	free(colour);
}

Test(table, foreign_text_cannot_command_the_terminal)
{
	struct agentbus_session s = sample_session("\033[2J", AGENTBUS_IDLE);
	size_t lines;
	char *text;

	s.project = "\033]0;gotcha\a";
	s.model = "a\nb";
	text = print(&s, 1, ROSTER_SHOWN, (struct table_style){ 0 }, &lines);
	cr_assert_null(strpbrk(text, "\033\a"));
	cr_assert_not_null(strstr(text, "a?b"));
	free(text);
}

Test(table, summary)
{
	struct agentbus_session s[] = { busy_session(), sample_session("b", AGENTBUS_WAITING) };
	const struct agentbus_session *pointers[] = { &s[0], &s[1] };
	struct roster r = { 0 };
	char out[256];

	cr_assert(roster_build(&r, NULL, 0, ROSTER_SHOWN));
	cr_assert_str_eq(table_summary(&r, out, sizeof(out)), "No sessions");
	cr_assert(roster_build(&r, pointers, 2, ROSTER_SHOWN));
	cr_assert_str_eq(table_summary(&r, out, sizeof(out)),
			 "2 sessions: 1 waiting, 1 working; 52.2k in, 1.2k out, $1.25, 2 errors");
	for (size_t size = 1; size < 80; size++)
		cr_assert_lt(strlen(table_summary(&r, out, size)), size);
	roster_finish(&r);
}
