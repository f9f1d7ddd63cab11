#include "link.h"

#include <errno.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_BUFFER    8192 /* messages; the most that nng allows */
#define EVENT_SIZE_MAX   (16u << 20)
#define ANSWER_SIZE_MAX  (64u << 20)
#define RECONNECT_MIN_MS 10
#define RECONNECT_MAX_MS 500
#define NSEC_PER_SEC     UINT64_C(1000000000)
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)
#define URL_SCHEME       "ipc://"

uint64_t
link_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static int
error_of(int nng_error)
{
	switch (nng_error) {
	case 0:
		return AGENTBUS_OK;
	case NNG_ENOMEM:
		return AGENTBUS_ENOMEM;
	case NNG_EADDRINVAL:
		return AGENTBUS_EPATH;
	case NNG_ENOFILES:
		errno = EMFILE;
		return AGENTBUS_ESYSTEM;
	default:
		errno = nng_error & NNG_ESYSERR ? nng_error & ~NNG_ESYSERR : EIO;
		return AGENTBUS_ESYSTEM;
	}
}

/* The URL of a socket in dir, "" if there is no dir or the path is too long. */
static void
make_url(const char *dir, const char *name, char url[static SOCKET_PATH_SIZE + sizeof(URL_SCHEME)])
{
	const char *sub = "";

	*url = '\0';
	if (!dir)
		dir = secure_getenv("AGENTBUS_RUNTIME_DIR");
	if (!dir || !*dir) {
		dir = secure_getenv("XDG_RUNTIME_DIR");
		sub = "/agentbus";
	}
	if (!dir || !*dir || strlen(dir) + strlen(sub) + 1 + strlen(name) >= SOCKET_PATH_SIZE)
		return;
	sprintf(url, URL_SCHEME "%s%s/%s", dir, sub, name);
}

/* Only adding to an eventfd's counter of 2^64 - 1 could fail. */
static void
write_wake(struct link *l)
{
	uint64_t one = 1;

	(void)!write(l->wake, &one, sizeof(one));
}

/* On a thread of nng's. The one of a connection that is gone may come after the one of the next. */
static void
peer_changed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct link_peer *peer = arg;
	struct link *l = peer->link;
	int id = nng_pipe_id(pipe);

	pthread_mutex_lock(&l->lock);
	if (event == NNG_PIPE_EV_ADD_POST)
		peer->id = id;
	else if (peer->id == id)
		peer->id = 0;
	peer->changes++;
	pthread_mutex_unlock(&l->lock);
	write_wake(l);
}

static int
connect_socket(nng_socket socket, const char *url, struct link_peer *peer, size_t size_max, int *ret_fd)
{
	int e;

	if ((e = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS)) != 0 ||
	    (e = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS)) != 0 ||
	    (e = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, size_max)) != 0 ||
	    (e = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, peer_changed, peer)) != 0 ||
	    (e = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, peer_changed, peer)) != 0 ||
	    (e = nng_socket_get_int(socket, NNG_OPT_RECVFD, ret_fd)) != 0)
		return e;
	return nng_dial(socket, url, NULL, NNG_FLAG_NONBLOCK);
}

static int
open_sockets(struct link *l, const char *events_url, const char *queries_url)
{
	int e;

	if ((e = nng_sub0_open(&l->events)) != 0)
		return e;
	l->opened_events = true;
	if ((e = nng_req0_open(&l->queries)) != 0)
		return e;
	l->opened_queries = true;
	if ((e = nng_socket_set_int(l->events, NNG_OPT_RECVBUF, EVENTS_BUFFER)) != 0 ||
	    (e = nng_socket_set(l->events, NNG_OPT_SUB_SUBSCRIBE, "v1/", strlen("v1/"))) != 0 ||
	    /* Asking again is the business of whoever asked. */
	    (e = nng_socket_set_ms(l->queries, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE)) != 0)
		return e;
	if ((e = connect_socket(l->events, events_url, &l->events_peer, EVENT_SIZE_MAX, &l->events_fd)) != 0)
		return e;
	return connect_socket(l->queries, queries_url, &l->queries_peer, ANSWER_SIZE_MAX, &l->queries_fd);
}

