/*
 * An OTLP export request after decoding: the tree of protobuf-c's structs, whatever the encoding was.
 *
 * The tree lives in the request's arena. Text members are never NULL; they end at their first NUL, and are valid UTF-8: what is
 * not became U+FFFD, for backends refuse a whole request for one such text. Likewise ids that are of another length than ids have
 * are none.
 */
#ifndef AGENTBUS_OTLP_H
#define AGENTBUS_OTLP_H

#include "arena.h"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb-c.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"
#include "str.h"
#include "verdict.h"

#include <stdint.h>

/* Values may nest this deep (AnyValue in AnyValue); OTLP emitters stay below ten. */
#define OTLP_MAX_DEPTH 64

enum otlp_signal { OTLP_LOGS, OTLP_TRACES, OTLP_METRICS, OTLP_SIGNAL_COUNT };
enum otlp_encoding { OTLP_PROTOBUF, OTLP_JSON, OTLP_ENCODING_COUNT };

struct otlp_request {
	enum otlp_signal signal;
	union {
		ProtobufCMessage *message; /* whichever it is */
		Opentelemetry__Proto__Collector__Logs__V1__ExportLogsServiceRequest *logs;
		Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest *traces;
		Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *metrics;
	};
};

/* The descriptor of the signal's export request. */
const ProtobufCMessageDescriptor *otlp_request_descriptor(enum otlp_signal signal);

/* The descriptor of one log record, span or metric. */
const ProtobufCMessageDescriptor *otlp_record_descriptor(enum otlp_signal signal);

/* A copy of a text in the arena, as a tree has it. Returns VERDICT_OK, TOO_LARGE or NO_MEMORY. */
enum verdict otlp_text(struct str s, struct arena *a, char **ret);

/* Whether a field of bytes is an id: of a trace or span. *ret_size: how long it must be. */
bool otlp_is_id(const ProtobufCFieldDescriptor *field, size_t *ret_size);

typedef Opentelemetry__Proto__Common__V1__AnyValue OtlpAnyValue;
typedef Opentelemetry__Proto__Common__V1__KeyValue OtlpKeyValue;
typedef Opentelemetry__Proto__Logs__V1__LogRecord OtlpLogRecord;
typedef Opentelemetry__Proto__Trace__V1__Span OtlpSpan;

#endif
