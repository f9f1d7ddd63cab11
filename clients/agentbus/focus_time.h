/* Time that is short: deadlines in milliseconds of the monotonic clock. */
#ifndef CLIENTS_AGENTBUS_FOCUS_TIME_H
#define CLIENTS_AGENTBUS_FOCUS_TIME_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline int64_t
focus_time_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the descriptor is ready; false if the time is over first. */
static inline bool
focus_time_wait(int fd, short events, int64_t deadline)
{
	const int64_t left = deadline - focus_time_ms();

	return left > 0 && poll(&(struct pollfd){ .fd = fd, .events = events }, 1, (int)left) > 0;
}

#endif
