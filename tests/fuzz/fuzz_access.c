/*
 * Any bytes as the head of a request: a byte that picks a policy, then Host, Origin and Authorization, a line each (a line
 * that is missing is a header that is missing). What is let in is checked in another way than access.c does it.
 */
#include "access.h"
#include "require.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A policy, and what its list of hosts lets in besides what always is ours. */
static const struct rules {
	struct access_policy policy;
	const char *names[3], *v6;
} rules[] = {
	{ .policy = { 0 } },
	{ .policy = { .hosts = "box.example, port.example:81", .origins = "https://page.example", .token = "0123456789abcdef" },
	  .names = { "box.example", "port.example" } },
	{ .policy = { .hosts = "[2001:db8::7] 127.1 *", .origins = "null *", .token = "another-token-of-some-length" },
	  .names = { "127.1" },
	  .v6 = "2001:db8::7" },
	{ .policy = { .hosts = ",,", .origins = "null", .token = "" } },
};

static bool
is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(name, *list) == 0)
			return true;
	return false;
}

/* A name without its port and the dot at its end. */
static bool
is_ours(const struct rules *r, bool local, const char *name)
{
	const size_t len = strlen(name), suffix = strlen(".localhost");
	struct in_addr v4;

	if (strcasecmp(name, "localhost") == 0 || is_one_of(name, r->names))
		return true;
	if (len > suffix && strcasecmp(name + len - suffix, ".localhost") == 0)
		return true;
	if (inet_pton(AF_INET, name, &v4) != 1)
		return false;
	return ntohl(v4.s_addr) >> 24 == 127 || (local && strcmp(name, "192.0.2.7") == 0);
}

/* A name without its port and brackets. */
static bool
is_our_v6(const struct rules *r, bool local, const char *name)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, name, &a) != 1)
		return false;
	if (IN6_IS_ADDR_LOOPBACK(&a) || (r->v6 && strcasecmp(name, r->v6) == 0))
		return true;
	return IN6_IS_ADDR_V4MAPPED(&a) && (a.s6_addr[12] == 127 || (local && memcmp(&a.s6_addr[12], "\xc0\0\x2\x7", 4) == 0));
}

/* A host that was let in is made of the bytes of names, may end in a port, and is one that somebody named. */
static void
check_host(const struct rules *r, bool local, struct str host)
{
	char *name = strndup(host.ptr, host.len), *port;

	require(name && strlen(name) == host.len);
	require(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:[]") == host.len);
	port = strrchr(name, ':');
	if (port && !strchr(port, ']')) {
		require(port[1] != '\0' && strspn(port + 1, "0123456789") == strlen(port + 1) && atoi(port + 1) <= 65535);
		*port = '\0';
	}
	const size_t len = strlen(name);
	require(len > 0);
	if (name[0] == '[') {
		require(name[len - 1] == ']');
		name[len - 1] = '\0';
		require(is_our_v6(r, local, name + 1));
	} else {
		if (name[len - 1] == '.')
			name[len - 1] = '\0';
		require(is_ours(r, local, name));
	}
	free(name);
}

static void
check_origin(const struct access_policy *p, struct str origin)
{
	if (!origin.ptr || (p->origins && strchr(p->origins, '*')))
		return;
	const struct str listed = STR("https://page.example");
	require(p == &rules[1].policy && origin.len == listed.len && strncasecmp(origin.ptr, listed.ptr, listed.len) == 0);
}

/* "Bearer", spaces, and exactly the token. */
static bool
has_token(const struct access_policy *p, struct str a)
{
	const size_t token = p->token ? strlen(p->token) : 0;

	if (!p->token)
		return true;
	if (token == 0 || a.len < strlen("Bearer ") + token || strncasecmp(a.ptr, "Bearer ", 7) != 0)
		return false;
	for (size_t i = 7; i < a.len - token; i++)
		if (a.ptr[i] != ' ')
			return false;
	return memcmp(a.ptr + a.len - token, p->token, token) == 0;
}

static struct str
take_line(struct str *rest)
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	const struct str line = { rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len };

	*rest = end ? (struct str){ end + 1, rest->len - line.len - 1 } : (struct str){ 0 };
	return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct address local;
	struct str rest = { (const char *)data + 1, size - 1 };

	if (size == 0)
		return 0;
	const struct rules *r = &rules[data[0] % COUNT(rules)];
	const struct access_policy *p = &r->policy;
	struct access_claim c = { .local = data[0] & 0x80 ? &local : NULL };
	require(address_parse("192.0.2.7:4318", &local));
	c.host = take_line(&rest);
	c.origin = take_line(&rest);
	c.authorization = take_line(&rest);

	const enum verdict v = access_judge(p, &c);
	require(access_judge(p, &c) == v);
	if (v != VERDICT_FOREIGN_HOST && c.host.ptr)
		check_host(r, c.local, c.host);
	if (v == VERDICT_OK || v == VERDICT_NO_TOKEN) {
		check_origin(p, c.origin);
		require(has_token(p, c.authorization) == (v == VERDICT_OK));
	}
	return 0;
}
