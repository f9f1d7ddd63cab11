#include "gate.h"

#include "peer_uid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEAT_BITS    20 /* of a peer's id: its seat; the rest numbers the connections */
#define NOBODY       ((uid_t)-1)
#define FOREIGNERS   8  /* connections at a time of all users who may not send: enough to tell them so */
#define TURNED_AWAY  64 /* connections without a place that are waited for: the first bytes tell how to refuse them */
#define PREFACE      "PRI "
#define PREFACE_SIZE (sizeof(PREFACE) - 1)

/* A connection that has a place, whoever has it now. */
struct gate_seat {
	uint64_t id; /* of the peer, 0: free */
	size_t crowd, next_free;
	uint32_t inode; /* of the socket at the other end, 0: unknown */
};

/* Connections that count as one peer's. */
struct gate_crowd {
	struct address address; /* its port is 0; all 0: those who may not send */
	uid_t uid;              /* NOBODY: not of this machine, or unknown */
	size_t count;
};

struct gate_visitor {
	ev_io readable;
	struct gate *gate;
	struct peer peer;
	enum verdict refused; /* not OK: it has no place, and is told so when it speaks */
	uint64_t deadline_ns;
	struct gate_visitor *next, *previous;
};

static const char go_away_http[] = "HTTP/1.1 %s\r\nRetry-After: %d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/* SETTINGS, then GOAWAY of stream 0 without an error: a gRPC client takes its requests elsewhere, or comes back. */
static const uint8_t go_away_grpc[] = { 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

/* --- places --- */

static void
set_port_0(struct address *a)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = 0;
	else
		a->v4.sin_port = 0;
}

