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

enum verdict
otlp_text(struct str s, struct arena *a, char **ret)
{
	const bool valid = str_valid(s) == s.len;
	const size_t len = valid ? s.len : str_mend(NULL, s);
	char *text = arena_take(a, len + 1);

	if (!text)
		return arena_verdict(a);
	if (valid)
		memcpy(text, s.ptr, len);
	else
		str_mend(text, s);
	text[len] = '\0';
	*ret = text;
	return VERDICT_OK;
}

bool
otlp_is_id(const ProtobufCFieldDescriptor *field, size_t *ret_size)
{
	static const struct {
		const char *name;
		size_t size;
	} ids[] = { { "trace_id", 16 }, { "span_id", 8 }, { "parent_span_id", 8 } };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (strcmp(field->name, ids[i].name) == 0) {
			*ret_size = ids[i].size;
			return true;
		}
	}
	return false;
}
