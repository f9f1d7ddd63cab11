/*
 * One pass over the bytes, into the structs that protobuf-c's compiler made, by their descriptors. protobuf-c's own reader
 * takes three times as long, recurses as deeply as the bytes say, and is the larger half of what a request costs.
 */
#include "otlp_pb.h"
#include "otlp_wire.h"

#include <string.h>

#define FIRST_ELEMENTS 4 /* of a list; then it doubles */

struct reader {
	struct arena *arena;
	unsigned levels; /* of values that may still be entered */
};

/* How the elements of a type lie in a struct, and come over the wire. */
static const struct {
	uint8_t size;
	enum wire_type wire;
} kinds[] = {
	[PROTOBUF_C_TYPE_INT32] = { 4, WIRE_VARINT },   [PROTOBUF_C_TYPE_SINT32] = { 4, WIRE_VARINT },
	[PROTOBUF_C_TYPE_SFIXED32] = { 4, WIRE_32BIT }, [PROTOBUF_C_TYPE_INT64] = { 8, WIRE_VARINT },
	[PROTOBUF_C_TYPE_SINT64] = { 8, WIRE_VARINT },  [PROTOBUF_C_TYPE_SFIXED64] = { 8, WIRE_64BIT },
	[PROTOBUF_C_TYPE_UINT32] = { 4, WIRE_VARINT },  [PROTOBUF_C_TYPE_FIXED32] = { 4, WIRE_32BIT },
	[PROTOBUF_C_TYPE_UINT64] = { 8, WIRE_VARINT },  [PROTOBUF_C_TYPE_FIXED64] = { 8, WIRE_64BIT },
	[PROTOBUF_C_TYPE_FLOAT] = { 4, WIRE_32BIT },    [PROTOBUF_C_TYPE_DOUBLE] = { 8, WIRE_64BIT },
	[PROTOBUF_C_TYPE_BOOL] = { 4, WIRE_VARINT },    [PROTOBUF_C_TYPE_ENUM] = { 4, WIRE_VARINT },
	[PROTOBUF_C_TYPE_STRING] = { 8, WIRE_BYTES },   [PROTOBUF_C_TYPE_BYTES] = { 16, WIRE_BYTES },
	[PROTOBUF_C_TYPE_MESSAGE] = { 8, WIRE_BYTES },
};
_Static_assert(sizeof(char *) == 8 && sizeof(ProtobufCBinaryData) == 16 && sizeof(protobuf_c_boolean) == 4, "as in the table");

static enum verdict read_message(struct reader *r, const struct wire *w, ProtobufCMessage *message);

/* --- elements --- */

static uint64_t
zigzag(uint64_t n)
{
	return n >> 1 ^ (~(n & 1) + 1);
}

