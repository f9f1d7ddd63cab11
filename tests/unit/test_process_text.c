#include "process_text.h"

#include "guard.h"

#include <stdio.h>

static const char stat_line[] =
    "4242 (a) (b c) S 17 4242 4242 34819 4243 4194304 1 0 0 0 2 3 0 0 20 0 1 0 987654321 1000 200 1844\n";

static struct str
text(const char *s)
{
	return str_from(s);
}

Test(process_text, stat)
{
	struct process_stat s;
	char tty[PROCESS_TTY_MAX];

	cr_assert(process_text_stat(text(stat_line), &s));
	cr_expect_str_eq(s.name, "a) (b c");
	cr_expect_eq(s.parent, 17);
	cr_expect_eq(s.start, 987654321);
	cr_expect_not(s.dead);
	process_text_tty(s.tty, tty);
	cr_expect_str_eq(tty, "/dev/pts/3");
	cr_assert(process_text_stat(text("1 (x) Z 0 1 1 0 -1 4 1 0 0 0 2 3 0 0 20 0 1 0 5 "), &s));
	cr_expect(s.dead);
	cr_expect_eq(s.tty, 0);
}

Test(process_text, stat_cut_off_or_broken_is_none)
{
	static const char *const broken[] = { "",
					      "1",
					      "1 (x",
					      "1 x) S",
					      ")(",
					      "1 (x)",
					      "1 (x) S a 1 1 0 -1 4 1 0 0 0 2 3 0 0 20 0 1 0 5 ",
					      "1 (x) S 0 1 1 0 -1 4 1 0 0 0 2 3 0 0 20 0 1 0 -5 " };
	struct guard g = guard_create(sizeof(stat_line));
	const size_t enough = (size_t)(strstr(stat_line, "987654321 ") - stat_line) + 10;
	struct process_stat s = { .start = 7 };

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		cr_expect_not(process_text_stat(text(broken[i]), &s), "%s", broken[i]);
	for (size_t len = 0; len < sizeof(stat_line); len++)
		cr_expect_eq(process_text_stat((struct str){ guard_put(&g, stat_line, len), len }, &s), len >= enough, "%zu",
			     len);
	guard_destroy(&g);
}

Test(process_text, terminals)
{
	static const struct {
		uint32_t device;
		const char *name;
	} cases[] = {
		{ 0, "" },
		{ 136 << 8, "/dev/pts/0" },
		{ 137 << 8 | 5, "/dev/pts/261" },
		{ 4 << 8 | 2, "/dev/tty2" },
		{ 4 << 8 | 64, "" },
		{ 5 << 8, "" },
		{ UINT32_MAX, "" },
	};
	char tty[PROCESS_TTY_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		process_text_tty(cases[i].device, tty);
		cr_expect_str_eq(tty, cases[i].name);
	}
}

Test(process_text, sockets)
{
	static const char link[] = "socket:[4294967295]";
	static const char *const others[] = { "",
					      "socket:",
					      "socket:[",
					      "socket:[]",
					      "socket:[0]",
					      "socket:[4294967296]",
					      "pipe:[5]",
					      "socket:[-1]",
					      "/dev/null",
					      "socket:[1",
					      "socket:[99999999999999999999]" };
	struct guard g = guard_create(sizeof(link));
	uint32_t inode = 0;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not(process_text_socket(text(others[i]), &inode), "%s", others[i]);
	for (size_t len = 0; len < sizeof(link) - 1; len++)
		cr_expect_not(process_text_socket((struct str){ guard_put(&g, link, len), len }, &inode), "%zu", len);
	cr_assert(process_text_socket(text(link), &inode));
	cr_expect_eq(inode, UINT32_MAX);
	guard_destroy(&g);
}

Test(process_text, numbers)
{
	uint32_t n = 0;

	cr_expect_not(process_text_number("self", &n));
	cr_expect_not(process_text_number("", &n));
	cr_expect_not(process_text_number("1x", &n));
	cr_expect_not(process_text_number("99999999999", &n));
	cr_assert(process_text_number("4242", &n));
	cr_expect_eq(n, 4242);
}

static const char environment[] = "SECRET=canary\0TMUX_PANE=%7\0TMUX_PANE2=canary\0KITTY_WINDOW_ID=\0=x\0WINDOWID=99\0NOEQUALS\0"
				  "SWAYSOCK=/run/s";

static void
expect_environment(const struct process_environ *e, const char *what, size_t at)
{
	struct str values[HINT_COUNT];

	process_environ_values(e, values);
	for (size_t i = 0; i < HINT_COUNT; i++) {
		const char *name = hint_variables[i].variable;
		const char *want = strcmp(name, "TMUX_PANE") == 0 ? "%7" : strcmp(name, "WINDOWID") == 0 ? "99" : "";

		cr_assert(str_eq(values[i], str_from(want)), "%s %zu: %s is %.*s", what, at, name, (int)values[i].len,
			  values[i].ptr);
	}
}

Test(process_text, environment_at_every_split)
{
	struct guard g = guard_create(sizeof(environment));
	const size_t size = sizeof(environment) - 1; /* the last one has no end */

	for (size_t at = 0; at <= size; at++) {
		struct process_environ e = { 0 };

		process_environ_feed(&e, guard_put(&g, environment, at), at);
		process_environ_feed(&e, guard_put(&g, environment + at, size - at), size - at);
		expect_environment(&e, "split", at);
		cr_assert_null(memmem(e.values, sizeof(e.values), "canary", 6), "only what was asked for is kept");
	}
	guard_destroy(&g);
}

Test(process_text, environment_at_every_prefix)
{
	for (size_t len = 0; len < sizeof(environment) - 1; len++) {
		struct process_environ e = { 0 };
		struct str values[HINT_COUNT];

		process_environ_feed(&e, environment, len);
		process_environ_values(&e, values);
		cr_assert(values[HINT_PANE].len == 0 || str_eq(values[HINT_PANE], STR("%7")), "%zu", len);
	}
}

Test(process_text, long_entries_are_passed_over)
{
	char entry[1024];

	for (size_t len = 1; len < sizeof(entry) - 16; len++) {
		struct process_environ e = { 0 };
		struct str values[HINT_COUNT];
		const size_t pane = hint_index(STR("NIRI_SOCKET"));

		memset(entry, 'v', sizeof(entry));
		memcpy(entry, "NIRI_SOCKET=", 12);
		entry[12 + len] = '\0';
		process_environ_feed(&e, entry, 13 + len);
		process_environ_feed(&e, "TMUX_PANE=%1", 13);
		process_environ_values(&e, values);
		cr_assert_eq(values[pane].len, len < HINT_VALUE_MAX ? len : 0, "%zu", len);
		cr_assert(str_eq(values[HINT_PANE], STR("%1")));
	}
}
