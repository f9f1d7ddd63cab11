#include "link.h"

#include <errno.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <signal.h>
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
#define REDIAL_MIN_MS    2000 /* nng should have connected by then; doubles */
#define REDIAL_MAX_MS    30000
#define LINK_REDIAL      64  /* not for the caller of link_poll() */
#define ANSWER_WAIT_MS   100 /* at the end, for an answer under way */
#define QUIET_MS         2   /* then for a pause between events */
#define QUIET_TRIES      25
#define CLOSE_WAIT_MS    300 /* then for nng */
#define NSEC_PER_SEC     UINT64_C(1000000000)
#define URL_SCHEME       "ipc://"
#define SOCKET_PATH_SIZE (LINK_URL_SIZE - sizeof(URL_SCHEME))

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

void
link_url(const char *dir, const char *name, char url[static LINK_URL_SIZE])
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
connect_socket(nng_socket socket, struct link_peer *peer, size_t size_max, int *ret_fd)
{
	int e;

	if ((e = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS)) != 0 ||
	    (e = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS)) != 0 ||
	    (e = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, size_max)) != 0 ||
	    (e = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, peer_changed, peer)) != 0 ||
	    (e = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, peer_changed, peer)) != 0 ||
	    (e = nng_socket_get_int(socket, NNG_OPT_RECVFD, ret_fd)) != 0)
		return e;
	return nng_dial(socket, peer->url, &peer->dialer, NNG_FLAG_NONBLOCK);
}

static int
open_sockets(struct link *l)
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
	if ((e = connect_socket(l->events, &l->events_peer, EVENT_SIZE_MAX, &l->events_fd)) != 0)
		return e;
	return connect_socket(l->queries, &l->queries_peer, ANSWER_SIZE_MAX, &l->queries_fd);
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
	l->redial = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return l->epoll >= 0 && l->wake >= 0 && l->timer >= 0 && l->redial >= 0 && watch(l, l->wake, EPOLLIN, LINK_PEERS) &&
	       watch(l, l->timer, EPOLLIN, LINK_TIMER) && watch(l, l->redial, EPOLLIN, LINK_REDIAL);
}

/* nng connects again by itself, but 1.5.2 may stop to: the first look at that is soon, further ones are rarer. */
static void
set_redial(struct link *l, bool linked)
{
	struct itimerspec t = { 0 };

	if (linked == (l->redial_ms == 0))
		return;
	l->redial_ms = linked ? 0 : REDIAL_MIN_MS;
	t.it_value.tv_sec = l->redial_ms / 1000;
	timerfd_settime(l->redial, 0, &t, NULL);
}

static void
redial_socket(struct link *l, nng_socket socket, struct link_peer *peer)
{
	pthread_mutex_lock(&l->lock);
	bool connected = peer->id != 0;
	pthread_mutex_unlock(&l->lock);
	if (connected)
		return;
	nng_dialer_close(peer->dialer);
	nng_dial(socket, peer->url, &peer->dialer, NNG_FLAG_NONBLOCK);
}

static void
redial(struct link *l)
{
	struct itimerspec t = { 0 };
	uint64_t count;

	if (read(l->redial, &count, sizeof(count)) <= 0 || l->redial_ms == 0)
		return;
	redial_socket(l, l->events, &l->events_peer);
	redial_socket(l, l->queries, &l->queries_peer);
	l->redial_ms = l->redial_ms * 2 < REDIAL_MAX_MS ? l->redial_ms * 2 : REDIAL_MAX_MS;
	t.it_value.tv_sec = l->redial_ms / 1000;
	timerfd_settime(l->redial, 0, &t, NULL);
}

static int
open_link(struct link *l, const char *dir)
{
	link_url(dir, "events", l->events_peer.url);
	link_url(dir, "query", l->queries_peer.url);
	if (!*l->events_peer.url || !*l->queries_peer.url)
		return AGENTBUS_EPATH;
	if (!open_descriptors(l))
		return AGENTBUS_ESYSTEM;
	int e = error_of(open_sockets(l));
	if (e == AGENTBUS_OK && !(watch(l, l->events_fd, 0, LINK_EVENTS) && watch(l, l->queries_fd, EPOLLIN, LINK_ANSWER)))
		e = AGENTBUS_ESYSTEM;
	if (e == AGENTBUS_OK)
		set_redial(l, false);
	return e;
}

int
link_create(const char *dir, struct link **ret_link)
{
	struct link *l = malloc(sizeof(*l));

	if (!l)
		return AGENTBUS_ENOMEM;
	*l = (struct link){ .epoll = -1,
			    .wake = -1,
			    .timer = -1,
			    .redial = -1,
			    .events_fd = -1,
			    .queries_fd = -1,
			    .events_peer.link = l,
			    .queries_peer.link = l };
	pthread_mutex_init(&l->lock, NULL);
	int e = open_link(l, dir);
	if (e == AGENTBUS_OK) {
		*ret_link = l;
		return AGENTBUS_OK;
	}
	int saved = errno;
	link_destroy(l);
	errno = saved;
	return e;
}

