#include "guard.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "otlp_sample.h"
#include "otlp_tree.h"
#include "recordings.h"

#include <stdlib.h>
#include <time.h>

static struct arena arena;

static void
setup(void)
{
	arena_init(&arena, 16 << 20);
}

static void
teardown(void)
{
	arena_finish(&arena);
}

TestSuite(otlp_json, .init = setup, .fini = teardown);

/* Decodes, and checks what must hold whatever the text is. */
static enum verdict
decode(enum otlp_signal signal, const char *text, size_t len, struct otlp_request *ret)
{
	struct otlp_request req = { .signal = OTLP_SIGNAL_COUNT };
	enum verdict v;

	arena_reset(&arena);
	v = otlp_json_decode(signal, text, len, OTLP_MAX_DEPTH, &arena, &req);
	if (v == VERDICT_OK) {
		cr_assert_eq(req.signal, signal);
		cr_assert(tree_is_sound(req.message));
	} else {
		cr_assert(v == VERDICT_MALFORMED || v == VERDICT_TOO_DEEP || v == VERDICT_TOO_LARGE, "%u", v);
		cr_assert_eq(req.signal, OTLP_SIGNAL_COUNT);
	}
	if (ret)
		*ret = req;
	return v;
}

static uint8_t *
pack(const ProtobufCMessage *message, size_t *ret_len)
{
	uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);

	*ret_len = protobuf_c_message_pack(message, packed);
	return packed;
}

Test(otlp_json, samples_become_the_same_tree_as_in_protobuf)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };
		struct otlp_request req;
		uint8_t *packed;
		size_t len;

		samples[signal].write(&w);
		cr_assert_eq(decode(signal, samples[signal].json, samples[signal].json_len, &req), VERDICT_OK, "%u", signal);
		packed = pack(req.message, &len);
		cr_assert_eq(len, w.len, "signal %u: %zu instead of %zu bytes", signal, len, w.len);
		cr_assert_eq(memcmp(packed, w.bytes, len), 0, "signal %u", signal);
		free(packed);
	}
}

/* --- single values --- */

/* Decodes {"resourceLogs":[{"scopeLogs":[{"logRecords":[{<members>}]}]}]}; NULL if that is refused as malformed. */
static const OtlpLogRecord *
record(const char *members)
{
	struct otlp_request req;
	enum verdict v;
	char text[1024];

	snprintf(text, sizeof(text), "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{%s}]}]}]}", members);
	v = decode(OTLP_LOGS, text, strlen(text), &req);
	cr_assert(v == VERDICT_OK || v == VERDICT_MALFORMED, "%s: %u", members, v);
	return v == VERDICT_OK ? req.logs->resource_logs[0]->scope_logs[0]->log_records[0] : NULL;
}

static const OtlpAnyValue *
value(const char *json)
{
	const OtlpLogRecord *r;
	char members[512];

	snprintf(members, sizeof(members), "\"body\":%s", json);
	r = record(members);
	return r ? r->body : NULL;
}

Test(otlp_json, unsigned_integers)
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

Test(otlp_json, signed_integers)
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

Test(otlp_json, doubles)
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

Test(otlp_json, ids_are_hexadecimal)
{
	const OtlpLogRecord *r = record("\"traceId\":\"" SAMPLE_TRACE_ID "\",\"spanId\":\"\"");

	cr_assert_eq(r->trace_id.len, 16);
	cr_assert_eq(memcmp(r->trace_id.data, sample_trace_id, 16), 0);
	cr_assert_eq(r->span_id.len, 0);
	cr_assert_null(record("\"traceId\":\"abc\""));
	cr_assert_null(record("\"traceId\":\"zz\""));
	cr_assert_null(record("\"traceId\":\"55mzSLbRLjuaP3Upg9uhCw==\""));
	cr_assert_null(record("\"traceId\":12"));
}

Test(otlp_json, bytes_are_base64)
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

Test(otlp_json, enums_by_number_or_name)
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

Test(otlp_json, names_in_both_spellings)
{
	cr_assert_eq(record("\"timeUnixNano\":1")->time_unix_nano, 1);
	cr_assert_eq(record("\"time_unix_nano\":1")->time_unix_nano, 1);
	cr_assert_eq(record("\"TimeUnixNano\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeunixnano\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeUnixNan\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"timeUnixNano2\":1")->time_unix_nano, 0);
	cr_assert_eq(record("\"time_\":1,\"\":1,\"_\":1")->time_unix_nano, 0);
}

