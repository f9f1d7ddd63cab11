#include "follow.h"

#include "verb.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *
follow_runtime_dir(const char *runtime_dir, char *out)
{
	const char *own = getenv("AGENTBUS_RUNTIME_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");

	if (runtime_dir)
		return runtime_dir;
	if (own && *own)
		return own;
	/* Without it there is none, and the name says what is missing. */
	snprintf(out, FOLLOW_PATH_SIZE, "%s/agentbus", xdg && *xdg ? xdg : "$XDG_RUNTIME_DIR");
	return out;
}

static double
monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* 1 once the broker's snapshot is there, 0 if the time is over, below 0 on an error of the bus. */
static int
wait_for_broker(struct agentbus *bus, double timeout)
{
	const double deadline = monotonic() + timeout;
	struct pollfd fd = { .fd = agentbus_fd(bus), .events = POLLIN };
	const struct agentbus_event *e;

	for (;;) {
		double left = deadline - monotonic();
		int n = 0;

		while (!agentbus_connected(bus) && (n = agentbus_next(bus, &e)) > 0)
			;
		if (n < 0 || agentbus_connected(bus))
			return n < 0 ? n : 1;
		if (left <= 0)
			return 0;
		poll(&fd, 1, (int)(left * 1000) + 1);
	}
}

bool
follow_connect(const char *runtime_dir, double timeout, struct agentbus **ret_bus)
{
	struct agentbus *bus;
	char path[FOLLOW_PATH_SIZE];
	int n = agentbus_open(&(struct agentbus_options){ .runtime_dir = runtime_dir }, &bus);

	if (n < 0) {
		verb_complain("%s", agentbus_strerror(n));
		return false;
	}
	n = wait_for_broker(bus, timeout);
	if (n > 0) {
		*ret_bus = bus;
		return true;
	}
	if (n < 0)
		verb_complain("%s", agentbus_strerror(n));
	else
		verb_complain("no broker at %s (start agentbusd)", follow_runtime_dir(runtime_dir, path));
	agentbus_close(bus);
	return false;
}

/* --- the loop --- */

static void
leave(struct follow *f, int status)
{
	f->status = status;
	ev_break(f->loop, EVBREAK_ALL);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct follow *f = w->data;
	const struct agentbus_event *e;
	int n;

	(void)loop;
	(void)revents;
	while ((n = agentbus_next(f->bus, &e)) > 0) {
		if (f->on_event && !f->on_event(f, e)) {
			leave(f, f->status);
			return;
		}
	}
	if (n < 0) {
		verb_complain("%s", agentbus_strerror(n));
		leave(f, 1);
	} else if (f->on_quiet && !f->on_quiet(f)) {
		leave(f, f->status);
	}
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct follow *f = w->data;

	(void)loop;
	(void)revents;
	if (f->on_quiet && !f->on_quiet(f))
		leave(f, f->status);
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	leave(w->data, 0);
}

static void
start_signal(struct follow *f, ev_signal *w, int number)
{
	struct sigaction action;

	ev_signal_init(w, on_signal, number);
	w->data = f;
	ev_signal_start(f->loop, w);
	/* libev has writes start again; one to somebody who no longer reads must end. */
	if (sigaction(number, NULL, &action) == 0) {
		action.sa_flags &= ~SA_RESTART;
		sigaction(number, &action, NULL);
	}
}

void
follow_soon(struct follow *f, double seconds)
{
	if (ev_is_active(&f->timer) && ev_timer_remaining(f->loop, &f->timer) <= seconds)
		return;
	ev_timer_stop(f->loop, &f->timer);
	ev_timer_set(&f->timer, seconds, f->every);
	ev_timer_start(f->loop, &f->timer);
}

int
follow_run(struct follow *f)
{
	f->loop = ev_loop_new(EVFLAG_AUTO);
	if (!f->loop) {
		verb_complain("cannot start an event loop");
		return 1;
	}
	ev_io_init(&f->readable, on_readable, agentbus_fd(f->bus), EV_READ);
	f->readable.data = f;
	ev_io_start(f->loop, &f->readable);
	ev_timer_init(&f->timer, on_timer, 0, f->every);
	f->timer.data = f;
	follow_soon(f, 0);
	start_signal(f, &f->term, SIGTERM);
	start_signal(f, &f->interrupt, SIGINT);
	ev_run(f->loop, 0);
	ev_loop_destroy(f->loop);
	return f->status;
}
