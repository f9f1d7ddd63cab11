/* Writes protobuf by hand, so that tests of the parsers do not believe protobuf-c about itself. */
#ifndef AGENTBUS_TEST_WIRE_WRITER_H
#define AGENTBUS_TEST_WIRE_WRITER_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

struct wire_writer {
	uint8_t bytes[8192];
	size_t len;
	size_t open[16]; /* where the content of each open submessage begins */
	unsigned depth;
};

static inline void
put_raw(struct wire_writer *w, const void *bytes, size_t len)
{
	cr_assert_leq(len, sizeof(w->bytes) - w->len);
	memcpy(w->bytes + w->len, bytes, len);
	w->len += len;
}

static inline size_t
encode_varint(uint64_t value, uint8_t *out)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

static inline void
put_plain_varint(struct wire_writer *w, uint64_t value)
{
	uint8_t out[10];

	put_raw(w, out, encode_varint(value, out));
}

static inline void
put_varint(struct wire_writer *w, unsigned field, uint64_t value)
{
	put_plain_varint(w, field << 3);
	put_plain_varint(w, value);
}

static inline void
put_fixed64(struct wire_writer *w, unsigned field, uint64_t value)
{
	put_plain_varint(w, field << 3 | 1);
	put_raw(w, &value, sizeof(value));
}

static inline void
put_double(struct wire_writer *w, unsigned field, double value)
{
	put_plain_varint(w, field << 3 | 1);
	put_raw(w, &value, sizeof(value));
}

static inline void
put_fixed32(struct wire_writer *w, unsigned field, uint32_t value)
{
	put_plain_varint(w, field << 3 | 5);
	put_raw(w, &value, sizeof(value));
}

static inline void
put_bytes(struct wire_writer *w, unsigned field, const void *bytes, size_t len)
{
	put_plain_varint(w, field << 3 | 2);
	put_plain_varint(w, len);
	put_raw(w, bytes, len);
}

static inline void
put_text(struct wire_writer *w, unsigned field, const char *text)
{
	put_bytes(w, field, text, strlen(text));
}

/* Begins a submessage, or a packed list. */
static inline void
put_open(struct wire_writer *w, unsigned field)
{
	put_plain_varint(w, field << 3 | 2);
	cr_assert_lt(w->depth, sizeof(w->open) / sizeof(w->open[0]));
	w->open[w->depth++] = w->len;
}

/* Ends it, and puts its length before it. */
static inline void
put_close(struct wire_writer *w)
{
	size_t start = w->open[--w->depth], content = w->len - start, n;
	uint8_t length[10];

	n = encode_varint(content, length);
	put_raw(w, length, n);
	memmove(w->bytes + start + n, w->bytes + start, content);
	memcpy(w->bytes + start, length, n);
}

#endif