Test(otlp_json, nulls_and_repetitions)
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

Test(otlp_json, wrong_types_are_refused)
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

Test(otlp_json, escapes)
{
	cr_assert_str_eq(value("{\"stringValue\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}")->string_value, "\"\\/\b\f\n\r\tA");
	cr_assert_str_eq(value("{\"stringValue\":\"\\ud83c\\udf0d\"}")->string_value, "\xf0\x9f\x8c\x8d");
	cr_assert_str_eq(value("{\"stringValue\":\"a\\u0000b\"}")->string_value, "a");
	cr_assert_null(value("{\"stringValue\":\"\\x\"}"));
	cr_assert_null(value("{\"stringValue\":\"\\ud83c\\u00\"}"));
}

/* JavaScript cuts text between the halves of a character, and writes what is left as such. */
Test(otlp_json, halves_of_characters_become_replacements)
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

/* --- the whole text --- */

Test(otlp_json, one_object_and_nothing_else)
{
	static const struct {
		const char *text;
		enum verdict verdict;
	} texts[] = {
		{ "{}", VERDICT_OK },
		{ " \r\n\t{ } \n", VERDICT_OK },
		{ "{\"resourceLogs\":[]}", VERDICT_OK },
		{ "{\"resourceLogs\":null}", VERDICT_OK },
		{ "{\"other\":[{\"a\":[1,2,{}]}]}", VERDICT_OK },
		{ "", VERDICT_MALFORMED },
		{ " ", VERDICT_MALFORMED },
		{ "null", VERDICT_MALFORMED },
		{ "[]", VERDICT_MALFORMED },
		{ "\"{}\"", VERDICT_MALFORMED },
		{ "{} {}", VERDICT_MALFORMED },
		{ "{}x", VERDICT_MALFORMED },
		{ "{}}", VERDICT_MALFORMED },
		{ "{]", VERDICT_MALFORMED },
		{ "{\"a\":[}]", VERDICT_MALFORMED },
		{ "{\"a\"}", VERDICT_MALFORMED },
		{ "{\"a\":}", VERDICT_MALFORMED },
		{ "{\"a\":1,}", VERDICT_MALFORMED },
		{ "{a:1}", VERDICT_MALFORMED },
		{ "{\"a\":01x}", VERDICT_MALFORMED },
		{ "{\"a\":tru}", VERDICT_MALFORMED },
		{ "{\"a\":\"}", VERDICT_MALFORMED },
		{ "{\"a\":\"\\\"}", VERDICT_MALFORMED },
		{ "{\"a\":\"\\", VERDICT_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++)
			cr_assert_eq(decode(signal, texts[i].text, strlen(texts[i].text), NULL), texts[i].verdict, "%s",
				     texts[i].text);
	}
}

Test(otlp_json, every_prefix_is_refused)
{
	struct guard g = guard_create(sizeof(sample_logs_json) + sizeof(sample_metrics_json) + sizeof(sample_traces_json));

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		for (size_t n = 0; n < samples[signal].json_len; n++) {
			const char *text = guard_put(&g, samples[signal].json, n);
			enum otlp_signal told;

			cr_assert_eq(decode(signal, text, n, NULL), VERDICT_MALFORMED, "%zu bytes", n);
			if (otlp_json_signal(text, n, &told))
				cr_assert_eq(told, signal);
		}
	}
	guard_destroy(&g);
}

