#include "service.h"
#include "clock.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static void
watchdog_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	sd_notify(0, "WATCHDOG=1");
}

void
service_init(struct service *s, struct ev_loop *loop)
{
	uint64_t usec = 0;

	s->loop = loop;
	ev_timer_init(&s->watchdog, watchdog_due, 0., 0.);
	/* Half of the limit, as sd_watchdog_enabled(3) advises. */
	if (sd_watchdog_enabled(0, &usec) > 0)
		s->watchdog.repeat = (double)usec / 2e6;
}

void
service_ready(struct service *s, const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
	if (s->watchdog.repeat > 0)
		ev_timer_again(s->loop, &s->watchdog);
}

void
service_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void
service_reloaded(void)
{
	sd_notify(0, "READY=1");
}

void
service_stopping(struct service *s)
{
	ev_timer_stop(s->loop, &s->watchdog);
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}
