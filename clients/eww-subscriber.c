/* eww-subscriber: the sessions of AI coding CLIs for a panel or bar, a line for each change that it shows. */
#include "agentbus.h"
#include "common/options.h"
#include "common/roster.h"
#include "eww/format.h"
#include "eww/template.h"
#include "eww/view.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "eww-subscriber"

/* How many seconds the first line waits for the broker, so that a panel does not begin with a flash of "away". */
#define FIRST_LINE_AFTER 0.1

/* A pipe that polls writable takes this much without blocking. */
enum { PIECE = 4096 };

struct settings {
	struct options options;
	double rate;
	const char *format;
	uint64_t max;
	const char *empty, *away;
	bool colours;
	unsigned escape; /* enum rich_kind */
};

struct panel {
	struct ev_loop *loop;
	struct agentbus *bus;
	struct roster roster;
	const struct format *format;
	struct view view; /* what is rendered: of the roster, as the settings say */
	struct template *template;
	struct json line; /* the newest line printed; written up to done */
	struct json next; /* scratch for the one after it */
	size_t done;
	bool changed; /* the sessions, since line was rendered */
	double interval;
	ev_tstamp last_line;
	int status;
	ev_io bus_ready;
	ev_io output;      /* active while there is something to write */
	ev_io reader_gone; /* active if standard output is a pipe */
	ev_timer due;      /* active until the next line may be printed, if one waits */
	ev_signal term, interrupt;
};

static const struct option_row rows[] = {
	{
	    .name = "rate",
	    .letter = 'r',
	    .env = "AGENTBUS_EWW_RATE",
	    .type = OPTION_DOUBLE,
	    .offset = offsetof(struct settings, rate),
	    .min = 0.1,
	    .max = 1000,
	    .value = "N",
	    .help = "print at most N lines a second (default 10); the newest wins",
	},
	{
	    .name = "format",
	    .letter = 'f',
	    .env = "AGENTBUS_EWW_FORMAT",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, format),
	    .value = "NAME",
	    .help = "eww (default), waybar, polybar, i3status-rs, ironbar or template=TEXT",
	},
	{
	    .name = "max",
	    .letter = 'm',
	    .env = "AGENTBUS_EWW_MAX",
	    .type = OPTION_UINT,
	    .offset = offsetof(struct settings, max),
	    .max = 10000,
	    .value = "N",
	    .help = "list at most N sessions, and count the others (default: eww all, waybar's tooltip 10)",
	},
	{
	    .name = "empty",
	    .env = "AGENTBUS_EWW_EMPTY",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, empty),
	    .value = "TEXT",
	    .help = "what a bar shows without sessions (default nothing: most bars hide the module)",
	},
	{
	    .name = "away",
	    .env = "AGENTBUS_EWW_AWAY",
	    .type = OPTION_STRING,
	    .offset = offsetof(struct settings, away),
	    .value = "TEXT",
	    .help = "what a bar shows while the broker is away (default nothing)",
	},
	{
	    .name = "colours",
	    .env = "AGENTBUS_EWW_COLOURS",
	    .type = OPTION_FLAG,
	    .offset = offsetof(struct settings, colours),
	    .help = "colour states: polybar's tags, and Pango's in the other bars (default no)",
	},
	{
	    .name = "escape",
	    .env = "AGENTBUS_EWW_ESCAPE",
	    .type = OPTION_CHOICE,
	    .choices = rich_kinds,
	    .offset = offsetof(struct settings, escape),
	    .value = "FOR",
	    .help = "escape a template's values for none (default), pango, polybar or json",
	},
	{ 0 },
};

static const struct option_program program = {
	.name = PROGRAM,
	.section = PROGRAM,
	.summary = "Prints the sessions of AI coding CLIs as one line per change, for EWW, waybar, polybar and other bars.",
	.rows = rows,
};

static void
stop(struct panel *p, int status)
{
	p->status = status;
	ev_break(p->loop, EVBREAK_ALL);
}

static void
fail(struct panel *p, const char *what, const char *why)
{
	fprintf(stderr, PROGRAM ": %s: %s\n", what, why);
	stop(p, 1);
}

/* --- output --- */

