#include "focus_ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 256, COMMAND_SIZE = 96 };

enum i3_message { I3_RUN_COMMAND = 0, I3_GET_TREE = 4 };

/* A window manager that is asked over a socket. */
struct desktop {
	const char *name;
	enum focus_hint hint;
	enum focus_framing framing;
	uint32_t list_type; /* of FRAMING_I3 */
	const char *list;
	bool (*read)(const char *json, size_t len, struct focus_windows *ret);
	/* Whose processes are told apart by X11 alone. */
	bool nameless;
	/* What brings a window to the front. */
	void (*command)(const struct focus_window *w, char out[COMMAND_SIZE]);
	bool (*obeyed)(const char *answer, size_t len);
	/* Where its socket is, by the hint's value and the number of the place; false after the last one. */
	bool (*place)(const char *value, size_t number, char out[PATH_SIZE]);
	/* Asked for the window that has the focus; NULL: the list tells. */
	const char *ask_focused;
};

/* --- what they are told --- */

static void
i3_command(const struct focus_window *w, char out[COMMAND_SIZE])
{
	snprintf(out, COMMAND_SIZE, "[con_id=%" PRIu64 "] focus", w->id);
}

static void
hyprland_command(const struct focus_window *w, char out[COMMAND_SIZE])
{
	snprintf(out, COMMAND_SIZE, "dispatch focuswindow address:%s", w->address);
}

static void
niri_command(const struct focus_window *w, char out[COMMAND_SIZE])
{
	snprintf(out, COMMAND_SIZE, "{\"Action\":{\"FocusWindow\":{\"id\":%" PRIu64 "}}}", w->id);
}

/* --- where they are --- */

static bool
socket_place(const char *value, size_t number, char out[PATH_SIZE])
{
	return number == 0 && snprintf(out, PATH_SIZE, "%s", value) < PATH_SIZE;
}

static bool
hyprland_place(const char *value, size_t number, char out[PATH_SIZE])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (number > 1 || strchr(value, '/'))
		return false;
	/* The second is where older versions have it. */
	const char *root = number == 0 && runtime ? runtime : "/tmp";
	return snprintf(out, PATH_SIZE, "%s/hypr/%s/.socket.sock", root, value) < PATH_SIZE;
}

static const struct desktop desktops[] = {
	{
	    .name = "sway",
	    .hint = HINT_SWAY,
	    .framing = FRAMING_I3,
	    .list_type = I3_GET_TREE,
	    .list = "",
	    .read = focus_windows_of_tree,
	    .command = i3_command,
	    .obeyed = focus_windows_tree_obeys,
	    .place = socket_place,
	},
	{
	    .name = "Hyprland",
	    .hint = HINT_HYPRLAND,
	    .framing = FRAMING_END,
	    .list = "j/clients",
	    .read = focus_windows_of_hyprland,
	    .command = hyprland_command,
	    .obeyed = focus_windows_hyprland_obeys,
	    .place = hyprland_place,
	    .ask_focused = "j/activewindow",
	},
	{
	    .name = "niri",
	    .hint = HINT_NIRI,
	    .framing = FRAMING_LINE,
	    .list = "\"Windows\"",
	    .read = focus_windows_of_niri,
	    .command = niri_command,
	    .obeyed = focus_windows_niri_obeys,
	    .place = socket_place,
	},
	{
	    .name = "i3",
	    .hint = HINT_I3,
	    .framing = FRAMING_I3,
	    .list_type = I3_GET_TREE,
	    .list = "",
	    .read = focus_windows_of_tree,
	    .nameless = true,
	    .command = i3_command,
	    .obeyed = focus_windows_tree_obeys,
	    .place = socket_place,
	},
};

/* --- the steps --- */

/* By the list, or by a question of its own, whose answer is the one window that has it. */
static enum focus_verdict
check(struct focus_job *job, const struct desktop *d, const char *path, const struct focus_window *w)
{
	char *text, quoted[FOCUS_ADDRESS_SIZE + 2];
	bool focused = w->focused;
	size_t len;

	if (d->ask_focused && !focus_ipc_ask(path, d->framing, 0, d->ask_focused, &text, &len))
		return focus_job_give_up(job, "%s does not say which window has the focus", d->name);
	if (d->ask_focused) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", w->address);
		focused = strstr(text, quoted) != NULL;
		free(text);
	}
	return focused ? FOCUS_DONE : focus_job_elsewhere(job, "%s: another window has the focus", d->name);
}

static enum focus_verdict
act_on(struct focus_job *job, const struct desktop *d, const char *path, const struct focus_window *w)
{
	char command[COMMAND_SIZE], *text = NULL;
	size_t len;

	if (job->act == ACT_CHECK)
		return check(job, d, path, w);
	d->command(w, command);
	focus_job_say(job, "%s %s: %s", d->name, job->act == ACT_PRINT ? "would be told" : "is told", command);
	if (job->act == ACT_PRINT)
		return FOCUS_DONE;
	const bool done = focus_ipc_ask(path, d->framing, I3_RUN_COMMAND, command, &text, &len) && d->obeyed(text, len);
	free(text);
	return done ? FOCUS_DONE : focus_job_give_up(job, "%s does not bring its window to the front", d->name);
}

/* FOCUS_NOT_MINE where nobody answers, or has no window of it: why tells, in the second case. */
static enum focus_verdict
try_socket(struct focus_job *job, const struct desktop *d, const char *path)
{
	struct focus_windows windows;
	const struct focus_window *w;
	enum focus_verdict v = FOCUS_NOT_MINE;
	bool several;
	char *text;
	size_t len;

	if (!focus_ipc_ask(path, d->framing, d->list_type, d->list, &text, &len))
		return v;
	const bool ok = d->read(text, len, &windows);
	free(text);
	if (!ok) {
		focus_job_give_up(job, "%s says nothing of its windows that could be understood", d->name);
		return v;
	}
	if (d->nameless)
		focus_x11_name(job, &windows);
	focus_job_say(job, "%s: %zu windows", d->name, windows.count);
	w = focus_windows_find(&windows, &job->kin, &job->clue, &several);
	if (w)
		v = act_on(job, d, path, w);
	else if (several)
		v = focus_job_give_up(job, "its terminal has several windows of one process, and nothing tells which it is");
	else
		focus_job_give_up(job, "%s has no window of its process, nor of one that it descends from", d->name);
	focus_windows_finish(&windows);
	return v;
}

static enum focus_verdict
try_hint(struct focus_job *job, const struct desktop *d, const struct focus_hints *hints)
{
	enum focus_verdict v = FOCUS_NOT_MINE;
	char path[PATH_SIZE];

	for (size_t i = 0; *hints->value[d->hint] && v == FOCUS_NOT_MINE && d->place(hints->value[d->hint], i, path); i++)
		v = try_socket(job, d, path);
	return v;
}

enum focus_verdict
focus_desktop(struct focus_job *job)
{
	enum focus_verdict v = FOCUS_NOT_MINE;

	for (size_t i = 0; i < sizeof(desktops) / sizeof(desktops[0]) && v == FOCUS_NOT_MINE; i++) {
		const struct desktop *d = &desktops[i];

		v = try_hint(job, d, &job->own);
		/* What was started long ago may name a desktop that is gone, and we may be asked from beside one. */
		if (v == FOCUS_NOT_MINE && strcmp(job->own.value[d->hint], job->hints.value[d->hint]) != 0)
			v = try_hint(job, d, &job->hints);
	}
	return v == FOCUS_NOT_MINE && *job->why ? FOCUS_UNKNOWN : v;
}
