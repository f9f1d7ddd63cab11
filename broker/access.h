/*
 * Who may send: what the head of a request tells. Pure.
 *
 * A web page can make a browser on this machine post to us, and a name of its own may lead to 127.0.0.1 (DNS rebinding). Both
 * show in the head: a page's requests carry Origin, and a rebound name is in Host (HTTP/2: ":authority").
 */
#ifndef AGENTBUS_ACCESS_H
#define AGENTBUS_ACCESS_H

#include "address.h"
#include "str.h"
#include "verdict.h"

#include <stdbool.h>

/* All text is borrowed. Lists are separated by spaces or commas; NULL or "" is an empty one. */
struct access_policy {
	const char *hosts;   /* names that are ours besides those of the loopback addresses and the address connected to */
	const char *origins; /* web pages that may send: "https://example.org", or "*" for any */
	const char *token;   /* that "Authorization: Bearer" must give; NULL: none is needed */
};

/* A request's head, as far as it is looked at here. A ptr of NULL: the request has no such header. */
struct access_claim {
	struct str host, origin, authorization;
	const struct address *local; /* that the connection came to; NULL if unknown */
};

/*
 * VERDICT_OK, or FOREIGN_HOST, FOREIGN_ORIGIN, NO_TOKEN, in this order. A Host is ours if it is "localhost" or a name below
 * it, a loopback address, the local address, or in the list; its port, if any, must be a number. No Host at all is fine: only
 * HTTP/1.0 can lack it, which no browser speaks. The token is compared in time that depends on its length only.
 */
enum verdict access_judge(const struct access_policy *p, const struct access_claim *c);

#endif
