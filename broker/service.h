/*
 * What systemd hears of us: readiness, reloads, the watchdog. All of it does nothing when systemd did not start us.
 */
#ifndef AGENTBUS_SERVICE_H
#define AGENTBUS_SERVICE_H

#include <ev.h>

struct service {
	struct ev_loop *loop;
	ev_timer watchdog; /* runs only if the unit has WatchdogSec= */
};

void service_init(struct service *s, struct ev_loop *loop);

/* READY=1, with a line for `systemctl status`; the watchdog is fed from here on. */
void service_ready(struct service *s, const char *status);
void service_reloading(void);
void service_reloaded(void);
void service_stopping(struct service *s);

#endif
