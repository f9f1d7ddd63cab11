#include "focus_hints.h"

#include <string.h>

static const struct {
	const char *name, *variable;
} hints[HINT_COUNT] = {
	[HINT_KITTY] = { "kitty", "KITTY_WINDOW_ID" },
	[HINT_KITTY_LISTEN] = { "kitty-listen", "KITTY_LISTEN_ON" },
	[HINT_WEZTERM] = { "wezterm", "WEZTERM_PANE" },
	[HINT_WEZTERM_SOCKET] = { "wezterm-socket", "WEZTERM_UNIX_SOCKET" },
	[HINT_X11] = { "x11", "WINDOWID" },
	[HINT_SWAY] = { "sway", "SWAYSOCK" },
	[HINT_I3] = { "i3", "I3SOCK" },
	[HINT_HYPRLAND] = { "hyprland", "HYPRLAND_INSTANCE_SIGNATURE" },
	[HINT_NIRI] = { "niri", "NIRI_SOCKET" },
	[HINT_TMUX] = { "tmux", "TMUX" },
};

static bool
is_word(const char *word, const char *text, size_t len)
{
	return strlen(word) == len && memcmp(word, text, len) == 0;
}

static void
keep(struct focus_hints *h, enum focus_hint hint, const char *value, size_t len)
{
	if (len >= FOCUS_HINT_SIZE || memchr(value, '\0', len))
		return;
	h->has[hint] = true;
	memcpy(h->value[hint], value, len);
	h->value[hint][len] = '\0';
}

static void
take_item(struct focus_hints *h, const char *item, size_t len)
{
	const char *colon = memchr(item, ':', len);
	const size_t name_len = colon ? (size_t)(colon - item) : len;

	for (enum focus_hint i = 0; i < HINT_COUNT; i++)
		if (is_word(hints[i].name, item, name_len))
			keep(h, i, colon ? colon + 1 : "", colon ? len - name_len - 1 : 0);
}

void
focus_hints_parse(const char *window, struct focus_hints *ret)
{
	*ret = (struct focus_hints){ 0 };
	for (size_t len; *window; window += len + (window[len] == ',')) {
		len = strcspn(window, ",");
		take_item(ret, window, len);
	}
}

static void
take_variable(struct focus_hints *h, const char *text, size_t len)
{
	static const char pane[] = "TMUX_PANE";
	const char *equals = memchr(text, '=', len), *value = equals ? equals + 1 : NULL, *comma;

	if (!equals || equals + 1 == text + len)
		return;
	const size_t name_len = (size_t)(equals - text);
	size_t value_len = len - name_len - 1;

	if (is_word(pane, text, name_len) && value_len < FOCUS_PANE_SIZE) {
		memcpy(h->tmux_pane, value, value_len);
		h->tmux_pane[value_len] = '\0';
	}
	for (enum focus_hint i = 0; i < HINT_COUNT; i++) {
		if (!is_word(hints[i].variable, text, name_len))
			continue;
		/* "/tmp/tmux-1000/default,4242,0" */
		if (i == HINT_TMUX && (comma = memchr(value, ',', value_len)))
			value_len = (size_t)(comma - value);
		keep(h, i, value, value_len);
	}
}

void
focus_hints_of_environment(const char *environment, size_t len, struct focus_hints *ret)
{
	*ret = (struct focus_hints){ 0 };
	while (len > 0) {
		const char *end = memchr(environment, '\0', len);
		const size_t n = end ? (size_t)(end - environment) : len;

		/* One that is cut off has another value than it seems. */
		if (end)
			take_variable(ret, environment, n);
		environment += n + (end != NULL);
		len -= n + (end != NULL);
	}
}

const char *
focus_hints_variable(enum focus_hint hint)
{
	return hints[hint].variable;
}
