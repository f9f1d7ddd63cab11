#include "parting.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT_MAX 64
#define LIMIT_S   2.0
#define PIECE     65536
#define BURST     64                 /* pieces at a time, before others get their turn */
#define BYTES_MAX ((size_t)64 << 20) /* of one connection */

struct parting {
	ev_io readable;
	ev_timer limit;
	struct partings *all;
	size_t dropped;
	struct parting *previous, *next;
};

static void
end(struct parting *p)
{
	struct partings *all = p->all;

	ev_io_stop(all->loop, &p->readable);
	ev_timer_stop(all->loop, &p->limit);
	close(p->readable.fd);
	if (p->previous)
		p->previous->next = p->next;
	else
		all->first = p->next;
	if (p->next)
		p->next->previous = p->previous;
	all->count--;
	free(p);
}

static void
readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct parting *p = w->data;
	char piece[PIECE];

	(void)loop;
	(void)revents;
	for (int i = 0; i < BURST; i++) {
		const ssize_t n = recv(w->fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || p->dropped > BYTES_MAX)
			return end(p);
		p->dropped += (size_t)n;
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
partings_init(struct partings *all, struct ev_loop *loop)
{
	*all = (struct partings){ .loop = loop };
}

void
partings_take(struct partings *all, int fd)
{
	struct parting *p = all->count < COUNT_MAX ? malloc(sizeof(*p)) : NULL;

	shutdown(fd, SHUT_WR);
	if (!p) {
		close(fd);
		return;
	}
	*p = (struct parting){ .all = all, .next = all->first };
	if (p->next)
		p->next->previous = p;
	all->first = p;
	all->count++;
	ev_io_init(&p->readable, readable, fd, EV_READ);
	ev_timer_init(&p->limit, limit_due, LIMIT_S, 0.);
	p->readable.data = p->limit.data = p;
	ev_io_start(all->loop, &p->readable);
	ev_timer_start(all->loop, &p->limit);
}

void
partings_finish(struct partings *all)
{
	for (struct parting *p = all->first, *next; p; p = next) {
		next = p->next;
		end(p);
	}
}
