#define ZLIB_CONST /* the input is not written to */
#include "inflate.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

/* Window bits: the largest window, and the header tells gzip from zlib. */
#define ANY_HEADER (15 + 32)

/* No byte of deflated data makes more than this: a size that claims to be larger is a lie. */
#define MAX_RATIO 1032

#define GUESS_MIN ((size_t)512)

struct output {
	struct arena *arena;
	uint8_t *bytes;
	size_t size, max;
};

static size_t
min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* gzip ends in the size of its content. Nothing depends on it but how often the output has to grow. */
static size_t
guess_size(const uint8_t *bytes, size_t len)
{
	size_t claim = 4 * len;

	if (len >= 18 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
		const uint8_t *p = bytes + len - 4;

		claim = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	}
	claim = min(claim, len > SIZE_MAX / MAX_RATIO ? SIZE_MAX : len * MAX_RATIO);
	return claim > GUESS_MIN ? claim : GUESS_MIN;
}

/* Makes room: a first buffer of the given size, then twice what there was. */
static enum verdict
grow(struct output *out, z_stream *z, size_t first)
{
	size_t size = min(out->bytes ? 2 * out->size : first, out->max);
	uint8_t *bytes;

	if (out->bytes && out->size == out->max)
		return VERDICT_TOO_LARGE;
	bytes = arena_alloc(out->arena, size);
	if (!bytes)
		return arena_verdict(out->arena);
	if (out->bytes)
		memcpy(bytes, out->bytes, out->size);
	z->next_out = bytes + out->size;
	z->avail_out = (uInt)(size - out->size);
	out->bytes = bytes;
	out->size = size;
	return VERDICT_OK;
}

static enum verdict
inflate_members(z_stream *z, struct output *out)
{
	for (;;) {
		int rc = inflate(z, Z_NO_FLUSH);

		if (rc == Z_STREAM_END) {
			if (z->avail_in == 0)
				return VERDICT_OK;
			inflateReset(z);
			continue;
		}
		if (rc == Z_MEM_ERROR)
			return VERDICT_NO_MEMORY;
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return VERDICT_BAD_ENCODING;
		if (z->avail_out == 0) {
			enum verdict v = grow(out, z, 0);

			if (v != VERDICT_OK)
				return v;
		} else if (z->avail_in == 0) {
			return VERDICT_BAD_ENCODING;
		}
	}
}

enum verdict
inflate_body(const uint8_t *bytes, size_t len, size_t max, struct arena *a, uint8_t **ret, size_t *ret_len)
{
	struct output out = { .arena = a, .max = min(max, UINT_MAX) };
	z_stream z = { .next_in = bytes };
	enum verdict v;

	if (len > UINT_MAX)
		return VERDICT_TOO_LARGE;
	z.avail_in = (uInt)len;
	if (inflateInit2(&z, ANY_HEADER) != Z_OK)
		return VERDICT_NO_MEMORY;
	v = grow(&out, &z, guess_size(bytes, len));
	if (v == VERDICT_OK)
		v = inflate_members(&z, &out);
	if (v == VERDICT_OK) {
		*ret = out.bytes;
		*ret_len = out.size - z.avail_out;
	}
	inflateEnd(&z);
	return v;
}
