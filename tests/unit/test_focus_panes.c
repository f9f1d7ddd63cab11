/* What kitty and wezterm say of their panes. */
#include "agentbus/focus_panes.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <string.h>

static const char kitty[] =
    "[{\"id\":1,\"is_focused\":true,\"platform_window_id\":4194307,\"tabs\":[{\"id\":1,\"is_active\":false,\"windows\":[{\"id\":"
    "1,"
    "\"is_active\":true,\"title\":\"hidden\",\"pid\":10}]},{\"id\":2,\"is_active\":true,\"windows\":[{\"id\":2,\"is_active\":"
    "false,"
    "\"title\":\"beside\",\"pid\":20},{\"id\":3,\"is_active\":true,\"title\":\"shown\",\"pid\":30}]}]},{\"id\":2,\"platform_"
    "window_id\":"
    "null,\"tabs\":[{\"id\":3,\"is_active\":true,\"windows\":[{\"id\":4,\"is_active\":true,\"title\":\"other\",\"pid\":40}]}]}]";
static const char wezterm[] =
    "[{\"window_id\":0,\"tab_id\":0,\"pane_id\":0,\"title\":\"a\",\"window_title\":\"one\",\"is_active\":true,\"tty_name\":\"/"
    "dev/pts/1\"},"
    "{\"window_id\":1,\"tab_id\":2,\"pane_id\":7,\"title\":\"b\",\"window_title\":\"two\",\"is_active\":false}]";
static const char clients[] = "[{\"username\":\"dev\",\"pid\":3,\"focused_pane_id\":7},{\"pid\":4,\"focused_pane_id\":null}]";

Test(focus_panes, kitty)
{
	struct focus_pane p;

	cr_assert(focus_panes_of_kitty(kitty, strlen(kitty), 3, &p));
	cr_expect(p.shown);
	cr_expect_eq(p.pid, 30);
	cr_expect_eq(p.window.x11, 4194307);
	cr_expect_str_eq(p.window.title, "shown");
	cr_assert(focus_panes_of_kitty(kitty, strlen(kitty), 1, &p));
	cr_expect_not(p.shown, "its tab is not");
	cr_expect_str_eq(p.window.title, "shown", "what the window is called now");
	cr_assert(focus_panes_of_kitty(kitty, strlen(kitty), 2, &p));
	cr_expect_not(p.shown);
	cr_assert(focus_panes_of_kitty(kitty, strlen(kitty), 4, &p));
	cr_expect_eq(p.window.x11, 0);
	cr_expect_not(focus_panes_of_kitty(kitty, strlen(kitty), 9, &p));
}

Test(focus_panes, wezterm)
{
	struct focus_pane p;

	cr_assert(focus_panes_of_wezterm(wezterm, strlen(wezterm), 0, &p));
	cr_expect_str_eq(p.tty, "/dev/pts/1");
	cr_expect_str_eq(p.window.title, "one");
	cr_assert(focus_panes_of_wezterm(wezterm, strlen(wezterm), 7, &p));
	cr_expect_str_eq(p.tty, "");
	cr_expect_not(focus_panes_of_wezterm(wezterm, strlen(wezterm), 1, &p));
	cr_expect(focus_panes_wezterm_shows(clients, strlen(clients), 7));
	cr_expect_not(focus_panes_wezterm_shows(clients, strlen(clients), 0));
}

Test(focus_panes, every_prefix_and_what_is_none)
{
	static const char *const texts[] = {
		"", "null", "{}", "[1,2]", "[{\"tabs\":[{\"windows\":7}]}]", "[{\"tabs\":{\"a\":1}}]"
	};
	struct guard g = guard_create(sizeof(kitty));
	struct focus_pane p;

	for (size_t n = 0; n < strlen(kitty); n++)
		cr_expect_not(focus_panes_of_kitty(guard_put(&g, kitty, n), n, 3, &p));
	for (size_t n = 0; n < strlen(wezterm); n++)
		cr_expect_not(focus_panes_of_wezterm(guard_put(&g, wezterm, n), n, 0, &p));
	for (size_t n = 0; n < strlen(clients); n++)
		cr_expect_not(focus_panes_wezterm_shows(guard_put(&g, clients, n), n, 7));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_not(focus_panes_of_kitty(texts[i], strlen(texts[i]), 1, &p), "%s", texts[i]);
		cr_expect_not(focus_panes_of_wezterm(texts[i], strlen(texts[i]), 1, &p), "%s", texts[i]);
		cr_expect_not(focus_panes_wezterm_shows(texts[i], strlen(texts[i]), 1), "%s", texts[i]);
	}
	guard_destroy(&g);
}