static bool
same_line(const struct json *a, const struct json *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Renders what the panel shows now into p->next. */
static bool
render(struct panel *p)
{
	p->view.connected = agentbus_connected(p->bus);
	roster_finish(&p->roster);
	if (p->view.connected && !roster_of_bus(&p->roster, p->bus, ROSTER_SHOWN))
		return false;
	json_clear(&p->next);
	p->format->render(&p->view, &p->next);
	json_newline(&p->next);
	return json_text(&p->next) != NULL;
}

static void
begin_line(struct panel *p)
{
	struct json line = p->line;

	p->line = p->next;
	p->next = line;
	p->done = 0;
	p->last_line = ev_now(p->loop);
	ev_io_start(p->loop, &p->output);
}

/* Prints the newest state if something changed, the line before is out, and it is time; else a watcher calls again. */
static void
print_if_due(struct panel *p)
{
	ev_tstamp wait = p->last_line + p->interval - ev_now(p->loop);

	if (!p->changed || ev_is_active(&p->output) || ev_is_active(&p->due))
		return;
	if (wait > 0) {
		ev_timer_set(&p->due, wait, 0);
		ev_timer_start(p->loop, &p->due);
		return;
	}
	p->changed = false;
	if (!render(p))
		fail(p, "cannot print", strerror(ENOMEM));
	else if (!same_line(&p->next, &p->line))
		begin_line(p);
}

/* A piece at a time, so that a panel that does not read can hold up our output and nothing else. */
static void
on_output(struct ev_loop *loop, ev_io *w, int revents)
{
	struct panel *p = w->data;
	size_t left = p->line.len - p->done;
	ssize_t n = write(STDOUT_FILENO, p->line.data + p->done, left < PIECE ? left : PIECE);

	(void)revents;
	if (n < 0 && errno == EPIPE) {
		stop(p, 0);
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		fail(p, "cannot print", strerror(errno));
	} else if (n > 0 && (p->done += (size_t)n) == p->line.len) {
		ev_io_stop(loop, w);
		print_if_due(p);
	}
}

/* The write end of a pipe polls "readable" when its reader has gone. */
static void
on_reader_gone(struct ev_loop *loop, ev_io *w, int revents)
{
	struct pollfd fd = { .fd = STDOUT_FILENO };

	(void)revents;
	if (poll(&fd, 1, 0) > 0)
		stop(w->data, 0);
	else
		ev_io_stop(loop, w);
}

static bool
is_write_end(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

/* --- events --- */

static void
on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	print_if_due(w->data);
}

static void
on_bus(struct ev_loop *loop, ev_io *w, int revents)
{
	struct panel *p = w->data;
	const struct agentbus_event *e;
	int n;

	(void)revents;
	while ((n = agentbus_next(p->bus, &e)) > 0)
		p->changed = true;
	if (n < 0) {
		fail(p, "lost the bus", agentbus_strerror(n));
		return;
	}
	if (p->line.len == 0 && agentbus_connected(p->bus))
		ev_timer_stop(loop, &p->due);
	print_if_due(p);
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	stop(w->data, 0);
}

/* --- all together --- */

static void
panel_start(struct panel *p)
{
	ev_io_init(&p->bus_ready, on_bus, agentbus_fd(p->bus), EV_READ);
	ev_io_init(&p->output, on_output, STDOUT_FILENO, EV_WRITE);
	ev_io_init(&p->reader_gone, on_reader_gone, STDOUT_FILENO, EV_READ);
	ev_timer_init(&p->due, on_due, FIRST_LINE_AFTER, 0);
	ev_signal_init(&p->term, on_signal, SIGTERM);
	ev_signal_init(&p->interrupt, on_signal, SIGINT);
	p->bus_ready.data = p->output.data = p->reader_gone.data = p->due.data = p->term.data = p->interrupt.data = p;
	ev_io_start(p->loop, &p->bus_ready);
	ev_timer_start(p->loop, &p->due);
	ev_signal_start(p->loop, &p->term);
	ev_signal_start(p->loop, &p->interrupt);
	if (is_write_end(STDOUT_FILENO))
		ev_io_start(p->loop, &p->reader_gone);
}

static void
panel_finish(struct panel *p)
{
	agentbus_close(p->bus);
	if (p->loop)
		ev_loop_destroy(p->loop);
	template_destroy(p->template);
	roster_finish(&p->roster);
	json_finish(&p->next);
	json_finish(&p->line);
}

/* Finds the format. Says what is wrong, and returns false, if there is none such. */
static bool
panel_settle(struct panel *p, const struct settings *s)
{
	char message[TEMPLATE_MESSAGE_SIZE];
	const char *argument;

	p->interval = 1 / s->rate;
	p->format = format_find(s->format, &argument);
	if (!p->format) {
		fprintf(stderr, PROGRAM ": format: '%s' is not one of %s\n", s->format, format_names(message, sizeof(message)));
		return false;
	}
	if (argument && !(p->template = template_create(argument, message))) {
		fprintf(stderr, PROGRAM ": template: %s\n", message);
		return false;
	}
	p->view = (struct view){
		.roster = &p->roster,
		.max = s->max,
		.empty = s->empty,
		.away = s->away,
		.colours = s->colours,
		.escape = (enum rich_kind)s->escape,
		.template = p->template,
	};
	return true;
}

static bool
panel_open(struct panel *p, const struct settings *s)
{
	int error = agentbus_open(&(struct agentbus_options){ .runtime_dir = s->options.runtime_dir }, &p->bus);

	if (error < 0) {
		fprintf(stderr, PROGRAM ": %s\n", agentbus_strerror(error));
		return false;
	}
	p->loop = ev_loop_new(EVFLAG_AUTO);
	if (!p->loop) {
		fprintf(stderr, PROGRAM ": cannot start an event loop\n");
		return false;
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct settings settings = { .rate = 10, .format = "eww", .empty = "", .away = "" };
	struct panel p = { .changed = true };
	char **operands;
	int status;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (!options_parse(&program, &settings.options, argc, argv, &operands, &status))
		goto out;
	status = 2;
	if (!panel_settle(&p, &settings))
		goto out;
	status = 1;
	if (!panel_open(&p, &settings))
		goto out;
	panel_start(&p);
	ev_run(p.loop, 0);
	status = p.status;
out:
	panel_finish(&p);
	options_finish(&settings.options);
	return status;
}
