/* log-subscriber: one line per event, to standard output or to a file that it continues where it stopped. */
#include "common/container.h"
#include "common/options.h"
#include "common/text.h"
#include "log/cursor.h"
#include "log/line.h"
#include "log/output.h"
#include "log/state.h"

#include <agentbus.h>
#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define PROGRAM     "log-subscriber"
#define BATCH_BYTES 65536 /* taken from the bus before they are written */
#define RETRY_MIN   0.5   /* seconds between attempts to write to a full disk, doubled up to */
#define RETRY_MAX   30.0

struct settings {
	struct options options;
	const char *file, *state_file;
	unsigned format;
};

struct subscriber {
	struct settings settings;
	struct ev_loop *loop;
	struct agentbus *bus;
	struct output output;
	struct state state;
	struct cursor cursor; /* of the newest event in output, written or pending */
	ev_io readable, writable;
	ev_timer retry;
	ev_signal term, interrupt, hangup;
	bool away;         /* the broker went, and that was said */
	bool write_failed; /* said, too */
	bool state_failed;
	int status;
};

static const char *const formats[] = { "json", "logfmt", NULL };

static const struct option_row rows[] = {
	{ .name = "file",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, file),
	  .env = "AGENTBUS_LOG_FILE",
	  .value = "PATH",
	  .help = "append to this file instead of standard output; SIGHUP reopens it" },
	{ .name = "format",
	  .type = OPTION_CHOICE,
	  .offset = offsetof(struct settings, format),
	  .env = "AGENTBUS_LOG_FORMAT",
	  .choices = formats,
	  .value = "FORMAT",
	  .help = "json (default) or logfmt" },
	{ .name = "state-file",
	  .type = OPTION_STRING,
	  .offset = offsetof(struct settings, state_file),
	  .env = "AGENTBUS_LOG_STATE_FILE",
	  .value = "PATH",
	  .help = "remember the last event written (default with --file: $XDG_STATE_HOME/agentbus/log-subscriber.state)" },
	{ 0 },
};

static const struct option_program program = {
	.name = PROGRAM,
	.section = PROGRAM,
	.summary = "Writes one line per event of agentbus.",
	.rows = rows,
};

__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs(PROGRAM ": ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void
stop(struct subscriber *s, int status)
{
	s->status = status;
	ev_break(s->loop, EVBREAK_ALL);
}

static void
save_state(struct subscriber *s)
{
	bool failed = !state_save(&s->state, &s->cursor);

	if (failed && !s->state_failed)
		say("cannot write the state file: %s", strerror(errno));
	s->state_failed = failed;
}

/* For `systemctl status`. */
static void
say_status(const struct subscriber *s)
{
	sd_notify(0, agentbus_connected(s->bus) ? "STATUS=Following the broker" : "STATUS=Waiting for the broker");
}

/* The first snapshot is where a log without a cursor begins: a restart before the first line begins there, too. */
static void
on_connected(struct subscriber *s)
{
	const char *boot_id = agentbus_boot_id(s->bus);

	if (s->away)
		say("the broker is back");
	s->away = false;
	if (!cursor_known(&s->cursor) && cursor_set(&s->cursor, boot_id, agentbus_seq(s->bus)))
		save_state(s);
	say_status(s);
}

static void
on_disconnected(struct subscriber *s)
{
	say("the broker is away; waiting for it");
	s->away = true;
	say_status(s);
}

/* Returns false without memory. */
static bool
take_event(struct subscriber *s, const struct agentbus_event *e)
{
	if (e->kind == AGENTBUS_CONNECTED) {
		on_connected(s);
	} else if (e->kind == AGENTBUS_DISCONNECTED) {
		on_disconnected(s);
	} else if (e->kind != AGENTBUS_RESET && !cursor_has(&s->cursor, e)) {
		if (!line_append(&s->output.pending, (enum line_format)s->settings.format, e, text_now()))
			return false;
		cursor_advance(&s->cursor, e);
	}
	return true;
}

static void
take_events(struct subscriber *s)
{
	const struct agentbus_event *e;
	int got = 0;

	while (s->output.pending.len < BATCH_BYTES && (got = agentbus_next(s->bus, &e)) > 0)
		if (!take_event(s, e)) {
			/* The next start takes up the event: nothing is lost. */
			say("out of memory");
			stop(s, 1);
			return;
		}
	if (got < 0) {
		say("%s", agentbus_strerror(got));
		stop(s, 1);
	}
}

static void
wait_to_retry(struct subscriber *s)
{
	if (!s->write_failed)
		say("cannot write %s: %s; trying again", s->output.path ? s->output.path : "standard output", strerror(errno));
	s->retry.repeat = s->write_failed && s->retry.repeat < RETRY_MAX / 2 ? s->retry.repeat * 2
			  : s->write_failed                                  ? RETRY_MAX
									     : RETRY_MIN;
	s->write_failed = true;
	ev_timer_again(s->loop, &s->retry);
}

/* Writes what is pending; takes no more events while that does not work. */
static void
flush(struct subscriber *s)
{
	enum output_result result = output_flush(&s->output);

	ev_timer_stop(s->loop, &s->retry);
	ev_io_stop(s->loop, &s->writable);
	if (result == OUTPUT_DONE) {
		if (s->write_failed)
			say("writing again");
		s->write_failed = false;
		save_state(s);
		ev_io_start(s->loop, &s->readable);
		return;
	}
	ev_io_stop(s->loop, &s->readable);
	if (result == OUTPUT_CLOSED)
		stop(s, 0);
	else if (result == OUTPUT_BUSY)
		ev_io_start(s->loop, &s->writable);
	else
		wait_to_retry(s);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct subscriber *s = container_of(w, struct subscriber, readable);

	(void)loop, (void)revents;
	take_events(s);
	if (s->output.pending.len > 0)
		flush(s);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop, (void)revents;
	flush(container_of(w, struct subscriber, writable));
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	flush(container_of(w, struct subscriber, retry));
}

static void
on_stop_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)revents;
	stop(w->data, 0);
	(void)loop;
}

