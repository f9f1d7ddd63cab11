/*
 * The bus's two sockets, as far as they are alike.
 *
 * nng 1.5 stops accepting for good when a peer is gone before nng has greeted it, and then spins on each peer that
 * connects and leaves. So a listener is looked at now and then, and replaced when that has happened.
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
	uint64_t failures; /* of the listener, as last seen */
	const struct log *log;
};

/*
 * Listens on an ipc address that only our own user may connect to; messages over max_message bytes are refused. b->socket is
 * open. False after logging why not; the socket stays open.
 */
bool bus_socket_listen(struct bus_socket *b, const char *url, size_t max_message, const struct log *log);

/*
 * Replaces the listener if it has failed since this was last called. Subscribers are disconnected by that, come back and
 * fetch what they missed. Takes some microseconds.
 */
void bus_socket_mend(struct bus_socket *b);

#endif
