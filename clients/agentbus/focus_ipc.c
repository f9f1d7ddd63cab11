#include "focus_ipc.h"

#include "focus_time.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAGIC "i3-ipc"

enum { PATIENCE_MS = 1000, MAGIC_LEN = sizeof(MAGIC) - 1, HEAD_LEN = MAGIC_LEN + 8, REQUEST_MAX = 512, FIRST_SIZE = 16 << 10 };

enum focus_whole
focus_ipc_whole(enum focus_framing framing, const char *bytes, size_t len, bool ended, size_t *ret_body, size_t *ret_len)
{
	const char *newline;
	uint32_t body_len;

	*ret_body = framing == FRAMING_I3 ? HEAD_LEN : 0;
	switch (framing) {
	case FRAMING_I3:
		if (memcmp(bytes, MAGIC, len < MAGIC_LEN ? len : MAGIC_LEN) != 0)
			return WHOLE_NEVER;
		if (len < HEAD_LEN)
			break;
		memcpy(&body_len, bytes + MAGIC_LEN, sizeof(body_len)); /* in the machine's own order */
		if (body_len > FOCUS_ANSWER_MAX - HEAD_LEN)
			return WHOLE_NEVER;
		*ret_len = body_len;
		if (len - HEAD_LEN >= body_len)
			return WHOLE_YES;
		break;
	case FRAMING_LINE:
		newline = memchr(bytes, '\n', len);
		if (newline || (ended && len > 0)) {
			*ret_len = newline ? (size_t)(newline - bytes) : len;
			return WHOLE_YES;
		}
		break;
	case FRAMING_END:
		*ret_len = len;
		if (ended && len > 0)
			return WHOLE_YES;
		break;
	}
	return ended ? WHOLE_NEVER : WHOLE_NOT_YET;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* A queue that is full is as good as nobody. */
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
send_all(int fd, const char *bytes, size_t len, int64_t deadline)
{
	while (len > 0) {
		const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && (errno != EAGAIN || !focus_time_wait(fd, POLLOUT, deadline)))
			return false;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* In one piece: a peer that reads once has all of it. */
static bool
send_request(int fd, enum focus_framing framing, uint32_t type, const char *request, int64_t deadline)
{
	const uint32_t len = (uint32_t)strlen(request);
	char bytes[HEAD_LEN + REQUEST_MAX + 1] = MAGIC;
	size_t at = 0;

	if (len > REQUEST_MAX)
		return false;
	if (framing == FRAMING_I3) {
		memcpy(bytes + MAGIC_LEN, &len, sizeof(len));
		memcpy(bytes + MAGIC_LEN + sizeof(len), &type, sizeof(type));
		at = HEAD_LEN;
	}
	strcpy(bytes + at, request);
	at += len;
	if (framing == FRAMING_LINE)
		bytes[at++] = '\n';
	return send_all(fd, bytes, at, deadline);
}

/* Makes room for more; false if there is too much, or no memory. */
static bool
grow(char **bytes, size_t *size)
{
	const size_t more = *size ? *size * 2 : FIRST_SIZE;
	char *moved = more > 2 * (size_t)FOCUS_ANSWER_MAX ? NULL : realloc(*bytes, more + 1);

	if (!moved)
		return false;
	*bytes = moved;
	*size = more;
	return true;
}

static bool
receive_answer(int fd, enum focus_framing framing, int64_t deadline, char **ret_text, size_t *ret_len)
{
	char *bytes = NULL;
	size_t size = 0, len = 0, body = 0, body_len = 0;
	enum focus_whole whole = WHOLE_NOT_YET;

	while (whole == WHOLE_NOT_YET && len <= FOCUS_ANSWER_MAX && (len < size || grow(&bytes, &size))) {
		const ssize_t n = recv(fd, bytes + len, size - len, 0);

		if (n < 0 && (errno != EAGAIN || !focus_time_wait(fd, POLLIN, deadline)))
			break;
		if (n < 0)
			continue;
		len += (size_t)n;
		whole = focus_ipc_whole(framing, bytes, len, n == 0, &body, &body_len);
	}
	if (whole != WHOLE_YES) {
		free(bytes);
		return false;
	}
	memmove(bytes, bytes + body, body_len);
	bytes[body_len] = '\0';
	*ret_text = bytes;
	*ret_len = body_len;
	return true;
}

bool
focus_ipc_ask(const char *path, enum focus_framing framing, uint32_t type, const char *request, char **ret_text, size_t *ret_len)
{
	const int64_t deadline = focus_time_ms() + PATIENCE_MS;
	const int fd = connect_to(path);

	if (fd < 0)
		return false;
	const bool ok =
	    send_request(fd, framing, type, request, deadline) && receive_answer(fd, framing, deadline, ret_text, ret_len);
	close(fd);
	return ok;
}
