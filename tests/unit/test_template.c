#include "eww/template.h"

#include "eww/field.h"
#include "eww_bed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
make_of(const char *text, struct view view, const struct agentbus_session *s, size_t count)
{
	char message[TEMPLATE_MESSAGE_SIZE] = "";
	struct template *t = template_create(text, message);
	const char *line;

	cr_assert_not_null(t, "%s: %s", text, message);
	view.template = t;
	line = bed_render(template_render, view, s, count);
	template_destroy(t);
	return line;
}

/* A template of two sessions: R&D waits, shop works. */
static const char *
make(const char *text)
{
	struct agentbus_session s[] = { bed_session("01234567-89ab", AGENTBUS_WAITING, "R&D"),
					bed_session("b", AGENTBUS_WORKING, "shop") };

	s[0].tool = "Bash";
	s[0].reason = "permission";
	s[0].branch = "fix/x";
	s[0].model = "claude-x";
	s[0].tokens = (struct agentbus_tokens){ .input = 1000, .output = 200 };
	s[1].tokens = (struct agentbus_tokens){ .input = 10 };
	s[1].cost = (struct agentbus_cost){ .total = SAMPLE_USD, .has_computed = true };
	s[1].requests = 3;
	s[1].api_errors = 1;
	s[0].last_error = (struct agentbus_failure){ .type = "server", .message = "oops" };
	return make_of(text, (struct view){ .connected = true, .max = 1 }, s, 2);
}

Test(template, values)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "{waiting} {working} {completed} {failed} {idle} {sessions} {more}", "1 1 0 0 0 2 1" },
		{ "{state}: {summary}", "waiting: 1 waiting 1 working" },
		{ "{cost} {tokens} {errors} {requests}", "$1.00 1.2k 1 3" },
		{ "{top.label} {top.project} {top.branch} {top.tool} {top.current_tool}", "R&D R&D fix/x claude Bash" },
		{ "{top.model}", "claude-x" },
		{ "{top.reason} {top.since} {top.cost}|{top.tokens} {top.error} {top.errors} {top.id}",
		  "permission 22:13 |1.2k oops 0 01234567-89ab" },
		{ "{{{waiting}}}", "{1}" },
		{ "\\{x\\}\\n\\t\\\\n", "{x}\n\t\\n" },
		{ "{?waiting:{waiting} wait}{?failed:{failed} failed}", "1 wait" },
		{ "{!waiting:none}{!failed:no \\{ \\} failures}", "no { } failures" },
		{ "a{?waiting:b{?failed:c}d{?working:e}f}g", "abdefg" },
		{ "a{?failed:b{?waiting:c}d}e", "ae" },
		{ "{?waiting:}{?waiting:x}", "x" },
		{ "{?top.cost:x}{!top.cost:no cost}{?cost:{cost}}", "no cost$1.00" },
		{ "{?waiting:a}}}b", "a}b" },
		{ "é{waiting}é", "é1é" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(make(cases[i].text), cases[i].line);
}

Test(template, without_sessions)
{
	static const char text[] =
	    "{state} {sessions} {more} {cost}{top.label}{top.since}{top.cost}{?top.id:x}{!top.id:none} {summary}";

	cr_expect_str_eq(make_of(text, (struct view){ .connected = true, .empty = "quiet" }, NULL, 0), "empty 0 0 none quiet");
	cr_expect_str_eq(make_of(text, (struct view){ .away = "off" }, NULL, 0), "disconnected 0 0 none off");
}

Test(template, mistakes)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "{", "'{' has no '}'" },
		{ "a{waiting", "'{waiting' has no '}'" },
		{ "a}", "a '}' closes nothing; write '}}' for a brace" },
		{ "\\", "it ends with a backslash" },
		{ "\\x", "'\\x' stands for nothing; write '\\\\' for a backslash" },
		{ "{?waiting}", "'{?waiting' is a condition without ':'" },
		{ "{?waiting:", "a condition '{?' or '{!' has no '}'" },
		{ "{!waiting:{?failed:x}", "a condition '{?' or '{!' has no '}'" },
	};
	char message[TEMPLATE_MESSAGE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_null(template_create(cases[i].text, message));
		cr_expect_str_eq(message, cases[i].message);
	}
}

