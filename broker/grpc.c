#include "grpc.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE   16384
#define BURST   16   /* pieces at a time, before others get their turn */
#define GRACE_S 1e-3 /* a timer fires rather late than too early */

struct grpc_link {
	struct grpc *all;
	struct grpc_link *next;
	struct peer peer;
	struct grpc_conn conn;
	ev_io readable, writable;
	ev_timer timer;
	uint64_t armed_ns;   /* for when the timer is set, or GRPC_NEVER */
	uint64_t stalled_ns; /* since when the peer takes no output; 0: it does */
	bool gone;           /* the other side is */
	bool dead;
};

static uint64_t
now(void *ctx)
{
	const struct grpc *g = ctx;

	return clock_now(g->intake->clock);
}

static void
note_refusal(void *ctx, enum verdict v, const char *what)
{
	struct grpc *g = ctx;

	refusals_note(g->refusals, v, what, now(g));
}

/* --- the end of a connection --- */

static void
stop_watching(struct grpc_link *l)
{
	ev_io_stop(l->all->loop, &l->readable);
	ev_io_stop(l->all->loop, &l->writable);
	ev_timer_stop(l->all->loop, &l->timer);
}

/* It stays in the list until nobody looks at it any more. */
static void
end(struct grpc_link *l)
{
	if (l->dead)
		return;
	l->dead = true;
	l->all->dead++;
	stop_watching(l);
	grpc_conn_finish(&l->conn);
	/* Closing on what the other side still sends would take our last words from it. */
	if (l->gone)
		close(l->readable.fd);
	else
		partings_take(&l->all->partings, l->readable.fd);
}

/*
 * Frees what is in no list any more, and tells of its end. Where we have closed, that tells nothing of the process on the
 * other side.
 */
static void
bury(struct grpc_link *l)
{
	struct grpc *g = l->all;
	const uint64_t id = l->peer.id;
	const bool left = l->conn.peer_left || (l->gone && l->stalled_ns == 0);
	const unsigned requests = left ? l->conn.requests : 0;

	free(l);
	g->dead--;
	if (!g->stopping)
		intake_peer_closed(g->intake, id, requests);
	g->left(g->ctx, id);
}

static void
enter(struct grpc *g)
{
	g->depth++;
}

/* Whatever is called may add connections, but frees none: depth is at least 1. */
static void
bury_dead(struct grpc *g)
{
	for (struct grpc_link **at = &g->first; *at;) {
		struct grpc_link *l = *at;

		if (!l->dead) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		bury(l);
	}
}

static void
leave(struct grpc *g)
{
	while (g->depth == 1 && g->dead > 0)
		bury_dead(g);
	g->depth--;
}

/* --- moving bytes --- */

static void
send_output(struct grpc_link *l)
{
	const uint8_t *bytes;
	size_t len;

	while (!l->gone && (len = grpc_conn_output(&l->conn, &bytes)) > 0) {
		const ssize_t n = send(l->readable.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (l->stalled_ns == 0)
				l->stalled_ns = now(l->all);
			return;
		}
		l->gone = n < 0;
		if (n > 0)
			grpc_conn_sent(&l->conn, (size_t)n);
		l->stalled_ns = 0;
	}
}

static bool
choked(const struct grpc_link *l)
{
	const uint8_t *bytes;

	return grpc_conn_output(&l->conn, &bytes) >= GRPC_OUT_MAX;
}

