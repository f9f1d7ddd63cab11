#include "hint.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct str values[HINT_COUNT];

static void
set(const char *variable, const char *value)
{
	const size_t i = hint_index(str_from(variable));

	cr_assert_lt(i, (size_t)HINT_COUNT, "%s", variable);
	values[i] = str_from(value);
}

static void
expect_window(const char *want)
{
	char text[HINT_WINDOW_MAX];
	const size_t len = hint_window(values, text);

	cr_expect_str_eq(text, want);
	cr_expect_eq(len, strlen(want));
}

Test(hint, each_variable_is_found_by_its_name)
{
	for (size_t i = 0; i < HINT_COUNT; i++) {
		cr_expect_eq(hint_index(str_from(hint_variables[i].variable)), i);
		cr_expect_eq(hint_variables[i].name != NULL, i >= HINT_FIRST);
	}
	cr_expect_eq(hint_index(STR("PATH")), (size_t)HINT_COUNT);
	cr_expect_eq(hint_index(STR("TMUX_PAN")), (size_t)HINT_COUNT);
	cr_expect_eq(hint_index(STR("")), (size_t)HINT_COUNT);
}

Test(hint, hints_have_a_name_and_a_value)
{
	expect_window("");
	set("TMUX_PANE", "%1");
	expect_window("");
	set("TMUX", "/tmp/tmux-1000/default,1234,0");
	set("KITTY_LISTEN_ON", "unix:/tmp/k");
	set("KITTY_WINDOW_ID", "1");
	set("SWAYSOCK", "/run/user/1000/sway-ipc.sock");
	expect_window("kitty:1,kitty-listen:unix:/tmp/k,sway:/run/user/1000/sway-ipc.sock,tmux:/tmp/tmux-1000/default");
}

Test(hint, what_has_a_comma_is_left_out)
{
	set("I3SOCK", "/a,b");
	set("NIRI_SOCKET", "/n");
	set("TMUX", ",1");
	expect_window("niri:/n");
}

Test(hint, ghostty_may_tell_no_more_than_that_it_is_there)
{
	set("GHOSTTY_RESOURCES_DIR", "/usr/share/ghostty,x");
	expect_window("ghostty");
	set("GHOSTTY_SURFACE_ID", "7");
	expect_window("ghostty:7");
}

Test(hint, what_does_not_fit_is_left_out)
{
	static char texts[HINT_COUNT][HINT_VALUE_MAX + 1];
	char text[HINT_WINDOW_MAX];

	for (size_t len = 0; len <= HINT_VALUE_MAX; len++) {
		for (size_t i = 0; i < HINT_COUNT; i++) {
			memset(texts[i], 'x', len);
			values[i] = (struct str){ texts[i], len };
		}
		const size_t n = hint_window(values, text);
		cr_assert_lt(n, sizeof(text));
		cr_assert_eq(strlen(text), n);
		cr_assert(n == 0 || text[n - 1] != ',');
	}
}
