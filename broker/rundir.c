#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_NAME sizeof("/events")

/* Like mkdir -p, but what it makes is ours alone. */
static bool
make_directories(const char *path)
{
	char part[PATH_MAX];
	const size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return false;
	}
	return true;
}

/* Others must not reach the sockets: not by owner, and not by mode. */
static bool
check_owner(const struct rundir *r, const struct log *log)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0) {
		log_error(log, "%s: %s", r->path, strerror(errno));
		return false;
	}
	if (st.st_uid != geteuid()) {
		log_error(log, "%s belongs to user %u, not to us: give --runtime-dir a directory of your own", r->path,
			  (unsigned)st.st_uid);
		return false;
	}
	if ((st.st_mode & 0077) != 0 && fchmod(r->fd, 0700) < 0) {
		log_error(log, "%s is open to others (mode %04o) and cannot be closed: %s", r->path,
			  (unsigned)(st.st_mode & 07777), strerror(errno));
		return false;
	}
	return true;
}

static void
log_taken(const struct rundir *r, int lock, const struct log *log)
{
	char pid[16] = "";
	const ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	if (*pid)
		log_error(log, "another agentbusd (pid %s) already serves %s", pid, r->path);
	else
		log_error(log, "another agentbusd already serves %s", r->path);
}

static bool
take_lock(struct rundir *r, const struct log *log)
{
	char pid[16];
	const int fd = openat(r->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		log_error(log, "%s/lock: %s", r->path, strerror(errno));
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			log_taken(r, fd, log);
		else
			log_error(log, "%s/lock: %s", r->path, strerror(errno));
		close(fd);
		return false;
	}
	/* The pid is only there for the message above; the lock itself is what counts. */
	const int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0)
		log_warning(log, "%s/lock: %s", r->path, strerror(errno));
	r->lock = fd;
	return true;
}

bool
rundir_open(struct rundir *r, const char *path, const struct log *log)
{
	char absolute[PATH_MAX];

	*r = (struct rundir){ .fd = -1, .lock = -1 };
	if (*path == '\0') {
		log_error(log, "no directory for the sockets: set XDG_RUNTIME_DIR, or give --runtime-dir");
		return false;
	}
	if (!make_directories(path) || !realpath(path, absolute)) {
		log_error(log, "%s: %s", path, strerror(errno));
		return false;
	}
	if (strlen(absolute) + LONGEST_NAME > sizeof(r->path)) {
		log_error(log, "%s: the path is too long for a socket (at most %zu bytes)", absolute,
			  sizeof(r->path) - LONGEST_NAME);
		return false;
	}
	strcpy(r->path, absolute);
	r->fd = open(absolute, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd < 0)
		log_error(log, "%s: %s", absolute, strerror(errno));
	if (r->fd >= 0 && check_owner(r, log) && take_lock(r, log))
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
