/* The signal of a body without a path, by the shape of its records. */
#include "otlp_pb.h"
#include "otlp_wire.h"

/* The signal is told by so many records. */
#define RECORDS_TO_JUDGE 16

/* What a record's first two fields are, which logs, spans and metrics use for different things. */
struct record_shape {
	unsigned signals; /* bit set by enum otlp_signal: all fields seen are fields of these */
	bool empty;
	bool has_name; /* field 1 is a name */
	bool has_ids;  /* field 1 is as long as a trace id, field 2 as a span id */
};

static enum wire_type
wire_type_of(const ProtobufCFieldDescriptor *fd)
{
	if (fd->label == PROTOBUF_C_LABEL_REPEATED)
		return WIRE_BYTES;
	switch (fd->type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_64BIT;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_32BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:
		return WIRE_VARINT;
	}
}

/* Later versions add fields after the last one and leave the gaps alone: a field in a gap belongs to something else. */
static bool
field_fits(const ProtobufCMessageDescriptor *d, const struct wire_field *f)
{
	const ProtobufCFieldDescriptor *fd = protobuf_c_message_descriptor_get_field(d, f->number);

	return fd ? wire_type_of(fd) == f->type : f->number > d->fields[d->n_fields - 1].id;
}

/* Names of metrics are printable ASCII. */
static bool
is_name(struct wire w)
{
	if (w.p == w.end)
		return false;
	for (; w.p < w.end; w.p++) {
		if (*w.p < 0x20 || *w.p > 0x7e)
			return false;
	}
	return true;
}

static bool
read_shape(struct wire record, struct record_shape *ret)
{
	struct record_shape shape = { .signals = (1u << OTLP_SIGNAL_COUNT) - 1, .empty = record.p == record.end };
	bool trace_id = false, span_id = false;

	while (record.p < record.end) {
		struct wire_field f;

		if (!wire_next(&record, &f))
			return false;
		for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
			if (!field_fits(otlp_record_descriptor(signal), &f))
				shape.signals &= ~(1u << signal);
		}
		if (f.number == 1 && f.type == WIRE_BYTES) {
			shape.has_name = is_name(f.payload);
			trace_id = wire_left(f.payload) == 16;
		}
		if (f.number == 2 && f.type == WIRE_BYTES)
			span_id = wire_left(f.payload) == 8;
	}
	shape.has_ids = trace_id && span_id;
	*ret = shape;
	return true;
}

/* A span without ids or a metric without a name is none; a log record may lack everything. */
static unsigned
signals_of(const struct record_shape *shape)
{
	unsigned signals = shape->signals;

	if (!shape->has_ids)
		signals &= ~(1u << OTLP_TRACES);
	if (!shape->has_name)
		signals &= ~(1u << OTLP_METRICS);
	return signals;
}

/* Narrows *signals by the records in w, which is a request (level 0), a resource's part (1) or a scope's (2). */
static bool
judge(struct wire w, unsigned level, unsigned *records, unsigned *signals)
{
	static const uint32_t children[] = { 1, 2, 2 }; /* resources of a request, scopes of a resource, records of a scope */

	while (w.p < w.end && *records < RECORDS_TO_JUDGE) {
		struct record_shape shape;
		struct wire_field f;

		if (!wire_next(&w, &f))
			return false;
		if (f.number != children[level] || f.type != WIRE_BYTES)
			continue;
		if (level < 2) {
			if (!judge(f.payload, level + 1, records, signals))
				return false;
			continue;
		}
		if (!read_shape(f.payload, &shape))
			return false;
		if (!shape.empty)
			*signals &= signals_of(&shape);
		++*records;
	}
	return true;
}

bool
otlp_pb_signal(const uint8_t *bytes, size_t len, enum otlp_signal *ret)
{
	/* Where more than one is left: ids that happen to be text are rarer than names that happen to look like ids. */
	static const enum otlp_signal preference[] = { OTLP_METRICS, OTLP_TRACES, OTLP_LOGS };
	unsigned signals = (1u << OTLP_SIGNAL_COUNT) - 1, records = 0;

	if (!judge(wire_from(bytes, len), 0, &records, &signals))
		return false;
	if (signals == (1u << OTLP_SIGNAL_COUNT) - 1)
		signals = 1u << OTLP_LOGS;
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++) {
		if (signals & 1u << preference[i]) {
			*ret = preference[i];
			return true;
		}
	}
	return false;
}
