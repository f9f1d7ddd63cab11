#include "guard.h"
#include "inflate.h"

#include <stdlib.h>
#include <zlib.h>

enum { ZLIB = 15, GZIP = 15 + 16, RAW = -15 };

/* Deflates text and appends it to out; returns the new length. */
static size_t
deflate_to(int window_bits, const void *text, size_t len, uint8_t *out, size_t out_len, size_t out_size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)len };

	z.next_out = out + out_len;
	z.avail_out = (uInt)(out_size - out_len);
	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return out_size - z.avail_out;
}

static enum verdict
inflate_here(const void *bytes, size_t len, size_t max, struct arena *a, uint8_t **ret, size_t *ret_len)
{
	arena_reset(a);
	return inflate_body(bytes, len, max, a, ret, ret_len);
}

Test(inflate, gzip_and_zlib_of_any_size)
{
	static const size_t sizes[] = { 0, 1, 511, 512, 513, 4096, 100000, 1000000 };
	static const int formats[] = { GZIP, ZLIB };
	uint8_t *text = malloc(1000000), *packed = malloc(1100000);
	struct arena a;

	arena_init(&a, 4 << 20);
	srand(1);
	for (size_t i = 0; i < 1000000; i++)
		text[i] = (uint8_t)(i < 500000 ? "agentbus"[i % 8] : rand());
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < 2; k++) {
			size_t len = deflate_to(formats[k], text, sizes[i], packed, 0, 1100000), got_len = 77;
			uint8_t *got = NULL;

			cr_assert_eq(inflate_here(packed, len, 1000000, &a, &got, &got_len), VERDICT_OK);
			cr_assert_eq(got_len, sizes[i]);
			cr_assert_eq(memcmp(got, text, got_len), 0);
			/* The limit is exact. */
			cr_assert_eq(inflate_here(packed, len, sizes[i], &a, &got, &got_len), VERDICT_OK);
			if (sizes[i] > 0)
				cr_assert_eq(inflate_here(packed, len, sizes[i] - 1, &a, &got, &got_len), VERDICT_TOO_LARGE);
		}
	}
	arena_finish(&a);
	free(text);
	free(packed);
}

Test(inflate, members_are_joined)
{
	uint8_t packed[512], *got;
	size_t len = 0, got_len;
	struct arena a;

	arena_init(&a, 1 << 20);
	len = deflate_to(GZIP, "one ", 4, packed, len, sizeof(packed));
	len = deflate_to(GZIP, "", 0, packed, len, sizeof(packed));
	len = deflate_to(GZIP, "two", 3, packed, len, sizeof(packed));
	cr_assert_eq(inflate_here(packed, len, 100, &a, &got, &got_len), VERDICT_OK);
	cr_assert_eq(got_len, 7);
	cr_assert_eq(memcmp(got, "one two", 7), 0);
	cr_assert_eq(inflate_here(packed, len, 7, &a, &got, &got_len), VERDICT_OK);
	cr_assert_eq(inflate_here(packed, len, 6, &a, &got, &got_len), VERDICT_TOO_LARGE);
	cr_assert_eq(inflate_here(packed, len - 1, 100, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	arena_finish(&a);
}

Test(inflate, every_prefix_is_refused)
{
	static const char text[] = "{\"resourceLogs\":[{\"resource\":{\"attributes\":[]}}]} and {\"resourceLogs\":[]}";
	static const int formats[] = { GZIP, ZLIB };
	struct guard g = guard_create(512);
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t k = 0; k < 2; k++) {
		uint8_t packed[512], *got = NULL;
		size_t len = deflate_to(formats[k], text, sizeof(text), packed, 0, sizeof(packed)), got_len = 77;

		for (size_t n = 0; n < len; n++) {
			enum verdict v = inflate_here(guard_put(&g, packed, n), n, 4096, &a, &got, &got_len);

			cr_assert_eq(v, VERDICT_BAD_ENCODING, "%zu of %zu bytes: %u", n, len, v);
			cr_assert_null(got);
			cr_assert_eq(got_len, 77);
		}
		cr_assert_eq(inflate_here(guard_put(&g, packed, len), len, 4096, &a, &got, &got_len), VERDICT_OK);
	}
	guard_destroy(&g);
	arena_finish(&a);
}

Test(inflate, what_is_not_deflated_is_refused)
{
	uint8_t packed[256], *got = NULL;
	size_t len, got_len;
	struct arena a;

	arena_init(&a, 1 << 20);
	cr_assert_eq(inflate_here("{\"resourceLogs\":[]}", 19, 4096, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	cr_assert_eq(inflate_here(NULL, 0, 4096, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	len = deflate_to(RAW, "raw deflate", 11, packed, 0, sizeof(packed));
	cr_assert_eq(inflate_here(packed, len, 4096, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	len = deflate_to(GZIP, "then garbage", 12, packed, 0, sizeof(packed));
	memcpy(packed + len, "garbage", 7);
	cr_assert_eq(inflate_here(packed, len + 7, 4096, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	packed[len - 6] ^= 1; /* the checksum */
	cr_assert_eq(inflate_here(packed, len, 4096, &a, &got, &got_len), VERDICT_BAD_ENCODING);
	arena_finish(&a);
}

Test(inflate, a_bomb_stops_at_the_limit)
{
	size_t size = 64 << 20, len, got_len;
	uint8_t *zeros = calloc(1, size), *packed = malloc(1 << 20), *got = NULL;
	struct arena a;

	len = deflate_to(GZIP, zeros, size, packed, 0, 1 << 20);
	arena_init(&a, 3 << 20);
	cr_assert_eq(inflate_here(packed, len, 1 << 20, &a, &got, &got_len), VERDICT_TOO_LARGE);
	cr_assert_leq(a.used, 3 << 20);
	/* One that lies about its size, and one that the arena refuses. */
	memset(packed + len - 4, 0, 4);
	cr_assert_eq(inflate_here(packed, len, 1 << 20, &a, &got, &got_len), VERDICT_TOO_LARGE);
	cr_assert_eq(inflate_here(packed, len, size, &a, &got, &got_len), VERDICT_TOO_LARGE);
	cr_assert(a.exhausted);
	cr_assert_null(got);
	arena_finish(&a);
	free(zeros);
	free(packed);
}

Test(inflate, damage_and_random_bytes_harm_nothing)
{
	static const char text[] = "the same words again, the same words again, the same words again and again";
	struct guard g = guard_create(512);
	uint8_t packed[512], damaged[512];
	size_t len = deflate_to(GZIP, text, sizeof(text), packed, 0, sizeof(packed));
	struct arena a;

	arena_init(&a, 64 << 10);
	srand(2);
	for (int i = 0; i < 20000; i++) {
		size_t n = i % 2 ? len : (size_t)rand() % len, got_len;
		uint8_t *got;

		memcpy(damaged, packed, len);
		for (int k = rand() % 4; k >= 0; k--)
			damaged[rand() % (int)len] = (uint8_t)rand();
		if (inflate_here(guard_put(&g, damaged, n), n, 4096, &a, &got, &got_len) == VERDICT_OK)
			cr_assert_leq(got_len, 4096);
	}
	guard_destroy(&g);
	arena_finish(&a);
}
