#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_BURST 64  /* connections taken at a time, before others get their turn */
#define PAUSE_S      0.1 /* without descriptors left */

static void
resume(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct listeners *ls = w->data;

	(void)revents;
	for (size_t i = 0; i < ls->count; i++)
		ev_io_start(loop, &ls->items[i].acceptable);
}

/* The connection stays in the backlog and the socket readable: without a pause the loop would spin. */
static void
pause_all(struct listeners *ls, int error)
{
	if (!ls->starved)
		log_warning(ls->log, "cannot accept connections for now: %s", strerror(error));
	ls->starved = true;
	for (size_t i = 0; i < ls->count; i++)
		ev_io_stop(ls->loop, &ls->items[i].acceptable);
	ev_timer_set(&ls->pause, PAUSE_S, 0.);
	ev_timer_start(ls->loop, &ls->pause);
}

static void
acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listeners *ls = w->data;

	(void)loop;
	(void)revents;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct address from = { .len = sizeof(from.v6) };
		const int fd = accept4(w->fd, &from.any, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			ls->arrived(ls->ctx, fd, &from);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			return pause_all(ls, errno);
		} else if (errno == EAGAIN) {
			ls->starved = false; /* all are in: until then one that leaves makes room for one, and that is no news */
			return;
		}
		/* Other errors are of the one connection that has broken before it was accepted. */
	}
}

/* Returns a listening socket, or -1 with errno. */
static int
open_socket(const struct address *a)
{
	const int one = 1;
	const int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    (a->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
	    bind(fd, &a->any, a->len) < 0 || listen(fd, SOMAXCONN) < 0) {
		const int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void
log_refusal(const struct log *log, const char *text, int error)
{
	if (error == EADDRINUSE)
		log_error(log, "%s is taken: another agentbusd or an OpenTelemetry collector may run there; see --listen", text);
	else
		log_error(log, "cannot listen on %s: %s", text, strerror(error));
}

static bool
add_listener(struct listeners *ls, const struct address *a, bool optional)
{
	struct listener *l = &ls->items[ls->count];
	char text[ADDRESS_TEXT_MAX];
	const int fd = open_socket(a);

	address_format(a, text);
	if (fd < 0 && optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		log_warning(ls->log, "not listening on %s: this machine has no such address", text);
		return true;
	}
	if (fd < 0) {
		log_refusal(ls->log, text, errno);
		return false;
	}
	l->address = *a;
	getsockname(fd, &l->address.any, &l->address.len);
	ev_io_init(&l->acceptable, acceptable, fd, EV_READ);
	l->acceptable.data = ls;
	ls->count++;
	return true;
}

bool
listen_open(struct listeners *ls, struct ev_loop *loop, const struct config *config, const struct log *log,
	    void (*arrived)(void *ctx, int fd, const struct address *from), void *ctx)
{
	*ls = (struct listeners){ .loop = loop, .log = log, .arrived = arrived, .ctx = ctx };
	ev_timer_init(&ls->pause, resume, 0., 0.);
	ls->pause.data = ls;
	for (size_t i = 0; i < config->listen_count; i++) {
		if (!add_listener(ls, &config->listen[i], config->listen_layer == LAYER_DEFAULT)) {
			listen_close(ls);
			return false;
		}
	}
	if (ls->count == 0) {
		log_error(log, "there is no address to listen on");
		return false;
	}
	for (size_t i = 0; i < ls->count; i++)
		ev_io_start(loop, &ls->items[i].acceptable);
	return true;
}

void
listen_close(struct listeners *ls)
{
	ev_timer_stop(ls->loop, &ls->pause);
	for (size_t i = 0; i < ls->count; i++) {
		ev_io_stop(ls->loop, &ls->items[i].acceptable);
		close(ls->items[i].acceptable.fd);
	}
	ls->count = 0;
}

void
listen_format(const struct listeners *ls, char *text, size_t size)
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < ls->count && len < size; i++) {
		char item[ADDRESS_TEXT_MAX];

		address_format(&ls->items[i].address, item);
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? " " : "", item);
	}
}
