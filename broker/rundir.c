#include "rundir.h"

#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_NAME sizeof("/events")

bool
rundir_open(struct rundir *r, const char *path, const struct log *log)
{
	char absolute[PATH_MAX];

	*r = (struct rundir){ .fd = -1, .lock = -1 };
	if (*path == '\0') {
		log_error(log, "no directory for the sockets: set XDG_RUNTIME_DIR, or give --runtime-dir");
		return false;
	}
	if (!path_make_directories(path) || !realpath(path, absolute)) {
		log_error(log, "%s: %s", path, strerror(errno));
		return false;
	}
	if (strlen(absolute) + LONGEST_NAME > sizeof(r->path)) {
		log_error(log, "%s: the path is too long for a socket (at most %zu bytes)", absolute,
			  sizeof(r->path) - LONGEST_NAME);
		return false;
	}
	strcpy(r->path, absolute);
	r->fd = path_open_own(absolute, "--runtime-dir", log);
	if (r->fd >= 0)
		r->lock = path_lock(r->fd, absolute, "lock", log);
	if (r->lock >= 0)
		return true;
	rundir_close(r);
	return false;
}

void
rundir_close(struct rundir *r)
{
	if (r->lock >= 0)
		close(r->lock);
	if (r->fd >= 0)
		close(r->fd);
	r->lock = r->fd = -1;
}

bool
rundir_socket(const struct rundir *r, const char *name, char url[RUNDIR_PATH_MAX + 8], const struct log *log)
{
	struct stat st;
	const int len = snprintf(url, RUNDIR_PATH_MAX + 8, "ipc://%s/%s", r->path, name);

	if ((size_t)len - strlen("ipc://") >= RUNDIR_PATH_MAX) {
		log_error(log, "%s/%s: the path is too long for a socket", r->path, name);
		return false;
	}
	if (fstatat(r->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(st.st_mode)) {
		log_error(log, "%s/%s is in the way: it is no socket; remove it", r->path, name);
		return false;
	}
	return true;
}
