#include "bus_wire.h"

#include <endian.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_BYTES = 2 };

static size_t
varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

static size_t
tag_and(uint8_t *out, unsigned field, enum wire_type type, uint64_t value)
{
	const size_t n = varint(out, (uint64_t)field << 3 | type);

	return n + varint(out + n, value);
}

size_t
bus_wire_put_head(uint8_t out[BUS_WIRE_HEAD_MAX], unsigned field, uint64_t len)
{
	return tag_and(out, field, WIRE_BYTES, len);
}

size_t
bus_wire_put_number(uint8_t out[BUS_WIRE_HEAD_MAX], unsigned field, uint64_t value)
{
	return tag_and(out, field, WIRE_VARINT, value);
}

struct bus_wire
bus_wire_start(uint8_t *bytes, size_t size)
{
	return (struct bus_wire){ .begin = bytes, .at = bytes + size };
}

static void
put(struct bus_wire *w, const void *bytes, size_t len)
{
	if (len > (size_t)(w->at - w->begin))
		w->full = true;
	if (w->full || len == 0)
		return;
	w->at -= len;
	memcpy(w->at, bytes, len);
}

void
bus_wire_number(struct bus_wire *w, unsigned field, uint64_t value)
{
	uint8_t bytes[BUS_WIRE_HEAD_MAX];
	size_t n;

	if (value == 0)
		return;
	n = tag_and(bytes, field, WIRE_VARINT, value);
	put(w, bytes, n);
}

void
bus_wire_fixed64(struct bus_wire *w, unsigned field, uint64_t value)
{
	const uint64_t little = htole64(value);
	uint8_t bytes[BUS_WIRE_HEAD_MAX];

	if (value == 0)
		return;
	const size_t n = varint(bytes, (uint64_t)field << 3 | WIRE_64BIT);
	memcpy(bytes + n, &little, sizeof(little));
	put(w, bytes, n + sizeof(little));
}

void
bus_wire_bytes(struct bus_wire *w, unsigned field, const uint8_t *bytes, size_t len)
{
	uint8_t head[BUS_WIRE_HEAD_MAX];
	size_t n;

	if (len == 0)
		return;
	put(w, bytes, len);
	n = tag_and(head, field, WIRE_BYTES, len);
	put(w, head, n);
}

void
bus_wire_text(struct bus_wire *w, unsigned field, const char *text)
{
	bus_wire_bytes(w, field, (const uint8_t *)text, strlen(text));
}

void
bus_wire_embed(struct bus_wire *w, unsigned field, const uint8_t *end)
{
	uint8_t head[BUS_WIRE_HEAD_MAX];
	const size_t n = tag_and(head, field, WIRE_BYTES, (uint64_t)(end - w->at));

	put(w, head, n);
}
