#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "grpc_rules.h"
#include "guard.h"

Test(grpc_rules, every_route_is_found_by_exactly_its_path)
{
	static const char *const bad[] = {
		"",
		"/",
		"/v1/logs",
		"/opentelemetry.proto.collector.logs.v1.LogsService/export",
		"/opentelemetry.proto.collector.logs.v1.LogsService/Export/",
		"opentelemetry.proto.collector.logs.v1.LogsService/Export",
		"/opentelemetry.proto.collector.logs.v1.TraceService/Export",
	};

	for (size_t i = 0; i < grpc_route_count; i++)
		cr_assert_eq(grpc_route_find(str_from(grpc_routes[i].path)), &grpc_routes[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_null(grpc_route_find(str_from(bad[i])), "%s", bad[i]);
	cr_assert_null(grpc_route_find((struct str){ NULL, 0 }));
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++) {
		size_t count = 0;

		for (size_t i = 0; i < grpc_route_count; i++)
			count += grpc_routes[i].signal == s;
		cr_assert_eq(count, 1);
	}
}

Test(grpc_rules, every_field_has_its_name)
{
	static const char *const names[GRPC_FIELD_COUNT] = { ":method",      ":path",         ":authority",
							     "host",         "origin",        "authorization",
							     "content-type", "grpc-encoding", "grpc-timeout" };
	enum grpc_field f;

	for (enum grpc_field i = 0; i < GRPC_FIELD_COUNT; i++) {
		cr_assert(grpc_field_find(str_from(names[i]), &f), "%s", names[i]);
		cr_assert_eq(f, i);
	}
	f = GRPC_FIELD_COUNT;
	cr_assert_not(grpc_field_find(STR("user-agent"), &f));
	cr_assert_not(grpc_field_find(STR(""), &f));
	cr_assert_eq(f, GRPC_FIELD_COUNT);
}

Test(grpc_rules, content_types)
{
	static const struct {
		const char *header;
		bool ok;
	} cases[] = { { "application/grpc", true },
		      { "application/grpc+proto", true },
		      { "Application/GRPC ; charset=utf-8", true },
		      { " application/grpc;x", true },
		      { NULL, false },
		      { "", false },
		      { ";application/grpc", false },
		      { "application/grpc+json", false },
		      { "application/grpc-web", false },
		      { "application/x-protobuf", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(grpc_content_type(str_from(cases[i].header)), cases[i].ok, "%zu", i);
}

Test(grpc_rules, codings)
{
	static const struct {
		const char *header;
		bool ok, compressible;
	} cases[] = {
		{ NULL, true, false },  { "identity", true, false }, { "gzip", true, true }, { "deflate", true, true },
		{ "GZIP", true, true }, { "", false, false },        { "br", false, false }, { "gzip,gzip", false, false }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool compressible = false;

		cr_assert_eq(grpc_coding(str_from(cases[i].header), &compressible), cases[i].ok, "%zu", i);
		cr_assert_eq(compressible, cases[i].compressible, "%zu", i);
	}
}

Test(grpc_rules, timeouts)
{
	static const struct {
		const char *header;
		bool ok;
		uint64_t ns;
	} cases[] = {
		{ "9942m", true, 9942000000 },
		{ "1H", true, 3600000000000 },
		{ "1M", true, 60000000000 },
		{ "10S", true, 10000000000 },
		{ "7u", true, 7000 },
		{ "0n", true, 0 },
		{ "00000001n", true, 1 },
		{ "99999999S", true, 99999999000000000 },
		{ "99999999H", true, GRPC_NO_TIMEOUT },
		{ NULL, false, 0 },
		{ "", false, 0 },
		{ "S", false, 0 },
		{ "10", false, 0 },
		{ "100000000S", false, 0 },
		{ "1s", false, 0 },
		{ "1SS", false, 0 },
		{ "-1S", false, 0 },
		{ " 1S", false, 0 },
		{ "1.5S", false, 0 },
	};
	struct guard g = guard_create(32);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct str s = str_from(cases[i].header);
		uint64_t ns = 77;

		cr_assert_eq(grpc_timeout((struct str){ guard_put(&g, s.ptr, s.len), s.len }, &ns), cases[i].ok, "%zu", i);
		cr_assert_eq(ns, cases[i].ok ? cases[i].ns : 77, "%zu", i);
	}
	guard_destroy(&g);
}

Test(grpc_rules, heads)
{
	static const char logs[] = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
	static const struct {
		const char *method, *path, *type, *encoding;
		enum verdict verdict;
		bool grpc, routed;
	} cases[] = {
		{ "POST", logs, "application/grpc", NULL, VERDICT_OK, true, true },
		{ "GET", logs, "application/grpc", NULL, VERDICT_BAD_METHOD, false, true },
		{ NULL, NULL, NULL, NULL, VERDICT_BAD_METHOD, false, false },
		{ "POST", "/v1/logs", "application/json", NULL, VERDICT_BAD_TYPE, false, false },
		{ "POST", "/v1/logs", "application/grpc", NULL, VERDICT_NOT_FOUND, true, false },
		{ "POST", logs, "application/grpc", "zstd", VERDICT_BAD_CODING, true, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct str field[GRPC_FIELD_COUNT] = { [GRPC_METHOD] = str_from(cases[i].method),
							     [GRPC_PATH] = str_from(cases[i].path),
							     [GRPC_CONTENT_TYPE] = str_from(cases[i].type),
							     [GRPC_ENCODING] = str_from(cases[i].encoding),
							     [GRPC_TIMEOUT] = i % 2 ? STR("1S") : STR("soon") };
		struct grpc_head head;

		cr_assert_eq(grpc_head_read(field, &head), cases[i].verdict, "%zu", i);
		cr_assert_eq(head.grpc, cases[i].grpc, "%zu", i);
		cr_assert_eq(head.route != NULL, cases[i].routed, "%zu", i);
		cr_assert_eq(head.timeout_ns, i % 2 ? 1000000000 : GRPC_NO_TIMEOUT);
	}
}

Test(grpc_rules, http_status_is_for_those_who_do_not_speak_grpc)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		cr_assert_eq(grpc_http_status(v, true), 200);
		cr_assert_eq(grpc_http_status(v, false), verdict_http_status(v));
		cr_assert_gt(strlen(grpc_text(v)), 0);
	}
}

Test(grpc_rules, messages_are_percent_encoded)
{
	static const struct {
		const char *text, *encoded;
	} cases[] = { { "", "" },
		      { "plain text; with ~ and !", "plain text; with ~ and !" },
		      { "100%", "100%25" },
		      { "a\nb\x7f", "a%0Ab%7F" },
		      { "\xc3\xa4", "%C3%A4" } };
	char out[GRPC_MESSAGE_MAX], longest[2 * GRPC_MESSAGE_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const size_t len = grpc_message(cases[i].text, out);

		cr_assert_eq(len, strlen(cases[i].encoded));
		cr_assert_eq(memcmp(out, cases[i].encoded, len), 0);
	}
	memset(longest, '%', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_leq(grpc_message(longest, out), GRPC_MESSAGE_MAX);
}

static size_t
decode_base64(const char *text, size_t len, uint8_t *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *digit = memchr(digits, text[i], 64);

		cr_assert_not_null(digit);
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	cr_assert_eq(bits & ((1u << have) - 1), 0, "the spare bits are zero");
	return n;
}

Test(grpc_rules, whoever_may_come_again_is_told_when)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		char text[GRPC_DETAILS_MAX];
		uint8_t bytes[GRPC_DETAILS_MAX];
		const size_t len = grpc_details(v, text);

		cr_assert_eq(len > 0, verdict_retry(v));
		if (len == 0)
			continue;
		Google__Rpc__Status *status = google__rpc__status__unpack(NULL, decode_base64(text, len, bytes), bytes);
		cr_assert_not_null(status);
		cr_assert_eq((unsigned)status->code, verdict_grpc_status(v));
		cr_assert_str_eq(status->message, grpc_text(v));
		cr_assert_eq(status->n_details, 1);
		cr_assert_str_eq(status->details[0]->type_url, "type.googleapis.com/google.rpc.RetryInfo");
		const ProtobufCBinaryData *value = &status->details[0]->value;
		Google__Rpc__RetryInfo *info = google__rpc__retry_info__unpack(NULL, value->len, value->data);
		cr_assert_not_null(info);
		cr_assert_eq(info->retry_delay->seconds, VERDICT_RETRY_S);
		google__rpc__retry_info__free_unpacked(info, NULL);
		google__rpc__status__free_unpacked(status, NULL);
	}
}
