#include "http_rules.h"
#include "google/rpc/status.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct http_route http_routes[] = {
	{ .path = "/v1/logs", .signal_known = true, .signal = OTLP_LOGS },
	{ .path = "/v1/traces", .signal_known = true, .signal = OTLP_TRACES },
	{ .path = "/v1/metrics", .signal_known = true, .signal = OTLP_METRICS },
	{ .path = "/" }, /* exporters that were given the bare endpoint: Codex posts there */
	{ .path = "/v1" },
	{ .path = "/healthz", .health = true },
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

static size_t
protobuf_status(enum verdict v, char body[HTTP_ANSWER_MAX])
{
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

	status.code = (int32_t)verdict_grpc_status(v);
	status.message = (char *)verdict_text(v);
	assert(google__rpc__status__get_packed_size(&status) <= HTTP_ANSWER_MAX);
	return google__rpc__status__pack(&status, (uint8_t *)body);
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
