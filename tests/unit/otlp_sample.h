/*
 * One request of each signal with every field and every kind of value, in protobuf (fields in their order, as protobuf-c
 * writes them) and in JSON: both must become the same tree.
 */
#ifndef AGENTBUS_TEST_OTLP_SAMPLE_H
#define AGENTBUS_TEST_OTLP_SAMPLE_H

#include "otlp.h"
#include "wire_writer.h"

#include <math.h>

static const uint8_t sample_trace_id[16] = { 0xe7, 0x99, 0xf3, 0x48, 0xb6, 0xd1, 0x2e, 0x3b,
					     0x9a, 0x3f, 0x75, 0x29, 0x83, 0xdb, 0xa1, 0x0b };
static const uint8_t sample_span_id[8] = { 0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7 };

#define SAMPLE_TRACE_ID "e799f348b6d12e3b9a3f752983dba10b"
#define SAMPLE_SPAN_ID  "00f067aa0ba902B7"

/* An attribute with a text value as member `field`. */
static inline void
put_attribute(struct wire_writer *w, unsigned field, const char *key, const char *value)
{
	put_open(w, field);
	put_text(w, 1, key);
	put_open(w, 2);
	put_text(w, 1, value);
	put_close(w);
	put_close(w);
}

#define JSON_ATTRIBUTE(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"

/* --- resource and scope: of all signals --- */

static inline void
put_resource_and_scope(struct wire_writer *w)
{
	put_open(w, 1); /* resource */
	put_attribute(w, 1, "service.name", "codex_exec");
	put_varint(w, 2, 3);
	put_open(w, 3);
	put_text(w, 1, "https://example.org/schema");
	put_text(w, 2, "service");
	put_text(w, 3, "service.name");
	put_text(w, 3, "service.instance.id");
	put_text(w, 4, "service.version");
	put_close(w);
	put_close(w);
	put_open(w, 2); /* scope's part */
	put_open(w, 1);
	put_text(w, 1, "codex_otel");
	put_text(w, 2, "0.169.0");
	put_attribute(w, 3, "a", "b");
	put_varint(w, 4, 1);
	put_close(w);
}

#define JSON_RESOURCE                                                                                                            \
	"\"resource\":{\"attributes\":[" JSON_ATTRIBUTE(                                                                         \
	    "service.name",                                                                                                      \
	    "codex_exec") "],\"droppedAttributesCount\":3,"                                                                      \
			  "\"entityRefs\":[{\"schemaUrl\":\"https://example.org/schema\",\"type\":\"service\","                  \
			  "\"idKeys\":[\"service.name\",\"service.instance.id\"],\"descriptionKeys\":[\"service.version\"]}]}"
#define JSON_SCOPE                                                                                                               \
	"\"scope\":{\"name\":\"codex_otel\",\"version\":\"0.169.0\",\"attributes\":[" JSON_ATTRIBUTE(                            \
	    "a", "b") "],"                                                                                                       \
		      "\"droppedAttributesCount\":1}"

/* --- logs --- */

static inline void
put_values(struct wire_writer *w)
{
	put_attribute(w, 6, "text", "caf\xc3\xa9 \"quoted\" \xf0\x9f\x8c\x8d");
	put_attribute(w, 6, "empty text", "");
	put_open(w, 6);
	put_text(w, 1, "yes");
	put_open(w, 2);
	put_varint(w, 2, 1);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "no");
	put_open(w, 2);
	put_varint(w, 2, 0);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "smallest");
	put_open(w, 2);
	put_varint(w, 3, (uint64_t)INT64_MIN);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "largest");
	put_open(w, 2);
	put_varint(w, 3, INT64_MAX);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "thousand");
	put_open(w, 2);
	put_varint(w, 3, 1000);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "double");
	put_open(w, 2);
	put_double(w, 4, -0.125);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "infinite");
	put_open(w, 2);
	put_double(w, 4, -INFINITY);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "bytes");
	put_open(w, 2);
	put_bytes(w, 7,
		  "\x00\xff\xfe"
		  "k",
		  4);
	put_close(w);
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "no value");
	put_close(w);
	put_open(w, 6);
	put_text(w, 1, "value not set");
	put_open(w, 2);
	put_close(w);
	put_close(w);
}

