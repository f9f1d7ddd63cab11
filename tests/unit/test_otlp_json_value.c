/* Single values, ids, enums, names and text. */
#include "otlp_json_bed.h"

TestSuite(otlp_json_value, .init = setup, .fini = teardown);

Test(otlp_json_value, unsigned_integers)
{
	static const struct {
		const char *json;
		uint64_t time;
	} good[] = {
		{ "0", 0 },
		{ "\"0\"", 0 },
		{ "-0", 0 },
		{ "1795392584332000000", 1795392584332000000 },
		{ "\"1795392584332000001\"", 1795392584332000001 },
		{ "\"18446744073709551615\"", UINT64_MAX },
		{ "18446744073709551615", UINT64_MAX },
		{ "1e3", 1000 },
		{ "1.5e1", 15 },
		{ "7.0", 7 },
	};
	static const char *const bad[] = { "-1",     "\"-1\"", "1.5",    "\"1.5\"",  "\"\"",
					   "\" 1\"", "\"1 \"", "\"+1\"", "\"0x10\"", "\"18446744073709551616\"",
					   "1e20",   "1e999",  "true",   "{}",       "[]",
					   "[1]",    "\"one\"" };
	char members[128];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const OtlpLogRecord *r;

		snprintf(members, sizeof(members), "\"timeUnixNano\":%s", good[i].json);
		r = record(members);
		cr_assert(r, "%s", members);
		cr_assert_eq(r->time_unix_nano, good[i].time, "%s", members);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(members, sizeof(members), "\"timeUnixNano\":%s", bad[i]);
		cr_assert_null(record(members), "%s", members);
	}
}

Test(otlp_json_value, signed_integers)
{
	static const struct {
		const char *json;
		int64_t number;
	} good[] = {
		{ "-1", -1 },
		{ "\"-1\"", -1 },
		{ "\"9223372036854775807\"", INT64_MAX },
		{ "\"-9223372036854775808\"", INT64_MIN },
		{ "9223372036854775807", INT64_MAX }, /* a double rounds it up by one */
		{ "-9223372036854775808", INT64_MIN },
		{ "9007199254740992", 9007199254740992 },
		{ "-1e3", -1000 },
	};
	static const char *const bad[] = {
		"\"9223372036854775808\"", "\"-9223372036854775809\"", "1e19", "-1e19", "0.5", "false"
	};
	char json[128];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const OtlpAnyValue *v;

		snprintf(json, sizeof(json), "{\"intValue\":%s}", good[i].json);
		v = value(json);
		cr_assert(v, "%s", json);
		cr_assert_eq(v->int_value, good[i].number, "%s", json);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(json, sizeof(json), "{\"intValue\":%s}", bad[i]);
		cr_assert_null(value(json), "%s", json);
	}
	cr_assert_eq(record("\"severityNumber\":2147483647")->severity_number, INT32_MAX);
	cr_assert_null(record("\"severityNumber\":2147483648"));
	cr_assert_eq(record("\"severityNumber\":-2147483648")->severity_number, INT32_MIN);
	cr_assert_null(record("\"severityNumber\":-2147483649"));
	cr_assert_eq(record("\"flags\":4294967295")->flags, UINT32_MAX);
	cr_assert_null(record("\"flags\":4294967296"));
}

Test(otlp_json_value, doubles)
{
	static const struct {
		const char *json;
		double number;
	} good[] = {
		{ "0.010568", 0.010568 },
		{ "600", 600 },
		{ "-1e-7", -1e-7 },
		{ "\"2.5\"", 2.5 },
		{ "\"-1E5\"", -1e5 },
		{ "\"Infinity\"", INFINITY },
		{ "\"-Infinity\"", -INFINITY },
	};
	static const char *const bad[] = { "\"\"",    "\"inf\"", "\"nan\"",   "\"0x1p3\"", "\" 1\"", "\"1 \"",
					   "\"--1\"", "1e999",   "\"1e999\"", "true",      "{}",     "[]" };
	char json[128];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(json, sizeof(json), "{\"doubleValue\":%s}", good[i].json);
		cr_assert(value(json), "%s", json);
		cr_assert_eq(value(json)->double_value, good[i].number, "%s", json);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(json, sizeof(json), "{\"doubleValue\":%s}", bad[i]);
		cr_assert_null(value(json), "%s", json);
	}
	cr_assert(isnan(value("{\"doubleValue\":\"NaN\"}")->double_value));
}

