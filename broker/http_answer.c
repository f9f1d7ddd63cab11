#include "http_answer.h"

#include <inttypes.h>
#include <stdio.h>

#define AS_TEXT_(x) #x
#define AS_TEXT(x)  AS_TEXT_(x)

/* Headers that some answers have beside their type, by HTTP status. */
static const struct {
	unsigned status;
	const char *name, *value;
} extras[] = {
	{ MHD_HTTP_UNAUTHORIZED, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer" },
	{ MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST },
	{ MHD_HTTP_CONTENT_TOO_LARGE, MHD_HTTP_HEADER_CONNECTION, "close" },
	{ MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, MHD_HTTP_HEADER_CONNECTION, "close" },
};

struct MHD_Response *
http_answer_make(enum verdict v, enum otlp_encoding e)
{
	char body[HTTP_ANSWER_MAX];
	const size_t len = http_answer_body(v, e, body);
	struct MHD_Response *r = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_COPY);

	if (!r)
		return NULL;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, http_media_name(e));
	if (verdict_retry(v))
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, AS_TEXT(VERDICT_RETRY_S));
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		if (verdict_http_status(v) == extras[i].status)
			MHD_add_response_header(r, extras[i].name, extras[i].value);
	return r;
}

static void
allow_origin(struct MHD_Response *r, const char *origin)
{
	MHD_add_response_header(r, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
	MHD_add_response_header(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ORIGIN);
}

struct MHD_Response *
http_answer_make_for(enum verdict v, enum otlp_encoding e, const char *origin)
{
	struct MHD_Response *r = http_answer_make(v, e);

	if (r)
		allow_origin(r, origin);
	return r;
}

struct MHD_Response *
http_answer_preflight(const char *origin)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

	if (!r)
		return NULL;
	allow_origin(r, origin);
	MHD_add_response_header(r, "Access-Control-Allow-Methods", MHD_HTTP_METHOD_POST);
	MHD_add_response_header(r, "Access-Control-Allow-Headers", "authorization, content-encoding, content-type");
	MHD_add_response_header(r, "Access-Control-Max-Age", "600");
	return r;
}

struct MHD_Response *
http_answer_health(size_t sessions, uint64_t uptime_s, enum verdict state)
{
	static const char form[] = "{\"status\":\"%s\",\"version\":\"%s\",\"sessions\":%zu,\"uptime\":%" PRIu64 "}\n";
	char body[HTTP_ANSWER_MAX];
	const int len = snprintf(body, sizeof(body), form, verdict_text(state), AGENTBUS_VERSION, sessions, uptime_s);
	struct MHD_Response *r = MHD_create_response_from_buffer((size_t)len, body, MHD_RESPMEM_MUST_COPY);

	if (r)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, http_media_name(OTLP_JSON));
	return r;
}

struct MHD_Response *
http_answer_text(struct buf *text, const char *type)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(text->len, text->bytes, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		buf_finish(text);
		return NULL;
	}
	*text = (struct buf){ 0 };
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return r;
}

struct MHD_Response *
http_answer_not_so(void)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

	if (r)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return r;
}
