#include "config_forward.h"
#include "clock.h"
#include "str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MIB         ((uint64_t)1 << 20)
#define SECTION     "forward"
#define HOUR_NS     (3600 * NS_PER_S)
#define HOST_MAX    256
#define TOKEN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
#define NAME_CHARS  "abcdefghijklmnopqrstuvwxyz0123456789_-"
#define AT(member)  offsetof(struct destination, member)

static const struct destination defaults = {
	.signals = { true, true, true },
	.gzip = true,
	.timeout_ns = 10 * NS_PER_S,
	.retry_min_ns = 5 * NS_PER_S,
	.retry_max_ns = 30 * NS_PER_S,
	.queue_size = 100 * MIB,
};

static const char *const signal_names[OTLP_SIGNAL_COUNT] = {
	[OTLP_LOGS] = "logs",
	[OTLP_TRACES] = "traces",
	[OTLP_METRICS] = "metrics",
};

const char *
config_forward_signal(enum otlp_signal signal)
{
	return signal_names[signal];
}

/* --- URLs --- */

/* What lies between "//" and the path. An empty one: the text is no URL of ours. */
static struct str
authority_of(const char *url)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const size_t len = strlen(schemes[i]);

		if (strncasecmp(url, schemes[i], len) == 0)
			return (struct str){ url + len, strcspn(url + len, "/") };
	}
	return (struct str){ url, 0 };
}

/* Behind user and password. */
static struct str
host_and_port_of(const char *url)
{
	const struct str a = authority_of(url);
	const char *at = a.len ? memrchr(a.ptr, '@', a.len) : NULL;

	return at ? (struct str){ at + 1, a.len - (size_t)(at + 1 - a.ptr) } : a;
}

/* Reads the port behind the host, or tells which one goes without saying. */
static bool
read_port(const char *url, struct str text, unsigned *ret)
{
	unsigned port = 0;

	if (text.len == 0) {
		*ret = strncasecmp(url, "https:", 6) == 0 ? 443 : 80;
		return true;
	}
	if (*text.ptr != ':' || text.len < 2 || text.len > 6)
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		port = 10 * port + (unsigned)(text.ptr[i] - '0');
	}
	*ret = port;
	return port > 0 && port <= UINT16_MAX;
}

/* The host without brackets, and the port. False if there are none. */
static bool
split_url(const char *url, char host[HOST_MAX], unsigned *ret_port)
{
	struct str s = host_and_port_of(url);
	const bool v6 = s.len > 0 && *s.ptr == '[';
	const char *end = s.len ? memchr(s.ptr, v6 ? ']' : ':', s.len) : NULL;
	const size_t host_len = end ? (size_t)(end - s.ptr) : s.len;

	if (host_len <= (size_t)v6 || host_len >= HOST_MAX || (v6 && !end))
		return false;
	memcpy(host, s.ptr + v6, host_len - v6);
	host[host_len - v6] = '\0';
	s = (struct str){ s.ptr + host_len + v6, s.len - host_len - v6 };
	return read_port(url, s, ret_port);
}

static bool
ends_in_signal(const char *url)
{
	const size_t len = strlen(url);

	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++) {
		char path[16];
		const size_t n = (size_t)snprintf(path, sizeof(path), "/v1/%s", signal_names[s]);

		if (len >= n && strcmp(url + len - n, path) == 0)
			return true;
	}
	return false;
}

static bool
set_url(struct destination *d, const char *text, char *why, size_t size)
{
	char host[HOST_MAX];
	size_t len = strlen(text);
	unsigned port;

	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len >= sizeof(d->url)) {
		snprintf(why, size, "the URL is too long");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || strchr("?#\"\\", text[i])) {
			snprintf(why, size, "the URL holds a character that is not for it: write %%XX, and no query");
			return false;
		}
	}
	if (!split_url(text, host, &port)) {
		snprintf(why, size, "this is no URL; write http://127.0.0.1:4320 or https://example.org/otlp");
		return false;
	}
	if (ends_in_signal(text)) {
		snprintf(why, size, "give the URL without /v1/…: that is added");
		return false;
	}
	memcpy(d->url, text, len);
	d->url[len] = '\0';
	return true;
}

void
config_forward_show_url(const char *url, char *text, size_t size)
{
	const struct str a = authority_of(url), h = host_and_port_of(url);

	snprintf(text, size, "%.*s%s", (int)(a.ptr - url), url, h.ptr);
}

/* --- other keys --- */

static bool
set_signals(struct destination *d, const char *text, char *why, size_t size)
{
	bool wanted[OTLP_SIGNAL_COUNT] = { false };
	const char *separators = ", \t";
	size_t count = 0;

	for (text += strspn(text, separators); *text; text += strspn(text, separators), count++) {
		const struct str word = { text, strcspn(text, separators) };
		enum otlp_signal s = 0;

		while (s < OTLP_SIGNAL_COUNT && !str_eq(word, str_from(signal_names[s])))
			s++;
		if (s == OTLP_SIGNAL_COUNT) {
			snprintf(why, size, "\"%.*s\" is none of traces, logs, metrics", (int)(word.len < 40 ? word.len : 40),
				 word.ptr);
			return false;
		}
		wanted[s] = true;
		text += word.len;
	}
	if (count == 0) {
		snprintf(why, size, "no signal given; write traces, logs, metrics");
		return false;
	}
	memcpy(d->signals, wanted, sizeof(wanted));
	return true;
}

