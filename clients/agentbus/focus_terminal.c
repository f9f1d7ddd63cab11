#include "focus_panes.h"
#include "focus_ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLE_SIZE = FOCUS_HINT_SIZE + 32 };

/* A terminal that takes commands. number is that of the pane. */
struct terminal {
	const char *name;
	enum focus_hint number;
	/* False if it cannot be asked, or knows no such pane. */
	bool (*look)(const struct focus_job *job, const char *number, struct focus_pane *ret);
	void (*show)(const struct focus_job *job, const char *number);
};

/* --- kitty --- */

/* By the name that it has since 0.27, or else the one that it had before. */
static enum focus_ran
run_kitty(const struct focus_job *job, const char *const arguments[4], char **ret_text)
{
	static const char *const programs[] = { "kitten", "kitty" };
	enum focus_ran ran = RAN_NOT;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && ran == RAN_NOT; i++) {
		const char *const argv[] = { programs[i],  "@",          "--to",       job->hints.value[HINT_KITTY_LISTEN],
					     arguments[0], arguments[1], arguments[2], NULL };

		ran = ret_text ? focus_program_run(argv, NULL, ret_text) : focus_job_act(job, argv, NULL);
	}
	return ran;
}

static bool
kitty_listens(const struct focus_job *job)
{
	const char *to = job->hints.value[HINT_KITTY_LISTEN];

	return strncmp(to, "unix:", 5) == 0 || strncmp(to, "tcp:", 4) == 0;
}

static bool
kitty_look(const struct focus_job *job, const char *number, struct focus_pane *ret)
{
	char *text = NULL;

	if (!kitty_listens(job) || run_kitty(job, (const char *const[4]){ "ls" }, &text) != RAN_WELL)
		return false;
	const bool found = focus_panes_of_kitty(text, strlen(text), strtoull(number, NULL, 10), ret);
	free(text);
	return found;
}

static void
kitty_show(const struct focus_job *job, const char *number)
{
	char match[FOCUS_HINT_SIZE + 8];

	snprintf(match, sizeof(match), "id:%s", number);
	run_kitty(job, (const char *const[4]){ "focus-window", "--match", match }, NULL);
}

/* --- wezterm --- */

/* Which of its servers to ask, NULL: it finds that itself. */
static const char *
wezterm_variable(const struct focus_job *job, char out[VARIABLE_SIZE])
{
	snprintf(out, VARIABLE_SIZE, "WEZTERM_UNIX_SOCKET=%s", job->hints.value[HINT_WEZTERM_SOCKET]);
	return *job->hints.value[HINT_WEZTERM_SOCKET] ? out : NULL;
}

static char *
ask_wezterm(const struct focus_job *job, const char *what)
{
	const char *const argv[] = { "wezterm", "cli", what, "--format", "json", NULL };
	char variable[VARIABLE_SIZE], *text = NULL;

	return focus_program_run(argv, wezterm_variable(job, variable), &text) == RAN_WELL ? text : NULL;
}

static bool
wezterm_look(const struct focus_job *job, const char *number, struct focus_pane *ret)
{
	const uint64_t n = strtoull(number, NULL, 10);
	char *text = ask_wezterm(job, "list");
	const bool found = text && focus_panes_of_wezterm(text, strlen(text), n, ret);

	free(text);
	/* Only whether it is to be shown depends on this. */
	text = found && job->act == ACT_CHECK ? ask_wezterm(job, "list-clients") : NULL;
	if (found)
		ret->shown = text && focus_panes_wezterm_shows(text, strlen(text), n);
	free(text);
	return found;
}

static void
wezterm_show(const struct focus_job *job, const char *number)
{
	const char *const argv[] = { "wezterm", "cli", "activate-pane", "--pane-id", number, NULL };
	char variable[VARIABLE_SIZE];

	focus_job_act(job, argv, wezterm_variable(job, variable));
}

/* --- all of them --- */

static const struct terminal terminals[] = {
	{ "kitty", HINT_KITTY, kitty_look, kitty_show },
	{ "wezterm", HINT_WEZTERM, wezterm_look, wezterm_show },
};

static bool
is_number(const char *text)
{
	return *text && strlen(text) < 16 && !text[strspn(text, "0123456789")];
}

/* A terminal that was started from within another one has its variables, and is not in it. */
static bool
is_in(const struct focus_job *job, const struct focus_pane *p)
{
	return (p->pid == 0 || focus_job_has(job, p->pid)) && (!*p->tty || !*job->tty || strcmp(p->tty, job->tty) == 0);
}

/* The terminal that it is in, NULL if that is none of these, or cannot be asked. */
static const struct terminal *
find(const struct focus_job *job, struct focus_pane *ret)
{
	for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++) {
		const struct terminal *t = &terminals[i];
		const char *number = job->hints.value[t->number];

		if (!is_number(number))
			continue;
		if (t->look(job, number, ret) && is_in(job, ret))
			return t;
		focus_job_say(job, "%s: cannot be asked for window %s, or it is not in there", t->name, number);
	}
	return NULL;
}

enum focus_verdict
focus_terminal_look(struct focus_job *job)
{
	struct focus_pane pane;
	const struct terminal *t = find(job, &pane);

	if (!t)
		return FOCUS_NOT_MINE;
	memcpy(job->clue.title, pane.window.title, sizeof(job->clue.title));
	if (pane.window.x11 != 0)
		job->clue.x11 = pane.window.x11;
	job->in_terminal = (unsigned)(t - terminals) + 1;
	if (job->act == ACT_CHECK && !pane.shown)
		return focus_job_elsewhere(job, "%s: another of its windows is shown", t->name);
	return FOCUS_NOT_MINE;
}

void
focus_terminal_act(const struct focus_job *job)
{
	const struct terminal *t = job->in_terminal ? &terminals[job->in_terminal - 1] : NULL;

	if (t && job->act != ACT_CHECK)
		t->show(job, job->hints.value[t->number]);
}
