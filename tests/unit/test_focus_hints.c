#include "agentbus/focus_hints.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(focus_hints, what_a_session_tells)
{
	struct focus_hints h;

	focus_hints_parse("kitty:1,x11:99,sway", &h);
	cr_expect_str_eq(h.value[HINT_KITTY], "1");
	cr_expect_str_eq(h.value[HINT_X11], "99");
	cr_expect(h.has[HINT_SWAY] && !*h.value[HINT_SWAY], "only its presence");
	cr_expect_not(h.has[HINT_WEZTERM]);
	cr_expect_str_eq(h.tmux_pane, "");

	focus_hints_parse(
	    "kitty:7,kitty-listen:unix:/tmp/k,wezterm:3,wezterm-socket:/p,foot:5,later:x,sway:/run/user/1000/sway-ipc.sock,"
	    "hyprland:SIG_1,niri:/n,i3:/i,tmux:/tmp/tmux-1000/default",
	    &h);
	cr_expect_str_eq(h.value[HINT_KITTY_LISTEN], "unix:/tmp/k");
	cr_expect_str_eq(h.value[HINT_WEZTERM_SOCKET], "/p");
	cr_expect_str_eq(h.value[HINT_SWAY], "/run/user/1000/sway-ipc.sock");
	cr_expect_str_eq(h.value[HINT_HYPRLAND], "SIG_1");
	cr_expect_str_eq(h.value[HINT_NIRI], "/n");
	cr_expect_str_eq(h.value[HINT_I3], "/i");
	cr_expect_str_eq(h.value[HINT_TMUX], "/tmp/tmux-1000/default");
}

Test(focus_hints, what_is_none)
{
	static const char *const texts[] = { "", ",", ",,", ":", "kittyx:1", "kitt:1", "KITTY:1", ":kitty", "x11x" };
	char far[FOCUS_HINT_SIZE + 16] = "kitty:";
	struct focus_hints h;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		focus_hints_parse(texts[i], &h);
		for (enum focus_hint k = 0; k < HINT_COUNT; k++)
			cr_expect_not(h.has[k], "'%s'", texts[i]);
	}
	memset(far + 6, '1', FOCUS_HINT_SIZE);
	focus_hints_parse(far, &h);
	cr_expect_not(h.has[HINT_KITTY], "too long to be one");
	far[6 + FOCUS_HINT_SIZE - 1] = '\0';
	focus_hints_parse(far, &h);
	cr_expect_eq(strlen(h.value[HINT_KITTY]), FOCUS_HINT_SIZE - 1);
}

Test(focus_hints, what_an_environment_tells)
{
	static const char environment[] =
	    "HOME=/home/dev\0TMUX=/tmp/tmux-1000/default,42,0\0TMUX_PANE=%4\0KITTY_WINDOW_ID=3\0NOTHING\0=x\0"
	    "SWAYSOCK=\0WINDOWID=41943\0I3SOCK=/run/i3";
	struct focus_hints h;

	focus_hints_of_environment(environment, sizeof(environment), &h);
	cr_expect_str_eq(h.value[HINT_TMUX], "/tmp/tmux-1000/default");
	cr_expect_str_eq(h.tmux_pane, "%4");
	cr_expect_str_eq(h.value[HINT_KITTY], "3");
	cr_expect_str_eq(h.value[HINT_X11], "41943");
	cr_expect_str_eq(h.value[HINT_I3], "/run/i3");
	cr_expect_not(h.has[HINT_SWAY]);
	focus_hints_of_environment(environment, sizeof(environment) - 1, &h);
	cr_expect_not(h.has[HINT_I3], "it is cut off");
	/* Every prefix, with nothing after it to read. */
	struct guard g = guard_create(sizeof(environment));
	for (size_t n = 0; n <= sizeof(environment); n++) {
		focus_hints_of_environment(guard_put(&g, environment, n), n, &h);
		cr_expect(!*h.value[HINT_TMUX] || strcmp(h.value[HINT_TMUX], "/tmp/tmux-1000/default") == 0);
	}
	guard_destroy(&g);
}

Test(focus_hints, every_hint_has_its_variable)
{
	for (enum focus_hint i = 0; i < HINT_COUNT; i++) {
		char text[64];
		const int n = snprintf(text, sizeof(text), "%s=v", focus_hints_variable(i)) + 1;
		struct focus_hints h;

		focus_hints_of_environment(text, (size_t)n, &h);
		cr_expect_str_eq(h.value[i], "v", "%s", text);
	}
}
