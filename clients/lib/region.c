#include "region.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK_SIZE 16384

struct region_block {
	struct region_block *next;
	size_t used, size; /* of data */
	_Alignas(max_align_t) unsigned char data[];
};

static void *
allocate(void *owner, size_t size)
{
	return region_alloc(owner, size);
}

static void
keep(void *owner, void *memory)
{
	(void)owner;
	(void)memory;
}

void
region_init(struct region *r, size_t cap)
{
	*r = (struct region){
		.cap = cap,
		.allocator = { .alloc = allocate, .free = keep, .allocator_data = r },
	};
}

static void
free_blocks(struct region_block *b)
{
	while (b) {
		struct region_block *next = b->next;
		free(b);
		b = next;
	}
}

void
region_finish(struct region *r)
{
	free_blocks(r->blocks);
	r->blocks = NULL;
	r->held = 0;
}

void
region_reset(struct region *r)
{
	struct region_block *oldest = r->blocks;

	if (!oldest)
		return;
	/* The oldest is of ordinary size unless the very first allocation was larger. */
	while (oldest->next) {
		struct region_block *next = oldest->next;
		free(oldest);
		oldest = next;
	}
	if (oldest->size > BLOCK_SIZE) {
		free(oldest);
		oldest = NULL;
	} else {
		oldest->used = 0;
	}
	r->blocks = oldest;
	r->held = oldest ? oldest->size : 0;
}

static struct region_block *
add_block(struct region *r, size_t size)
{
	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	if (size > r->cap || r->held > r->cap - size)
		return NULL;
	struct region_block *b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = r->blocks;
	b->used = 0;
	b->size = size;
	r->blocks = b;
	r->held += size;
	return b;
}

void *
region_alloc(struct region *r, size_t size)
{
	const size_t align = _Alignof(max_align_t);

	if (size > r->cap)
		return NULL;
	size = (size + align - 1) / align * align;
	struct region_block *b = r->blocks;
	if (!b || b->size - b->used < size)
		b = add_block(r, size);
	if (!b)
		return NULL;
	void *memory = b->data + b->used;
	b->used += size;
	return memory;
}
