#include "focus_ways.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 64, ARGUMENTS_MAX = 20 };

/* A pane, as tmux tells of it. */
struct pane {
	char tty[NAME_SIZE], session[NAME_SIZE];
	int window_active, active;
};

/* A client of tmux, and what it shows. */
struct client {
	unsigned pid;
	char tty[NAME_SIZE], session[NAME_SIZE];
	uint64_t activity; /* seconds since the epoch */
};

/* What to run, with the server's socket before it. */
struct command {
	const char *argv[ARGUMENTS_MAX + 1];
	size_t count;
};

static void
add(struct command *c, const char *argument)
{
	if (c->count < ARGUMENTS_MAX)
		c->argv[c->count++] = argument;
}

static struct command
begin(const struct focus_job *job)
{
	struct command c = { 0 };

	add(&c, "tmux");
	if (job->hints.value[HINT_TMUX][0] == '/') {
		add(&c, "-S");
		add(&c, job->hints.value[HINT_TMUX]);
	}
	return c;
}

static enum focus_ran
ask_pane(const struct focus_job *job, struct pane *ret)
{
	struct command c = begin(job);
	struct pane p;
	char *text = NULL;

	add(&c, "display-message");
	add(&c, "-p");
	add(&c, "-t");
	add(&c, job->hints.tmux_pane);
	add(&c, "#{pane_tty} #{session_id} #{window_active} #{pane_active}");
	enum focus_ran ran = focus_program_run(c.argv, NULL, &text);
	if (ran == RAN_WELL && sscanf(text, "%63s %63s %d %d", p.tty, p.session, &p.window_active, &p.active) == 4)
		*ret = p;
	else if (ran == RAN_WELL)
		ran = RAN_BADLY;
	free(text);
	return ran;
}

static bool
is_better(const struct client *c, const struct client *best, const struct pane *pane)
{
	const bool shows = strcmp(c->session, pane->session) == 0, best_shows = strcmp(best->session, pane->session) == 0;

	if (best->pid == 0 || shows != best_shows)
		return best->pid == 0 || shows;
	return c->activity > best->activity;
}

/* The client that shows the pane's session, else any other one: of several the one that was used last. Its pid is 0 without one.
 */
static struct client
find_client(const struct focus_job *job, const struct pane *pane)
{
	struct command command = begin(job);
	struct client best = { 0 };
	char *text = NULL;

	add(&command, "list-clients");
	add(&command, "-F");
	add(&command, "#{client_pid} #{client_tty} #{session_id} #{client_activity} #{client_control_mode}");
	if (focus_program_run(command.argv, NULL, &text) != RAN_WELL)
		return best;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct client c;
		int control;

		if (sscanf(line, "%u %63s %63s %" SCNu64 " %d", &c.pid, c.tty, c.session, &c.activity, &control) == 5 &&
		    !control && is_better(&c, &best, pane))
			best = c;
	}
	free(text);
	return best;
}

static bool
show_pane(const struct focus_job *job, const struct pane *pane, const struct client *client)
{
	struct command c = begin(job);

	add(&c, "select-window");
	add(&c, "-t");
	add(&c, job->hints.tmux_pane);
	add(&c, ";");
	add(&c, "select-pane");
	add(&c, "-t");
	add(&c, job->hints.tmux_pane);
	if (client->pid && strcmp(client->session, pane->session) != 0) {
		add(&c, ";");
		add(&c, "switch-client");
		add(&c, "-c");
		add(&c, client->tty);
		add(&c, "-t");
		add(&c, pane->session);
	}
	return focus_job_act(job, c.argv, NULL) == RAN_WELL;
}

static bool
is_pane(const char *text)
{
	return text[0] == '%' && text[1] && !text[1 + strspn(text + 1, "0123456789")];
}

/* From here on it is the client's window that counts. */
static void
go_on_from(struct focus_job *job, const struct client *client)
{
	struct focus_hints hints = { 0 };

	focus_kin_hints(job->proc, client->pid, &hints);
	job->hints = hints;
	job->kin = focus_kin_of(job->proc, client->pid);
	snprintf(job->tty, sizeof(job->tty), "%.*s", EMIT_TTY_MAX - 1, client->tty);
	focus_job_say(job, "tmux: shown by its client, process %u on %s", client->pid, client->tty);
}

enum focus_verdict
focus_tmux(struct focus_job *job)
{
	const char *id = job->hints.tmux_pane;
	struct pane pane = { 0 };

	if (!is_pane(id))
		return FOCUS_NOT_MINE;
	const enum focus_ran ran = ask_pane(job, &pane);
	if (ran == RAN_NOT)
		return focus_job_give_up(job, "it is in pane %s of tmux, and there is no tmux to ask", id);
	/* A terminal that was started from within tmux has its variables, and is not in it. */
	if (ran != RAN_WELL || (*job->tty && strcmp(pane.tty, job->tty) != 0)) {
		focus_job_say(job, "tmux: %s is no pane of it", id);
		return FOCUS_NOT_MINE;
	}
	const struct client client = find_client(job, &pane);
	const bool shown = client.pid && strcmp(client.session, pane.session) == 0 && pane.window_active && pane.active;
	if (job->act == ACT_CHECK && !shown)
		return focus_job_elsewhere(job, "tmux: pane %s is not shown", id);
	if (!shown && !show_pane(job, &pane, &client))
		return focus_job_give_up(job, "tmux does not show pane %s", id);
	if (client.pid == 0)
		return focus_job_give_up(job, "tmux is attached nowhere: attach it, and pane %s is shown", id);
	go_on_from(job, &client);
	return FOCUS_DONE;
}
