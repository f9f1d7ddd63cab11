/*
 * Memory of one request: allocated by bumping a pointer, given back all at once.
 *
 * An arena never holds more than its cap, so a small body cannot make the broker large. Nothing in an arena is freed on
 * its own; views into it die with arena_reset().
 */
#ifndef AGENTBUS_ARENA_H
#define AGENTBUS_ARENA_H

#include "verdict.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the first one is being filled */
	struct arena_block *spare;  /* empty ones, kept from earlier */
	unsigned spare_count;
	size_t used;        /* bytes handed out since the last reset, with what alignment costs */
	size_t cap;         /* arena_alloc() fails above this */
	bool exhausted;     /* some allocation failed for the cap since the last reset */
	bool out_of_memory; /* some allocation failed for want of memory since the last reset */
	ProtobufCAllocator allocator;
};

/* Prepares an empty arena that hands out at most cap bytes between two resets. Allocates nothing yet. */
void arena_init(struct arena *a, size_t cap);

/* Gives all memory back to the system. */
void arena_finish(struct arena *a);

/* Forgets everything allocated; keeps a few blocks for the next request. */
void arena_reset(struct arena *a);

/*
 * Returns size bytes aligned for any type and set to zero, or NULL above the cap (then a->exhausted is set) or without
 * memory (then a->out_of_memory is).
 */
void *arena_alloc(struct arena *a, size_t size);

/* The same, but not set to zero. */
void *arena_take(struct arena *a, size_t size);

/* What to answer where an allocation failed: VERDICT_TOO_LARGE for the cap, VERDICT_NO_MEMORY for want of memory. */
enum verdict arena_verdict(const struct arena *a);

/* The same arena as protobuf-c sees it; its free does nothing. Do not move the arena while this is in use. */
ProtobufCAllocator *arena_allocator(struct arena *a);

#endif
