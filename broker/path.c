#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool
path_make_directories(const char *path)
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

/* Others must not reach what is in it: not by owner, and not by mode. */
static bool
check_owner(int fd, const char *path, const char *option, const struct log *log)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		log_error(log, "%s: %s", path, strerror(errno));
		return false;
	}
	if (st.st_uid != geteuid()) {
		log_error(log, "%s belongs to user %u, not to us: give %s a directory of your own", path, (unsigned)st.st_uid,
			  option);
		return false;
	}
	if ((st.st_mode & 0077) != 0 && fchmod(fd, 0700) < 0) {
		log_error(log, "%s is open to others (mode %04o) and cannot be closed: %s", path, (unsigned)(st.st_mode & 07777),
			  strerror(errno));
		return false;
	}
	return true;
}

int
path_open_own(const char *path, const char *option, const struct log *log)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		log_error(log, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (!check_owner(fd, path, option, log)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
log_taken(int lock, const char *path, const struct log *log)
{
	char pid[16] = "";
	const ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	if (*pid)
		log_error(log, "another agentbusd (pid %s) already serves %s", pid, path);
	else
		log_error(log, "another agentbusd already serves %s", path);
}

int
path_lock(int directory, const char *path, const char *name, const struct log *log)
{
	char pid[16];
	const int fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		log_error(log, "%s/%s: %s", path, name, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		const int error = errno;

		if (error == EWOULDBLOCK)
			log_taken(fd, path, log);
		else
			log_error(log, "%s/%s: %s", path, name, strerror(error));
		close(fd);
		errno = error;
		return -1;
	}
	/* The pid is only there for the message above; the lock itself is what counts. */
	const int len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) < 0)
		log_warning(log, "%s/%s: %s", path, name, strerror(errno));
	return fd;
}
