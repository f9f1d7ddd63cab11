#include "setup_file.h"

#include "edit_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANGED "it was changed meanwhile; try again"

static bool
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return false;
}

static bool
refuse_errno(const char **ret_why)
{
	return refuse(ret_why, strerror(errno));
}

static bool
read_all(int fd, struct edit_text *out)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (out->len + (size_t)n > SETUP_FILE_MAX) {
			errno = EFBIG;
			return false;
		}
		if (!edit_text_add(out, piece, (size_t)n)) {
			errno = ENOMEM;
			return false;
		}
	}
	return edit_text_puts(out, "");
}

/* Without blocking on what is no file. */
static bool
read_file(const char *path, struct setup_disk *d, const char **ret_why)
{
	struct edit_text text = { 0 };
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return refuse_errno(ret_why);
	bool ok = fstat(fd, &st) == 0;

	if (ok && !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(ret_why, "it is no regular file");
	}
	ok = ok && read_all(fd, &text);
	if (!ok)
		refuse_errno(ret_why);
	close(fd);
	if (!ok) {
		edit_text_finish(&text);
		return false;
	}
	d->text = text.data;
	d->len = text.len;
	d->there = true;
	d->mode = st.st_mode & 07777;
	d->uid = st.st_uid;
	d->gid = st.st_gid;
	return true;
}

/* The path of what is not there: without symbolic links as far as it is, so that it is the same one when all of it is. */
static char *
resolve_missing(const char *path)
{
	char part[PATH_MAX], *there, *whole = NULL;
	size_t len = strlen(path);

	while (len > 1) {
		while (len > 1 && path[len - 1] != '/')
			len--;
		while (len > 1 && path[len - 1] == '/')
			len--;
		if (len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		there = realpath(part, NULL);
		if (!there)
			continue;
		/* Of the root nothing is left but the slash that follows. */
		if (asprintf(&whole, "%s%s", strcmp(there, "/") == 0 ? "" : there, path + (len > 1 ? len : 0)) < 0)
			whole = NULL;
		free(there);
		return whole;
	}
	return edit_copy(path, strlen(path));
}

bool
setup_disk_read(const char *path, struct setup_disk *ret, const char **ret_why)
{
	struct setup_disk d = { .path = realpath(path, NULL) };
	struct stat st;

	if (d.path) {
		if (read_file(d.path, &d, ret_why)) {
			*ret = d;
			return true;
		}
	} else if (errno != ENOENT) {
		refuse_errno(ret_why);
	} else if (lstat(path, &st) == 0) {
		refuse(ret_why, "it is a symbolic link to what is not there");
	} else {
		d.path = resolve_missing(path);
		d.text = edit_copy("", 0);
		if (d.path && d.text) {
			*ret = d;
			return true;
		}
		refuse(ret_why, "no memory");
	}
	setup_disk_finish(&d);
	return false;
}

void
setup_disk_finish(struct setup_disk *d)
{
	free(d->path);
	free(d->text);
	*d = (struct setup_disk){ 0 };
}

static bool
unchanged(const struct setup_disk *d)
{
	struct setup_disk now = { 0 };
	const char *why;

	if (!d->there)
		return access(d->path, F_OK) != 0;
	const bool same = read_file(d->path, &now, &why) && now.len == d->len && memcmp(now.text, d->text, d->len) == 0;

	free(now.text);
	return same;
}

bool
setup_make_dir(const char *path)
{
	char part[PATH_MAX];
	const size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return false;
		part[i] = i < len ? '/' : '\0';
	}
	return true;
}

/* Up to the last slash. */
static bool
parent_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash && slash > path ? (size_t)(slash - path) : 1;

	if (!slash || len >= PATH_MAX)
		return false;
	memcpy(out, path, len);
	out[len] = '\0';
	return true;
}

static bool
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return false;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* So that the new name is on the disk, too; a file system that cannot do that keeps it in its own time. */
static void
sync_dir(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static bool
fill(int fd, const struct setup_disk *d, const char *text, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !write_all(fd, text, len))
		return false;
	if (d->there && (st.st_uid != d->uid || st.st_gid != d->gid) && fchown(fd, d->uid, d->gid) != 0)
		return false;
	return fchmod(fd, d->there ? d->mode : 0600) == 0 && fsync(fd) == 0;
}

/* The last look at the file is directly before it is replaced. A new one does not replace what has come meanwhile. */
static bool
put_in_place(const struct setup_disk *d, const char *temporary, const char **ret_why)
{
	if (!unchanged(d))
		return refuse(ret_why, CHANGED);
	if (d->there)
		return rename(temporary, d->path) == 0 || refuse_errno(ret_why);
	if (renameat2(AT_FDCWD, temporary, AT_FDCWD, d->path, RENAME_NOREPLACE) == 0)
		return true;
	if (errno == EEXIST)
		return refuse(ret_why, CHANGED);
	return rename(temporary, d->path) == 0 || refuse_errno(ret_why);
}

bool
setup_disk_write(const struct setup_disk *d, const char *text, size_t len, const char **ret_why)
{
	char dir[PATH_MAX], temporary[PATH_MAX + 32];

	if (!parent_of(d->path, dir))
		return refuse(ret_why, strerror(ENAMETOOLONG));
	if (!d->there && !setup_make_dir(dir))
		return refuse_errno(ret_why);
	snprintf(temporary, sizeof(temporary), "%s/.agentbus-setup.XXXXXX", dir);
	const int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return refuse_errno(ret_why);
	bool ok = fill(fd, d, text, len);

	if (!ok)
		refuse_errno(ret_why);
	if (close(fd) != 0 && ok)
		ok = refuse_errno(ret_why);
	ok = ok && put_in_place(d, temporary, ret_why);
	if (ok)
		sync_dir(dir);
	else
		unlink(temporary);
	return ok;
}

bool
setup_disk_remove(const struct setup_disk *d, bool directory, const char **ret_why)
{
	char dir[PATH_MAX];

	if (!unchanged(d))
		return refuse(ret_why, CHANGED);
	if (unlink(d->path) != 0)
		return refuse_errno(ret_why);
	/* What else is in it keeps it. */
	if (directory && parent_of(d->path, dir))
		rmdir(dir);
	return true;
}
