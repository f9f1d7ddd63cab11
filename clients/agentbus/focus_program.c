#include "focus_program.h"

#include "focus_time.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, FIRST_SIZE = 4096, POLL_MS = 5 };

/* Our environment with a variable more; it does without one of the same name. NULL without memory. */
static char **
environment_with(const char *extra)
{
	const size_t name_len = strcspn(extra, "=") + 1;
	size_t count = 0, n = 0;

	while (environ[count])
		count++;
	char **copy = calloc(count + 2, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++)
		if (strncmp(environ[i], extra, name_len) != 0)
			copy[n++] = environ[i];
	if (copy)
		copy[n] = (char *)extra;
	return copy;
}

/* Starts it with its output in out_fd. Returns its pid, 0 if there is no such program. */
static pid_t
start(const char *const argv[], const char *extra, int out_fd)
{
	char **own = extra ? environment_with(extra) : NULL;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipes;
	pid_t pid = 0;

	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if ((extra && !own) || posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) != 0 ||
	    posix_spawnp(&pid, argv[0], &actions, &attributes, (char *const *)argv, own ? own : environ) != 0)
		pid = 0;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(own);
	return pid;
}

/* Reads to the end. What is above the limit is an error, as is what comes too late. */
static bool
read_all(int fd, int64_t deadline, char **ret_text)
{
	size_t size = FIRST_SIZE, len = 0;
	char *text = malloc(size + 1);

	while (text && focus_time_wait(fd, POLLIN, deadline)) {
		const ssize_t n = read(fd, text + len, size - len);

		if (n <= 0) {
			text[len] = '\0';
			*ret_text = text;
			return n == 0;
		}
		len += (size_t)n;
		if (len < size)
			continue;
		size *= 2;
		char *moved = size > FOCUS_OUTPUT_MAX ? NULL : realloc(text, size + 1);
		if (!moved)
			break;
		text = moved;
	}
	*ret_text = text;
	return false;
}

/* Waits for its end, or brings that about. */
static bool
ended_well(pid_t pid, bool ok, int64_t deadline)
{
	const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status = -1;

	/* An old kernel has no descriptors for processes. */
	while (ok && fd < 0 && waitpid(pid, &status, WNOHANG) == 0 && focus_time_ms() < deadline)
		poll(NULL, 0, POLL_MS);
	if (fd >= 0 && (!ok || !focus_time_wait(fd, POLLIN, deadline)))
		ok = kill(pid, SIGKILL) != 0 && ok;
	if (fd < 0 && status == -1)
		kill(pid, SIGKILL);
	if (status == -1)
		waitpid(pid, &status, 0);
	if (fd >= 0)
		close(fd);
	return ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum focus_ran
focus_program_run(const char *const argv[], const char *extra, char **ret_text)
{
	const int64_t deadline = focus_time_ms() + PATIENCE_MS;
	char *text = NULL;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return RAN_BADLY;
	const pid_t pid = start(argv, extra, fds[1]);
	close(fds[1]);
	bool ok = pid != 0 && read_all(fds[0], deadline, &text);
	if (pid)
		ok = ended_well(pid, ok, deadline);
	close(fds[0]);
	if (ok && ret_text)
		*ret_text = text;
	else
		free(text);
	return ok ? RAN_WELL : pid ? RAN_BADLY : RAN_NOT;
}
