#include "clock.h"

#include <time.h>

static uint64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void
clock_init(struct clock *c)
{
	c->started_ns = read_ns(CLOCK_REALTIME);
	c->boot_ns = c->started_ns - read_ns(CLOCK_BOOTTIME);
}

uint64_t
clock_now(const struct clock *c)
{
	return c->boot_ns + read_ns(CLOCK_BOOTTIME);
}
