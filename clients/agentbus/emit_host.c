#include "emit_host.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAT_MAX   512
#define SHELLS_MAX 4 /* between the CLI and us */
#define PTS_MAJOR  136
#define PTS_MAJORS 8
#define TTY_MAJOR  4
#define TTYS       64

static const char *const shells[] = { "sh", "bash", "dash", "zsh", "fish", "ksh", "busybox", "env", "timeout" };

uint32_t
emit_host_parse(const char *stat, const char **ret_name, int *ret_name_len, unsigned *ret_tty)
{
	/* The name may hold anything, brackets too: it ends at the last one. */
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	unsigned parent, group, session;
	int tty;

	if (!open || !close || close < open || sscanf(close + 1, " %*c %u %u %u %d", &parent, &group, &session, &tty) != 4)
		return 0;
	*ret_name = open + 1;
	*ret_name_len = (int)(close - open - 1);
	*ret_tty = (unsigned)tty;
	return parent;
}

void
emit_host_tty(unsigned device, char ret[EMIT_TTY_MAX])
{
	const unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);

	ret[0] = '\0';
	if (major >= PTS_MAJOR && major < PTS_MAJOR + PTS_MAJORS)
		snprintf(ret, EMIT_TTY_MAX, "/dev/pts/%u", (major - PTS_MAJOR) * 256 + minor);
	else if (major == TTY_MAJOR && minor < TTYS)
		snprintf(ret, EMIT_TTY_MAX, "/dev/tty%u", minor);
}

static bool
is_shell(const char *name, int len)
{
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strlen(shells[i]) == (size_t)len && memcmp(shells[i], name, (size_t)len) == 0)
			return true;
	return false;
}

static bool
read_stat(uint32_t pid, char stat[STAT_MAX])
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, stat, STAT_MAX - 1);
	close(fd);
	if (n <= 0)
		return false;
	stat[n] = '\0';
	return true;
}

struct emit_host
emit_host_find(void)
{
	struct emit_host h = { .pid = (uint32_t)getppid() };
	char stat[STAT_MAX];

	for (int i = 0; i < SHELLS_MAX; i++) {
		unsigned tty;
		const char *name;
		int len;
		const uint32_t parent = read_stat(h.pid, stat) ? emit_host_parse(stat, &name, &len, &tty) : 0;

		if (parent == 0)
			break;
		emit_host_tty(tty, h.tty);
		if (parent == 1 || !is_shell(name, len))
			break;
		h.pid = parent;
	}
	return h;
}
