/*
 * The bus's two sockets, as far as they are alike.
 *
 * nng 1.5 may stop accepting for good when a peer is gone before nng has greeted it, and then spins on each peer that
 * connects and leaves. So a listener is looked at now and then: when it has counted a failure we knock ourselves, and when
 * nobody is let in any more it is replaced.
 */
#ifndef AGENTBUS_BUS_SOCKET_H
#define AGENTBUS_BUS_SOCKET_H

#include "log.h"

#include <nng/nng.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_URL_MAX 128

struct bus_socket {
	nng_socket socket; /* opened by the owner, who also closes it */
	nng_listener listener;
	char url[BUS_URL_MAX];
	size_t max_message;
	uint64_t failures, accepted; /* of the listener, as last seen */
	int probe;                   /* our own connection, -1: none */
	uint64_t probed_ns;
	const struct log *log;
};

/*
 * Listens on an ipc address that only our own user may connect to; messages over max_message bytes are refused. b->socket is
 * open. False after logging why not; the socket stays open.
 */
bool bus_socket_listen(struct bus_socket *b, const char *url, size_t max_message, const struct log *log);

/*
 * Looks at the listener, and replaces it if it has failed and lets nobody in; now_ns is any clock that does not stand still.
 * Subscribers are disconnected by that, come back and fetch what they missed. Takes some microseconds.
 */
void bus_socket_mend(struct bus_socket *b, uint64_t now_ns);

/* Closes what bus_socket_mend() may have left open; the socket is its owner's. */
void bus_socket_finish(struct bus_socket *b);

#endif
