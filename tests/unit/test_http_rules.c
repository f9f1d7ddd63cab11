#include "google/rpc/status.pb-c.h"
#include "http_rules.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <string.h>

Test(http_rules, every_route_is_found_by_exactly_its_path)
{
	for (size_t i = 0; i < http_route_count; i++)
		cr_assert_eq(http_route_find(http_routes[i].path), &http_routes[i]);
	static const char *const bad[] = { "",        "v1/logs",  "/v1/logs/",  "//v1/logs",
					   "/v1/log", "/V1/logs", "/v1%2flogs", "/v1/logsx" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_null(http_route_find(bad[i]), "%s", bad[i]);
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++) {
		size_t count = 0;

		for (size_t i = 0; i < http_route_count; i++)
			count += http_routes[i].signal_known && http_routes[i].signal == s;
		cr_assert_eq(count, 1);
	}
}

Test(http_rules, media_types)
{
	static const struct {
		const char *header;
		bool ok;
		enum otlp_encoding encoding;
	} cases[] = {
		{ "application/json", true, OTLP_JSON },
		{ "application/x-protobuf", true, OTLP_PROTOBUF },
		{ "Application/JSON; charset=utf-8", true, OTLP_JSON },
		{ "application/json;charset=utf-8", true, OTLP_JSON },
		{ " application/x-protobuf ;x", true, OTLP_PROTOBUF },
		{ NULL, false, 0 },
		{ "", false, 0 },
		{ ";", false, 0 },
		{ "application", false, 0 },
		{ "application/jsonp", false, 0 },
		{ "text/plain; application/json", false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum otlp_encoding e = OTLP_ENCODING_COUNT;

		cr_assert_eq(http_media_type(cases[i].header, &e), cases[i].ok, "%zu", i);
		cr_assert_eq(e, cases[i].ok ? cases[i].encoding : OTLP_ENCODING_COUNT, "%zu", i);
	}
	for (enum otlp_encoding e = 0; e < OTLP_ENCODING_COUNT; e++) {
		enum otlp_encoding back;

		cr_assert(http_media_type(http_media_name(e), &back));
		cr_assert_eq(back, e);
	}
}

Test(http_rules, content_encodings)
{
	static const struct {
		const char *header;
		bool ok, compressed;
	} cases[] = { { NULL, true, false },         { "", true, false },    { "identity", true, false },
		      { "gzip", true, true },        { "GZIP", true, true }, { "x-gzip", true, true },
		      { "deflate", true, true },     { "br", false, false }, { "zstd", false, false },
		      { "gzip, gzip", false, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool compressed = false;

		cr_assert_eq(http_content_encoding(cases[i].header, &compressed), cases[i].ok, "%zu", i);
		cr_assert_eq(compressed, cases[i].compressed, "%zu", i);
	}
}

Test(http_rules, answers_of_every_verdict_are_status_messages)
{
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		char body[HTTP_ANSWER_MAX];
		size_t len = http_answer_body(v, OTLP_PROTOBUF, body);

		if (v == VERDICT_OK) {
			cr_assert_eq(len, 0);
			cr_assert_eq(http_answer_body(v, OTLP_JSON, body), 2);
			cr_assert_eq(memcmp(body, "{}", 2), 0);
			continue;
		}
		Google__Rpc__Status *status = google__rpc__status__unpack(NULL, len, (uint8_t *)body);
		cr_assert_not_null(status);
		cr_assert_eq((unsigned)status->code, verdict_grpc_status(v));
		cr_assert_str_eq(status->message, verdict_text(v));
		google__rpc__status__free_unpacked(status, NULL);

		len = http_answer_body(v, OTLP_JSON, body);
		cJSON *json = cJSON_ParseWithLength(body, len);
		cr_assert_not_null(json);
		cr_assert_eq((unsigned)cJSON_GetObjectItem(json, "code")->valueint, verdict_grpc_status(v));
		cr_assert_str_eq(cJSON_GetObjectItem(json, "message")->valuestring, verdict_text(v));
		cJSON_Delete(json);
	}
}
