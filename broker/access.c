#include "access.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <strings.h>

#define SEPARATORS " ,"
#define NO_PORT    (-1)

/* A Host header, or an entry of the list of hosts. */
struct authority {
	struct str name; /* without brackets and without the dot at the end */
	bool bracketed;  /* it is IPv6 */
	int port;        /* NO_PORT: none was given */
};

static bool
same_text(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* --- lists --- */

/* Takes the next entry off a list; false at its end. */
static bool
next_entry(const char **list, struct str *ret)
{
	const char *p = *list ? *list : "";

	p += strspn(p, SEPARATORS);
	*ret = (struct str){ p, strcspn(p, SEPARATORS) };
	*list = p + ret->len;
	return ret->len > 0;
}

/* --- Host --- */

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool
is_v6_byte(char c)
{
	return is_name_byte(c) || c == ':';
}

static bool
all_bytes(struct str s, bool (*fits)(char c))
{
	for (size_t i = 0; i < s.len; i++)
		if (!fits(s.ptr[i]))
			return false;
	return true;
}

/* Digits only, as in RFC 3986. */
static bool
read_port(struct str s, int *ret)
{
	int port = 0;

	if (s.len == 0 || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		port = port * 10 + (s.ptr[i] - '0');
	}
	if (port > UINT16_MAX)
		return false;
	*ret = port;
	return true;
}

/* Cuts s at its first c; all of it if there is none. */
static struct str
up_to(struct str s, char c)
{
	const char *end = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return end ? (struct str){ s.ptr, (size_t)(end - s.ptr) } : s;
}

/*
 * Reads name, name:port, [IPv6] or [IPv6]:port. Whatever else may stand in a URL's authority (user names, escapes, spaces)
 * has no business in a Host.
 */
static bool
read_authority(struct str s, struct authority *ret)
{
	struct authority a = { .bracketed = s.len > 0 && s.ptr[0] == '[', .port = NO_PORT };
	const struct str inner = a.bracketed ? (struct str){ s.ptr + 1, s.len - 1 } : s;

	a.name = up_to(inner, a.bracketed ? ']' : ':');
	struct str rest = { a.name.ptr + a.name.len, inner.len - a.name.len };
	if (a.bracketed) {
		if (rest.len == 0)
			return false;
		rest = (struct str){ rest.ptr + 1, rest.len - 1 };
	}
	if (rest.len > 0 && (rest.ptr[0] != ':' || !read_port((struct str){ rest.ptr + 1, rest.len - 1 }, &a.port)))
		return false;
	if (!all_bytes(a.name, a.bracketed ? is_v6_byte : is_name_byte))
		return false;
	if (!a.bracketed && a.name.len > 0 && a.name.ptr[a.name.len - 1] == '.')
		a.name.len--;
	if (a.name.len == 0)
		return false;
	*ret = a;
	return true;
}

/*
 * The address that the name is, IPv4 ones mapped into IPv6. Only the canonical spelling is one: what a resolver makes of
 * "127.1" or "0x7f000001" is not for us to guess.
 */
static bool
read_address(const struct authority *a, struct in6_addr *ret)
{
	struct in6_addr host = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	char text[INET6_ADDRSTRLEN];

	if (a->name.len >= sizeof(text))
		return false;
	memcpy(text, a->name.ptr, a->name.len);
	text[a->name.len] = '\0';
	if (inet_pton(a->bracketed ? AF_INET6 : AF_INET, text, a->bracketed ? host.s6_addr : &host.s6_addr[12]) != 1)
		return false;
	*ret = host;
	return true;
}

static bool
is_our_address(const struct in6_addr *host, const struct address *local)
{
	if (IN6_IS_ADDR_LOOPBACK(host) || (IN6_IS_ADDR_V4MAPPED(host) && host->s6_addr[12] == 127))
		return true;
	if (!local)
		return false;
	const struct in6_addr ours = address_host(local);
	return IN6_ARE_ADDR_EQUAL(host, &ours);
}

/* "localhost", or names below it: no resolver may send those anywhere else (RFC 6761). */
static bool
is_localhost(struct str name)
{
	static const struct str localhost = { "localhost", sizeof("localhost") - 1 };

	if (name.len < localhost.len)
		return false;
	const struct str below = { name.ptr, name.len - localhost.len };
	if (!same_text((struct str){ name.ptr + below.len, localhost.len }, localhost))
		return false;
	return below.len == 0 || (below.len > 1 && below.ptr[below.len - 1] == '.' && below.ptr[below.len - 2] != '.');
}

static bool
is_listed(const char *hosts, const struct authority *a)
{
	struct authority listed;
	struct str entry;

	while (next_entry(&hosts, &entry))
		if (read_authority(entry, &listed) && listed.bracketed == a->bracketed && same_text(listed.name, a->name) &&
		    (listed.port == NO_PORT || listed.port == a->port))
			return true;
	return false;
}

static bool
host_is_ours(const struct access_policy *p, const struct access_claim *c)
{
	struct in6_addr address;
	struct authority a;

	if (!c->host.ptr)
		return true;
	if (!read_authority(c->host, &a))
		return false;
	if (read_address(&a, &address) && is_our_address(&address, c->local))
		return true;
	return (!a.bracketed && is_localhost(a.name)) || is_listed(p->hosts, &a);
}

/* --- Origin --- */

/* Many pages share the origin "null" (sandboxed frames, files), so no entry but "*" can mean it. */
static bool
origin_may_send(const char *origins, struct str origin)
{
	struct str entry;

	if (!origin.ptr)
		return true;
	while (next_entry(&origins, &entry))
		if (str_eq(entry, STR("*")) || (same_text(entry, origin) && !same_text(origin, STR("null"))))
			return true;
	return false;
}

/* --- Authorization --- */

/* Looks at every byte, whichever of them differs. */
static bool
same_secret(struct str given, struct str secret)
{
	volatile unsigned char differ = 0;

	if (given.len != secret.len)
		return false;
	for (size_t i = 0; i < given.len; i++)
		differ |= (unsigned char)(given.ptr[i] ^ secret.ptr[i]);
	return differ == 0;
}

/* An empty token would let in everybody who knows of it, so it lets in nobody. */
static bool
gives_token(struct str authorization, const char *token)
{
	static const struct str scheme = { "Bearer", sizeof("Bearer") - 1 };
	struct str given = authorization;

	if (!token)
		return true;
	if (given.len <= scheme.len || given.ptr[scheme.len] != ' ' || !same_text((struct str){ given.ptr, scheme.len }, scheme))
		return false;
	given = (struct str){ given.ptr + scheme.len, given.len - scheme.len };
	while (given.len > 0 && *given.ptr == ' ')
		given = (struct str){ given.ptr + 1, given.len - 1 };
	return *token && same_secret(given, str_from(token));
}

enum verdict
access_judge(const struct access_policy *p, const struct access_claim *c)
{
	if (!host_is_ours(p, c))
		return VERDICT_FOREIGN_HOST;
	if (!origin_may_send(p->origins, c->origin))
		return VERDICT_FOREIGN_ORIGIN;
	if (!gives_token(c->authorization, p->token))
		return VERDICT_NO_TOKEN;
	return VERDICT_OK;
}
