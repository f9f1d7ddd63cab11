/* What every decoded tree must be, whatever came in. For tests of the parsers, and for fuzzing them. */
#ifndef AGENTBUS_TEST_OTLP_TREE_H
#define AGENTBUS_TEST_OTLP_TREE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool tree_is_sound(const ProtobufCMessage *message);

static inline bool
tree_element_is_sound(const ProtobufCFieldDescriptor *f, const void *member)
{
	const ProtobufCBinaryData *bytes = member;
	const ProtobufCMessage *child;
	const char *text;

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		memcpy(&text, member, sizeof(text));
		return text && strlen(text) < SIZE_MAX;
	case PROTOBUF_C_TYPE_BYTES:
		for (size_t i = 0; i < bytes->len; i++) {
			if (!bytes->data)
				return false;
			(void)*(volatile uint8_t *)&bytes->data[i];
		}
		return true;
	case PROTOBUF_C_TYPE_MESSAGE:
		memcpy(&child, member, sizeof(child));
		return f->label != PROTOBUF_C_LABEL_REPEATED && !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !child
			   ? true
			   : child && child->descriptor == f->descriptor && tree_is_sound(child);
	default:
		return true;
	}
}

static inline size_t
tree_element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return 8;
	default:
		return 4;
	}
}

/* No text is NULL, no list shorter than it says, all of it readable. */
static inline bool
tree_is_sound(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;

	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		const char *member = (const char *)message + f->offset,
			   *quantifier = (const char *)message + f->quantifier_offset;
		size_t n = 1;

		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			uint32_t which;

			memcpy(&which, quantifier, sizeof(which));
			n = which == f->id;
		}
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			memcpy(&n, quantifier, sizeof(n));
			member = *(const char *const *)(const void *)member;
		}
		for (size_t k = 0; k < n; k++) {
			if (!tree_element_is_sound(f, member + k * tree_element_size(f->type)))
				return false;
		}
	}
	return true;
}

#endif
