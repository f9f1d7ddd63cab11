#include "focus_kin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S    UINT64_C(1000000000)
#define ROUNDING_NS (2 * NS_PER_S) /* clocks are set, and what a hook tells is from before it was told */

enum { STAT_MAX = 1024, ENVIRONMENT_MAX = 256 << 10 };

/* Reads a file of a process, size bytes at most. Returns how many, 0 if there is none. */
static size_t
read_of(const char *root, uint32_t pid, const char *name, char *out, size_t size)
{
	char path[256];
	const int n = snprintf(path, sizeof(path), "%s/%u/%s", root, (unsigned)pid, name);
	const int fd = n > 0 && (size_t)n < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (len < size && (got = read(fd, out + len, size - len)) > 0)
		len += (size_t)got;
	close(fd);
	return len;
}

/* The field of that number, as proc(5) counts, of those after the name. */
static uint64_t
field_of(const char *stat, unsigned number)
{
	const char *at = strrchr(stat, ')');

	for (unsigned i = 2; at && i < number; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

struct focus_kin
focus_kin_of(const char *root, uint32_t pid)
{
	enum { START_TIME = 22 };
	struct focus_kin kin = { 0 };
	char stat[STAT_MAX];

	while (pid > 1 && kin.count < FOCUS_KIN_MAX) {
		const size_t len = read_of(root, pid, "stat", stat, sizeof(stat) - 1);
		const char *name;
		unsigned tty;
		int name_len;

		stat[len] = '\0';
		const uint32_t parent = emit_host_parse(stat, &name, &name_len, &tty);

		if (parent == 0 && !strrchr(stat, ')'))
			break;
		if (kin.count == 0) {
			if (parent)
				emit_host_tty(tty, kin.tty);
			kin.ticks = field_of(stat, START_TIME);
		}
		kin.pids[kin.count++] = pid;
		pid = parent;
	}
	return kin;
}

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

bool
focus_kin_older_than(const struct focus_kin *kin, uint64_t time_ns)
{
	const uint64_t per_s = (uint64_t)sysconf(_SC_CLK_TCK), since_start = clock_ns(CLOCK_BOOTTIME);
	const uint64_t began = kin->ticks / per_s * NS_PER_S + kin->ticks % per_s * NS_PER_S / per_s;

	return clock_ns(CLOCK_REALTIME) - (since_start > began ? since_start - began : 0) <= time_ns + ROUNDING_NS;
}

bool
focus_kin_hints(const char *root, uint32_t pid, struct focus_hints *ret)
{
	char *text = malloc(ENVIRONMENT_MAX);
	const size_t len = text ? read_of(root, pid, "environ", text, ENVIRONMENT_MAX) : 0;

	if (len > 0)
		focus_hints_of_environment(text, len, ret);
	free(text);
	return len > 0;
}
