/*
 * The broker's clock: nanoseconds since the epoch that only ever go forward.
 *
 * The wall clock is read once, at the start; from then on the time since boot (which runs on while the machine sleeps) is
 * added to it. So a wall clock that is set, by hand or by NTP, neither fires all timers at once nor stops them. What a CLI
 * says of its own time is not compared with it.
 */
#ifndef AGENTBUS_CLOCK_H
#define AGENTBUS_CLOCK_H

#include <stdint.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

struct clock {
	uint64_t boot_ns;    /* wall clock minus time since boot, when the broker started */
	uint64_t started_ns; /* when the broker started */
};

void clock_init(struct clock *c);

uint64_t clock_now(const struct clock *c);

#endif
