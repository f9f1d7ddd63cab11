#include "notify/busloop.h"

#include "common/container.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAUSE_MIN    1.0
#define PAUSE_MAX    60.0
#define PROCESS_MAX  64 /* messages handled before other watchers get their turn */
#define NSEC_PER_SEC 1e9
#define USEC_PER_SEC 1e6

static void
disconnect(struct busloop *b)
{
	ev_io_stop(b->loop, &b->io);
	ev_timer_stop(b->loop, &b->timeout);
	ev_prepare_stop(b->loop, &b->prepare);
	b->user->down(b);
	b->bus = sd_bus_close_unref(b->bus);
}

static void
fail(struct busloop *b, int error)
{
	if (!b->complained)
		fprintf(stderr, "notify-subscriber: no session bus: %s; it is tried again when there is something to show\n",
			error == -ENOMEDIUM ? "neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set" : strerror(-error));
	b->complained = true;
	b->next_attempt = ev_now(b->loop) + b->pause;
	b->pause = b->pause < PAUSE_MAX / 2 ? b->pause * 2 : PAUSE_MAX;
	if (b->user->wanted(b))
		busloop_want(b);
}

static void
lose(struct busloop *b, int error)
{
	disconnect(b);
	fail(b, error);
}

/* libev polls for what sd-bus wants next; the descriptor may change while it tries one address after the other. */
static void
watch_descriptor(struct busloop *b, int fd, int events)
{
	int wanted = (events & POLLIN ? EV_READ : 0) | (events & POLLOUT ? EV_WRITE : 0);

	if (ev_is_active(&b->io) && b->io.fd == fd && (b->io.events & (EV_READ | EV_WRITE)) == wanted)
		return;
	ev_io_stop(b->loop, &b->io);
	ev_io_set(&b->io, fd, wanted);
	ev_io_start(b->loop, &b->io);
}

/* usec is absolute, by CLOCK_MONOTONIC; UINT64_MAX is never. */
static void
watch_timeout(struct busloop *b, uint64_t usec)
{
	struct timespec now;

	ev_timer_stop(b->loop, &b->timeout);
	if (usec == UINT64_MAX)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double after = (double)usec / USEC_PER_SEC - ((double)now.tv_sec + (double)now.tv_nsec / NSEC_PER_SEC);
	ev_timer_set(&b->timeout, after > 0 ? after : 0, 0);
	ev_timer_start(b->loop, &b->timeout);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct busloop *b = container_of(w, struct busloop, prepare);
	int fd = sd_bus_get_fd(b->bus), events = sd_bus_get_events(b->bus);
	uint64_t usec = UINT64_MAX;
	int r = sd_bus_get_timeout(b->bus, &usec);

	(void)loop, (void)revents;
	if (fd < 0 || events < 0 || r < 0) {
		lose(b, fd < 0 ? fd : events < 0 ? events : r);
		return;
	}
	watch_descriptor(b, fd, events);
	watch_timeout(b, usec);
}

static void
process(struct busloop *b)
{
	int r = 1;

	for (int i = 0; i < PROCESS_MAX && r > 0; i++)
		r = sd_bus_process(b->bus, NULL);
	if (r < 0)
		lose(b, r);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop, (void)revents;
	process(container_of(w, struct busloop, io));
}

static void
on_timeout(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	process(container_of(w, struct busloop, timeout));
}

static void
attempt(struct busloop *b)
{
	int r = sd_bus_open_user(&b->bus);

	if (r < 0) {
		b->bus = NULL;
		fail(b, r);
		return;
	}
	r = b->user->up(b);
	if (r < 0)
		lose(b, r);
	else
		ev_prepare_start(b->loop, &b->prepare);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	attempt(container_of(w, struct busloop, retry));
}

void
busloop_init(struct busloop *b, struct ev_loop *loop, const struct busloop_user *user)
{
	*b = (struct busloop){ .loop = loop, .user = user, .pause = PAUSE_MIN };
	ev_init(&b->io, on_io);
	ev_init(&b->timeout, on_timeout);
	ev_init(&b->retry, on_retry);
	ev_prepare_init(&b->prepare, on_prepare);
}

void
busloop_want(struct busloop *b)
{
	double after = b->next_attempt - ev_now(b->loop);

	if (b->bus || ev_is_active(&b->retry))
		return;
	ev_timer_set(&b->retry, after > 0 ? after : 0, 0);
	ev_timer_start(b->loop, &b->retry);
}

void
busloop_proven(struct busloop *b)
{
	b->pause = PAUSE_MIN;
	b->complained = false;
}

void
busloop_finish(struct busloop *b)
{
	ev_timer_stop(b->loop, &b->retry);
	if (b->bus)
		disconnect(b);
}
