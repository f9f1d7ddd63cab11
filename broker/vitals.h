/* What the system says of our own process. */
#ifndef AGENTBUS_VITALS_H
#define AGENTBUS_VITALS_H

#include <stdint.h>

#define VITALS_UNKNOWN UINT64_MAX

/* Each may be VITALS_UNKNOWN; max_fds is, too, where there is no limit. */
struct vitals {
	uint64_t cpu_ns; /* user and system time of all threads */
	uint64_t resident_bytes;
	uint64_t open_fds, max_fds;
};

void vitals_read(struct vitals *ret);

#endif
