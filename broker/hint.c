#include "hint.h"

#include <stdio.h>

const struct hint_variable hint_variables[HINT_COUNT] = {
	[HINT_PANE] = { "TMUX_PANE", NULL, true },
	[HINT_FIRST] = { "KITTY_WINDOW_ID", "kitty", true },
	{ "KITTY_LISTEN_ON", "kitty-listen", true },
	{ "WEZTERM_PANE", "wezterm", true },
	{ "WEZTERM_UNIX_SOCKET", "wezterm-socket", true },
	{ "FOOT_WINDOW_ID", "foot", true },
	{ "ALACRITTY_WINDOW_ID", "alacritty", true },
	{ "GHOSTTY_SURFACE_ID", "ghostty", true },
	{ "GHOSTTY_RESOURCES_DIR", "ghostty", false },
	{ "WINDOWID", "x11", true },
	{ "SWAYSOCK", "sway", true },
	{ "I3SOCK", "i3", true },
	{ "HYPRLAND_INSTANCE_SIGNATURE", "hyprland", true },
	{ "NIRI_SOCKET", "niri", true },
	{ "TMUX", "tmux", true },
};

size_t
hint_index(struct str variable)
{
	size_t i = 0;

	while (i < HINT_COUNT && !str_eq(variable, str_from(hint_variables[i].variable)))
		i++;
	return i;
}

/* What of a value is told: "/tmp/tmux-1000/default,1234,0" is the socket, the server's pid, and a session. */
static bool
usable(const struct hint_variable *v, struct str *value)
{
	const char *comma = memchr(value->ptr, ',', value->len);

	if (comma && strcmp(v->variable, "TMUX") == 0)
		value->len = (size_t)(comma - value->ptr);
	else if (comma)
		return false;
	return value->len > 0 && value->len < HINT_VALUE_MAX;
}

size_t
hint_window(const struct str values[HINT_COUNT], char text[HINT_WINDOW_MAX])
{
	const char *last = "";
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = HINT_FIRST; i < HINT_COUNT; i++) {
		const struct hint_variable *v = &hint_variables[i];
		struct str value = values[i];
		int n;

		if (value.len == 0 || (v->value && !usable(v, &value)) || (!v->value && strcmp(last, v->name) == 0))
			continue;
		n = v->value ? snprintf(text + len, HINT_WINDOW_MAX - len, "%s%s:%.*s", len ? "," : "", v->name, (int)value.len,
					value.ptr)
			     : snprintf(text + len, HINT_WINDOW_MAX - len, "%s%s", len ? "," : "", v->name);
		if (n > 0 && (size_t)n < HINT_WINDOW_MAX - len) {
			len += (size_t)n;
			last = v->name;
		}
		text[len] = '\0';
	}
	return len;
}