Test(otlp_json, mutations_and_random_text_harm_nothing)
{
	static const char alphabet[] = "{}[]\",:\\u0dtfn-1e. ";
	struct guard g = guard_create(8192);
	unsigned accepted = 0;

	srand(4);
	for (int i = 0; i < 30000; i++) {
		enum otlp_signal signal = (enum otlp_signal)(i % OTLP_SIGNAL_COUNT), told;
		size_t len = samples[signal].json_len;
		char copy[8192];
		const char *text;

		memcpy(copy, samples[signal].json, len);
		if (i % 5 == 0) {
			len = (size_t)rand() % 64;
			for (size_t k = 0; k < len; k++)
				copy[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		}
		for (int k = rand() % 4; k >= 0 && len > 0; k--)
			copy[(size_t)rand() % len] =
			    (char)(rand() % 2 ? rand() : alphabet[(size_t)rand() % (sizeof(alphabet) - 1)]);
		text = guard_put(&g, copy, len);
		accepted += decode(signal, text, len, NULL) == VERDICT_OK;
		otlp_json_signal(text, len, &told);
	}
	cr_assert_gt(accepted, 1000, "mutations within text should pass");
	guard_destroy(&g);
}

/* --- depth and size --- */

/* A log record whose body nests `levels` values, through arrays or key-value lists. Caller frees. */
static char *
nest(unsigned levels, bool lists)
{
	static const char *const open[] = { "{\"arrayValue\":{\"values\":[", "{\"kvlistValue\":{\"values\":[{\"value\":" };
	static const char *const close[] = { "]}}", "}]}}" };
	char *text = malloc((size_t)levels * 48 + 256), *p;

	p = stpcpy(text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":");
	for (unsigned i = 1; i < levels; i++)
		p = stpcpy(p, open[lists]);
	p = stpcpy(p, "{}");
	for (unsigned i = 1; i < levels; i++)
		p = stpcpy(p, close[lists]);
	strcpy(p, "}]}]}]}");
	return text;
}

Test(otlp_json, values_nest_to_the_limit_and_no_further)
{
	for (int lists = 0; lists < 2; lists++) {
		for (unsigned levels = 1; levels <= 2 * OTLP_MAX_DEPTH; levels++) {
			char *text = nest(levels, lists);
			enum verdict want = levels <= OTLP_MAX_DEPTH ? VERDICT_OK : VERDICT_TOO_DEEP;

			cr_assert_eq(decode(OTLP_LOGS, text, strlen(text), NULL), want, "%u levels", levels);
			free(text);
		}
	}
}

Test(otlp_json, a_higher_limit_stays_within_the_librarys_own)
{
	struct otlp_request req;
	char *text = nest(200, true);

	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, strlen(text), 100000, &arena, &req), VERDICT_OK);
	free(text);
	text = nest(300, true);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, strlen(text), 100000, &arena, &req), VERDICT_TOO_DEEP);
	free(text);
}

Test(otlp_json, deep_nesting_is_refused_at_once)
{
	clock_t start = clock();
	char *text = malloc(300001);

	for (int lists = 0; lists < 2; lists++) {
		char *nested = nest(100000, lists);

		cr_assert_eq(decode(OTLP_LOGS, nested, strlen(nested), NULL), VERDICT_TOO_DEEP);
		free(nested);
	}
	/* Of unknown members, too, and never closed. */
	memcpy(text, "{\"a\":", 5);
	memset(text + 5, '[', 300000 - 5);
	cr_assert_eq(decode(OTLP_LOGS, text, 300000, NULL), VERDICT_TOO_DEEP);
	cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 2);
	free(text);
}

Test(otlp_json, small_bodies_cannot_take_much_memory)
{
	size_t len = 1 << 20;
	char *text = malloc(len + 1);
	struct otlp_request req;
	struct arena small;

	strcpy(text, "{\"a\":[0");
	for (char *p = text + 7; p < text + len - 3; p += 2)
		memcpy(p, ",0", 2);
	memcpy(text + len - 3, "0]}", 3);
	arena_init(&small, 4 << 20);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, len, OTLP_MAX_DEPTH, &small, &req), VERDICT_TOO_LARGE);
	cr_assert(small.exhausted);
	arena_finish(&small);
	/* A tree that is allowed, for the arena to refuse. */
	arena_init(&small, 4096);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, sample_logs_json, sizeof(sample_logs_json) - 1, OTLP_MAX_DEPTH, &small, &req),
		     VERDICT_TOO_LARGE);
	arena_finish(&small);
	free(text);
}

Test(otlp_json, every_cap_is_survived)
{
	for (size_t cap = 0; cap < 32768; cap += 64) {
		struct otlp_request req;
		struct arena small;
		enum verdict v;

		arena_init(&small, cap);
		v = otlp_json_decode(OTLP_METRICS, sample_metrics_json, sizeof(sample_metrics_json) - 1, OTLP_MAX_DEPTH, &small,
				     &req);
		cr_assert(v == VERDICT_TOO_LARGE || v == VERDICT_OK);
		arena_finish(&small);
	}
}

Test(otlp_json, backslashes_cost_no_more_than_other_text)
{
	size_t len = 4 << 20;
	char *text = malloc(len);
	clock_t start;

	memset(text, '\\', len);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + len - 2, "\"}", 2);
	start = clock();
	cr_assert_eq(decode(OTLP_LOGS, text, len, NULL), VERDICT_OK);
	cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 2);
	free(text);
}

