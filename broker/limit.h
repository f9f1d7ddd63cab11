/* What one peer may cost. Sizes are bytes, times nanoseconds. The defaults are in config.c, the reasons in SECURITY.md. */
#ifndef AGENTBUS_LIMIT_H
#define AGENTBUS_LIMIT_H

#include <stddef.h>
#include <stdint.h>

struct limits {
	size_t max_connections;          /* at a time, of all peers together */
	size_t max_connections_per_peer; /* of one address and, on this machine, one user */
	size_t max_streams;              /* at a time on one HTTP/2 connection */
	size_t max_header;               /* a request's head */
	size_t max_body;                 /* a request's body as it is sent */
	size_t max_inflated;             /* the same without its compression */
	size_t max_held;                 /* bodies under way, all together */
	size_t max_depth;                /* values within values */
	size_t max_attributes;           /* of a record or resource: further ones are passed over */
	uint64_t header_ns;              /* from a connection's beginning to the end of its first request's head */
	uint64_t request_ns;             /* from a request's first line to the end of its body */
	uint64_t idle_ns;                /* a connection on which nothing happens */
};

#endif