static bool
watch(struct link *l, int fd, uint32_t events, unsigned flag)
{
	struct epoll_event e = { .events = events, .data.u32 = flag };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* The eventfd exists before any thread may write to it. */
static bool
open_descriptors(struct link *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return l->epoll >= 0 && l->wake >= 0 && l->timer >= 0 && watch(l, l->wake, EPOLLIN, LINK_PEERS) &&
	       watch(l, l->timer, EPOLLIN, LINK_TIMER);
}

int
link_open(struct link *l, const char *dir)
{
	char events_url[SOCKET_PATH_SIZE + sizeof(URL_SCHEME)], queries_url[SOCKET_PATH_SIZE + sizeof(URL_SCHEME)];
	int e;

	*l = (struct link){ .epoll = -1, .wake = -1, .timer = -1, .events_peer.link = l, .queries_peer.link = l };
	make_url(dir, "events", events_url);
	make_url(dir, "query", queries_url);
	if (!*events_url || !*queries_url)
		return AGENTBUS_EPATH;
	if (pthread_mutex_init(&l->lock, NULL) != 0)
		return AGENTBUS_ENOMEM;
	if (!open_descriptors(l)) {
		e = AGENTBUS_ESYSTEM;
	} else if ((e = error_of(open_sockets(l, events_url, queries_url))) == AGENTBUS_OK) {
		if (watch(l, l->events_fd, 0, LINK_EVENTS) && watch(l, l->queries_fd, EPOLLIN, LINK_ANSWER))
			return AGENTBUS_OK;
		e = AGENTBUS_ESYSTEM;
	}
	int saved = errno;
	link_close(l);
	errno = saved;
	return e;
}

/* nng_close() returns when no thread of nng's is in peer_changed() any more. */
void
link_close(struct link *l)
{
	if (l->opened_events)
		nng_close(l->events);
	if (l->opened_queries)
		nng_close(l->queries);
	if (l->timer >= 0)
		close(l->timer);
	if (l->wake >= 0)
		close(l->wake);
	if (l->epoll >= 0)
		close(l->epoll);
	pthread_mutex_destroy(&l->lock);
}

int
link_poll(struct link *l)
{
	struct epoll_event events[4];
	int n = epoll_wait(l->epoll, events, 4, 0), found = 0;
	uint64_t count;

	if (n < 0)
		return errno == EINTR ? 0 : AGENTBUS_ESYSTEM;
	for (int i = 0; i < n; i++)
		found |= (int)events[i].data.u32;
	/* Both are cleared before anyone looks at what they stand for, so that nothing later is missed. */
	if (found & LINK_PEERS && read(l->wake, &count, sizeof(count)) > 0)
		l->nudged = false;
	if (found & LINK_TIMER && read(l->timer, &count, sizeof(count)) > 0)
		l->armed = 0;
	return found;
}

void
link_peers(struct link *l, bool *ret_linked, bool *ret_changed)
{
	pthread_mutex_lock(&l->lock);
	unsigned changes = l->events_peer.changes + l->queries_peer.changes;
	*ret_linked = l->events_peer.id && l->queries_peer.id;
	pthread_mutex_unlock(&l->lock);
	*ret_changed = changes != l->seen;
	l->seen = changes;
}

static nng_msg *
receive(nng_socket socket)
{
	nng_msg *msg;

	return nng_recvmsg(socket, &msg, NNG_FLAG_NONBLOCK) == 0 ? msg : NULL;
}

nng_msg *
link_receive_event(struct link *l)
{
	return receive(l->events);
}

nng_msg *
link_receive_answer(struct link *l)
{
	return receive(l->queries);
}

bool
link_ask(struct link *l, const void *data, size_t len)
{
	nng_msg *msg;

	/* nng drops an answer that nobody took when the next request is sent, but leaves its descriptor readable. */
	msg = receive(l->queries);
	if (msg)
		nng_msg_free(msg);
	if (nng_msg_alloc(&msg, 0) != 0)
		return false;
	if (nng_msg_append(msg, data, len) == 0 && nng_sendmsg(l->queries, msg, NNG_FLAG_NONBLOCK) == 0)
		return true;
	nng_msg_free(msg);
	return false;
}

void
link_want_events(struct link *l, bool wanted)
{
	struct epoll_event e = { .events = wanted ? EPOLLIN : 0, .data.u32 = LINK_EVENTS };

	if (l->wants_events != wanted && epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->events_fd, &e) == 0)
		l->wants_events = wanted;
}

/* A deadline that moves away lets the timer expire once in vain: cheaper than setting it at every event. */
void
link_set_timer(struct link *l, uint64_t deadline)
{
	if (deadline == l->armed || (deadline && l->armed && deadline > l->armed))
		return;
	struct itimerspec t = {
		.it_value = { .tv_sec = (time_t)(deadline / NSEC_PER_SEC), .tv_nsec = (long)(deadline % NSEC_PER_SEC) },
	};
	if (timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL) == 0)
		l->armed = deadline;
}

void
link_nudge(struct link *l)
{
	if (l->nudged)
		return;
	l->nudged = true;
	write_wake(l);
}
