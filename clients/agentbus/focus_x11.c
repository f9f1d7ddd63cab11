#include "focus_ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 24 };

/* --- questions --- */

/* Runs xdotool with up to four arguments; the caller frees what it printed, NULL if it failed. */
static char *
xdotool(const char *a, const char *b, const char *c, const char *d)
{
	const char *const argv[] = { "xdotool", a, b, c, d, NULL };
	char *text = NULL;

	return focus_program_run(argv, NULL, &text) == RAN_WELL ? text : NULL;
}

/* The number in what a program printed, after so much of it; 0 if there is none. */
static uint64_t
take_number(char *text, const char *after)
{
	const char *at = text && *after ? strstr(text, after) : text;
	const uint64_t n = at ? strtoull(at + strlen(after), NULL, 0) : 0;

	free(text);
	return n;
}

static uint64_t
hinted(const struct focus_job *job)
{
	return strtoull(job->hints.value[HINT_X11], NULL, 10);
}

/* The process of a window, 0 if it does not say. *ret_exists: whether there is such a window. */
static uint32_t
pid_of(uint64_t x11, bool *ret_exists)
{
	char number[NUMBER_SIZE], *name = NULL;

	snprintf(number, sizeof(number), "%" PRIu64, x11);
	const uint64_t pid = take_number(xdotool("getwindowpid", number, NULL, NULL), "");

	if (pid == 0)
		name = xdotool("getwindowname", number, NULL, NULL);
	*ret_exists = pid != 0 || name;
	free(name);
	return pid <= INT32_MAX ? (uint32_t)pid : 0;
}

/* The windows that a process has on the screen. */
static void
add_of(uint32_t pid, struct focus_windows *w)
{
	char number[NUMBER_SIZE];
	struct focus_window window = { .pid = pid };

	snprintf(number, sizeof(number), "%" PRIu32, pid);
	char *text = xdotool("search", "--onlyvisible", "--pid", number);

	for (char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		window.id = window.x11 = strtoull(line, NULL, 10);
		if (window.x11 != 0)
			focus_windows_add(w, &window);
	}
	free(text);
}

/* Of the windows that may be the job's. False if no program tells. */
static bool
list(const struct focus_job *job, struct focus_windows *ret)
{
	const char *const wmctrl[] = { "wmctrl", "-l", "-p", NULL };
	struct focus_window window = { .x11 = hinted(job) };
	char *text = NULL;
	bool exists = false;

	*ret = (struct focus_windows){ 0 };
	if (focus_program_run(wmctrl, NULL, &text) == RAN_WELL) {
		const bool ok = focus_windows_of_wmctrl(text, ret);

		free(text);
		return ok;
	}
	window.id = window.x11;
	window.pid = window.x11 ? pid_of(window.x11, &exists) : 0;
	if (exists && (window.pid == 0 || focus_job_has(job, window.pid)))
		return focus_windows_add(ret, &window);
	for (size_t i = 0; i < job->kin.count && ret->count == 0; i++)
		add_of(job->kin.pids[i], ret);
	return true;
}

void
focus_x11_name(const struct focus_job *job, struct focus_windows *w)
{
	struct focus_windows mine;

	if (!list(job, &mine))
		return;
	for (size_t i = 0; i < mine.count; i++)
		for (size_t k = 0; k < w->count; k++)
			if (w->list[k].x11 == mine.list[i].x11 && w->list[k].pid == 0)
				w->list[k].pid = mine.list[i].pid;
	focus_windows_finish(&mine);
}

/* --- the way --- */

static uint64_t
active_window(void)
{
	const char *const xprop[] = { "xprop", "-root", "_NET_ACTIVE_WINDOW", NULL };
	char *text = NULL;
	const uint64_t x11 = take_number(xdotool("getactivewindow", NULL, NULL, NULL), "");

	if (x11 == 0 && focus_program_run(xprop, NULL, &text) == RAN_WELL)
		return take_number(text, "# ");
	return x11;
}

static enum focus_verdict
check(struct focus_job *job, const struct focus_window *w)
{
	const uint64_t active = active_window();

	if (active == 0)
		return focus_job_give_up(job, "nothing tells which window has the focus: xdotool or xprop would");
	return active == w->x11 ? FOCUS_DONE : focus_job_elsewhere(job, "another window has the focus");
}

static enum focus_verdict
raise_it(struct focus_job *job, const struct focus_window *w)
{
	char number[NUMBER_SIZE];
	const char *const xdotool_argv[] = { "xdotool", "windowactivate", number, NULL };
	const char *const wmctrl_argv[] = { "wmctrl", "-i", "-a", number, NULL };

	snprintf(number, sizeof(number), "0x%" PRIx64, w->x11);
	if (focus_job_act(job, xdotool_argv, NULL) == RAN_WELL || focus_job_act(job, wmctrl_argv, NULL) == RAN_WELL)
		return FOCUS_DONE;
	return focus_job_give_up(job, "its window could not be brought to the front: xdotool or wmctrl does that");
}

enum focus_verdict
focus_x11(struct focus_job *job)
{
	const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY"), *desktop = getenv("XDG_CURRENT_DESKTOP");
	struct focus_windows windows;
	const struct focus_window *w;
	enum focus_verdict v;
	bool several;

	if (wayland && *wayland)
		return focus_job_give_up(job, "%.64s lets no other program bring a window to the front",
					 desktop && *desktop ? desktop : "this compositor");
	if (!display || !*display)
		return FOCUS_NOT_MINE;
	if (!list(job, &windows))
		return FOCUS_NOT_MINE;
	w = focus_windows_find(&windows, &job->kin, &job->clue, &several);
	if (w)
		v = job->act == ACT_CHECK ? check(job, w) : raise_it(job, w);
	else
		v = focus_job_give_up(job, several
					       ? "its terminal has several windows of one process, and nothing tells which it is"
					       : "no window of its process was found (xdotool or wmctrl finds them)");
	focus_windows_finish(&windows);
	return v;
}
