#include "ingest.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BURST 64 /* messages a turn of the loop: the rest has one of its own */

/* --- one datagram --- */

/* The kernel vouches for it. Descriptors that came along find no room and are closed by the kernel. */
static bool
read_sender(struct msghdr *m, struct ucred *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len < CMSG_LEN(sizeof(*ret)))
			continue;
		memcpy(ret, CMSG_DATA(c), sizeof(*ret));
		return true;
	}
	return false;
}

static enum verdict
judge(const struct ingest *g, struct msghdr *m, uint32_t *ret_sender)
{
	struct ucred sender = { .uid = (uid_t)-1 };
	const bool known = read_sender(m, &sender);

	/* Processes of other users are not looked at. */
	*ret_sender = known && sender.uid == g->own ? (uint32_t)sender.pid : 0;
	if (!g->allow_other_users && (!known || sender.uid != g->own))
		return VERDICT_FOREIGN_USER;
	return m->msg_flags & MSG_TRUNC ? VERDICT_TOO_LARGE : VERDICT_OK;
}

/* False if there is none. */
static bool
take_one(struct ingest *g)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { g->message, sizeof(g->message) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(g->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	enum verdict verdict;
	uint32_t sender;

	if (n < 0)
		return errno == EINTR;
	verdict = judge(g, &m, &sender);
	if (verdict == VERDICT_OK)
		verdict = intake_take_hook(g->intake, NULL, g->message, (size_t)n, sender);
	if (verdict != VERDICT_OK)
		refusals_note(g->refusals, verdict, "a hook's message", clock_now(g->intake->clock));
	return true;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ingest *g = w->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < BURST && take_one(g); i++)
		;
}

/* --- open and close --- */

static bool
bind_socket(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int on = 1;
	mode_t before;
	bool bound;

	strcpy(address.sun_path, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return false;
	before = umask(0177);
	bound = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	umask(before);
	return bound && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0;
}

bool
ingest_open(struct ingest *g, struct ev_loop *loop, const struct rundir *r, struct intake *intake, struct refusals *refusals,
	    bool allow_other_users)
{
	char url[RUNDIR_PATH_MAX + 8];

	g->fd = -1;
	if (!rundir_socket(r, "ingest", url, refusals->log))
		return false;
	g->loop = loop;
	g->intake = intake;
	g->refusals = refusals;
	g->own = geteuid();
	g->allow_other_users = allow_other_users;
	strcpy(g->path, url + strlen("ipc://"));
	g->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->fd < 0 || !bind_socket(g->fd, g->path)) {
		log_error(refusals->log, "%s: %s", g->path, strerror(errno));
		if (g->fd >= 0)
			close(g->fd);
		return false;
	}
	ev_io_init(&g->readable, on_readable, g->fd, EV_READ);
	g->readable.data = g;
	/* Before the query socket in the same turn: what was told before somebody asked is in the answer. */
	ev_set_priority(&g->readable, EV_MAXPRI);
	ev_io_start(loop, &g->readable);
	return true;
}

void
ingest_close(struct ingest *g)
{
	ev_io_stop(g->loop, &g->readable);
	unlink(g->path);
	close(g->fd);
}