/* --- the types that the mapper knows --- */

static void
check_types(const ProtobufCMessageDescriptor *d, unsigned depth)
{
	for (unsigned i = 0; i < d->n_fields && depth > 0; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		cr_assert_neq(f->type, PROTOBUF_C_TYPE_ENUM, "%s.%s", d->name, f->name);
		cr_assert_neq(f->type, PROTOBUF_C_TYPE_FLOAT, "%s.%s", d->name, f->name);
		cr_assert(f->label == PROTOBUF_C_LABEL_REPEATED || f->label == PROTOBUF_C_LABEL_NONE ||
			      f->type == PROTOBUF_C_TYPE_MESSAGE || f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF,
			  "%s.%s has a has_ member", d->name, f->name);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			check_types(f->descriptor, depth - 1);
	}
}

Test(otlp_json, all_fields_are_of_known_types)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++)
		check_types(otlp_request_descriptor(signal), 12);
}

/* --- the signal --- */

Test(otlp_json, the_top_level_member_tells_the_signal)
{
	static const struct {
		const char *text;
		enum otlp_signal signal; /* OTLP_SIGNAL_COUNT: none */
	} texts[] = {
		{ "{}", OTLP_LOGS },
		{ " { } ", OTLP_LOGS },
		{ "{\"resourceLogs\":[]}", OTLP_LOGS },
		{ "{ \"resourceSpans\" : [] }", OTLP_TRACES },
		{ "{\"resource_metrics\":[]}", OTLP_METRICS },
		{ "{\"a\":{\"resourceLogs\":[]},\"b\":\"\\\"resourceLogs\\\":\",\"c\":[\"resourceLogs\",{}],\"d\":-1.5,"
		  "\"resourceSpans\":[]}",
		  OTLP_TRACES },
		{ "{\"a\":1}", OTLP_SIGNAL_COUNT },
		{ "{\"a\":1,}", OTLP_SIGNAL_COUNT },
		{ "{\"a\" 1,\"resourceLogs\":[]}", OTLP_SIGNAL_COUNT },
		{ "{\"a\":]},\"resourceLogs\":[]}", OTLP_SIGNAL_COUNT },
		{ "{,}", OTLP_SIGNAL_COUNT },
		{ "[{\"resourceLogs\":[]}]", OTLP_SIGNAL_COUNT },
		{ "\"resourceLogs\"", OTLP_SIGNAL_COUNT },
		{ "", OTLP_SIGNAL_COUNT },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		enum otlp_signal told = OTLP_SIGNAL_COUNT;
		bool found = otlp_json_signal(texts[i].text, strlen(texts[i].text), &told);

		cr_assert_eq(found, texts[i].signal != OTLP_SIGNAL_COUNT, "%s", texts[i].text);
		cr_assert_eq(told, texts[i].signal, "%s", texts[i].text);
	}
}

/* --- recordings --- */

static void
check_recording(const struct recording *r, void *ctx)
{
	const char *text = (const char *)r->bytes;
	enum otlp_signal told = OTLP_SIGNAL_COUNT;
	struct otlp_request req, again;
	uint8_t *packed, *repacked;
	size_t len, again_len;

	if (!r->json)
		return;
	++*(size_t *)ctx;
	cr_assert_eq(decode(r->signal, text, r->len, &req), VERDICT_OK, "%s", r->path);
	packed = pack(req.message, &len);
	cr_assert_gt(len, 100, "%s", r->path);
	arena_reset(&arena);
	cr_assert_eq(otlp_pb_decode(r->signal, packed, len, OTLP_MAX_DEPTH, &arena, &again), VERDICT_OK, "%s", r->path);
	repacked = pack(again.message, &again_len);
	cr_assert_eq(len, again_len, "%s", r->path);
	cr_assert_eq(memcmp(packed, repacked, len), 0, "%s", r->path);
	free(packed);
	free(repacked);
	cr_assert(otlp_json_signal(text, r->len, &told), "%s", r->path);
	cr_assert_eq(told, r->signal, "%s", r->path);
	for (size_t n = 0; n < r->len - 2; n += 1 + r->len / 20)
		cr_assert_eq(decode(r->signal, text, n, NULL), VERDICT_MALFORMED, "%s", r->path);
}

Test(otlp_json, recordings_decode_and_tell_their_signal)
{
	size_t n = 0;

	recordings_each(check_recording, &n);
	cr_assert_gt(n, 50);
}
