#include "http_rules.h"
#include "google/rpc/status.pb-c.h"
#include "str.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_WEIGHT 1000

const struct http_route http_routes[] = {
	{ .path = "/v1/logs", .signal_known = true, .signal = OTLP_LOGS },
	{ .path = "/v1/traces", .signal_known = true, .signal = OTLP_TRACES },
	{ .path = "/v1/metrics", .signal_known = true, .signal = OTLP_METRICS },
	{ .path = "/" }, /* exporters that were given the bare endpoint: Codex posts there */
	{ .path = "/v1" },
	{ .path = "/hooks/claude", .hook = "claude" },
	{ .path = "/healthz", .page = HTTP_HEALTH },
	{ .path = "/metrics", .page = HTTP_METRICS },
};
const size_t http_route_count = sizeof(http_routes) / sizeof(http_routes[0]);

static const char *const media_names[OTLP_ENCODING_COUNT] = {
	[OTLP_PROTOBUF] = "application/x-protobuf",
	[OTLP_JSON] = "application/json",
};

static const struct {
	const char *name;
	bool compressed;
} codings[] = { { "identity", false }, { "gzip", true }, { "x-gzip", true }, { "deflate", true } };

const struct http_route *
http_route_find(const char *path)
{
	for (size_t i = 0; i < http_route_count; i++)
		if (strcmp(path, http_routes[i].path) == 0)
			return &http_routes[i];
	return NULL;
}

/* Whether a header's value, up to its parameters and without the space around it, is this word in any case. */
static bool
is_word(const char *header, const char *word)
{
	header += strspn(header, " \t");
	size_t len = strcspn(header, ";");
	while (len > 0 && strchr(" \t", header[len - 1]))
		len--;
	return len == strlen(word) && strncasecmp(header, word, len) == 0;
}

bool
http_media_type(const char *header, enum otlp_encoding *ret)
{
	for (enum otlp_encoding e = 0; header && e < OTLP_ENCODING_COUNT; e++) {
		if (is_word(header, media_names[e])) {
			*ret = e;
			return true;
		}
	}
	return false;
}

const char *
http_media_name(enum otlp_encoding e)
{
	return media_names[e];
}

bool
http_content_encoding(const char *header, bool *ret_compressed)
{
	if (!header || is_word(header, "")) {
		*ret_compressed = false;
		return true;
	}
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (is_word(header, codings[i].name)) {
			*ret_compressed = codings[i].compressed;
			return true;
		}
	}
	return false;
}

/* --- Accept --- */

/* Takes the next piece off a list, without the space around it. False at the end. */
static bool
next_piece(struct str *list, char separator, struct str *ret)
{
	if (list->len == 0)
		return false;
	const char *end = memchr(list->ptr, separator, list->len);
	struct str piece = { list->ptr, end ? (size_t)(end - list->ptr) : list->len };

	*list = end ? (struct str){ end + 1, list->len - piece.len - 1 } : STR("");
	while (piece.len > 0 && strchr(" \t", piece.ptr[0])) {
		piece.ptr++;
		piece.len--;
	}
	while (piece.len > 0 && strchr(" \t", piece.ptr[piece.len - 1]))
		piece.len--;
	*ret = piece;
	return true;
}

static bool
same_word(struct str s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

/* A weight in thousandths: "0.5" is 500. What is no weight is 0. */
static unsigned
weight(struct str q)
{
	unsigned sum = 0, unit = MAX_WEIGHT;

	for (size_t i = 0; i < q.len; i++) {
		if (i == 1 && q.ptr[i] == '.')
			continue;
		if (i == 1 || q.ptr[i] < '0' || q.ptr[i] > '9')
			return 0;
		sum += (unsigned)(q.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return sum < MAX_WEIGHT ? sum : MAX_WEIGHT;
}

struct media_range {
	struct str type, version;
	unsigned weight;
};

static struct media_range
read_range(struct str text)
{
	struct media_range range = { .weight = MAX_WEIGHT };
	struct str name, value;

	next_piece(&text, ';', &range.type);
	while (next_piece(&text, ';', &value)) {
		if (!next_piece(&value, '=', &name))
			continue;
		if (same_word(name, "q"))
			range.weight = weight(value);
		else if (same_word(name, "version"))
			range.version = value;
	}
	return range;
}

bool
http_wants_openmetrics(const char *accept)
{
	struct str list = str_from(accept), text;
	unsigned openmetrics = 0, plain = 0;

	while (next_piece(&list, ',', &text)) {
		const struct media_range range = read_range(text);
		const bool known = range.version.len == 0 || same_word(range.version, "1.0.0");

		if (same_word(range.type, "application/openmetrics-text") && known && range.weight > openmetrics)
			openmetrics = range.weight;
		else if (same_word(range.type, "text/plain") && range.weight > plain)
			plain = range.weight;
	}
	return openmetrics > 0 && openmetrics >= plain;
}

/* --- answers --- */

static size_t
protobuf_status(enum verdict v, char body[HTTP_ANSWER_MAX])
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

	status.code = (int32_t)verdict_grpc_status(v);
	status.message = (char *)verdict_text(v);
	assert(google__rpc__status__get_packed_size(&status) <= HTTP_ANSWER_MAX);
	return google__rpc__status__pack(&status, (uint8_t *)body);
}

bool
http_passed_on(const char *user_agent)
{
	static const char name[] = "agentbus/";

	return user_agent && strncmp(user_agent, name, sizeof(name) - 1) == 0;
}

size_t
http_answer_body(enum verdict v, enum otlp_encoding e, char body[HTTP_ANSWER_MAX])
{
	if (e == OTLP_PROTOBUF)
		return v == VERDICT_OK ? 0 : protobuf_status(v, body);
	if (v == VERDICT_OK)
		return (size_t)snprintf(body, HTTP_ANSWER_MAX, "{}");
	/* The texts are ours and hold nothing that JSON would have to escape. */
	return (size_t)snprintf(body, HTTP_ANSWER_MAX, "{\"code\":%u,\"message\":\"%s\"}", verdict_grpc_status(v),
				verdict_text(v));
}
