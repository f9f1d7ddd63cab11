#include "focus_job.h"

#include "focus_ways.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NESTED_MAX = 3 }; /* tmux within tmux */

/* --- for the steps --- */

void
focus_job_say(const struct focus_job *job, const char *format, ...)
{
	va_list ap;

	if (!job->verbose)
		return;
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

enum focus_verdict
focus_job_give_up(struct focus_job *job, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(job->why, sizeof(job->why), format, ap);
	va_end(ap);
	return FOCUS_UNKNOWN;
}

enum focus_verdict
focus_job_elsewhere(const struct focus_job *job, const char *format, ...)
{
	va_list ap;

	if (job->verbose) {
		va_start(ap, format);
		vprintf(format, ap);
		va_end(ap);
		putchar('\n');
	}
	return FOCUS_ELSEWHERE;
}

bool
focus_job_has(const struct focus_job *job, uint64_t pid)
{
	for (size_t i = 0; i < job->kin.count; i++)
		if (job->kin.pids[i] == pid)
			return true;
	return false;
}

enum focus_ran
focus_job_act(const struct focus_job *job, const char *const argv[], const char *extra)
{
	if (job->verbose) {
		fputs(job->act == ACT_PRINT ? "would run:" : "runs:", stdout);
		for (size_t i = 0; argv[i]; i++)
			printf(" %s", argv[i]);
		putchar('\n');
	}
	return job->act == ACT_RAISE ? focus_program_run(argv, extra, NULL) : RAN_WELL;
}

/* --- where it is --- */

/* What a process's own environment tells is added to what its hook told. */
static void
add_hints(struct focus_hints *h, const struct focus_hints *more)
{
	for (enum focus_hint i = 0; i < HINT_COUNT; i++) {
		if (!more->has[i] || *h->value[i])
			continue;
		h->has[i] = true;
		memcpy(h->value[i], more->value[i], sizeof(h->value[i]));
	}
	if (!*h->tmux_pane)
		memcpy(h->tmux_pane, more->tmux_pane, sizeof(h->tmux_pane));
}

static struct focus_hints
own_hints(void)
{
	struct focus_hints h = { 0 };

	for (enum focus_hint i = 0; i < HINT_COUNT; i++) {
		const char *value = getenv(focus_hints_variable(i));

		h.has[i] = value && *value && strlen(value) < FOCUS_HINT_SIZE;
		if (h.has[i])
			snprintf(h.value[i], sizeof(h.value[i]), "%s", value);
	}
	return h;
}

/* Whether the process that the session's hooks told of is there, and is the same one still. */
static bool
is_there(struct focus_job *job, const struct agentbus_session *s)
{
	const uint64_t known = s->last_event > s->started ? s->last_event : s->started;

	job->kin = focus_kin_of(job->proc, s->pid);
	if (s->pid == 0 && *s->tmux_pane)
		return true; /* tmux knows where its panes are */
	if (s->pid == 0)
		focus_job_give_up(job, "nothing has told its process: its hooks do (see HOOKS in agentbusd(1))");
	else if (job->kin.count == 0)
		focus_job_give_up(job, "its process %u is gone", (unsigned)s->pid);
	else if (!focus_kin_older_than(&job->kin, known) || (*s->tty && *job->kin.tty && strcmp(s->tty, job->kin.tty) != 0))
		focus_job_give_up(job, "process %u is another one by now", (unsigned)s->pid);
	else
		return true;
	return false;
}

static void
find_hints(struct focus_job *job, const struct agentbus_session *s)
{
	struct focus_hints environment;

	focus_hints_parse(s->window, &job->hints);
	if (strlen(s->tmux_pane) < FOCUS_PANE_SIZE)
		strcpy(job->hints.tmux_pane, s->tmux_pane);
	if (job->kin.count > 0 && focus_kin_hints(job->proc, s->pid, &environment) &&
	    (!*s->tmux_pane || strcmp(environment.tmux_pane, s->tmux_pane) == 0))
		add_hints(&job->hints, &environment);
	snprintf(job->tty, sizeof(job->tty), "%.*s", EMIT_TTY_MAX - 1, *s->tty ? s->tty : job->kin.tty);
	job->own = own_hints();
}

static void
say_what_is_known(const struct focus_job *job, const struct agentbus_session *s)
{
	focus_job_say(job, "session: pid %u, tty %s, tmux pane %s, window %s", (unsigned)s->pid, *job->tty ? job->tty : "-",
		      *job->hints.tmux_pane ? job->hints.tmux_pane : "-", *s->window ? s->window : "-");
	for (size_t i = 0; i < job->kin.count; i++)
		focus_job_say(job, "%s %u", i ? "  child of" : "process", (unsigned)job->kin.pids[i]);
}

/* --- the ways --- */

/* The surest first. */
static enum focus_verdict (*const ways[])(struct focus_job *job) = { focus_terminal_look, focus_desktop, focus_x11 };

static enum focus_verdict
raise_window(struct focus_job *job)
{
	enum focus_verdict v = FOCUS_NOT_MINE;

	job->clue.x11 = strtoull(job->hints.value[HINT_X11], NULL, 10);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && v == FOCUS_NOT_MINE; i++)
		v = ways[i](job);
	if (v == FOCUS_NOT_MINE)
		v = focus_job_give_up(job, "there is no window manager that can be asked");
	focus_terminal_act(job);
	return v;
}

enum focus_verdict
focus_job_run(struct focus_job *job, const struct agentbus_session *s)
{
	enum focus_verdict v = FOCUS_DONE;

	if (!is_there(job, s))
		return FOCUS_UNKNOWN;
	find_hints(job, s);
	say_what_is_known(job, s);
	for (int i = 0; i < NESTED_MAX && v == FOCUS_DONE; i++)
		v = focus_tmux(job);
	return v == FOCUS_NOT_MINE ? raise_window(job) : v == FOCUS_DONE ? focus_job_give_up(job, "tmux is nested too deep") : v;
}
