#include "address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool
parse_port(const char *text, in_port_t *ret)
{
	unsigned port = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (unsigned)(*text - '0');
	}
	if (port > UINT16_MAX)
		return false;
	*ret = htons((uint16_t)port);
	return true;
}

bool
address_parse(const char *text, struct address *ret)
{
	const bool v6 = *text == '[';
	const char *host = text + v6;
	const char *end = strchr(host, v6 ? ']' : ':');
	const char *colon = end && v6 ? end + 1 : end;
	char name[INET6_ADDRSTRLEN];
	struct address a = { 0 };

	if (!end || *colon != ':' || (size_t)(end - host) >= sizeof(name))
		return false;
	memcpy(name, host, (size_t)(end - host));
	name[end - host] = '\0';
	if (v6) {
		a.v6.sin6_family = AF_INET6;
		a.len = sizeof(a.v6);
	} else {
		a.v4.sin_family = AF_INET;
		a.len = sizeof(a.v4);
	}
	if (inet_pton(a.any.sa_family, name, v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr) != 1)
		return false;
	if (!parse_port(colon + 1, v6 ? &a.v6.sin6_port : &a.v4.sin_port))
		return false;
	*ret = a;
	return true;
}

void
address_format(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
	char name[INET6_ADDRSTRLEN] = "?";

	if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, name, sizeof(name));
		snprintf(text, ADDRESS_TEXT_MAX, "[%s]:%u", name, (unsigned)ntohs(a->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a->v4.sin_addr, name, sizeof(name));
		snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", name, (unsigned)ntohs(a->v4.sin_port));
	}
}

bool
address_is_loopback(const struct address *a)
{
	if (a->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
	return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
}

struct in6_addr
address_host(const struct address *a)
{
	struct in6_addr host = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	if (a->any.sa_family == AF_INET6)
		return a->v6.sin6_addr;
	memcpy(&host.s6_addr[12], &a->v4.sin_addr, sizeof(a->v4.sin_addr));
	return host;
}
