#include "grpc_rules.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_DIGITS 8
#define NS_PER_S       1000000000ull

#define METHOD(package, service) "/opentelemetry.proto.collector." package ".v1." service "/Export"

const struct grpc_route grpc_routes[] = {
	{ METHOD("logs", "LogsService"), OTLP_LOGS },
	{ METHOD("trace", "TraceService"), OTLP_TRACES },
	{ METHOD("metrics", "MetricsService"), OTLP_METRICS },
};
const size_t grpc_route_count = sizeof(grpc_routes) / sizeof(grpc_routes[0]);

static const struct str field_names[GRPC_FIELD_COUNT] = {
	[GRPC_METHOD] = { ":method", 7 },
	[GRPC_PATH] = { ":path", 5 },
	[GRPC_AUTHORITY] = { ":authority", 10 },
	[GRPC_HOST] = { "host", 4 },
	[GRPC_ORIGIN] = { "origin", 6 },
	[GRPC_AUTHORIZATION] = { "authorization", 13 },
	[GRPC_CONTENT_TYPE] = { "content-type", 12 },
	[GRPC_ENCODING] = { "grpc-encoding", 13 },
	[GRPC_TIMEOUT] = { "grpc-timeout", 12 },
};

static const char *const types[] = { "application/grpc", "application/grpc+proto" };

static const struct {
	const char *name;
	bool compressible;
} codings[] = { { "identity", false }, { "gzip", true }, { "deflate", true } };

static const struct {
	char unit;
	uint64_t ns;
} units[] = {
	{ 'H', 3600 * NS_PER_S }, { 'M', 60 * NS_PER_S }, { 'S', NS_PER_S }, { 'm', 1000000 }, { 'u', 1000 }, { 'n', 1 },
};

static const char *const texts[VERDICT_COUNT] = {
	[VERDICT_NOT_FOUND] = "no such method; use Export of OTLP's LogsService, TraceService or MetricsService",
	[VERDICT_BAD_TYPE] = "use Content-Type application/grpc; OTLP in plain HTTP is taken over HTTP/1.1",
};

bool
grpc_field_find(struct str name, enum grpc_field *ret)
{
	for (enum grpc_field f = 0; f < GRPC_FIELD_COUNT; f++) {
		if (str_eq(name, field_names[f])) {
			*ret = f;
			return true;
		}
	}
	return false;
}

const struct grpc_route *
grpc_route_find(struct str path)
{
	for (size_t i = 0; i < grpc_route_count; i++)
		if (str_eq(path, str_from(grpc_routes[i].path)))
			return &grpc_routes[i];
	return NULL;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Whether a field's value, up to its parameters and without the space around it, is this word in any case. */
static bool
is_word(struct str s, const char *word)
{
	const char *parameters = s.len > 0 ? memchr(s.ptr, ';', s.len) : NULL;

	if (parameters)
		s.len = (size_t)(parameters - s.ptr);
	while (s.len > 0 && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s.len == strlen(word) && s.len > 0 && strncasecmp(s.ptr, word, s.len) == 0;
}

bool
grpc_content_type(struct str header)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (is_word(header, types[i]))
			return true;
	return false;
}

bool
grpc_coding(struct str header, bool *ret_compressible)
{
	if (!header.ptr) {
		*ret_compressible = false;
		return true;
	}
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
		if (is_word(header, codings[i].name)) {
			*ret_compressible = codings[i].compressible;
			return true;
		}
	}
	return false;
}

bool
grpc_timeout(struct str header, uint64_t *ret_ns)
{
	uint64_t value = 0;
	size_t digits = 0;

	while (digits < header.len && header.ptr[digits] >= '0' && header.ptr[digits] <= '9' && digits <= TIMEOUT_DIGITS)
		value = 10 * value + (uint64_t)(header.ptr[digits++] - '0');
	if (digits == 0 || digits > TIMEOUT_DIGITS || header.len != digits + 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (header.ptr[digits] == units[i].unit) {
			/* 99999999 hours are more nanoseconds than there are numbers. */
			*ret_ns = value < GRPC_NO_TIMEOUT / units[i].ns ? value * units[i].ns : GRPC_NO_TIMEOUT;
			return true;
		}
	}
	return false;
}

enum verdict
grpc_head_read(const struct str field[GRPC_FIELD_COUNT], struct grpc_head *ret)
{
	const bool post = str_eq(field[GRPC_METHOD], STR("POST"));

	*ret = (struct grpc_head){ .route = grpc_route_find(field[GRPC_PATH]), .timeout_ns = GRPC_NO_TIMEOUT };
	ret->grpc = post && grpc_content_type(field[GRPC_CONTENT_TYPE]);
	/* One that cannot be read does not shorten anything. */
	(void)grpc_timeout(field[GRPC_TIMEOUT], &ret->timeout_ns);
	if (!post)
		return VERDICT_BAD_METHOD;
	if (!ret->grpc)
		return VERDICT_BAD_TYPE;
	if (!ret->route)
		return VERDICT_NOT_FOUND;
	return grpc_coding(field[GRPC_ENCODING], &ret->compressible) ? VERDICT_OK : VERDICT_BAD_CODING;
}

unsigned
grpc_http_status(enum verdict v, bool grpc)
{
	return grpc ? verdict_http_status(VERDICT_OK) : verdict_http_status(v);
}

const char *
grpc_text(enum verdict v)
{
	return texts[v] ? texts[v] : verdict_text(v);
}

size_t
grpc_message(const char *text, char out[GRPC_MESSAGE_MAX])
{
	static const char hex[] = "0123456789ABCDEF";
	size_t len = 0;

	for (; *text && len + 3 <= GRPC_MESSAGE_MAX; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (byte >= ' ' && byte <= '~' && byte != '%') {
			out[len++] = *text;
			continue;
		}
		out[len++] = '%';
		out[len++] = hex[byte >> 4];
		out[len++] = hex[byte & 15];
	}
	return len;
}

/* base64 without padding. Returns its length. */
static size_t
encode_base64(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		out[n++] = digits[bits << (6 - have) & 63];
	return n;
}

size_t
grpc_details(enum verdict v, char out[GRPC_DETAILS_MAX])
{
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *details = &any;
	Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
	uint8_t packed[GRPC_DETAILS_MAX / 4 * 3], info[32];

	if (!verdict_retry(v))
		return 0;
	delay.seconds = VERDICT_RETRY_S;
	retry.retry_delay = &delay;
	any.type_url = (char *)"type.googleapis.com/google.rpc.RetryInfo";
	any.value.data = info;
	any.value.len = google__rpc__retry_info__pack(&retry, info);
	status.code = (int32_t)verdict_grpc_status(v);
	status.message = (char *)grpc_text(v);
	status.n_details = 1;
	status.details = &details;
	assert(google__rpc__status__get_packed_size(&status) <= sizeof(packed));
	return encode_base64(packed, google__rpc__status__pack(&status, packed), out);
}
