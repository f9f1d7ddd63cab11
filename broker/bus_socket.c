#include "bus_socket.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* nng pauses for 0.1 s after failures that are not fatal. */
#define PROBE_NS 300000000ull

static int
listen_anew(struct bus_socket *b)
{
	int error = nng_listener_create(&b->listener, b->socket, b->url);

	b->failures = 0;
	if (error == 0)
		error = nng_listener_set_size(b->listener, NNG_OPT_RECVMAXSZ, b->max_message);
	/* Before the start: there is no moment in which others could connect. */
	if (error == 0)
		error = nng_listener_set_int(b->listener, NNG_OPT_IPC_PERMISSIONS, 0600);
	if (error == 0)
		error = nng_listener_start(b->listener, 0);
	if (error != 0)
		log_error(b->log, "cannot listen on %s: %s", b->url, nng_strerror(error));
	return error;
}

/*
 * On a thread of nng's, for each peer before it is let in. The directory and the socket are closed to other users already;
 * this holds even where somebody opened them, or handed a descriptor on.
 */
static void
check_peer(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	uint64_t uid;

	(void)event;
	(void)arg;
	if (nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) != 0 || uid != geteuid())
		nng_pipe_close(pipe);
}

bool
bus_socket_listen(struct bus_socket *b, const char *url, size_t max_message, const struct log *log)
{
	b->max_message = max_message;
	b->probe = -1;
	b->log = log;
	snprintf(b->url, sizeof(b->url), "%s", url);
	if (nng_pipe_notify(b->socket, NNG_PIPE_EV_ADD_PRE, check_peer, NULL) == 0)
		return listen_anew(b) == 0;
	log_error(log, "cannot watch who connects to %s", url);
	return false;
}

static nng_stat *
child_named(nng_stat *parent, const char *name)
{
	nng_stat *s = parent ? nng_stat_child(parent) : NULL;

	while (s && strcmp(nng_stat_name(s), name) != 0)
		s = nng_stat_next(s);
	return s;
}

/* The statistics of the listener with that id, among all of the process. */
static nng_stat *
listener_named(nng_stat *root, int id)
{
	for (nng_stat *s = nng_stat_child(root); s; s = nng_stat_next(s)) {
		nng_stat *number = strcmp(nng_stat_name(s), "listener") == 0 ? child_named(s, "id") : NULL;

		if (number && nng_stat_value(number) == (uint64_t)id)
			return s;
	}
	return NULL;
}

struct counts {
	uint64_t failures, accepted;
};

/* "other" counts what has no counter of its own; the fatal kind is among it. */
static bool
read_counts(const struct bus_socket *b, struct counts *ret)
{
	nng_stat *root, *other, *accepted;

	if (nng_stats_get(&root) != 0)
		return false;
	nng_stat *listener = listener_named(root, nng_listener_id(b->listener));
	other = child_named(listener, "other");
	accepted = child_named(listener, "accept");
	if (other && accepted)
		*ret = (struct counts){ nng_stat_value(other), nng_stat_value(accepted) };
	nng_stats_free(root);
	return other && accepted;
}

/* Connects as a peer would, and greets. */
static int
knock(const struct bus_socket *b)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uint8_t greeting[] = { 0, 'S', 'P', 0, 0, 0, 0, 0 };
	int peer = 0, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%.*s", (int)sizeof(to.sun_path) - 1, b->url + strlen("ipc://"));
	nng_socket_get_int(b->socket, NNG_OPT_PEER, &peer);
	greeting[5] = (uint8_t)peer;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    send(fd, greeting, sizeof(greeting), MSG_NOSIGNAL) == (ssize_t)sizeof(greeting))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void
judge(struct bus_socket *b, const struct counts *c)
{
	close(b->probe);
	b->probe = -1;
	if (c->accepted != b->accepted)
		return;
	log_info(b->log, "nng lets nobody in at %s any more: listening anew", b->url);
	nng_listener_close(b->listener);
	listen_anew(b);
}

void
bus_socket_mend(struct bus_socket *b, uint64_t now_ns)
{
	struct counts c;

	if ((b->probe >= 0 && now_ns - b->probed_ns < PROBE_NS) || !read_counts(b, &c))
		return;
	if (b->probe >= 0) {
		judge(b, &c);
	} else if (c.failures != b->failures) {
		b->failures = c.failures;
		b->accepted = c.accepted;
		b->probed_ns = now_ns;
		b->probe = knock(b);
	}
}

void
bus_socket_finish(struct bus_socket *b)
{
	if (b->probe >= 0)
		close(b->probe);
	b->probe = -1;
}