static bool
same_address(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
	return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

/* The crowd of an address and user; there are never more crowds than connections. */
static size_t
find_crowd(struct gate *g, const struct address *from, uid_t uid)
{
	size_t unused = g->crowd_count;

	for (size_t i = 0; i < g->crowd_count; i++) {
		if (g->crowds[i].count == 0)
			unused = i;
		else if (g->crowds[i].uid == uid && same_address(&g->crowds[i].address, from))
			return i;
	}
	if (unused == g->seat_count)
		return unused;
	g->crowd_count += unused == g->crowd_count;
	g->crowds[unused] = (struct gate_crowd){ .address = *from, .uid = uid };
	set_port_0(&g->crowds[unused].address);
	return unused;
}

/* Finds a place for a peer, or says why there is none. */
static enum verdict
take_seat(struct gate *g, struct peer *peer, uid_t uid, uint32_t inode)
{
	static const struct address anywhere; /* the loopback addresses are many, and anybody may use each */
	const size_t seat = g->free_seat;
	const bool foreign = peer->verdict == VERDICT_FOREIGN_USER;
	const size_t max = foreign ? FOREIGNERS : g->limits->max_connections_per_peer;

	if (seat == g->seat_count)
		return VERDICT_BUSY;
	const size_t crowd = find_crowd(g, foreign ? &anywhere : &peer->from, foreign ? NOBODY : uid);
	if (g->crowds[crowd].count >= max)
		return VERDICT_TOO_MANY;
	g->crowds[crowd].count++;
	g->seated++;
	g->free_seat = g->seats[seat].next_free;
	peer->id = ++g->serial << SEAT_BITS | seat;
	g->seats[seat] = (struct gate_seat){ .id = peer->id, .crowd = crowd, .inode = inode };
	return VERDICT_OK;
}

void
gate_left(struct gate *g, uint64_t peer)
{
	const size_t seat = peer & ((1u << SEAT_BITS) - 1);

	if (peer == 0 || seat >= g->seat_count || g->seats[seat].id != peer)
		return;
	g->crowds[g->seats[seat].crowd].count--;
	g->seated--;
	g->seats[seat] = (struct gate_seat){ .next_free = g->free_seat };
	g->free_seat = seat;
}

bool
gate_socket_of(const struct gate *g, uint64_t peer, uint32_t *ret_inode, uid_t *ret_uid)
{
	const size_t seat = peer & ((1u << SEAT_BITS) - 1);

	if (peer == 0 || seat >= g->seat_count || g->seats[seat].id != peer || g->seats[seat].inode == 0)
		return false;
	*ret_inode = g->seats[seat].inode;
	*ret_uid = g->crowds[g->seats[seat].crowd].uid;
	return true;
}

/* --- first bytes --- */

enum speech { SPEECH_UNKNOWN, SPEECH_HTTP, SPEECH_GRPC, SPEECH_GONE };

/* Looks without taking. */
static enum speech
first_words(int fd)
{
	char bytes[PREFACE_SIZE];
	const ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? SPEECH_UNKNOWN : SPEECH_GONE;
	if (n == 0)
		return SPEECH_GONE;
	if (memcmp(bytes, PREFACE, (size_t)n) != 0)
		return SPEECH_HTTP;
	return (size_t)n == sizeof(bytes) ? SPEECH_GRPC : SPEECH_UNKNOWN;
}

static void
schedule(struct gate *g)
{
	ev_timer_stop(g->loop, &g->impatience);
	if (!g->first)
		return;
	const uint64_t now = clock_now(g->clock);
	const uint64_t due = g->first->deadline_ns;
	ev_timer_set(&g->impatience, due > now ? (double)(due - now) / NS_PER_S : 0., 0.);
	ev_timer_start(g->loop, &g->impatience);
}

static void
forget_visitor(struct gate_visitor *v)
{
	struct gate *g = v->gate;

	ev_io_stop(g->loop, &v->readable);
	if (v->previous)
		v->previous->next = v->next;
	else
		g->first = v->next;
	if (v->next)
		v->next->previous = v->previous;
	else
		g->last = v->previous;
	g->turned_away -= v->refused != VERDICT_OK;
	free(v);
	schedule(g);
}

static void
hand_over(struct gate *g, int fd, const struct peer *peer, enum speech speech)
{
	const struct gate_host *host = speech == SPEECH_GRPC ? &g->grpc : &g->http;

	if (speech == SPEECH_GONE) {
		close(fd);
		gate_left(g, peer->id);
		return;
	}
	host->adopt(host->ctx, fd, peer);
}

/* Tells a peer in its own language to come back. One that does not take even this is past helping. */
static void
send_away(struct gate *g, int fd, enum verdict v, enum speech speech)
{
	const bool grpc = speech == SPEECH_GRPC;
	const char *status = v == VERDICT_TOO_MANY ? "429 Too Many Requests" : "503 Service Unavailable";
	char text[sizeof(go_away_http) + 32];
	const int len = snprintf(text, sizeof(text), go_away_http, status, VERDICT_RETRY_S);

	(void)!send(fd, grpc ? (const void *)go_away_grpc : text, grpc ? sizeof(go_away_grpc) : (size_t)len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	partings_take(&g->partings, fd);
	refusals_note(g->refusals, v, "a connection", clock_now(g->clock));
}

static void
visitor_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct gate_visitor *v = w->data;
	struct gate *g = v->gate;
	const struct peer peer = v->peer;
	const enum verdict refused = v->refused;
	const int fd = w->fd;
	const enum speech speech = first_words(fd);
	const int any = 1;

	(void)loop;
	(void)revents;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof(any));
	forget_visitor(v);
	/* Readable with less than a preface: there will be no more, and HTTP knows what to say to that. */
	if (refused == VERDICT_OK)
		hand_over(g, fd, &peer, speech == SPEECH_UNKNOWN ? SPEECH_HTTP : speech);
	else
		send_away(g, fd, refused, speech);
}

static void
impatience_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct gate *g = w->data;
	const uint64_t now = clock_now(g->clock);

	(void)loop;
	(void)revents;
	for (struct gate_visitor *v = g->first, *next; v && v->deadline_ns <= now; v = next) {
		next = v->next;
		close(v->readable.fd);
		gate_left(g, v->peer.id);
		forget_visitor(v);
	}
	schedule(g);
}

