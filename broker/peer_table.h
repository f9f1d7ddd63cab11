/*
 * The kernel's table of TCP sockets as text, /proc/net/tcp and tcp6. Pure: a line in, a socket out.
 */
#ifndef AGENTBUS_PEER_TABLE_H
#define AGENTBUS_PEER_TABLE_H

#include "str.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A socket by its two ends; IPv4 addresses are mapped into IPv6, ports are in network order. */
struct peer_ends {
	struct in6_addr source, target;
	in_port_t source_port, target_port;
};

struct peer_socket {
	struct peer_ends ends;
	unsigned state; /* TCP_ESTABLISHED … */
	uid_t uid;      /* means something only if there is an inode */
	uint32_t inode; /* 0: no process holds it any more */
};

bool peer_ends_equal(const struct peer_ends *a, const struct peer_ends *b);

/* Whether a process holds the socket, and has been connected by it. */
bool peer_socket_is_held(const struct peer_socket *s);

/* Reads a line of either table, with or without its newline. False if it is none (the first line is a heading). */
bool peer_table_line(struct str line, struct peer_socket *ret);

#endif
