#include "log/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void
output_init(struct output *o)
{
	*o = (struct output){ .fd = STDOUT_FILENO };
}

static void
close_log(struct output *o)
{
	if (o->path)
		close(o->fd);
}

/* Locked and checked to be a regular file, or -1 and errno. */
static int
open_log(const char *path)
{
	/* O_NONBLOCK: a FIFO without a reader must be refused, not waited for. */
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;
	int saved;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		goto fail;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto fail;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool
same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

enum tail
output_open(struct output *o, const char *path, struct cursor *ret_cursor)
{
	if (o->path && same_file(o->fd, path))
		return tail_recover(o->fd, ret_cursor);
	int fd = open_log(path);
	if (fd < 0)
		return TAIL_ERROR;
	enum tail tail = tail_recover(fd, ret_cursor);
	if (tail == TAIL_FOREIGN || tail == TAIL_ERROR) {
		int saved = errno;

		close(fd);
		errno = saved;
		return tail;
	}
	close_log(o);
	o->fd = fd;
	o->path = path;
	return tail;
}

/* After n bytes of what is pending went to the log file: keeps the whole lines, takes back the beginning of the next one. */
static void
keep_whole_lines(struct output *o, size_t n)
{
	const char *newline = memrchr(o->pending.ptr, '\n', n);
	size_t whole = newline ? (size_t)(newline + 1 - o->pending.ptr) : 0;
	struct stat st;

	if (whole < n && (fstat(o->fd, &st) < 0 || ftruncate(o->fd, st.st_size - (off_t)(n - whole)) < 0))
		whole = n; /* it cannot be taken back, so go on from there */
	buffer_drop(&o->pending, whole);
}

static enum output_result
flush_log(struct output *o)
{
	ssize_t n;

	do
		n = write(o->fd, o->pending.ptr, o->pending.len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return OUTPUT_RETRY;
	if ((size_t)n == o->pending.len) {
		o->pending.len = 0;
		return OUTPUT_DONE;
	}
	keep_whole_lines(o, (size_t)n);
	errno = ENOSPC;
	return OUTPUT_RETRY;
}

/* A pipe that polls as writable takes PIPE_BUF bytes without blocking. Setting O_NONBLOCK would set it for others, too. */
static enum output_result
flush_stream(struct output *o)
{
	while (o->pending.len > 0) {
		struct pollfd p = { .fd = o->fd, .events = POLLOUT };

		if (poll(&p, 1, 0) == 0)
			return OUTPUT_BUSY;
		ssize_t n = write(o->fd, o->pending.ptr, o->pending.len < PIPE_BUF ? o->pending.len : PIPE_BUF);
		if (n >= 0)
			buffer_drop(&o->pending, (size_t)n);
		else if (errno == EPIPE)
			return OUTPUT_CLOSED;
		else if (errno == EAGAIN)
			return OUTPUT_BUSY;
		else if (errno != EINTR)
			return OUTPUT_RETRY;
	}
	return OUTPUT_DONE;
}

enum output_result
output_flush(struct output *o)
{
	if (o->pending.len == 0)
		return OUTPUT_DONE;
	return o->path ? flush_log(o) : flush_stream(o);
}

void
output_finish(struct output *o)
{
	close_log(o);
	buffer_finish(&o->pending);
	output_init(o);
}
