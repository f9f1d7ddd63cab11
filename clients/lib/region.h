/*
 * The memory that one message of the bus needs once decoded: handed out by bumping a pointer, given back all at once.
 *
 * A region never holds more than its cap, so that a small message of many empty parts cannot make a subscriber large.
 */
#ifndef AGENTBUS_LIB_REGION_H
#define AGENTBUS_LIB_REGION_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

struct region_block;

struct region {
	struct region_block *blocks; /* newest first */
	size_t held;                 /* bytes of all blocks */
	size_t cap;
	ProtobufCAllocator allocator; /* the same memory as protobuf-c sees it: its free does nothing */
};

/* Must not be moved afterwards. */
void region_init(struct region *r, size_t cap);

/* Gives everything back to the system. */
void region_finish(struct region *r);

/* Forgets everything handed out; keeps one block of ordinary size for the next message. */
void region_reset(struct region *r);

/* size bytes aligned for any type, not set to anything; NULL above the cap or without memory. */
void *region_alloc(struct region *r, size_t size);

#endif
