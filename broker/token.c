#include "token.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A first line may be longer than a token only by the space around it. */
#define READ_MAX ((size_t)1 << 10)

static bool
is_closed_file(const char *path, int fd, const struct log *log)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		log_error(log, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error(log, "%s: the token must be in a regular file", path);
		return false;
	}
	if ((st.st_mode & 0077) != 0) {
		log_error(log, "%s holds a token and is open to others (mode %04o): chmod 600 it", path,
			  (unsigned)(st.st_mode & 07777));
		return false;
	}
	return true;
}

static bool
read_start(const char *path, int fd, char buf[READ_MAX], size_t *ret_len, const struct log *log)
{
	size_t len = 0;
	ssize_t n;

	while (len < READ_MAX && (n = read(fd, buf + len, READ_MAX - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_error(log, "%s: %s", path, strerror(errno));
			return false;
		}
		len += (size_t)n;
	}
	*ret_len = len;
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct str
first_line(const char *buf, size_t len)
{
	const char *end = len ? memchr(buf, '\n', len) : NULL;
	struct str line = { buf, end ? (size_t)(end - buf) : len };

	while (line.len > 0 && is_space(*line.ptr))
		line = (struct str){ line.ptr + 1, line.len - 1 };
	while (line.len > 0 && is_space(line.ptr[line.len - 1]))
		line.len--;
	return line;
}

/* What makes a first line good. */
struct shape {
	size_t min;
	char lowest; /* of its bytes */
	const char *bytes;
};

static bool
is_token(const char *path, struct str s, const struct shape *shape, const struct log *log)
{
	if (s.len == 0) {
		log_error(log, "%s: there is no token in its first line", path);
		return false;
	}
	if (s.len < shape->min || s.len > TOKEN_LEN_MAX) {
		log_error(log, "%s: the token must have %zu to %d characters", path, shape->min, TOKEN_LEN_MAX);
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < shape->lowest || s.ptr[i] > '~') {
			log_error(log, "%s: the token must be of printable ASCII characters%s", path, shape->bytes);
			return false;
		}
	}
	return true;
}

static bool
read_shape(const char *path, const struct shape *shape, char out[TOKEN_MAX], const struct log *log)
{
	/* Not to wait for whoever may write to a pipe. */
	const int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	char buf[READ_MAX];
	bool ok = false;
	struct str s;
	size_t len;

	if (fd < 0) {
		log_error(log, "%s: %s", path, strerror(errno));
		return false;
	}
	if (!is_closed_file(path, fd, log) || !read_start(path, fd, buf, &len, log))
		goto out;
	s = first_line(buf, len);
	ok = is_token(path, s, shape, log);
	if (ok) {
		memcpy(out, s.ptr, s.len);
		out[s.len] = '\0';
	}
	explicit_bzero(buf, sizeof(buf));
out:
	close(fd);
	return ok;
}

bool
token_read(const char *path, char out[TOKEN_MAX], const struct log *log)
{
	return read_shape(path, &(struct shape){ TOKEN_LEN_MIN, '!', " without spaces" }, out, log);
}

bool
token_read_secret(const char *path, char out[TOKEN_MAX], const struct log *log)
{
	return read_shape(path, &(struct shape){ 1, ' ', "" }, out, log);
}