/* Each "${" must begin ${env:NAME} or ${file:PATH}. */
static bool
has_good_references(const char *text)
{
	for (const char *at = text; (at = strstr(at, "${"));) {
		const bool env = strncmp(at + 2, "env:", 4) == 0, file = strncmp(at + 2, "file:", 5) == 0;
		const char *name = at + 2 + (env ? 4 : 5), *end = strchr(at, '}');

		if ((!env && !file) || !end || end <= name)
			return false;
		at = end;
	}
	return true;
}

/* What we say ourselves, and what would change how a request is read. */
static bool
is_reserved(struct str name)
{
	static const char *const names[] = { "content-type", "content-length", "content-encoding", "transfer-encoding",
					     "host",         "connection",     "user-agent",       "expect",
					     "te",           "upgrade" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == name.len && strncasecmp(names[i], name.ptr, name.len) == 0)
			return true;
	return false;
}

/* What is wrong is said without the value, which may be a secret. */
static bool
set_header(struct destination *d, const char *text, char *why, size_t size)
{
	const struct str name = { text, strspn(text, TOKEN_CHARS) };
	const char *value = text + name.len + (text[name.len] == ':');
	const size_t used = strlen(d->headers), len = strlen(text);

	value += strspn(value, " \t");
	if (name.len == 0 || text[name.len] != ':' || *value == '\0') {
		snprintf(why, size, "write \"Name: value\"");
		return false;
	}
	if (is_reserved(name)) {
		snprintf(why, size, "%.*s is not yours to set", (int)name.len, name.ptr);
		return false;
	}
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			snprintf(why, size, "its value holds a control character");
			return false;
		}
	}
	if (!has_good_references(value)) {
		snprintf(why, size, "secrets are written ${env:NAME} or ${file:PATH}");
		return false;
	}
	if (used + len + 2 > sizeof(d->headers)) {
		snprintf(why, size, "the headers are too long: together at most %d bytes", DESTINATION_HEADERS_MAX - 2);
		return false;
	}
	snprintf(d->headers + used, sizeof(d->headers) - used, "%.*s: %s\n", (int)name.len, name.ptr, value);
	return true;
}

static const struct {
	const char *key;
	bool (*set)(struct destination *d, const char *text, char *why, size_t size);
} own_keys[] = {
	{ "url", set_url },
	{ "signals", set_signals },
	{ "header", set_header },
};

/* Keys that hold what settings hold; the offset is within the destination. */
static const struct setting plain_keys[] = {
	{ .key = "gzip", .type = SETTING_SWITCH, .offset = AT(gzip) },
	{ .key = "timeout", .type = SETTING_DURATION, .offset = AT(timeout_ns), .min = 10 * NS_PER_MS, .max = HOUR_NS },
	{ .key = "retry_min", .type = SETTING_DURATION, .offset = AT(retry_min_ns), .min = NS_PER_MS, .max = HOUR_NS },
	{ .key = "retry_max", .type = SETTING_DURATION, .offset = AT(retry_max_ns), .min = NS_PER_MS, .max = HOUR_NS },
	{ .key = "queue_size", .type = SETTING_SIZE, .offset = AT(queue_size), .min = 64 * 1024, .max = 65536 * MIB },
	{ .key = "ca_file", .type = SETTING_FILE, .offset = AT(ca_file) },
};

static bool
set_key(struct config *c, struct destination *d, const char *key, const char *text, char *why, size_t size)
{
	for (size_t i = 0; i < sizeof(own_keys) / sizeof(own_keys[0]); i++)
		if (strcmp(own_keys[i].key, key) == 0)
			return own_keys[i].set(d, text, why, size);
	for (size_t i = 0; i < sizeof(plain_keys) / sizeof(plain_keys[0]); i++) {
		struct setting s = plain_keys[i];

		if (strcmp(s.key, key) != 0)
			continue;
		s.offset += (size_t)((char *)d - (char *)c);
		return config_set(c, &s, LAYER_FILE, text, why, size);
	}
	snprintf(why, size, "there is no such key in a section [forward NAME]");
	return false;
}

/* --- the list --- */

bool
config_forward_section(const char *section)
{
	const size_t len = strlen(SECTION);

	return strncmp(section, SECTION, len) == 0 && (section[len] == '\0' || strchr(" \t", section[len]));
}

static struct destination *
find(struct destinations *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->list[i].name, name) == 0)
			return &list->list[i];
	return NULL;
}