Test(otlp_json_value, ids_are_hexadecimal)
{
	const OtlpLogRecord *r = record("\"traceId\":\"" SAMPLE_TRACE_ID "\",\"spanId\":\"\"");

	cr_assert_eq(r->trace_id.len, 16);
	cr_assert_eq(memcmp(r->trace_id.data, sample_trace_id, 16), 0);
	cr_assert_eq(r->span_id.len, 0);
	cr_assert_eq(record("\"spanId\":\"" SAMPLE_TRACE_ID "\"")->span_id.len, 0); /* no id is so long */
	cr_assert_null(record("\"traceId\":\"abc\""));
	cr_assert_null(record("\"traceId\":\"zz\""));
	cr_assert_null(record("\"traceId\":\"55mzSLbRLjuaP3Upg9uhCw==\""));
	cr_assert_null(record("\"traceId\":12"));
}

Test(otlp_json_value, bytes_are_base64)
{
	static const struct {
		const char *text;
		struct {
			const char *ptr;
			size_t len;
		} bytes;
	} good[] = {
		{ "", { "", 0 } },
		{ "AA==", { "\0", 1 } },
		{ "AA", { "\0", 1 } },
		{ "TWE=", { "Ma", 2 } },
		{ "TWFu", { "Man", 3 } },
		{ "TWFuTQ==", { "ManM", 4 } },
		{ "-_-_", { "\xfb\xff\xbf", 3 } },
		{ "+/+/", { "\xfb\xff\xbf", 3 } },
	};
	static const char *const bad[] = { "A", "AAAAA", "A===", "====", "A A=", "AA=A", "AA=", "\\u00e9aaa" };
	char json[64];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const OtlpAnyValue *v;

		snprintf(json, sizeof(json), "{\"bytesValue\":\"%s\"}", good[i].text);
		v = value(json);
		cr_assert(v, "%s", json);
		cr_assert_eq(v->bytes_value.len, good[i].bytes.len, "%s", json);
		cr_assert_eq(memcmp(v->bytes_value.data, good[i].bytes.ptr, good[i].bytes.len), 0, "%s", json);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(json, sizeof(json), "{\"bytesValue\":\"%s\"}", bad[i]);
		cr_assert_null(value(json), "%s", json);
	}
}

Test(otlp_json_value, enums_by_number_or_name)
{
	cr_assert_eq(record("\"severityNumber\":9")->severity_number, 9);
	cr_assert_eq(record("\"severityNumber\":\"9\"")->severity_number, 9);
	cr_assert_eq(record("\"severityNumber\":\"SEVERITY_NUMBER_UNSPECIFIED\"")->severity_number, 0);
	cr_assert_eq(record("\"severityNumber\":\"SEVERITY_NUMBER_TRACE\"")->severity_number, 1);
	cr_assert_eq(record("\"severityNumber\":\"SEVERITY_NUMBER_WARN2\"")->severity_number, 14);
	cr_assert_eq(record("\"severityNumber\":\"SEVERITY_NUMBER_FATAL4\"")->severity_number, 24);
	cr_assert_null(record("\"severityNumber\":\"SEVERITY_NUMBER_FATAL5\""));
	cr_assert_null(record("\"severityNumber\":\"INFO\""));
	cr_assert_null(record("\"severityNumber\":\"SPAN_KIND_CLIENT\""));
	cr_assert_null(record("\"flags\":\"SPAN_KIND_CLIENT\""));
}

Test(otlp_json_value, names_in_both_spellings)
{
	cr_assert_eq(record("\"timeUnixNano\":1")->time_unix_nano, 1);
	cr_assert_eq(record("\"time_unix_nano\":1")->time_unix_nano, 1);
	cr_assert_eq(record("\"TimeUnixNano\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeunixnano\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeUnixNan\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeUnixNano2\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"time_\":1,\"\":1,\"_\":1")->time_unix_nano, 0);
}

