#include "whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

static bool
grow(char **text, size_t *size, size_t need)
{
	char *grown;

	if (need <= *size)
		return true;
	while (*size < need)
		*size = *size ? 2 * *size : 2 * CHUNK;
	grown = realloc(*text, *size);
	if (!grown)
		return false;
	*text = grown;
	return true;
}

bool
whole_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	size_t len = 0, size = 0, n = 1;
	char *text = NULL;
	int error = 0;

	if (!file)
		return false;
	while (n > 0 && error == 0) {
		if (!grow(&text, &size, len + CHUNK + 1)) {
			error = ENOMEM;
			break;
		}
		errno = 0;
		n = fread(text + len, 1, CHUNK, file);
		len += n;
		if (ferror(file))
			error = errno ? errno : EIO;
		else if (len > max)
			error = EFBIG;
	}
	fclose(file);
	if (error != 0) {
		free(text);
		errno = error;
		return false;
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	return true;
}

/* Readable for whom the umask lets: mkstemp() makes it 0600. */
static void
open_up(int fd)
{
	const mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

bool
whole_file_write(const char *path, bool (*fill)(FILE *out, void *ctx), void *ctx)
{
	char *temporary = NULL;
	FILE *out;
	int fd, error = 0;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		errno = ENOMEM;
		return false;
	}
	fd = mkstemp(temporary);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out) {
		error = errno;
		if (fd >= 0)
			close(fd);
		goto out;
	}
	open_up(fd);
	if (!fill(out, ctx) || fflush(out) != 0 || fsync(fd) != 0)
		error = errno ? errno : EIO;
	if (fclose(out) != 0 && error == 0)
		error = errno;
	if (error == 0 && rename(temporary, path) != 0)
		error = errno;
out:
	if (error != 0 && fd >= 0)
		unlink(temporary);
	free(temporary);
	errno = error;
	return error == 0;
}
