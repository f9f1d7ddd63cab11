/*
 * The sockets of a bus and the one descriptor that stands for all of them. It knows nothing of what is said over them.
 *
 * Inside the epoll descriptor: the live socket (sub), the query socket (req), an eventfd that tells of peers that come and
 * go and of work left over, and a timerfd. nng connects again by itself; its threads touch nothing here but the peers,
 * under their lock, and the eventfd.
 */
#ifndef AGENTBUS_LIB_LINK_H
#define AGENTBUS_LIB_LINK_H

#include "agentbus.h"

#include <nng/nng.h>
#include <pthread.h>
#include <sys/un.h>

/* What link_poll() found. */
enum {
	LINK_EVENTS = 1, /* the live socket has a message */
	LINK_ANSWER = 2, /* the query socket has one */
	LINK_PEERS = 4,  /* see link_peers(); also after link_nudge() */
	LINK_TIMER = 8   /* the timer that was set has expired */
};

#define LINK_URL_SIZE (sizeof(((struct sockaddr_un *)NULL)->sun_path) + sizeof("ipc://"))

/* The connection of one socket; id is 0 without one. */
struct link_peer {
	struct link *link;
	int id;
	unsigned changes;
	char url[LINK_URL_SIZE];
	nng_dialer dialer;
};

struct link {
	nng_socket events, queries;
	int epoll, wake, timer, redial;
	int events_fd, queries_fd; /* nng's */
	bool opened_events, opened_queries;
	bool wants_events, nudged, awaits_answer;
	bool has_answered;  /* the peer that there is now */
	uint64_t armed;     /* when the timer expires, 0 if it does not */
	unsigned redial_ms; /* until sockets without a peer dial anew, 0: both have one */

	pthread_mutex_t lock; /* of both peers */
	struct link_peer events_peer, queries_peer;
	unsigned seen; /* changes at the last link_peers() */
};

/* Begins to connect to the sockets in dir, NULL for the usual one. Returns 0 or an agentbus_error. */
int link_create(const char *dir, struct link **ret_link);

/* Closes and frees it all; what nng does not let go of within half a second is left to the end of the process. */
void link_destroy(struct link *l);

/* Never blocks. A set of LINK_ flags, or AGENTBUS_ESYSTEM. */
int link_poll(struct link *l);

/* Whether both sockets have a peer, and whether any has changed since the last call. */
void link_peers(struct link *l, bool *ret_linked, bool *ret_changed);

/* A message that waits, or NULL. The caller frees it. */
nng_msg *link_receive_event(struct link *l);
nng_msg *link_receive_answer(struct link *l);

/*
 * Sends a request in place of the one before, whose answer will not come any more. False if it could not be sent. A peer
 * that has not answered at all is left, and connected to anew.
 */
bool link_ask(struct link *l, const void *data, size_t len);

/* Whether messages of the live socket make the descriptor readable. */
void link_want_events(struct link *l, bool wanted);

/* Makes the descriptor readable at that time of link_now(), or a little earlier; 0 is never. */
void link_set_timer(struct link *l, uint64_t deadline);

/* Makes the descriptor readable now. */
void link_nudge(struct link *l);

/* The URL of a socket in dir, NULL for the usual one; "" if there is no dir or the path is too long. */
void link_url(const char *dir, const char *name, char url[static LINK_URL_SIZE]);

/* Nanoseconds of the monotonic clock. */
uint64_t link_now(void);

#endif