static nng_msg *
receive(nng_socket socket)
{
	nng_msg *msg;

	return nng_recvmsg(socket, &msg, NNG_FLAG_NONBLOCK) == 0 ? msg : NULL;
}

/* nng_close() returns when no thread of nng's is in peer_changed() any more. */
static void *
close_sockets(void *arg)
{
	struct link *l = arg;

	if (l->opened_events)
		nng_close(l->events);
	if (l->opened_queries)
		nng_close(l->queries);
	return NULL;
}

static bool
is_readable(int fd, int timeout_ms)
{
	return poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, timeout_ms) > 0;
}

/* Waits for the answer that is under way, and for a moment without events. */
static void
calm_down(struct link *l)
{
	nng_msg *msg;

	if (l->awaits_answer)
		is_readable(l->queries_fd, ANSWER_WAIT_MS);
	for (int i = 0; i < QUIET_TRIES && is_readable(l->events_fd, QUIET_MS); i++) {
		while ((msg = receive(l->events)) != NULL)
			nng_msg_free(msg);
	}
}

/*
 * nng_close() may wait for ever if it meets a message that is just being received (seen with nng 1.5.2). What is under way is
 * let in first; against a stream without a pause only a thread helps that can be left behind.
 */
static bool
close_sockets_in_time(struct link *l)
{
	struct timespec until;
	sigset_t all, before;
	pthread_t thread;

	calm_down(l);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&thread, NULL, close_sockets, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed) {
		close_sockets(l);
		return true;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += CLOSE_WAIT_MS * 1000000L;
	until.tv_sec += until.tv_nsec / (long)NSEC_PER_SEC;
	until.tv_nsec %= (long)NSEC_PER_SEC;
	if (pthread_timedjoin_np(thread, NULL, &until) == 0)
		return true;
	pthread_detach(thread);
	return false;
}

void
link_destroy(struct link *l)
{
	bool sockets = l->opened_events || l->opened_queries;

	if (l->timer >= 0)
		close(l->timer);
	if (l->redial >= 0)
		close(l->redial);
	if (l->epoll >= 0)
		close(l->epoll);
	/* What nng's threads use stays if nng does. */
	if (sockets && !close_sockets_in_time(l))
		return;
	if (l->wake >= 0)
		close(l->wake);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

int
link_poll(struct link *l)
{
	struct epoll_event events[5];
	int n = epoll_wait(l->epoll, events, 5, 0), found = 0;
	uint64_t count;

	if (n < 0)
		return errno == EINTR ? 0 : AGENTBUS_ESYSTEM;
	for (int i = 0; i < n; i++)
		found |= (int)events[i].data.u32;
	/*
	 * Both are cleared before anyone looks at what they stand for, so that nothing later is missed; the eventfd not while
	 * events come, for it would be written again for the next of them.
	 */
	if (found & LINK_PEERS && !(found & LINK_EVENTS) && read(l->wake, &count, sizeof(count)) > 0)
		l->nudged = false;
	if (found & LINK_TIMER && read(l->timer, &count, sizeof(count)) > 0)
		l->armed = 0;
	if (found & LINK_REDIAL)
		redial(l);
	return found & ~LINK_REDIAL;
}

void
link_peers(struct link *l, bool *ret_linked, bool *ret_changed)
{
	pthread_mutex_lock(&l->lock);
	unsigned changes = l->events_peer.changes + l->queries_peer.changes;
	*ret_linked = l->events_peer.id && l->queries_peer.id;
	pthread_mutex_unlock(&l->lock);
	*ret_changed = changes != l->seen;
	if (*ret_changed)
		l->awaits_answer = l->has_answered = false; /* that was another */
	l->seen = changes;
	set_redial(l, *ret_linked);
}

nng_msg *
link_receive_event(struct link *l)
{
	return receive(l->events);
}

nng_msg *
link_receive_answer(struct link *l)
{
	nng_msg *msg = receive(l->queries);

	if (msg)
		l->awaits_answer = false;
	l->has_answered |= msg != NULL;
	return msg;
}

/*
 * A broker's nng that has stopped accepting (1.5.2 does after a peer that left before its greeting) still lets us connect and
 * then answers nothing. Leaving makes the broker notice; nng connects again by itself.
 */
static void
leave_mute_peer(struct link *l)
{
	pthread_mutex_lock(&l->lock);
	int id = l->queries_peer.id;
	pthread_mutex_unlock(&l->lock);
	l->awaits_answer = false;
	if (id)
		nng_pipe_close((nng_pipe){ .id = (uint32_t)id });
}

bool
link_ask(struct link *l, const void *data, size_t len)
{
	nng_msg *msg;

	/* nng drops an answer that nobody took when the next request is sent, but leaves its descriptor readable. */
	msg = link_receive_answer(l);
	if (msg)
		nng_msg_free(msg);
	if (l->awaits_answer && !l->has_answered) {
		leave_mute_peer(l);
		return false;
	}
	if (nng_msg_alloc(&msg, 0) != 0)
		return false;
	if (nng_msg_append(msg, data, len) == 0 && nng_sendmsg(l->queries, msg, NNG_FLAG_NONBLOCK) == 0) {
		l->awaits_answer = true;
		return true;
	}
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
