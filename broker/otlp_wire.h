/*
 * The wire format of protobuf, field by field: a cursor over bytes that somebody else owns. Never reads behind its end, trusts
 * no length, allocates nothing.
 */
#ifndef AGENTBUS_OTLP_WIRE_H
#define AGENTBUS_OTLP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a field is laid out; the groups of old (3 and 4) are not part of OTLP. */
enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2, WIRE_32BIT = 5 };

struct wire {
	const uint8_t *p, *end;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	const uint8_t *after_tag;
	struct wire payload; /* what follows the tag; of WIRE_BYTES what follows the length */
};

static inline struct wire
wire_from(const uint8_t *bytes, size_t len)
{
	return (struct wire){ bytes, len ? bytes + len : bytes };
}

static inline size_t
wire_left(struct wire w)
{
	return (size_t)(w.end - w.p);
}

/* Takes a number of at most ten bytes. False, with w anywhere, if it is longer or cut short. */
static inline bool
wire_varint(struct wire *w, uint64_t *ret)
{
	const uint8_t *p = w->p;
	uint64_t value = 0;

	/* Nearly all are of one byte. */
	if (p < w->end && *p < 0x80) {
		w->p = p + 1;
		*ret = *p;
		return true;
	}
	for (unsigned shift = 0; p < w->end && shift < 64; shift += 7) {
		const uint8_t byte = *p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			w->p = p;
			*ret = value;
			return true;
		}
	}
	return false;
}

/* Takes a number of `size` bytes, the lowest first. False if there are fewer. */
static inline bool
wire_fixed(struct wire *w, size_t size, uint64_t *ret)
{
	uint64_t value = 0;

	if (wire_left(*w) < size)
		return false;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)w->p[i] << 8 * i;
	w->p += size;
	*ret = value;
	return true;
}

/*
 * Cuts the next field off w, which is not empty. False: truncated, or no field of protobuf. Pointers are set one by one: what
 * is written in halves and read as a whole waits for the processor's store buffer.
 */
static inline bool
wire_next(struct wire *w, struct wire_field *ret)
{
	uint64_t tag, size;

	if (!wire_varint(w, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	ret->after_tag = ret->payload.p = w->p;
	switch (tag & 7) {
	case WIRE_VARINT:
		if (!wire_varint(w, &size))
			return false;
		size = (uint64_t)(w->p - ret->payload.p);
		break;
	case WIRE_BYTES:
		if (!wire_varint(w, &size))
			return false;
		ret->payload.p = w->p;
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
	if (size > (uint64_t)(w->end - ret->payload.p))
		return false;
	ret->payload.end = w->p = ret->payload.p + size;
	ret->number = (uint32_t)(tag >> 3);
	ret->type = tag & 7;
	return true;
}

#endif