Test(template, unknown_placeholder_is_named_with_the_list)
{
	static const char *const texts[] = { "{waitng}", "{?waitng:x}", "{!waitng:x}" };
	char message[TEMPLATE_MESSAGE_SIZE], names[TEMPLATE_MESSAGE_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_null(template_create(texts[i], message));
		cr_expect_eq(strncmp(message, "there is no placeholder 'waitng'; there are waiting, ", 52), 0, "%s", message);
		cr_expect_not_null(strstr(message, field_names(names, sizeof(names))), "the list is cut");
	}
	cr_expect_null(template_create("{}", message));
	cr_expect_null(template_create("{top.}", message));
	cr_expect_null(template_create("{ waiting}", message));
}

Test(template, depth)
{
	char text[256] = "", message[TEMPLATE_MESSAGE_SIZE];

	for (int depth = 1; depth <= 9; depth++) {
		text[0] = '\0';
		for (int i = 0; i < depth; i++)
			strcat(text, "{?waiting:");
		strcat(text, "x");
		for (int i = 0; i < depth; i++)
			strcat(text, "}");
		if (depth <= 8)
			cr_expect_str_eq(make(text), "x");
		else
			cr_expect_null(template_create(text, message));
	}
}

/* Each prefix is a template or a mistake with a message. */
Test(template, every_prefix)
{
	static const char text[] = "a{{b}}{?waiting:{waiting} \\{{!failed:x}\\}}\\n{top.project}é{summary}";

	for (size_t len = 0; len < sizeof(text); len++) {
		char *prefix = strndup(text, len), message[TEMPLATE_MESSAGE_SIZE] = "";
		struct template *t = template_create(prefix, message);

		free(prefix);
		cr_expect((t == NULL) == (message[0] != '\0'));
		if (t)
			bed_render(template_render, (struct view){ .connected = true, .template = t }, NULL, 0);
		template_destroy(t);
	}
}

/* Values are escaped, what the template itself says is not. */
Test(template, escapes)
{
	struct agentbus_session s = bed_session("a", AGENTBUS_WAITING, "<\"%{A1:x:}\\>");
	static const struct {
		enum rich_kind kind;
		const char *line;
	} cases[] = {
		{ RICH_PLAIN, "<b>%{F-} <\"%{A1:x:}\\> \"</b>" },
		{ RICH_MARKUP, "<b>%{F-} &lt;&quot;%{A1:x:}\\&gt; \"</b>" },
		{ RICH_POLYBAR, "<b>%{F-} <\"% {A1:x:}\\> \"</b>" },
		{ RICH_JSON, "<b>%{F-} <\\\"%{A1:x:}\\\\> \"</b>" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view v = { .connected = true, .escape = cases[i].kind };

		cr_expect_str_eq(make_of("<b>%{{F-}} {top.project} \"</b>", v, &s, 1), cases[i].line);
	}
}

Test(template, long_lines_are_cut)
{
	enum { TIMES = 1000 };
	char project[161], *text = calloc(TIMES, 16);
	struct agentbus_session s;

	memset(project, '&', 160);
	project[160] = '\0';
	s = bed_session("a", AGENTBUS_WAITING, project);
	for (int i = 0; i < TIMES; i++)
		strcat(text, "{top.project}");
	const char *line = make_of(text, (struct view){ .connected = true, .escape = RICH_MARKUP }, &s, 1);

	cr_expect_lt(strlen(line), RICH_SIZE);
	cr_expect(bed_is_markup(line));
	free(text);
}
