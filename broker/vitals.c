#include "vitals.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull

static uint64_t
nanoseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_usec * NS_PER_US;
}

static uint64_t
cpu_time(void)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return VITALS_UNKNOWN;
	return nanoseconds(&used.ru_utime) + nanoseconds(&used.ru_stime);
}

static uint64_t
resident_memory(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t pages = 0;

	if (!f)
		return VITALS_UNKNOWN;
	const bool read = fscanf(f, "%*u %" SCNu64, &pages) == 1;
	fclose(f);
	return read ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : VITALS_UNKNOWN;
}

static uint64_t
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!d)
		return VITALS_UNKNOWN;
	for (const struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count - 1; /* without the directory's own */
}

static uint64_t
most_descriptors(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ? VITALS_UNKNOWN : limit.rlim_cur;
}

void
vitals_read(struct vitals *ret)
{
	*ret = (struct vitals){ .cpu_ns = cpu_time(),
				.resident_bytes = resident_memory(),
				.open_fds = open_descriptors(),
				.max_fds = most_descriptors() };
}
