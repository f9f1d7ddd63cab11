#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool
file_read(const char *path, size_t max, struct buf *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const size_t before = ret->len;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	errno = ENOMEM;
	while (ret->len - before <= max && buf_reserve(ret, BUFSIZ)) {
		n = read(fd, ret->bytes + ret->len, BUFSIZ);
		if (n <= 0)
			break;
		ret->len += (size_t)n;
	}
	const int error = n > 0 && ret->len - before > max ? EFBIG : errno;
	close(fd);
	errno = error;
	return n == 0 && ret->len - before <= max;
}