static void
receive_input(struct grpc_link *l)
{
	uint8_t piece[PIECE];

	for (int i = 0; i < BURST && !choked(l) && !grpc_conn_over(&l->conn); i++) {
		const ssize_t n = recv(l->readable.fd, piece, sizeof(piece), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		l->gone = n <= 0;
		if (l->gone)
			return;
		grpc_conn_receive(&l->conn, piece, (size_t)n);
		if (n < PIECE)
			return;
	}
}

/* --- what is waited for --- */

static uint64_t
due(const struct grpc_link *l)
{
	const uint64_t conn = grpc_conn_due(&l->conn);
	const uint64_t stalled = l->stalled_ns ? l->stalled_ns + l->all->limits->request_ns : GRPC_NEVER;

	return conn < stalled ? conn : stalled;
}

static void
set_timer(struct grpc_link *l)
{
	struct grpc *g = l->all;
	const uint64_t at = due(l);

	if (at == l->armed_ns)
		return;
	l->armed_ns = at;
	ev_timer_stop(g->loop, &l->timer);
	if (at == GRPC_NEVER)
		return;
	const uint64_t time = now(g);
	ev_now_update(g->loop);
	ev_timer_set(&l->timer, GRACE_S + (at > time ? (double)(at - time) / (double)NS_PER_S : 0.), 0.);
	ev_timer_start(g->loop, &l->timer);
}

static void
watch(struct ev_loop *loop, ev_io *w, bool wanted)
{
	if (wanted)
		ev_io_start(loop, w);
	else
		ev_io_stop(loop, w);
}

/* After each step: sends what there is, and ends the connection or waits for the next thing. */
static void
proceed(struct grpc_link *l)
{
	const uint8_t *bytes;

	if (l->dead)
		return;
	send_output(l);
	const size_t pending = grpc_conn_output(&l->conn, &bytes);
	const bool over = grpc_conn_over(&l->conn);

	if (l->gone || (over && pending == 0))
		return end(l);
	watch(l->all->loop, &l->readable, !over && pending < GRPC_OUT_MAX);
	watch(l->all->loop, &l->writable, pending > 0);
	set_timer(l);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct grpc_link *l = w->data;
	struct grpc *g = l->all;

	(void)loop;
	(void)revents;
	enter(g);
	receive_input(l);
	proceed(l);
	leave(g);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct grpc_link *l = w->data;
	struct grpc *g = l->all;

	(void)loop;
	(void)revents;
	enter(g);
	proceed(l);
	leave(g);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct grpc_link *l = w->data;
	struct grpc *g = l->all;

	(void)loop;
	(void)revents;
	enter(g);
	l->armed_ns = GRPC_NEVER;
	l->gone = l->stalled_ns && now(g) >= l->stalled_ns + g->limits->request_ns;
	grpc_conn_tick(&l->conn);
	proceed(l);
	leave(g);
}

/* --- all connections --- */

void
grpc_open(struct grpc *g, struct ev_loop *loop, struct intake *intake, const struct limits *limits,
	  const struct access_policy *access, struct refusals *refusals, struct metrics *metrics, const struct log *log,
	  void (*left)(void *ctx, uint64_t peer), void *ctx)
{
	*g = (struct grpc){ .loop = loop,
			    .intake = intake,
			    .limits = limits,
			    .access = access,
			    .refusals = refusals,
			    .log = log,
			    .left = left,
			    .ctx = ctx };
	g->host = (struct grpc_host){ .intake = intake,
				      .access = access,
				      .take = intake_take,
				      .now = now,
				      .refused = note_refusal,
				      .ctx = g,
				      .metrics = metrics,
				      .waiting = &g->waiting,
				      .in_flight = &g->in_flight };
	partings_init(&g->partings, loop);
}

static struct grpc_link *
make_link(struct grpc *g, int fd, const struct peer *peer)
{
	struct grpc_link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct grpc_link){ .all = g, .peer = *peer, .armed_ns = GRPC_NEVER };
	if (!grpc_conn_init(&l->conn, &g->host, &l->peer)) {
		free(l);
		return NULL;
	}
	ev_io_init(&l->readable, on_readable, fd, EV_READ);
	ev_io_init(&l->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&l->timer, on_timer, 0., 0.);
	l->readable.data = l->writable.data = l->timer.data = l;
	return l;
}

void
grpc_adopt(struct grpc *g, int fd, const struct peer *peer)
{
	struct grpc_link *l = make_link(g, fd, peer);
	const int on = 1;

	if (!l) {
		log_warning(g->log, "a gRPC connection was refused: out of memory");
		close(fd);
		g->left(g->ctx, peer->id);
		return;
	}
	/* An answer does not wait for the one before to be acknowledged. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	l->next = g->first;
	g->first = l;
	enter(g);
	if (g->stopping)
		grpc_conn_drain(&l->conn);
	proceed(l);
	leave(g);
}

void
grpc_settle(struct grpc *g, enum verdict v)
{
	enter(g);
	for (struct grpc_link *l = g->first; l && g->waiting > 0; l = l->next) {
		if (l->dead || l->conn.waiting == 0)
			continue;
		grpc_conn_settle(&l->conn, v);
		proceed(l);
	}
	leave(g);
}

void
grpc_drain(struct grpc *g)
{
	g->stopping = true;
	enter(g);
	for (struct grpc_link *l = g->first; l; l = l->next) {
		if (l->dead)
			continue;
		grpc_conn_drain(&l->conn);
		proceed(l);
	}
	leave(g);
}

bool
grpc_busy(const struct grpc *g)
{
	return g->in_flight > 0;
}

void
grpc_close(struct grpc *g)
{
	g->stopping = true;
	for (struct grpc_link *l = g->first, *next; l; l = next) {
		next = l->next;
		stop_watching(l);
		grpc_conn_finish(&l->conn);
		close(l->readable.fd);
		free(l);
	}
	g->first = NULL;
	partings_finish(&g->partings);
}
