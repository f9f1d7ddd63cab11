#include "parting.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_MAX 64
#define LIMIT_S   2.0
#define PIECE     65536
#define BURST     64 /* pieces at a time, before others get their turn */

struct parting {
	ev_io readable;
	ev_timer limit;
	struct partings *all;
	struct parting *previous, *next;
};

static void
end(struct parting *l)
{
	struct partings *ls = l->all;

	ev_io_stop(ls->loop, &l->readable);
	ev_timer_stop(ls->loop, &l->limit);
	close(l->readable.fd);
	if (l->previous)
		l->previous->next = l->next;
	else
		ls->first = l->next;
	if (l->next)
		l->next->previous = l->previous;
	ls->count--;
	free(l);
}

static void
readable(struct ev_loop *loop, ev_io *w, int revents)
{
	char dropped[PIECE];

	(void)loop;
	(void)revents;
	for (int i = 0; i < BURST; i++) {
		const ssize_t n = recv(w->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			return end(w->data);
	}
}

static void
limit_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	end(w->data);
}

void
partings_init(struct partings *ls, struct ev_loop *loop)
{
	*ls = (struct partings){ .loop = loop };
}

void
partings_take(struct partings *ls, int fd)
{
	struct parting *l = ls->count < COUNT_MAX ? malloc(sizeof(*l)) : NULL;

	shutdown(fd, SHUT_WR);
	if (!l) {
		close(fd);
		return;
	}
	*l = (struct parting){ .all = ls, .next = ls->first };
	if (l->next)
		l->next->previous = l;
	ls->first = l;
	ls->count++;
	ev_io_init(&l->readable, readable, fd, EV_READ);
	ev_timer_init(&l->limit, limit_due, LIMIT_S, 0.);
	l->readable.data = l->limit.data = l;
	ev_io_start(ls->loop, &l->readable);
	ev_timer_start(ls->loop, &l->limit);
}

void
partings_finish(struct partings *ls)
{
	while (ls->first)
		end(ls->first);
}