#define JSON_VALUES                                                                                                              \
	"{\"key\":\"text\",\"value\":{\"stringValue\":\"caf\\u00e9 \\\"quoted\\\" \\ud83c\\udf0d\"}},"                           \
	"{\"key\":\"empty text\",\"value\":{\"stringValue\":\"\"}},"                                                             \
	"{\"key\":\"yes\",\"value\":{\"boolValue\":true}},"                                                                      \
	"{\"value\":{\"boolValue\":false},\"key\":\"no\"},"                                                                      \
	"{\"key\":\"smallest\",\"value\":{\"intValue\":\"-9223372036854775808\"}},"                                              \
	"{\"key\":\"largest\",\"value\":{\"intValue\":\"9223372036854775807\"}},"                                                \
	"{\"key\":\"thousand\",\"value\":{\"intValue\":1.0e3}},"                                                                 \
	"{\"key\":\"double\",\"value\":{\"doubleValue\":-0.125}},"                                                               \
	"{\"key\":\"infinite\",\"value\":{\"doubleValue\":\"-Infinity\"}},"                                                      \
	"{\"key\":\"bytes\",\"value\":{\"bytesValue\":\"AP/+aw==\"}},"                                                           \
	"{\"key\":\"no value\",\"value\":null},"                                                                                 \
	"{\"key\":\"value not set\",\"value\":{}}"

/* An array and a list of pairs, one in the other, as the value of an attribute. */
static inline void
put_nested(struct wire_writer *w)
{
	put_open(w, 6);
	put_text(w, 1, "nested");
	put_open(w, 2);
	put_open(w, 5);
	put_open(w, 1);
	put_varint(w, 3, 7);
	put_close(w);
	put_open(w, 1);
	put_open(w, 6);
	put_attribute(w, 1, "inner", "deep");
	put_close(w);
	put_close(w);
	put_open(w, 1);
	put_close(w);
	put_close(w);
	put_close(w);
	put_close(w);
}