/* Reads a number off w, as it lies in a struct. */
static bool
read_number(struct wire *w, ProtobufCType type, void *out)
{
	const size_t size = kinds[type].size;
	uint64_t n;

	if (!(kinds[type].wire == WIRE_VARINT ? wire_varint(w, &n) : wire_fixed(w, size, &n)))
		return false;
	if (type == PROTOBUF_C_TYPE_SINT32)
		n = zigzag((uint32_t)n);
	else if (type == PROTOBUF_C_TYPE_SINT64)
		n = zigzag(n);
	else if (type == PROTOBUF_C_TYPE_BOOL)
		n = n != 0;
	if (size == sizeof(n))
		memcpy(out, &n, sizeof(n));
	else
		memcpy(out, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
	return true;
}

static enum verdict
read_text(struct reader *r, const struct wire *w, void *out)
{
	char *text;
	const enum verdict v = otlp_text((struct str){ (const char *)w->p, (size_t)(w->end - w->p) }, r->arena, &text);

	if (v == VERDICT_OK)
		memcpy(out, &text, sizeof(text));
	return v;
}

static enum verdict
read_bytes(struct reader *r, const ProtobufCFieldDescriptor *fd, const struct wire *w, void *out)
{
	ProtobufCBinaryData *data = out;
	size_t size;

	data->len = (size_t)(w->end - w->p);
	data->data = NULL;
	if (otlp_is_id(fd, &size) && data->len != size)
		data->len = 0;
	if (data->len > 0) {
		data->data = arena_take(r->arena, data->len);
		if (!data->data)
			return arena_verdict(r->arena);
		memcpy(data->data, w->p, data->len);
	}
	return VERDICT_OK;
}

/* A message, or more of one: where a field that is no list comes twice, the two are one message. */
static enum verdict
read_child(struct reader *r, const ProtobufCMessageDescriptor *d, const struct wire *w, void *member, bool fresh)
{
	ProtobufCMessage *child;

	memcpy(&child, member, sizeof(child));
	if (fresh || !child) {
		child = arena_take(r->arena, d->sizeof_message);
		if (!child)
			return arena_verdict(r->arena);
		d->message_init(child);
		memcpy(member, &child, sizeof(child));
	}
	return read_message(r, w, child);
}

static enum verdict
read_element(struct reader *r, const ProtobufCFieldDescriptor *fd, struct wire_field *f, void *member, bool fresh)
{
	if (f->type != kinds[fd->type].wire)
		return VERDICT_MALFORMED;
	switch (fd->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_child(r, fd->descriptor, &f->payload, member, fresh);
	case PROTOBUF_C_TYPE_STRING:
		return read_text(r, &f->payload, member);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(r, fd, &f->payload, member);
	default:
		return read_number(&f->payload, fd->type, member) ? VERDICT_OK : VERDICT_MALFORMED;
	}
}

/* --- lists --- */

/* Makes room for one more element. How much there is follows from how many there are. */
static bool
grow_list(struct arena *a, void **list, size_t count, size_t size)
{
	void *larger;

	if (count != 0 && (count < FIRST_ELEMENTS || (count & (count - 1)) != 0))
		return true;
	larger = arena_take(a, (count ? 2 * count : FIRST_ELEMENTS) * size);
	if (!larger)
		return false;
	if (count)
		memcpy(larger, *list, count * size);
	*list = larger;
	return true;
}

/* Numbers, one after the other. */
static enum verdict
read_packed(struct reader *r, const ProtobufCFieldDescriptor *fd, struct wire *w, void **list, size_t *count)
{
	const size_t size = kinds[fd->type].size;

	while (w->p < w->end) {
		if (!grow_list(r->arena, list, *count, size))
			return arena_verdict(r->arena);
		if (!read_number(w, fd->type, (char *)*list + *count * size))
			return VERDICT_MALFORMED;
		++*count;
	}
	return VERDICT_OK;
}

static enum verdict
read_listed(struct reader *r, const ProtobufCFieldDescriptor *fd, struct wire_field *f, ProtobufCMessage *message)
{
	size_t *count = (size_t *)((char *)message + fd->quantifier_offset);
	void **list = (void **)((char *)message + fd->offset);
	const size_t size = kinds[fd->type].size;

	if (f->type == WIRE_BYTES && kinds[fd->type].wire != WIRE_BYTES)
		return read_packed(r, fd, &f->payload, list, count);
	if (!grow_list(r->arena, list, *count, size))
		return arena_verdict(r->arena);
	const enum verdict v = read_element(r, fd, f, (char *)*list + *count * size, true);
	*count += v == VERDICT_OK;
	return v;
}

/* --- messages --- */

static enum verdict
keep_unknown(struct reader *r, const struct wire_field *f, ProtobufCMessage *message)
{
	const size_t len = (size_t)(f->payload.end - f->after_tag);
	void *list = message->unknown_fields;
	uint8_t *data = arena_take(r->arena, len + 1);

	if (!data || !grow_list(r->arena, &list, message->n_unknown_fields, sizeof(*message->unknown_fields)))
		return arena_verdict(r->arena);
	memcpy(data, f->after_tag, len);
	message->unknown_fields = list;
	message->unknown_fields[message->n_unknown_fields++] =
	    (ProtobufCMessageUnknownField){ .tag = f->number, .wire_type = (ProtobufCWireType)f->type, .len = len, .data = data };
	return VERDICT_OK;
}

static enum verdict
read_single(struct reader *r, const ProtobufCFieldDescriptor *fd, struct wire_field *f, ProtobufCMessage *message)
{
	void *member = (char *)message + fd->offset;
	uint32_t *which = (uint32_t *)((char *)message + fd->quantifier_offset);
	const bool one_of = (fd->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	const enum verdict v = read_element(r, fd, f, member, one_of && *which != fd->id);

	if (v == VERDICT_OK && one_of)
		*which = fd->id;
	return v;
}

/* The field of that number. They mostly come in the order of the descriptor: *hint is where the next one is expected. */
static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *d, uint32_t number, unsigned *hint)
{
	for (unsigned i = *hint; i < d->n_fields && d->fields[i].id <= number; i++) {
		if (d->fields[i].id == number) {
			*hint = i;
			return &d->fields[i];
		}
	}
	const ProtobufCFieldDescriptor *fd = protobuf_c_message_descriptor_get_field(d, number);
	if (fd)
		*hint = (unsigned)(fd - d->fields);
	return fd;
}

static enum verdict
read_fields(struct reader *r, const struct wire *bytes, ProtobufCMessage *message)
{
	struct wire w = { bytes->p, bytes->end };
	enum verdict v = VERDICT_OK;
	unsigned hint = 0;

	while (v == VERDICT_OK && w.p < w.end) {
		struct wire_field f;

		if (!wire_next(&w, &f))
			return VERDICT_MALFORMED;
		const ProtobufCFieldDescriptor *fd = find_field(message->descriptor, f.number, &hint);
		if (!fd)
			v = keep_unknown(r, &f, message);
		else if (fd->label == PROTOBUF_C_LABEL_REPEATED)
			v = read_listed(r, fd, &f, message);
		else
			v = read_single(r, fd, &f, message);
	}
	return v;
}

static enum verdict
read_message(struct reader *r, const struct wire *w, ProtobufCMessage *message)
{
	const bool is_value = message->descriptor == &opentelemetry__proto__common__v1__any_value__descriptor;

	if (is_value && r->levels == 0)
		return VERDICT_TOO_DEEP;
	r->levels -= is_value;
	const enum verdict v = read_fields(r, w, message);
	r->levels += is_value;
	return v;
}

enum verdict
otlp_pb_decode(enum otlp_signal signal, const uint8_t *bytes, size_t len, unsigned max_depth, struct arena *a,
	       struct otlp_request *ret)
{
	const struct wire w = wire_from(bytes, len);
	struct reader r = { .arena = a, .levels = max_depth };
	ProtobufCMessage *message = NULL;
	const enum verdict v = read_child(&r, otlp_request_descriptor(signal), &w, &message, true);

	if (v == VERDICT_OK)
		*ret = (struct otlp_request){ .signal = signal, .message = message };
	return v;
}
