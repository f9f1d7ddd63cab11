#include "notify/command.h"

#include "sample_session.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct agentbus_session
session_of(void)
{
	struct agentbus_session s = sample_session("id-1", AGENTBUS_WAITING);

	s.provider = "codex";
	s.pid = 4711;
	s.window = "kitty:1,x11:42";
	s.project = "my shop";
	s.project_dir = "/home/me/my shop";
	return s;
}

/* What the line becomes for the session, each word in brackets; "!" if it is no command. */
static const char *
run(const char *line, char *out)
{
	const struct agentbus_session s = session_of();
	struct command c;
	const char *why;
	char **argv;

	strcpy(out, "!");
	if (!command_parse(line, &c, &why))
		return out;
	argv = command_expand(&c, &s);
	cr_assert(argv);
	out[0] = '\0';
	for (size_t i = 0; argv[i]; i++)
		sprintf(out + strlen(out), "[%s]", argv[i]);
	free(argv);
	return out;
}

Test(notify_command, lines)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{ "", "" },
		{ " \t ", "" },
		{ "focus", "[focus]" },
		{ " focus\t--on  it ", "[focus][--on][it]" },
		{ "a 'b  c' d", "[a][b  c][d]" },
		{ "a \"b 'c'\" ''", "[a][b 'c'][]" },
		{ "a b'c'\"d\"e", "[a][bcde]" },
		{ "a\\ b \\'", "[a b][']" },
		{ "\"a\\\"b\\\\c\\d\"", "[a\"b\\c\\d]" },
		{ "'a\\'", "[a\\]" },
		{ "$HOME `id` $(id) *; rm ~ | > &", "[$HOME][`id`][$(id)][*;][rm][~][|][>][&]" },
		{ "f {id} {provider} {pid}", "[f][id-1][codex][4711]" },
		{ "f -w={window},{project}", "[f][-w=kitty:1,x11:42,my shop]" },
		{ "f {directory}", "[f][/home/me/my shop]" },
		{ "f '{id}{id}'", "[f][id-1id-1]" },
		{ "f {} {ID} {i-d} {id {{id}}", "[f][{}][{ID}][{i-d}][{id][{id-1}]" },
		{ "f 'a", "!" },
		{ "f \"a", "!" },
		{ "f a\\", "!" },
		{ "f \"a\\", "!" },
		{ "f {name}", "!" },
	};
	char out[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(run(cases[i].line, out), cases[i].words, "%s: %s", cases[i].line, out);
}

/* What a session has is an argument, whatever is in it, and is not read for placeholders again. */
Test(notify_command, foreign_text_stays_in_its_word)
{
	struct agentbus_session s = session_of();
	struct command c;
	const char *why;

	s.project = "a b'\"\\ ; {id} $(id)\n\xff";
	cr_assert(command_parse("f x{project}y", &c, &why));
	char **argv = command_expand(&c, &s);
	cr_assert_str_eq(argv[1], "xa b'\"\\ ; {id} $(id)\n\xffy");
	cr_assert(!argv[2]);
	free(argv);
}

Test(notify_command, long_text)
{
	struct agentbus_session s = session_of();
	struct command c;
	const char *why;
	char *name = malloc(100001), line[COMMAND_SIZE + 1];

	memset(name, 'n', 100000);
	name[100000] = '\0';
	s.project = name;
	cr_assert(command_parse("{project} {project}", &c, &why));
	char **argv = command_expand(&c, &s);
	cr_assert_eq(strlen(argv[0]), 100000);
	cr_assert_eq(strlen(argv[1]), 100000);
	free(argv);
	free(name);

	memset(line, 'w', sizeof(line));
	line[COMMAND_SIZE - 1] = '\0';
	cr_assert(command_parse(line, &c, &why));
	cr_assert_eq(strlen(c.words), COMMAND_SIZE - 1);
	line[COMMAND_SIZE - 1] = 'w';
	line[COMMAND_SIZE] = '\0';
	cr_assert_not(command_parse(line, &c, &why));
	cr_assert_str_eq(why, "it is too long");
}

Test(notify_command, many_words)
{
	char line[2 * COMMAND_WORDS_MAX + 8] = "", *p = line;
	struct command c;
	const char *why;

	for (int i = 0; i < COMMAND_WORDS_MAX; i++)
		p = stpcpy(p, "a ");
	cr_assert(command_parse(line, &c, &why));
	cr_assert_eq(c.count, COMMAND_WORDS_MAX);
	strcpy(p, "b");
	cr_assert_not(command_parse(line, &c, &why));
	cr_assert_str_eq(why, "it has too many words");
}

Test(notify_command, every_prefix)
{
	static const char text[] = "a\\ b 'c {id}' \"d\\\" {pid}\" {project}x";
	struct agentbus_session s = session_of();
	struct command c;
	const char *why;
	int taken = 0;

	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = strndup(text, len);

		if (command_parse(copy, &c, &why)) {
			char **argv = command_expand(&c, &s);

			cr_assert(!argv[c.count]);
			free(argv);
			taken++;
		}
		free(copy);
	}
	cr_assert_gt(taken, 5);
	cr_assert_lt(taken, 36);
}
