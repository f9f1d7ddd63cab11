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

/* Makes room for len bytes before all that was written. NULL: there is none. */
static uint8_t *
step_back(struct bus_wire *w, size_t len)
{
	if (len > (size_t)(w->at - w->begin))
		w->full = true;
	return w->full ? NULL : (w->at -= len);
}

static size_t
varint_size(uint64_t value)
{
	size_t n = 1;

	while (value >>= 7)
		n++;
	return n;
}

/* A tag, and a number or a length. */
static void
put_tag_and(struct bus_wire *w, unsigned field, enum wire_type type, uint64_t value)
{
	const uint64_t tag = (uint64_t)field << 3 | type;
	const size_t tag_size = varint_size(tag);
	uint8_t *at = step_back(w, tag_size + varint_size(value));

	if (!at)
		return;
	varint(at, tag);
	varint(at + tag_size, value);
}

void
bus_wire_number(struct bus_wire *w, unsigned field, uint64_t value)
{
	if (value != 0)
		put_tag_and(w, field, WIRE_VARINT, value);
}

void
bus_wire_fixed64(struct bus_wire *w, unsigned field, uint64_t value)
{
	const uint64_t little = htole64(value), tag = (uint64_t)field << 3 | WIRE_64BIT;
	const size_t tag_size = varint_size(tag);

	if (value == 0)
		return;
	uint8_t *at = step_back(w, tag_size + sizeof(little));
	if (!at)
		return;
	varint(at, tag);
	memcpy(at + tag_size, &little, sizeof(little));
}

void
bus_wire_bytes(struct bus_wire *w, unsigned field, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return;
	uint8_t *at = step_back(w, len);
	if (!at)
		return;
	memcpy(at, bytes, len);
	put_tag_and(w, field, WIRE_BYTES, len);
}

void
bus_wire_text(struct bus_wire *w, unsigned field, const char *text)
{
	/* Many texts of a session are not known. */
	if (*text != '\0')
		bus_wire_bytes(w, field, (const uint8_t *)text, strlen(text));
}

void
bus_wire_embed(struct bus_wire *w, unsigned field, const uint8_t *end)
{
	put_tag_and(w, field, WIRE_BYTES, (uint64_t)(end - w->at));
}