static const char *
open_failure(enum tail tail)
{
	if (tail == TAIL_FOREIGN)
		return "its end is no line of this log; it was left alone";
	if (errno == EWOULDBLOCK)
		return "another log-subscriber uses it";
	return errno == EINVAL ? "not a regular file" : strerror(errno);
}

/* The log was renamed, or truncated. The new one begins where the old one ends, and until its first line only the state file says
 * where. */
static void
on_hangup(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct subscriber *s = container_of(w, struct subscriber, hangup);
	struct cursor ignored;

	(void)loop, (void)revents;
	if (!s->settings.file)
		return;
	if (s->output.pending.len > 0)
		flush(s);
	enum tail tail = output_open(&s->output, s->settings.file, &ignored);
	if (tail == TAIL_FOREIGN || tail == TAIL_ERROR)
		say("cannot reopen %s: %s; going on with the old one", s->settings.file, open_failure(tail));
	else if (s->output.pending.len > 0)
		flush(s);
}

/* $XDG_STATE_HOME/agentbus/log-subscriber.state, or NULL if there is no home. */
static const char *
default_state_file(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len = -1;

	if (state && state[0] == '/')
		len = snprintf(path, size, "%s/agentbus/" PROGRAM ".state", state);
	else if (home && home[0] == '/')
		len = snprintf(path, size, "%s/.local/state/agentbus/" PROGRAM ".state", home);
	return len > 0 && (size_t)len < size ? path : NULL;
}

static bool
open_state(struct subscriber *s, struct cursor *ret_cursor)
{
	char fallback[PATH_MAX], log[PATH_MAX] = "";
	const char *path = s->settings.state_file;

	if (!path && s->settings.file)
		path = default_state_file(fallback, sizeof(fallback));
	if (!path)
		return true;
	/* The log exists by now. */
	if (s->settings.file && !realpath(s->settings.file, log)) {
		say("cannot open %s: %s", s->settings.file, strerror(errno));
		return false;
	}
	if (state_open(&s->state, path, log, ret_cursor))
		return true;
	say("cannot open state file %s: %s", path,
	    errno == EWOULDBLOCK ? "another log-subscriber uses it; give each its own --state-file" : strerror(errno));
	return false;
}

/* What the log itself says of its end wins: it cannot be behind or ahead of what it holds. */
static bool
open_log(struct subscriber *s)
{
	struct cursor in_log = { 0 }, in_state = { 0 };
	enum tail tail = TAIL_EMPTY;

	output_init(&s->output);
	if (s->settings.file)
		tail = output_open(&s->output, s->settings.file, &in_log);
	if (tail == TAIL_FOREIGN || tail == TAIL_ERROR) {
		say("cannot open %s: %s", s->settings.file, open_failure(tail));
		return false;
	}
	if (!open_state(s, &in_state))
		return false;
	s->cursor = tail == TAIL_FOUND ? in_log : in_state;
	save_state(s);
	return true;
}

static bool
open_bus(struct subscriber *s)
{
	struct agentbus_options options = {
		.runtime_dir = s->settings.options.runtime_dir,
		.after_boot_id = cursor_known(&s->cursor) ? s->cursor.boot_id : NULL,
		.after_seq = s->cursor.seq,
	};
	int error = agentbus_open(&options, &s->bus);

	if (error < 0)
		say("%s", agentbus_strerror(error));
	return error == 0;
}

static void
watch_signal(struct subscriber *s, ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int), int number)
{
	ev_signal_init(w, cb, number);
	w->data = s;
	ev_signal_start(s->loop, w);
}

static void
run(struct subscriber *s)
{
	ev_io_init(&s->readable, on_readable, agentbus_fd(s->bus), EV_READ);
	ev_io_init(&s->writable, on_writable, s->output.fd, EV_WRITE);
	ev_init(&s->retry, on_retry);
	watch_signal(s, &s->term, on_stop_signal, SIGTERM);
	watch_signal(s, &s->interrupt, on_stop_signal, SIGINT);
	watch_signal(s, &s->hangup, on_hangup, SIGHUP);
	/* A reader that went and a file that reached its limit are results of write(), not reasons to die. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	ev_io_start(s->loop, &s->readable);
	sd_notify(0, "READY=1");
	say_status(s);
	ev_run(s->loop, 0);
}

int
main(int argc, char **argv)
{
	struct subscriber s = { .state = { .fd = -1 } };
	char **operands;
	int status;

	if (!options_parse(&program, &s.settings.options, argc, argv, &operands, &status)) {
		options_finish(&s.settings.options);
		return status;
	}
	s.status = 1;
	s.loop = ev_default_loop(EVFLAG_AUTO);
	if (s.loop && open_log(&s) && open_bus(&s))
		run(&s);
	agentbus_close(s.bus);
	output_finish(&s.output);
	state_close(&s.state);
	options_finish(&s.settings.options);
	return s.status;
}
