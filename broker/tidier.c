#include "tidier.h"

#include "store.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <unistd.h>

#define OURSELVES   "/proc/self/exe"
#define LESS_URGENT 10 /* as nice(1) counts */

static void
ended(struct ev_loop *loop, ev_child *w, int revents)
{
	struct tidier *t = w->data;

	(void)revents;
	ev_child_stop(loop, w);
	t->done(t->ctx);
}

/* With none of our descriptors: whoever waits for the end of our output must not wait for this. */
static bool
spawn(const char *database, pid_t *ret)
{
	char name[] = "agentbusd", option[] = TIDIER_OPTION;
	char *const argv[] = { name, option, (char *)database, NULL };
	char *const env[] = { NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	bool ok = true;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		ok = ok && posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0) == 0;
	ok = ok && posix_spawn(&pid, OURSELVES, &actions, NULL, argv, env) == 0;
	posix_spawn_file_actions_destroy(&actions);
	if (ok)
		*ret = pid;
	return ok;
}

void
tidier_init(struct tidier *t, struct ev_loop *loop, void (*done)(void *ctx), void *ctx)
{
	*t = (struct tidier){ .loop = loop, .done = done, .ctx = ctx };
	ev_child_init(&t->ended, ended, 0, 0);
	t->ended.data = t;
}

bool
tidier_start(struct tidier *t, const char *database)
{
	pid_t pid;

	if (ev_is_active(&t->ended))
		return true;
	if (!ev_is_default_loop(t->loop) || !spawn(database, &pid))
		return false;
	ev_child_set(&t->ended, pid, 0);
	ev_child_start(t->loop, &t->ended);
	return true;
}

void
tidier_finish(struct tidier *t)
{
	ev_child_stop(t->loop, &t->ended);
}

int
tidier_main(const char *database)
{
	/* Nobody waits for it. */
	(void)setpriority(PRIO_PROCESS, 0, LESS_URGENT);
	return store_checkpoint_file(database) ? 0 : 1;
}
