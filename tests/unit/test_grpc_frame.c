#include "grpc_frame.h"
#include "guard.h"

#define MAX 1000

struct outcome {
	enum verdict verdict;
	bool complete, compressed;
	size_t len;
	uint8_t message[64];
};

/* Pushes the bytes in pieces: up to the first split, up to the second, and the rest. */
static struct outcome
push(struct guard *g, const uint8_t *bytes, size_t len, size_t split, size_t second)
{
	const size_t ends[] = { split, second, len };
	struct grpc_frame f = { .have = 0 };
	struct outcome o = { .verdict = VERDICT_OK };

	for (size_t i = 0, at = 0; i < 3 && o.verdict == VERDICT_OK; at = ends[i++]) {
		const size_t piece = ends[i] - at;
		const uint8_t *in = (const uint8_t *)guard_put(g, bytes + at, piece), *part = NULL;
		size_t part_len = 0;

		o.verdict = grpc_frame_push(&f, MAX, in, piece, &part, &part_len);
		if (part_len > 0) {
			cr_assert(part >= in && part + part_len <= in + piece);
			memcpy(o.message + o.len, part, part_len);
		}
		o.len += part_len;
	}
	o.complete = o.verdict == VERDICT_OK && grpc_frame_complete(&f);
	o.compressed = o.complete && grpc_frame_compressed(&f);
	return o;
}

static const struct sample {
	const char *bytes;
	size_t len;
	enum verdict verdict;
	size_t refused_at; /* the shortest prefix that is refused */
	bool complete, compressed;
} samples[] = {
	{ "\0\0\0\0\0", 5, VERDICT_OK, 0, true, false },
	{ "\0\0\0\0\3abc", 8, VERDICT_OK, 0, true, false },
	{ "\1\0\0\0\3abc", 8, VERDICT_OK, 0, true, true },
	{ "\0\0\0\0\4abc", 8, VERDICT_OK, 0, false, false },
	{ "\0\0\0\3\xe8", 5, VERDICT_OK, 0, false, false },
	{ "\0\0\0\3\xe9", 5, VERDICT_TOO_LARGE, 5, false, false },
	{ "\1\xff\xff\xff\xff", 5, VERDICT_TOO_LARGE, 5, false, false },
	{ "\2", 1, VERDICT_BAD_FRAMING, 1, false, false },
	{ "\xff\0\0\0\1a", 6, VERDICT_BAD_FRAMING, 1, false, false },
	{ "\0\0\0\0\0\0", 6, VERDICT_BAD_FRAMING, 6, false, false },
	{ "\0\0\0\0\3abc\0\0\0\0\0", 13, VERDICT_BAD_FRAMING, 9, false, false },
};

Test(grpc_frame, every_split_of_every_sample_says_the_same)
{
	struct guard g = guard_create(64);

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];

		for (size_t a = 0; a <= s->len; a++) {
			for (size_t b = a; b <= s->len; b++) {
				const struct outcome o = push(&g, (const uint8_t *)s->bytes, s->len, a, b);

				cr_assert_eq(o.verdict, s->verdict, "sample %zu split at %zu and %zu: %u", i, a, b, o.verdict);
				cr_assert_eq(o.complete, s->complete);
				cr_assert_eq(o.compressed, s->compressed);
				if (s->verdict != VERDICT_OK)
					continue;
				cr_assert_eq(o.len, s->len - GRPC_FRAME_HEAD);
				cr_assert_eq(memcmp(o.message, s->bytes + GRPC_FRAME_HEAD, o.len), 0);
			}
		}
	}
	guard_destroy(&g);
}

Test(grpc_frame, a_fault_is_seen_at_its_first_byte)
{
	struct guard g = guard_create(64);

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];

		for (size_t n = 0; n <= s->len; n++) {
			const struct outcome o = push(&g, (const uint8_t *)s->bytes, n, 0, n);
			const bool refused = s->verdict != VERDICT_OK && n >= s->refused_at;

			cr_assert_eq(o.verdict, refused ? s->verdict : VERDICT_OK, "%zu bytes of sample %zu", n, i);
			cr_assert_eq(o.complete, !refused && ((s->complete && n == s->len) || n + 1 == s->refused_at) && n >= 5,
				     "%zu bytes of sample %zu", n, i);
		}
	}
	guard_destroy(&g);
}

Test(grpc_frame, nothing_is_told_of_what_is_refused)
{
	struct grpc_frame f = { .have = 0 };
	const uint8_t *part = (const uint8_t *)"untouched", *const before = part;
	size_t len = 77;

	cr_assert_eq(grpc_frame_push(&f, MAX, (const uint8_t *)"\0\0\0\0\1ab", 7, &part, &len), VERDICT_BAD_FRAMING);
	cr_assert_eq(part, before);
	cr_assert_eq(len, 77);
}