/*
 * Waits for the first bytes, of a peer that has a place or of one that is refused. Until all of the preface is there the socket
 * counts as unreadable: no need to look again.
 */
static void
wait_for_words(struct gate *g, int fd, const struct peer *peer, enum verdict refused)
{
	const int enough = PREFACE_SIZE;
	struct gate_visitor *v = calloc(1, sizeof(*v));

	if (!v) {
		close(fd);
		gate_left(g, peer->id);
		return;
	}
	*v = (struct gate_visitor){ .gate = g, .peer = *peer, .refused = refused, .previous = g->last };
	v->deadline_ns = peer->arrived_ns + g->limits->header_ns;
	*(g->last ? &g->last->next : &g->first) = v;
	g->last = v;
	g->turned_away += refused != VERDICT_OK;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough));
	ev_io_init(&v->readable, visitor_readable, fd, EV_READ);
	v->readable.data = v;
	ev_io_start(g->loop, &v->readable);
	if (g->first == v)
		schedule(g);
}

/* --- arrival --- */

/* Local connections have a user: ours, or one who may send if all may. */
static uid_t
identify(const struct gate *g, struct peer *peer, uint32_t *ret_inode)
{
	uid_t uid = NOBODY;

	if (!address_is_loopback(&peer->from))
		return NOBODY;
	const bool known = peer_uid(&peer->from, &peer->local, &uid, ret_inode);
	if (!g->allow_other_users && (!known || uid != g->own))
		peer->verdict = VERDICT_FOREIGN_USER;
	return known ? uid : NOBODY;
}

void
gate_arrived(struct gate *g, int fd, const struct address *from)
{
	struct peer peer = {
		.arrived_ns = clock_now(g->clock), .from = *from, .local.len = sizeof(peer.local.v6), .verdict = VERDICT_OK
	};
	uint32_t inode = 0;

	if (getsockname(fd, &peer.local.any, &peer.local.len) < 0) {
		close(fd);
		return;
	}
	const uid_t uid = identify(g, &peer, &inode);
	const enum verdict v = take_seat(g, &peer, uid, inode);
	const enum speech speech = first_words(fd);

	g->refused += v != VERDICT_OK;
	if (speech == SPEECH_UNKNOWN && (v == VERDICT_OK || g->turned_away < TURNED_AWAY))
		wait_for_words(g, fd, &peer, v);
	else if (v == VERDICT_OK)
		hand_over(g, fd, &peer, speech);
	else
		send_away(g, fd, v, speech);
}

/* --- open and close --- */

bool
gate_open(struct gate *g, struct ev_loop *loop, const struct clock *clock, const struct limits *limits, bool allow_other_users,
	  struct refusals *refusals, struct gate_host http, struct gate_host grpc)
{
	*g = (struct gate){ .loop = loop,
			    .clock = clock,
			    .limits = limits,
			    .refusals = refusals,
			    .http = http,
			    .grpc = grpc,
			    .allow_other_users = allow_other_users,
			    .own = geteuid(),
			    .seat_count = limits->max_connections };
	g->seats = calloc(g->seat_count, sizeof(*g->seats));
	g->crowds = calloc(g->seat_count, sizeof(*g->crowds));
	if (!g->seats || !g->crowds) {
		log_error(refusals->log, "no memory for %zu connections; see --max-connections", g->seat_count);
		free(g->seats);
		free(g->crowds);
		return false;
	}
	for (size_t i = 0; i < g->seat_count; i++)
		g->seats[i].next_free = i + 1;
	ev_timer_init(&g->impatience, impatience_due, 0., 0.);
	g->impatience.data = g;
	partings_init(&g->partings, loop);
	return true;
}

void
gate_close(struct gate *g)
{
	for (struct gate_visitor *v = g->first, *next; v; v = next) {
		next = v->next;
		close(v->readable.fd);
		forget_visitor(v);
	}
	partings_finish(&g->partings);
	free(g->seats);
	free(g->crowds);
	g->seats = NULL;
	g->crowds = NULL;
}
