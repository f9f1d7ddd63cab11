#include "forward_multi.h"

#include <stdlib.h>

#define MS_PER_S 1000.0

/* A socket of libcurl's. */
struct watched {
	struct forward_multi *multi;
	ev_io io;
};

static void
tell_done(struct forward_multi *m)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(m->curl, &left))) {
		CURL *easy = message->easy_handle;
		const CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(m->curl, easy);
		m->done(easy, code);
	}
}

static void
go_on(struct forward_multi *m, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(m->curl, fd, what, &running);
	tell_done(m);
}

static void
socket_ready(struct ev_loop *loop, ev_io *w, int revents)
{
	struct watched *s = w->data;
	const int what = (revents & EV_READ ? CURL_CSELECT_IN : 0) | (revents & EV_WRITE ? CURL_CSELECT_OUT : 0);

	(void)loop;
	go_on(s->multi, w->fd, what);
}

static void
timer_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct forward_multi *m = w->data;

	(void)loop;
	(void)revents;
	go_on(m, CURL_SOCKET_TIMEOUT, 0);
}

static struct watched *
watch_socket(struct forward_multi *m, curl_socket_t fd)
{
	struct watched *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->multi = m;
	ev_io_init(&s->io, socket_ready, fd, 0);
	s->io.data = s;
	curl_multi_assign(m->curl, fd, s);
	return s;
}

/* libcurl tells which of its sockets to watch for what. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct forward_multi *m = ctx;
	struct watched *s = known;

	(void)easy;
	if (s)
		ev_io_stop(m->loop, &s->io);
	if (what == CURL_POLL_REMOVE) {
		free(s);
		return 0;
	}
	if (!s && !(s = watch_socket(m, fd)))
		return -1;
	ev_io_set(&s->io, fd, (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	ev_io_start(m->loop, &s->io);
	return 0;
}

/* It tells when to call it though nothing happens; below 0: not at all. */
static int
on_timer(CURLM *curl, long ms, void *ctx)
{
	struct forward_multi *m = ctx;

	(void)curl;
	ev_timer_stop(m->loop, &m->timer);
	if (ms < 0)
		return 0;
	ev_timer_set(&m->timer, (double)ms / MS_PER_S, 0.);
	ev_timer_start(m->loop, &m->timer);
	return 0;
}

bool
forward_multi_open(struct forward_multi *m, struct ev_loop *loop, void (*done)(CURL *easy, CURLcode code))
{
	*m = (struct forward_multi){ .loop = loop, .done = done };
	ev_timer_init(&m->timer, timer_due, 0., 0.);
	m->timer.data = m;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return false;
	m->curl = curl_multi_init();
	if (!m->curl) {
		curl_global_cleanup();
		return false;
	}
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return true;
}

bool
forward_multi_add(struct forward_multi *m, CURL *easy)
{
	return curl_multi_add_handle(m->curl, easy) == CURLM_OK;
}

void
forward_multi_remove(struct forward_multi *m, CURL *easy)
{
	curl_multi_remove_handle(m->curl, easy);
}

void
forward_multi_close(struct forward_multi *m)
{
	if (!m->curl)
		return;
	curl_multi_cleanup(m->curl);
	ev_timer_stop(m->loop, &m->timer);
	m->curl = NULL;
	curl_global_cleanup();
}
