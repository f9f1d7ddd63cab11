#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

/* Under AddressSanitizer, a gap that must not be touched follows each allocation, and what is free is poisoned. */
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size)   ASAN_POISON_MEMORY_REGION(ptr, size)
#define UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION(ptr, size)
#define RED_ZONE            ((size_t)16)
#else
#define POISON(ptr, size)   ((void)(size))
#define UNPOISON(ptr, size) ((void)(size))
#define RED_ZONE            ((size_t)0)
#endif

#define ALIGNMENT  alignof(max_align_t)
#define BLOCK_SIZE ((size_t)64 * 1024)

/* Blocks kept for the next request: what a common one needs. */
#define BLOCKS_KEPT 4

/* An allocation above this gets a block to itself, so that no block's rest above this size is ever left unused. */
#define LARGE_SIZE (BLOCK_SIZE / 4)

struct arena_block {
	struct arena_block *next;
	size_t size, fill;
	alignas(max_align_t) unsigned char data[];
};

static void *
allocate(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void
ignore_free(void *arena, void *ptr)
{
	(void)arena;
	(void)ptr;
}

void
arena_init(struct arena *a, size_t cap)
{
	*a = (struct arena){ .cap = cap };
}

static void
free_blocks(struct arena_block *b)
{
	while (b) {
		struct arena_block *next = b->next;

		UNPOISON(b->data, b->size);
		free(b);
		b = next;
	}
}

void
arena_finish(struct arena *a)
{
	free_blocks(a->blocks);
	free_blocks(a->spare);
	*a = (struct arena){ .cap = a->cap };
}

/* Puts an empty block among the spare ones, or gives it back. */
static void
retire(struct arena *a, struct arena_block *b)
{
	bool keep = b->size == BLOCK_SIZE && a->spare_count < BLOCKS_KEPT;

	b->fill = 0;
	b->next = keep ? a->spare : NULL;
	if (keep) {
		POISON(b->data, b->size);
		a->spare = b;
		a->spare_count++;
	} else {
		free_blocks(b);
	}
}

void
arena_reset(struct arena *a)
{
	for (struct arena_block *b = a->blocks, *next; b; b = next) {
		next = b->next;
		retire(a, b);
	}
	a->blocks = NULL;
	a->used = 0;
	a->exhausted = a->out_of_memory = false;
}

/* An empty block: a spare one if that fits, else a new one. */
static struct arena_block *
take_block(struct arena *a, size_t size)
{
	struct arena_block *b = a->spare;

	if (b && b->size == size) {
		a->spare = b->next;
		a->spare_count--;
		return b;
	}
	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	*b = (struct arena_block){ .size = size };
	POISON(b->data, b->size);
	return b;
}

static struct arena_block *
add_block(struct arena *a, size_t size, bool in_front)
{
	struct arena_block *b = take_block(a, size), **link = &a->blocks;

	if (!b)
		return NULL;
	if (!in_front && *link)
		link = &(*link)->next;
	b->next = *link;
	*link = b;
	return b;
}

static void *
take_from(struct arena *a, struct arena_block *b, size_t size, size_t rounded)
{
	void *ptr = b->data + b->fill;

	b->fill += rounded + RED_ZONE;
	a->used += rounded;
	UNPOISON(ptr, size);
	return ptr;
}

/* Takes from a new block. Apart from the common way, which is short: so it stays. */
static __attribute__((noinline)) void *
take_from_new(struct arena *a, size_t size, size_t rounded)
{
	const size_t need = rounded + RED_ZONE;
	const bool large = need > LARGE_SIZE;
	struct arena_block *b = add_block(a, large ? need : BLOCK_SIZE, !large);

	if (b)
		return take_from(a, b, size, rounded);
	a->out_of_memory = true;
	return NULL;
}

void *
arena_take(struct arena *a, size_t size)
{
	const size_t rounded = size <= a->cap ? (size + !size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : SIZE_MAX;
	struct arena_block *b = a->blocks;

	if (rounded > a->cap - a->used) {
		a->exhausted = true;
		return NULL;
	}
	if (b && rounded + RED_ZONE <= b->size - b->fill)
		return take_from(a, b, size, rounded);
	return take_from_new(a, size, rounded);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	void *ptr = arena_take(a, size);

	return ptr ? memset(ptr, 0, size) : NULL;
}

enum verdict
arena_verdict(const struct arena *a)
{
	return a->out_of_memory ? VERDICT_NO_MEMORY : VERDICT_TOO_LARGE;
}

ProtobufCAllocator *
arena_allocator(struct arena *a)
{
	a->allocator = (ProtobufCAllocator){ .alloc = allocate, .free = ignore_free, .allocator_data = a };
	return &a->allocator;
}
