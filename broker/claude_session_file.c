#include "claude_session_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_S  1000000000ull
#define STAT_MAX  1024
#define SPACE_MAX 64

uint32_t
claude_file_pid(const char *name)
{
	uint32_t pid = 0;
	const char *p = name;

	for (; *p >= '0' && *p <= '9' && p - name < 9; p++)
		pid = pid * 10 + (uint32_t)(*p - '0');
	return *name != '0' && strcmp(p, ".json") == 0 ? pid : 0;
}

int
claude_file_open_directory(const char *path, uid_t own)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == own)
		return fd;
	close(fd);
	errno = EACCES;
	return -1;
}

bool
claude_file_read(int directory, const char *name, uid_t own, char *text, size_t *ret_len, uint64_t *ret_modified_ns)
{
	const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	size_t len = 0;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == own && (uint64_t)st.st_size <= CLAUDE_SESSION_FILE_MAX)
		while (len < CLAUDE_SESSION_FILE_MAX && (n = read(fd, text + len, CLAUDE_SESSION_FILE_MAX - len)) > 0)
			len += (size_t)n;
	close(fd);
	if (n != 0)
		return false;
	*ret_len = len;
	*ret_modified_ns = (uint64_t)st.st_mtim.tv_sec * NS_PER_S + (uint64_t)st.st_mtim.tv_nsec;
	return true;
}

uint64_t
claude_file_process_start(uint32_t pid)
{
	char path[32], stat[STAT_MAX], state;
	const char *close_bracket;
	uint64_t ticks = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	/* The name may hold anything, brackets too: it ends at the last one. The start is the 22nd field, the name the second. */
	close_bracket = strrchr(stat, ')');
	if (!close_bracket ||
	    sscanf(close_bracket + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
		   &state, &ticks) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : ticks;
}

/* A container may share the directory; its pids mean nothing here. */
static bool
other_pid_space(struct str domain)
{
	char own[SPACE_MAX];
	const ssize_t n = readlink("/proc/self/ns/pid", own, sizeof(own));

	if (n <= 0 || domain.len == 0 || !memmem(domain.ptr, domain.len, "pid:[", 5))
		return false;
	return domain.len < (size_t)n || memcmp(domain.ptr + domain.len - n, own, (size_t)n) != 0;
}

bool
claude_file_process_runs(const struct claude_session *c)
{
	const uint64_t ticks = claude_file_process_start(c->pid);

	return ticks && (c->start_ticks == 0 || c->start_ticks == ticks) && !other_pid_space(c->pid_domain);
}
