#include "otlp.h"

static const ProtobufCMessageDescriptor *const requests[OTLP_SIGNAL_COUNT] = {
	[OTLP_LOGS] = &opentelemetry__proto__collector__logs__v1__export_logs_service_request__descriptor,
	[OTLP_TRACES] = &opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor,
	[OTLP_METRICS] = &opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__descriptor,
};

static const ProtobufCMessageDescriptor *const records[OTLP_SIGNAL_COUNT] = {
	[OTLP_LOGS] = &opentelemetry__proto__logs__v1__log_record__descriptor,
	[OTLP_TRACES] = &opentelemetry__proto__trace__v1__span__descriptor,
	[OTLP_METRICS] = &opentelemetry__proto__metrics__v1__metric__descriptor,
};

const ProtobufCMessageDescriptor *
otlp_request_descriptor(enum otlp_signal signal)
{
	return requests[signal];
}

const ProtobufCMessageDescriptor *
otlp_record_descriptor(enum otlp_signal signal)
{
	return records[signal];
}
