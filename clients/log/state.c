#include "log/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Creates the directories above path, for their owner only. */
static bool
make_parents(const char *path)
{
	char dir[PATH_MAX];

	if (strlen(path) >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(dir, path, strlen(path) + 1);
	for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return true;
}

/* The file is one record, then the log's path and a newline. */
static bool
read_cursor(int fd, const char *log, struct cursor *ret)
{
	char text[CURSOR_RECORD_SIZE + PATH_MAX + 1];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	size_t log_len = strlen(log);

	return len == (ssize_t)(CURSOR_RECORD_SIZE + log_len + 1) && memcmp(text + CURSOR_RECORD_SIZE, log, log_len) == 0 &&
	       cursor_from_record(text, ret);
}

static bool
write_all(int fd, const char *bytes, size_t len, off_t offset)
{
	ssize_t n = pwrite(fd, bytes, len, offset);

	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len;
}

/* A record that says nothing, and the log that it is about. */
static bool
write_fresh(int fd, const char *log)
{
	char text[CURSOR_RECORD_SIZE + PATH_MAX + 2];
	size_t log_len = strlen(log);

	memset(text, ' ', CURSOR_RECORD_SIZE);
	text[CURSOR_RECORD_SIZE - 1] = '\n';
	snprintf(text + CURSOR_RECORD_SIZE, sizeof(text) - CURSOR_RECORD_SIZE, "%s\n", log);
	return ftruncate(fd, 0) == 0 && write_all(fd, text, CURSOR_RECORD_SIZE + log_len + 1, 0);
}

bool
state_open(struct state *s, const char *path, const char *log, struct cursor *ret_cursor)
{
	struct cursor c = { 0 };
	int fd = -1, saved;

	if (strlen(log) >= PATH_MAX || !make_parents(path))
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		goto fail;
	if (!read_cursor(fd, log, &c) && !write_fresh(fd, log))
		goto fail;
	s->fd = fd;
	*ret_cursor = c;
	return true;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return false;
}

bool
state_save(const struct state *s, const struct cursor *c)
{
	char record[CURSOR_RECORD_SIZE];

	if (s->fd < 0 || !cursor_known(c))
		return true;
	cursor_to_record(c, record);
	return write_all(s->fd, record, sizeof(record), 0);
}

void
state_close(struct state *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
