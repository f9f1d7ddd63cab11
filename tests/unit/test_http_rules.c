#include "google/rpc/status.pb-c.h"
#include "guard.h"
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

Test(http_rules, openmetrics_is_for_who_asks)
{
	static const struct {
		const char *accept;
		bool wants;
	} cases[] = {
		{ NULL, false },
		{ "", false },
		{ ",", false },
		{ "*/*", false },
		{ "text/plain", false },
		{ "application/openmetrics-text", true },
		{ "Application/OpenMetrics-Text", true },
		{ "application/openmetrics-text; version=1.0.0; charset=utf-8", true },
		{ "application/openmetrics-text ;version=1.0.0", true },
		{ "application/openmetrics-text;version=0.0.1", false },
		{ "application/openmetrics-text;version=2.0.0, text/plain", false },
		{ "application/openmetrics-textual", false },
		{ "text/html, application/openmetrics-text", true },
		/* what Prometheus says */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  true },
		{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.4,*/"
		  "*;q=0.1",
		  true },
		{ "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", false },
		{ "text/plain;q=0.5,application/openmetrics-text;q=0.5", true },
		{ "text/plain;q=0.123,application/openmetrics-text;q=0.124", true },
		{ "application/openmetrics-text;q=0", false },
		{ "application/openmetrics-text;q=0.000", false },
		{ "application/openmetrics-text; Q=1.000", true },
		{ "application/openmetrics-text;q=9", true },
		{ "application/openmetrics-text;q=x", false },
		{ "application/openmetrics-text;q=0x5", false },
		{ "application/openmetrics-text;q=", false },
		{ "application/openmetrics-text;q", false },
		{ "application/openmetrics-text;;;", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(http_wants_openmetrics(cases[i].accept), cases[i].wants, "%zu", i);
}

/* Each prefix of a header ends where memory does. */
Test(http_rules, accept_is_read_to_its_end_only)
{
	static const char begin[] = "a/b;q=0.5 , application/openmetrics-text",
			  accept[] = "a/b;q=0.5 , application/openmetrics-text ; version=1.0.0 ;q=0.7,text/plain;q=0.6";
	struct guard g = guard_create(sizeof(accept));

	for (size_t len = 0; len < sizeof(accept); len++) {
		char *copy = guard_put(&g, accept, len + 1);

		copy[len] = '\0';
		const bool wants = http_wants_openmetrics(copy);
		if (len < strlen(begin))
			cr_assert_not(wants, "%zu", len);
		else if (len == strlen(begin) || len == strlen(accept))
			cr_assert(wants, "%zu", len);
	}
	guard_destroy(&g);
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

Test(http_rules, a_broker_is_known_by_its_user_agent)
{
	cr_expect(http_passed_on("agentbus/0.1.0"));
	cr_expect_not(http_passed_on(NULL));
	cr_expect_not(http_passed_on(""));
	cr_expect_not(http_passed_on("agentbus"));
	cr_expect_not(http_passed_on("curl/8 agentbus/1"));
}
