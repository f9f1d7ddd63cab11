#include "otlp_pb.h"

/* How a field is laid out; the groups of old (3 and 4) are not part of OTLP. */
enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

struct wire {
	const uint8_t *p, *end;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	struct wire payload; /* what follows the tag; of WIRE_BYTES what follows the length */
};

/* Each value nested in another costs at least two tags and two lengths. */
#define LEVEL_BYTES 4

/* The signal of a body is told by so many of its records. */
#define RECORDS_TO_JUDGE 16

static struct wire
wire_from(const uint8_t *bytes, size_t len)
{
	return (struct wire){ bytes, len ? bytes + len : bytes };
}

static size_t
wire_left(struct wire w)
{
	return (size_t)(w.end - w.p);
}

static bool
wire_varint(struct wire *w, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; w->p < w->end && shift < 64; shift += 7) {
		uint8_t byte = *w->p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Cuts the next field off w, which is not empty. False: truncated, or no field of protobuf. */
static bool
wire_next(struct wire *w, struct wire_field *ret)
{
	uint64_t tag, size;
	struct wire start;

	if (!wire_varint(w, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	start = *w;
	switch (tag & 7) {
	case WIRE_VARINT:
		if (!wire_varint(w, &size))
			return false;
		size = (uint64_t)(w->p - start.p);
		break;
	case WIRE_BYTES:
		if (!wire_varint(w, &size))
			return false;
		start = *w;
		break;
	case WIRE_64BIT:
		size = 8;
		break;
	case WIRE_32BIT:
		size = 4;
		break;
	default:
		return false;
	}
	if (size > wire_left(start))
		return false;
	start.end = w->p = start.p + size;
	*ret = (struct wire_field){ .number = (uint32_t)(tag >> 3), .type = tag & 7, .payload = start };
	return true;
}

/*
 * Whether values nest at most `levels` deep in a message of type d. What protobuf-c will refuse by itself is found only
 * where it is passed on the way: whatever is too short to nest too deeply is not looked into.
 */
static enum verdict
check_depth(const ProtobufCMessageDescriptor *d, struct wire w, unsigned levels)
{
	if (d == &opentelemetry__proto__common__v1__any_value__descriptor && levels-- == 0)
		return VERDICT_TOO_DEEP;
	if (wire_left(w) / LEVEL_BYTES < levels)
		return VERDICT_OK;
	while (w.p < w.end) {
		const ProtobufCFieldDescriptor *fd;
		struct wire_field f;
		enum verdict v;

		if (!wire_next(&w, &f))
			return VERDICT_MALFORMED;
		if (f.type != WIRE_BYTES)
			continue;
		fd = protobuf_c_message_descriptor_get_field(d, f.number);
		if (!fd || fd->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		v = check_depth(fd->descriptor, f.payload, levels);
		if (v != VERDICT_OK)
			return v;
	}
	return VERDICT_OK;
}

enum verdict
otlp_pb_decode(enum otlp_signal signal, const uint8_t *bytes, size_t len, unsigned max_depth, struct arena *a,
	       struct otlp_request *ret)
{
	const ProtobufCMessageDescriptor *d = otlp_request_descriptor(signal);
	ProtobufCMessage *message;
	enum verdict v;

	/* protobuf-c recurses as deeply as the bytes say. */
	v = check_depth(d, wire_from(bytes, len), max_depth);
	if (v != VERDICT_OK)
		return v;
	message = protobuf_c_message_unpack(d, arena_allocator(a), len, bytes);
	if (!message)
		return a->exhausted || a->out_of_memory ? arena_verdict(a) : VERDICT_MALFORMED;
	*ret = (struct otlp_request){ .signal = signal, .message = message };
	return VERDICT_OK;
}

/* --- the signal of a body without a path --- */

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
