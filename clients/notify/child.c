#include "notify/child.h"

#include "common/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 8

struct child {
	struct ev_loop *loop;
	pid_t pid; /* 0: none */
	ev_child over;
	ev_timer late;
	void (*done)(void *user, uint64_t tag, int status);
	void *user;
	uint64_t tag;
};

struct children {
	struct child slots[CHILDREN_MAX];
};

static void
on_over(struct ev_loop *loop, ev_child *w, int revents)
{
	struct child *c = container_of(w, struct child, over);

	(void)revents;
	ev_child_stop(loop, w);
	ev_timer_stop(loop, &c->late);
	c->pid = 0;
	if (c->done)
		c->done(c->user, c->tag, WIFEXITED(w->rstatus) ? WEXITSTATUS(w->rstatus) : -1);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	kill(-container_of(w, struct child, late)->pid, SIGKILL);
}

struct children *
children_create(struct ev_loop *loop)
{
	struct children *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c && i < CHILDREN_MAX; i++) {
		c->slots[i].loop = loop;
		ev_init(&c->slots[i].over, on_over);
		ev_init(&c->slots[i].late, on_late);
	}
	return c;
}

void
children_destroy(struct children *c)
{
	for (size_t i = 0; c && i < CHILDREN_MAX; i++) {
		ev_child_stop(c->slots[i].loop, &c->slots[i].over);
		ev_timer_stop(c->slots[i].loop, &c->slots[i].late);
		if (c->slots[i].pid)
			kill(-c->slots[i].pid, SIGKILL);
	}
	free(c);
}

/* Whether an entry of our environment is not for the command: it is about ourselves, or the command gets another one. */
static bool
is_ours_alone(const char *entry, const char *const *env)
{
	static const char *const ours[] = { "NOTIFY_SOCKET=", "XDG_ACTIVATION_TOKEN=", "DESKTOP_STARTUP_ID=" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strncmp(entry, ours[i], strlen(ours[i])) == 0)
			return true;
	for (; *env; env++)
		if (strncmp(entry, *env, strcspn(*env, "=") + 1) == 0)
			return true;
	return false;
}

/* The caller frees the array, and nothing in it. NULL without memory. */
static char **
environment_with(const char *const *env)
{
	size_t count = 0, n = 0;
	char **all;

	while (environ[n])
		n++;
	for (count = 0; env[count];)
		count++;
	all = malloc((n + count + 1) * sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, env, count * sizeof(*all));
	for (char **entry = environ; *entry; entry++)
		if (!is_ours_alone(*entry, env))
			all[count++] = *entry;
	all[count] = NULL;
	return all;
}

/* Where its input comes from and its output goes; it inherits no other descriptor. */
static int
set_files(posix_spawn_file_actions_t *files, bool silent)
{
	int r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (r == 0 && silent)
		r = posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
	return r == 0 ? posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1) : r;
}

/* A group of its own, and signals as a program expects them. */
static int
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, usual;
	int r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &none);
	return r == 0 ? posix_spawnattr_setsigdefault(attributes, &usual) : r;
}

static int
spawn(const struct child_order *order, char **env, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int r = posix_spawn_file_actions_init(&files);

	if (r != 0)
		return r;
	r = posix_spawnattr_init(&attributes);
	if (r == 0) {
		r = set_files(&files, order->silent);
		if (r == 0)
			r = set_attributes(&attributes);
		if (r == 0)
			r = posix_spawnp(ret_pid, order->argv[0], &files, &attributes, order->argv, env);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return r;
}

static struct child *
free_slot(struct children *c)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (!c->slots[i].pid)
			return &c->slots[i];
	return NULL;
}

int
children_run(struct children *c, const struct child_order *order)
{
	struct child *slot = free_slot(c);
	char **env;
	pid_t pid;
	int r;

	if (!slot)
		return -EAGAIN;
	env = environment_with(order->env);
	if (!env)
		return -ENOMEM;
	r = spawn(order, env, &pid);
	free(env);
	if (r != 0)
		return -r;
	slot->pid = pid;
	slot->done = order->done;
	slot->user = order->user;
	slot->tag = order->tag;
	ev_child_set(&slot->over, pid, 0);
	ev_child_start(slot->loop, &slot->over);
	ev_timer_set(&slot->late, order->seconds, 0);
	ev_timer_start(slot->loop, &slot->late);
	return 0;
}
