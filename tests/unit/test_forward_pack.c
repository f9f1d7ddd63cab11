#include "forward_pack.h"

#include "arena.h"
#include "inflate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Takes a row in, piece by piece; gives how many pieces it took. */
static unsigned
take(struct forward_pack *p, const uint8_t *bytes, size_t len)
{
	unsigned steps = 0;

	cr_assert(forward_pack_hungry(p));
	cr_assert(buf_append(&p->row, bytes, len));
	for (; !forward_pack_hungry(p); steps++)
		cr_assert(forward_pack_step(p));
	return steps;
}

/* Bytes that repeat themselves a little. */
static uint8_t *
noise(size_t len)
{
	uint8_t *bytes = malloc(len);
	uint32_t n = 7;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((n = n * 1664525 + 1013904223) >> 28);
	return bytes;
}

static void
expect_body(const struct forward_pack *p, const uint8_t *bytes, size_t len)
{
	struct arena a;
	uint8_t *out;
	size_t out_len;

	cr_expect_eq(p->total, len);
	if (!p->gzip) {
		cr_assert_eq(p->body.len, len);
		cr_expect_eq(memcmp(p->body.bytes, bytes, len), 0);
		return;
	}
	arena_init(&a, (size_t)16 << 20);
	cr_assert_eq(inflate_body(p->body.bytes, p->body.len, (size_t)8 << 20, &a, &out, &out_len), VERDICT_OK);
	cr_assert_eq(out_len, len);
	cr_expect_eq(memcmp(out, bytes, len), 0);
	cr_expect(len < 1000 || p->body.len < len * 3 / 4, "%zu of %zu", p->body.len, len);
	arena_finish(&a);
}

Test(forward_pack, rows_follow_each_other)
{
	static const size_t sizes[] = { 1, 100, FORWARD_PACK_PIECE, FORWARD_PACK_PIECE + 1, 5 * FORWARD_PACK_PIECE, 3 };
	const size_t all = 106 + 7 * FORWARD_PACK_PIECE;
	uint8_t *bytes = noise(all);

	for (int gzip = 0; gzip < 2; gzip++) {
		struct forward_pack p = { 0 };
		size_t at = 0;

		/* Twice: what was packed before leaves nothing. */
		for (int round = 0; round < 2; round++) {
			cr_assert(forward_pack_begin(&p, gzip));
			at = 0;
			for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); at += sizes[i++])
				cr_expect_eq(take(&p, bytes + at, sizes[i]), (sizes[i] - 1) / FORWARD_PACK_PIECE + 1);
			cr_assert(forward_pack_end(&p));
			expect_body(&p, bytes, at);
		}
		forward_pack_finish(&p);
		cr_expect_null(p.body.bytes);
	}
	free(bytes);
}

Test(forward_pack, nothing_is_a_body_too)
{
	struct forward_pack p = { 0 };

	cr_assert(forward_pack_begin(&p, true));
	cr_assert(forward_pack_end(&p));
	expect_body(&p, NULL, 0);
	forward_pack_finish(&p);
}

Test(forward_pack, may_be_given_up_at_any_time)
{
	uint8_t *bytes = noise(3 * FORWARD_PACK_PIECE);
	struct forward_pack p = { 0 };

	forward_pack_finish(&p);
	cr_assert(forward_pack_begin(&p, true));
	forward_pack_finish(&p);
	cr_assert(forward_pack_begin(&p, true));
	cr_assert(buf_append(&p.row, bytes, 3 * FORWARD_PACK_PIECE));
	cr_assert(forward_pack_step(&p));
	forward_pack_finish(&p);
	cr_expect_not(p.open);
	forward_pack_finish(&p);
	free(bytes);
}
