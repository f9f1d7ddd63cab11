#include "log/tail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more than a torn line and a whole one before it: text in events is shortened by the broker. */
#define WINDOW 262144

/* The last newline in text[0, len), or NULL. */
static const char *
last_newline(const char *text, size_t len)
{
	return len ? memrchr(text, '\n', len) : NULL;
}

/* window holds the len last bytes of a file of size bytes. */
static enum tail
examine(int fd, const char *window, size_t len, off_t size, struct cursor *ret_cursor)
{
	const char *newline = last_newline(window, len);
	const char *torn = newline ? newline + 1 : window;
	size_t torn_len = len - (size_t)(torn - window);

	if (!newline && (off_t)len < size)
		return TAIL_FOREIGN;
	if (newline) {
		const char *before = last_newline(window, (size_t)(newline - window));
		const char *line = before ? before + 1 : window;

		if (!cursor_from_line(line, (size_t)(newline - line), ret_cursor))
			return TAIL_FOREIGN;
	}
	if (torn_len > 0 && !cursor_is_torn_line(torn, torn_len))
		return TAIL_FOREIGN;
	if (torn_len > 0 && ftruncate(fd, size - (off_t)torn_len) < 0)
		return TAIL_ERROR;
	return newline ? TAIL_FOUND : TAIL_EMPTY;
}

enum tail
tail_recover(int fd, struct cursor *ret_cursor)
{
	enum tail result = TAIL_ERROR;
	struct cursor c = { 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return TAIL_ERROR;
	size_t len = st.st_size < WINDOW ? (size_t)st.st_size : WINDOW;
	if (len == 0)
		return TAIL_EMPTY;
	char *window = malloc(len);
	if (!window)
		return TAIL_ERROR;
	if (pread(fd, window, len, st.st_size - (off_t)len) == (ssize_t)len)
		result = examine(fd, window, len, st.st_size, &c);
	free(window);
	if (result == TAIL_FOUND)
		*ret_cursor = c;
	return result;
}