/* The destination of that name, there from now on. NULL, with the reason in why. */
static struct destination *
find_or_add(struct destinations *list, const char *name, unsigned line, char *why, size_t size)
{
	const size_t len = strlen(name);
	struct destination *d;

	if (len == 0 || len >= DESTINATION_NAME_SIZE || strspn(name, NAME_CHARS) != len) {
		snprintf(why, size, "a destination's name has 1 to 32 of the characters a-z, 0-9, _ and -: [forward alloy]");
		return NULL;
	}
	d = find(list, name);
	if (d)
		return d;
	if (list->count == DESTINATIONS_MAX) {
		snprintf(why, size, "more than %d destinations", DESTINATIONS_MAX);
		return NULL;
	}
	d = &list->list[list->count++];
	*d = defaults;
	d->line = line;
	memcpy(d->name, name, len + 1);
	return d;
}

bool
config_forward_set(struct config *c, const char *section, unsigned line, const char *key, const char *text, char *why,
		   size_t size)
{
	const char *name = section + strlen(SECTION);
	struct destination *d = find_or_add(&c->forward, name + strspn(name, " \t"), line, why, size);

	return d && set_key(c, d, key, text, why, size);
}

bool
config_forward_set_url(struct config *c, const char *text, char *why, size_t size)
{
	struct destination *d = find(&c->forward, CONFIG_FORWARD_DEFAULT);

	if (*text == '\0') {
		if (d)
			memmove(d, d + 1, (size_t)(&c->forward.list[--c->forward.count] - d) * sizeof(*d));
		return true;
	}
	d = find_or_add(&c->forward, CONFIG_FORWARD_DEFAULT, 0, why, size);
	return d && set_url(d, text, why, size);
}

static bool
same(const struct destination *a, const struct destination *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->url, b->url) == 0 && strcmp(a->headers, b->headers) == 0 &&
	       strcmp(a->ca_file, b->ca_file) == 0 && memcmp(a->signals, b->signals, sizeof(a->signals)) == 0 &&
	       a->gzip == b->gzip && a->timeout_ns == b->timeout_ns && a->retry_min_ns == b->retry_min_ns &&
	       a->retry_max_ns == b->retry_max_ns && a->queue_size == b->queue_size;
}

bool
config_forward_same(const struct config *a, const struct config *b)
{
	if (a->forward.count != b->forward.count)
		return false;
	for (size_t i = 0; i < a->forward.count; i++)
		if (!same(&a->forward.list[i], &b->forward.list[i]))
			return false;
	return true;
}

/* --- loops --- */

/* "localhost" stands for every loopback address. */
static bool
host_address(const char *host, struct address *ret)
{
	char text[ADDRESS_TEXT_MAX];

	if (strcasecmp(host, "localhost") == 0)
		return address_parse("127.0.0.1:0", ret);
	snprintf(text, sizeof(text), strchr(host, ':') ? "[%.45s]:0" : "%.45s:0", host);
	return address_parse(text, ret);
}

static bool
is_unspecified(const struct address *a)
{
	const struct in6_addr host = address_host(a);

	return IN6_IS_ADDR_UNSPECIFIED(&host) || (IN6_IS_ADDR_V4MAPPED(&host) && memcmp(&host.s6_addr[12], "\0\0\0\0", 4) == 0);
}

static bool
is_loopback(const struct address *a)
{
	const struct in6_addr host = address_host(a);

	return address_is_loopback(a) || (IN6_IS_ADDR_V4MAPPED(&host) && host.s6_addr[12] == 127);
}

/* Whether what is sent to that host and port may arrive at a listening address. All loopback addresses count as one. */
static bool
leads_to(const struct address *host, unsigned port, const struct address *listens)
{
	const in_port_t own = listens->any.sa_family == AF_INET6 ? listens->v6.sin6_port : listens->v4.sin_port;
	const struct in6_addr a = address_host(host), b = address_host(listens);

	if (ntohs(own) != port || port == 0)
		return false;
	if (is_loopback(host) || is_unspecified(host))
		return is_loopback(listens) || is_unspecified(listens);
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool
leads_back(const struct config *c, const char *url)
{
	char host[HOST_MAX];
	struct address a;
	unsigned port;

	if (!split_url(url, host, &port) || !host_address(host, &a))
		return false;
	for (size_t i = 0; i < c->listen_count; i++)
		if (leads_to(&a, port, &c->listen[i]))
			return true;
	return false;
}

void
config_forward_check(const struct config *c, const char *name, struct config_report *report)
{
	for (size_t i = 0; i < c->forward.count; i++) {
		const struct destination *d = &c->forward.list[i];
		const char *why = NULL;
		char place[CONFIG_PATH_MAX + 16] = "--forward";

		if (*d->url == '\0')
			why = "has no url";
		else if (leads_back(c, d->url))
			why = "has the url of this broker itself: what it sent would come back for ever";
		else if (d->retry_min_ns > d->retry_max_ns)
			why = "has a retry_min above its retry_max";
		if (d->line)
			snprintf(place, sizeof(place), "%s:%u", name, d->line);
		if (why)
			config_complain(report, "%s: the destination \"%s\" %s", place, d->name, why);
	}
}
