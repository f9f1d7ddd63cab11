#include "arena.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static bool
is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i])
			return false;
	}
	return true;
}

Test(arena, memory_is_zero_and_aligned_and_its_own)
{
	static const size_t sizes[] = { 1, 0, 16, 17, 100, 20000, 70000, 3, 16384, 16385, 65536, 8 };
	struct arena a;

	arena_init(&a, 1 << 20);
	for (int round = 0; round < 3; round++) {
		uint8_t *got[sizeof(sizes) / sizeof(sizes[0])];

		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			got[i] = arena_alloc(&a, sizes[i]);
			cr_assert_not_null(got[i]);
			cr_assert_eq((uintptr_t)got[i] % alignof(max_align_t), 0);
			cr_assert(is_zero(got[i], sizes[i]), "size %zu, round %d", sizes[i], round);
			memset(got[i], (int)i + 1, sizes[i]);
		}
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			for (size_t k = 0; k < sizes[i]; k++)
				cr_assert_eq(got[i][k], i + 1);
		}
		arena_reset(&a);
		cr_assert_eq(a.used, 0);
	}
	arena_finish(&a);
	cr_assert_null(a.blocks);
}

Test(arena, cap_holds_and_is_told)
{
	struct arena a;
	size_t n = 0;

	arena_init(&a, 100000);
	while (arena_alloc(&a, 1000))
		n++;
	cr_assert(a.exhausted);
	cr_assert_not(a.out_of_memory);
	cr_assert_eq(arena_verdict(&a), VERDICT_TOO_LARGE);
	cr_assert_eq(n, 100000 / 1008);
	cr_assert_leq(a.used, a.cap);
	arena_reset(&a);
	cr_assert_not(a.exhausted);
	cr_assert_null(arena_alloc(&a, 100001));
	cr_assert(a.exhausted);
	cr_assert_not_null(arena_alloc(&a, 100000), "a refused allocation takes nothing away");
	cr_assert_null(arena_alloc(&a, 1));
	arena_finish(&a);
}

Test(arena, sizes_near_the_limit_do_not_wrap)
{
	struct arena a;

	arena_init(&a, 4096);
	cr_assert_null(arena_alloc(&a, SIZE_MAX));
	cr_assert_null(arena_alloc(&a, SIZE_MAX - 15));
	cr_assert_not_null(arena_alloc(&a, 1));
	cr_assert_null(arena_alloc(&a, SIZE_MAX - 20));
	arena_finish(&a);
}

/* How many small blocks a reset keeps after having used n of them and a large one. */
static size_t
kept_after(struct arena *a, size_t n)
{
	void *seen[64];
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		cr_assert_not_null(seen[i] = arena_alloc(a, 10000));
	arena_alloc(a, 5 << 20);
	arena_reset(a);
	cr_assert_null(a->blocks);
	cr_assert_eq(a->used, 0);
	for (size_t i = 0; i < n; i++) {
		void *again = arena_alloc(a, 10000);
		bool known = false;
		for (size_t k = 0; k < n; k++)
			known |= seen[k] == again;
		kept += known;
	}
	arena_reset(a);
	return kept;
}

Test(arena, reset_keeps_a_few_small_blocks)
{
	struct arena a;

	arena_init(&a, 10 << 20);
	cr_assert_gt(kept_after(&a, 1), 0);
	cr_assert_gt(kept_after(&a, 12), 0);
	arena_finish(&a);
	cr_assert_null(a.spare);
	arena_reset(&a);
	cr_assert_null(a.blocks);
}

Test(arena, a_large_allocation_leaves_the_current_block_in_use)
{
	struct arena a;
	char *small, *next;

	arena_init(&a, 10 << 20);
	small = arena_alloc(&a, 16);
	cr_assert_not_null(arena_alloc(&a, 1 << 20));
	next = arena_alloc(&a, 16);
	cr_assert(next > small && next - small < 1024);
	arena_finish(&a);
}

Test(arena, protobuf_c_sees_the_same_arena)
{
	struct arena a;
	ProtobufCAllocator *allocator;
	void *ptr;

	arena_init(&a, 4096);
	allocator = arena_allocator(&a);
	ptr = allocator->alloc(allocator->allocator_data, 100);
	cr_assert_not_null(ptr);
	allocator->free(allocator->allocator_data, ptr);
	cr_assert_geq(a.used, 100);
	cr_assert_null(allocator->alloc(allocator->allocator_data, 4096));
	cr_assert(a.exhausted);
	arena_finish(&a);
}
