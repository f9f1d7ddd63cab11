/* notify-subscriber: tells the person, by desktop notifications, which session has finished, has failed or waits. */
#include "common/container.h"
#include "notify/settings.h"
#include "notify/teller.h"

#include <agentbus.h>
#include <ev.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define PROGRAM "notify-subscriber"

struct subscriber {
	struct settings settings;
	struct ev_loop *loop;
	struct agentbus *bus;
	struct teller *teller;
	ev_io readable;
	ev_signal term, interrupt;
	int status;
};

/* For `systemctl status`. */
static void
say_status(const struct subscriber *s)
{
	sd_notify(0, agentbus_connected(s->bus) ? "STATUS=Following the broker" : "STATUS=Waiting for the broker");
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct subscriber *s = container_of(w, struct subscriber, readable);
	const struct agentbus_event *e;
	int got;

	(void)revents;
	while ((got = agentbus_next(s->bus, &e)) > 0) {
		teller_event(s->teller, e);
		if (!e->session)
			say_status(s);
	}
	if (got < 0) {
		fprintf(stderr, PROGRAM ": %s\n", agentbus_strerror(got));
		s->status = 1;
		ev_break(loop, EVBREAK_ALL);
	}
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)w, (void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static bool
create(struct subscriber *s, const struct teller_settings *wanted)
{
	int error = agentbus_open(&(struct agentbus_options){ .runtime_dir = s->settings.options.runtime_dir }, &s->bus);

	if (error < 0) {
		fprintf(stderr, PROGRAM ": %s\n", agentbus_strerror(error));
		return false;
	}
	s->loop = ev_default_loop(EVFLAG_AUTO);
	s->teller = s->loop ? teller_create(s->loop, s->bus, wanted) : NULL;
	if (!s->teller)
		fprintf(stderr, PROGRAM ": out of memory\n");
	return s->teller;
}

static void
run(struct subscriber *s)
{
	ev_io_init(&s->readable, on_readable, agentbus_fd(s->bus), EV_READ);
	ev_signal_init(&s->term, on_signal, SIGTERM);
	ev_signal_init(&s->interrupt, on_signal, SIGINT);
	ev_io_start(s->loop, &s->readable);
	ev_signal_start(s->loop, &s->term);
	ev_signal_start(s->loop, &s->interrupt);
	s->status = 0;
	sd_notify(0, "READY=1");
	say_status(s);
	ev_run(s->loop, 0);
}

int
main(int argc, char **argv)
{
	struct subscriber s = { .status = 1 };
	struct teller_settings wanted;

	/* D-Bus speaks UTF-8, whatever the session does. */
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (settings_read(&s.settings, &wanted, argc, argv, &s.status)) {
		s.status = 1;
		if (create(&s, &wanted))
			run(&s);
	}
	teller_destroy(s.teller);
	agentbus_close(s.bus);
	options_finish(&s.settings.options);
	return s.status;
}