#define JSON_NESTED                                                                                                              \
	"{\"key\":\"nested\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":7},{\"kvlistValue\":{\"values\":"              \
	"[" JSON_ATTRIBUTE("inner", "deep") "]}},null]}}}"

static inline void
sample_logs(struct wire_writer *w)
{
	put_open(w, 1);
	put_resource_and_scope(w);
	put_open(w, 2); /* the record */
	put_fixed64(w, 1, 1795392584332000001);
	put_varint(w, 2, 9);
	put_text(w, 3, "INFO");
	put_open(w, 5);
	put_text(w, 1, "codex.user_prompt");
	put_close(w);
	put_values(w);
	put_nested(w);
	put_varint(w, 7, 2);
	put_fixed32(w, 8, 1);
	put_bytes(w, 9, sample_trace_id, sizeof(sample_trace_id));
	put_bytes(w, 10, sample_span_id, sizeof(sample_span_id));
	put_fixed64(w, 11, UINT64_MAX);
	put_text(w, 12, "user_prompt");
	put_close(w);
	put_open(w, 2); /* a record that says nothing */
	put_close(w);
	put_text(w, 3, "scope's schema");
	put_close(w);
	put_text(w, 3, "resource's schema");
	put_close(w);
}

static const char sample_logs_json[] =
    "{\"resourceLogs\":[{" JSON_RESOURCE ",\"scopeLogs\":[{" JSON_SCOPE ",\"logRecords\":[{"
    "\"timeUnixNano\":\"1795392584332000001\",\"severityNumber\":\"SEVERITY_NUMBER_INFO\",\"severityText\":\"INFO\","
    "\"body\":{\"stringValue\":\"codex.user_prompt\"},\"attributes\":[" JSON_VALUES "," JSON_NESTED "],"
    "\"droppedAttributesCount\":\"2\",\"flags\":1,\"traceId\":\"" SAMPLE_TRACE_ID "\",\"spanId\":\"" SAMPLE_SPAN_ID "\","
    "\"observedTimeUnixNano\":\"18446744073709551615\",\"eventName\":\"user_prompt\",\"unknown\":[{\"a\":[null]}]},{}],"
    "\"schemaUrl\":\"scope's schema\"}],\"schemaUrl\":\"resource's schema\"}]}";

/* --- traces --- */

static inline void
sample_traces(struct wire_writer *w)
{
	put_open(w, 1);
	put_resource_and_scope(w);
	put_open(w, 2);
	put_bytes(w, 1, sample_trace_id, sizeof(sample_trace_id));
	put_bytes(w, 2, sample_span_id, sizeof(sample_span_id));
	put_text(w, 3, "k=v");
	put_bytes(w, 4, sample_span_id, sizeof(sample_span_id));
	put_text(w, 5, "session_task.turn");
	put_varint(w, 6, 3);
	put_fixed64(w, 7, 1795392584332000000);
	put_fixed64(w, 8, 1795392584333000000);
	put_attribute(w, 9, "a", "b");
	put_varint(w, 10, 1);
	put_open(w, 11);
	put_fixed64(w, 1, 5);
	put_text(w, 2, "first token");
	put_attribute(w, 3, "a", "b");
	put_varint(w, 4, 4294967295);
	put_close(w);
	put_varint(w, 12, 2);
	put_open(w, 13);
	put_bytes(w, 1, sample_trace_id, sizeof(sample_trace_id));
	put_bytes(w, 2, sample_span_id, sizeof(sample_span_id));
	put_text(w, 3, "k=v");
	put_attribute(w, 4, "a", "b");
	put_varint(w, 5, 1);
	put_fixed32(w, 6, 257);
	put_close(w);
	put_varint(w, 14, 3);
	put_open(w, 15);
	put_text(w, 2, "it failed");
	put_varint(w, 3, 2);
	put_close(w);
	put_fixed32(w, 16, 256);
	put_close(w);
	put_close(w);
	put_close(w);
}

static const char sample_traces_json[] =
    "{\"resource_spans\":[{" JSON_RESOURCE ",\"scope_spans\":[{" JSON_SCOPE ",\"spans\":[{\"trace_id\":\"" SAMPLE_TRACE_ID "\","
    "\"spanId\":\"" SAMPLE_SPAN_ID "\",\"traceState\":\"k=v\",\"parent_span_id\":\"" SAMPLE_SPAN_ID "\","
    "\"name\":\"session_task.turn\",\"kind\":\"SPAN_KIND_CLIENT\",\"startTimeUnixNano\":\"1795392584332000000\","
    "\"end_time_unix_nano\":\"1795392584333000000\",\"attributes\":[" JSON_ATTRIBUTE(
	"a",
	"b") "],\"droppedAttributesCount\":1,"
	     "\"events\":[{\"timeUnixNano\":5,\"name\":\"first token\",\"attributes\":[" JSON_ATTRIBUTE(
		 "a",
		 "b") "],"
		      "\"droppedAttributesCount\":4294967295}],\"droppedEventsCount\":2,"
		      "\"links\":[{\"traceId\":\"" SAMPLE_TRACE_ID "\",\"spanId\":\"" SAMPLE_SPAN_ID "\",\"traceState\":\"k=v\","
		      "\"attributes\":[" JSON_ATTRIBUTE(
			  "a", "b") "],\"droppedAttributesCount\":1,\"flags\":257}],\"droppedLinksCount\":3,"
				    "\"status\":{\"message\":\"it failed\",\"code\":\"STATUS_CODE_ERROR\"},\"flags\":256}]}]}]}";

/* --- metrics --- */

static inline void
put_exemplar(struct wire_writer *w, unsigned field)
{
	put_open(w, field);
	put_fixed64(w, 2, 7);
	put_double(w, 3, 1.5);
	put_bytes(w, 4, sample_span_id, sizeof(sample_span_id));
	put_bytes(w, 5, sample_trace_id, sizeof(sample_trace_id));
	put_attribute(w, 7, "a", "b");
	put_close(w);
}

#define JSON_EXEMPLAR                                                                                                            \
	"{\"timeUnixNano\":\"7\",\"asDouble\":1.5,\"spanId\":\"" SAMPLE_SPAN_ID "\",\"traceId\":\"" SAMPLE_TRACE_ID "\","        \
	"\"filteredAttributes\":[" JSON_ATTRIBUTE("a", "b") "]}"

static inline void
put_number_points(struct wire_writer *w)
{
	put_open(w, 1);
	put_fixed64(w, 2, 1);
	put_fixed64(w, 3, 2);
	put_double(w, 4, 0.0);
	put_exemplar(w, 5);
	put_attribute(w, 7, "a", "b");
	put_varint(w, 8, 1);
	put_close(w);
	put_open(w, 1);
	put_fixed64(w, 6, (uint64_t)-5);
	put_close(w);
}

#define JSON_NUMBER_POINTS                                                                                                       \
	"\"dataPoints\":[{\"startTimeUnixNano\":\"1\",\"timeUnixNano\":2,\"asDouble\":0,\"exemplars\":[" JSON_EXEMPLAR "],"      \
	"\"attributes\":[" JSON_ATTRIBUTE("a", "b") "],\"flags\":1},{\"asInt\":\"-5\"}]"

static inline void
put_histogram(struct wire_writer *w)
{
	static const double bounds[] = { 0.5, 10 };
	static const uint64_t counts[] = { 1, 0, 2 };

	put_open(w, 2);
	put_text(w, 1, "histogram");
	put_open(w, 9);
	put_open(w, 1);
	put_fixed64(w, 4, 3);
	put_double(w, 5, 12.5);
	put_bytes(w, 6, counts, sizeof(counts));
	put_bytes(w, 7, bounds, sizeof(bounds));
	put_exemplar(w, 8);
	put_attribute(w, 9, "a", "b");
	put_double(w, 11, 0);
	put_double(w, 12, 12);
	put_close(w);
	put_varint(w, 2, 1);
	put_close(w);
	put_close(w);
}

#define JSON_HISTOGRAM                                                                                                           \
	"{\"name\":\"histogram\",\"histogram\":{\"dataPoints\":[{\"count\":\"3\",\"sum\":\"12.5\","                              \
	"\"bucketCounts\":[1,\"0\",2],\"explicitBounds\":[0.5,10],\"exemplars\":[" JSON_EXEMPLAR "],"                            \
	"\"attributes\":[" JSON_ATTRIBUTE("a", "b") "],\"min\":0,\"max\":12}],"                                                  \
						    "\"aggregationTemporality\":\"AGGREGATION_TEMPORALITY_DELTA\"}}"

static inline void
put_exponential(struct wire_writer *w)
{
	put_open(w, 2);
	put_text(w, 1, "exponential");
	put_open(w, 10);
	put_open(w, 1);
	put_attribute(w, 1, "a", "b");
	put_fixed64(w, 4, 6);
	put_varint(w, 6, 5); /* zigzag: -3 */
	put_fixed64(w, 7, 1);
	put_open(w, 8);
	put_varint(w, 1, 4); /* zigzag: 2 */
	put_open(w, 2);
	put_plain_varint(w, 300);
	put_plain_varint(w, UINT64_MAX);
	put_close(w);
	put_close(w);
	put_open(w, 9);
	put_close(w);
	put_exemplar(w, 11);
	put_double(w, 14, 0.25);
	put_close(w);
	put_varint(w, 2, 2);
	put_close(w);
	put_close(w);
}

#define JSON_EXPONENTIAL                                                                                                         \
	"{\"name\":\"exponential\",\"exponentialHistogram\":{\"dataPoints\":[{\"attributes\":[" JSON_ATTRIBUTE(                  \
	    "a", "b") "],"                                                                                                       \
		      "\"count\":6,\"scale\":-3,\"zeroCount\":\"1\",\"positive\":{\"offset\":2,"                                 \
		      "\"bucketCounts\":[\"300\",\"18446744073709551615\"]},\"negative\":{},\"exemplars\":[" JSON_EXEMPLAR "],"  \
		      "\"zeroThreshold\":0.25}],\"aggregationTemporality\":2}}"

static inline void
put_summary(struct wire_writer *w)
{
	put_open(w, 2);
	put_text(w, 1, "summary");
	put_open(w, 11);
	put_open(w, 1);
	put_fixed64(w, 4, 6);
	put_double(w, 5, 9);
	put_open(w, 6);
	put_double(w, 1, 0.99);
	put_double(w, 2, 3);
	put_close(w);
	put_attribute(w, 7, "a", "b");
	put_close(w);
	put_close(w);
	put_attribute(w, 12, "meta", "data");
	put_close(w);
}

#define JSON_SUMMARY                                                                                                             \
	"{\"name\":\"summary\",\"summary\":{\"dataPoints\":[{\"count\":6,\"sum\":9,\"quantileValues\":[{\"quantile\":0.99,"      \
	"\"value\":3}],\"attributes\":[" JSON_ATTRIBUTE("a", "b") "]}]},\"metadata\":[" JSON_ATTRIBUTE("meta", "data") "]}"

static inline void
sample_metrics(struct wire_writer *w)
{
	put_open(w, 1);
	put_resource_and_scope(w);
	put_open(w, 2);
	put_text(w, 1, "gauge");
	put_text(w, 2, "a gauge");
	put_text(w, 3, "s");
	put_open(w, 5);
	put_number_points(w);
	put_close(w);
	put_close(w);
	put_open(w, 2);
	put_text(w, 1, "sum");
	put_open(w, 7);
	put_number_points(w);
	put_varint(w, 2, 2);
	put_varint(w, 3, 1);
	put_close(w);
	put_close(w);
	put_histogram(w);
	put_exponential(w);
	put_summary(w);
	put_close(w);
	put_close(w);
}

static const char sample_metrics_json[] =
    "{\"resourceMetrics\":[{" JSON_RESOURCE ",\"scopeMetrics\":[{" JSON_SCOPE ",\"metrics\":["
    "{\"name\":\"gauge\",\"description\":\"a gauge\",\"unit\":\"s\",\"gauge\":{" JSON_NUMBER_POINTS "}},"
    "{\"name\":\"sum\",\"sum\":{" JSON_NUMBER_POINTS ",\"aggregationTemporality\":2,\"isMonotonic\":true}}," JSON_HISTOGRAM
    "," JSON_EXPONENTIAL "," JSON_SUMMARY "]}]}]}";

/* --- all of them --- */

static const struct sample {
	void (*write)(struct wire_writer *w);
	const char *json;
	size_t json_len;
} samples[OTLP_SIGNAL_COUNT] = {
	[OTLP_LOGS] = { sample_logs, sample_logs_json, sizeof(sample_logs_json) - 1 },
	[OTLP_TRACES] = { sample_traces, sample_traces_json, sizeof(sample_traces_json) - 1 },
	[OTLP_METRICS] = { sample_metrics, sample_metrics_json, sizeof(sample_metrics_json) - 1 },
};

#endif
