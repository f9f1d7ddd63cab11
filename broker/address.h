/* Where to listen: a numeric address and a port, as text and as the kernel wants it. Pure. */
#ifndef AGENTBUS_ADDRESS_H
#define AGENTBUS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#define ADDRESS_TEXT_MAX 64 /* "[address]:port" and its NUL */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

/* Reads "127.0.0.1:4318" or "[::1]:4318"; port 0 is allowed. False for anything else; *ret is untouched then. */
bool address_parse(const char *text, struct address *ret);

/* Writes what address_parse() reads. */
void address_format(const struct address *a, char text[ADDRESS_TEXT_MAX]);

bool address_is_loopback(const struct address *a);

/* The host alone, an IPv4 one as ::ffff:a.b.c.d: the same for each spelling of one host. */
struct in6_addr address_host(const struct address *a);

#endif
