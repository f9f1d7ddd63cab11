/* The bus's two sockets, as far as they are alike. */
#ifndef AGENTBUS_BUS_SOCKET_H
#define AGENTBUS_BUS_SOCKET_H

#include "log.h"

#include <nng/nng.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Listens on an ipc address that only our own user may connect to; messages over max_message bytes are refused. False after
 * logging why not; the socket stays open.
 */
bool bus_socket_listen(nng_socket socket, const char *url, size_t max_message, const struct log *log);

#endif