Test(otlp_json_value, nulls_and_repetitions)
{
	const OtlpLogRecord *r = record("\"timeUnixNano\":null,\"body\":null,\"attributes\":null,\"severityText\":null");

	cr_assert_null(r->body);
	cr_assert_eq(r->n_attributes, 0);
	cr_assert_str_eq(r->severity_text, "");
	r = record("\"severityText\":\"a\",\"severityText\":\"b\",\"attributes\":[{}],\"attributes\":[{},{}]");
	cr_assert_str_eq(r->severity_text, "b");
	cr_assert_eq(r->n_attributes, 2);
	cr_assert_str_eq(r->attributes[0]->key, "");
	cr_assert_null(r->attributes[0]->value);
	cr_assert_eq(value("{\"stringValue\":\"a\",\"intValue\":1}")->value_case,
		     OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE);
	cr_assert_eq(value("{\"doubleValue\":null}")->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET);
	cr_assert_eq(value("{}")->value_case, OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE__NOT_SET);
	cr_assert_str_eq(value("{\"stringValue\":\"\"}")->string_value, "");
}

Test(otlp_json_value, wrong_types_are_refused)
{
	static const char *const bad[] = { "\"severityText\":1",
					   "\"severityText\":{}",
					   "\"severityText\":[]",
					   "\"severityText\":true",
					   "\"body\":\"text\"",
					   "\"body\":1",
					   "\"body\":[]",
					   "\"attributes\":{}",
					   "\"attributes\":\"a\"",
					   "\"attributes\":[1]",
					   "\"attributes\":[[]]",
					   "\"attributes\":[\"a\"]",
					   "\"attributes\":[{\"key\":1}]",
					   "\"attributes\":[{\"value\":1}]",
					   "\"body\":{\"boolValue\":1}",
					   "\"body\":{\"boolValue\":\"true\"}",
					   "\"body\":{\"arrayValue\":[]}",
					   "\"body\":{\"kvlistValue\":{\"values\":{}}}" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_null(record(bad[i]), "%s", bad[i]);
	cr_assert_eq(decode(OTLP_METRICS,
			    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"histogram\":{\"dataPoints\":"
			    "[{\"explicitBounds\":[1,null]}]}}]}]}]}",
			    107, NULL),
		     VERDICT_MALFORMED);
}

/* --- text --- */

Test(otlp_json_value, escapes)
{
	cr_assert_str_eq(value("{\"stringValue\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}")->string_value, "\"\\/\b\f\n\r\tA");
	cr_assert_str_eq(value("{\"stringValue\":\"\\ud83c\\udf0d\"}")->string_value, "\xf0\x9f\x8c\x8d");
	cr_assert_str_eq(value("{\"stringValue\":\"a\\u0000b\"}")->string_value, "a");
	cr_assert_null(value("{\"stringValue\":\"\\x\"}"));
	cr_assert_null(value("{\"stringValue\":\"\\ud83c\\u00\"}"));
}

/* JavaScript cuts text between the halves of a character, and writes what is left as such. */
Test(otlp_json_value, halves_of_characters_become_replacements)
{
	static const char fffd[] = "\xef\xbf\xbd";
	char want[32];

	cr_assert_str_eq(value("{\"stringValue\":\"\\ud83c\"}")->string_value, fffd);
	cr_assert_str_eq(value("{\"stringValue\":\"\\udf0d\"}")->string_value, fffd);
	snprintf(want, sizeof(want), "a%s%sb\\ud83c%s", fffd, fffd, "\xf0\x9f\x8c\x8d");
	cr_assert_str_eq(value("{\"stringValue\":\"a\\uDF0D\\uD83Cb\\\\ud83c\\ud83c\\udf0d\"}")->string_value, want);
	snprintf(want, sizeof(want), "%s%s", fffd, "\xf0\x9f\x8c\x8d");
	cr_assert_str_eq(value("{\"stringValue\":\"\\ud83c\\ud83c\\udf0d\"}")->string_value, want);
	snprintf(want, sizeof(want), "%sA", fffd);
	cr_assert_str_eq(value("{\"stringValue\":\"\\ud83c\\u0041\"}")->string_value, want);
}

Test(otlp_json_value, bytes_that_are_no_text_become_replacements)
{
	cr_assert_str_eq(value("{\"stringValue\":\"a\xff\\n\xe2\x82 caf\xc3\xa9\"}")->string_value,
			 "a\xef\xbf\xbd\n\xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9");
}
