/*
 * The newest events, packed, in a ring of bounded size: what a subscriber that lost some asks for. Pure.
 *
 * An event is kept whole and in one piece, so it can be read in place.
 */
#ifndef AGENTBUS_JOURNAL_H
#define AGENTBUS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_SIZE_MIN ((size_t)256)
#define JOURNAL_SIZE_MAX ((size_t)1 << 31) /* offsets have 32 bits */

struct journal_slot {
	uint32_t at, len;
};

struct journal {
	uint8_t *ring;
	size_t size;                /* of the ring, in bytes */
	size_t head;                /* where the next event goes */
	struct journal_slot *slots; /* of event seq: slots[seq % slot_count] */
	size_t slot_count;
	uint64_t oldest, newest; /* seq; oldest > newest: the journal is empty */
};

/*
 * An empty journal of `size` bytes (JOURNAL_SIZE_MIN .. JOURNAL_SIZE_MAX), 1/17 of them for the index. They are only used
 * as events come. False without memory.
 */
bool journal_init(struct journal *j, size_t size);
void journal_finish(struct journal *j);

/*
 * Keeps a copy of event `seq`, which must be one above the newest (any, if there was none yet), and drops as many of the
 * oldest as needed. False if the event alone is larger than the journal: then the journal is empty, and goes on after it.
 */
bool journal_append(struct journal *j, uint64_t seq, const uint8_t *bytes, size_t len);

/* Empties it: the next event is seq + 1. */
void journal_begin(struct journal *j, uint64_t seq);

/* Drops all events above `seq`, as if they had never been appended. */
void journal_rewind(struct journal *j, uint64_t seq);

/* Reads event `seq` in place, valid until the next append. False if it is not (or no longer) there. */
bool journal_read(const struct journal *j, uint64_t seq, const uint8_t **ret, size_t *ret_len);

/* The oldest seq that can be read; one above the newest if there is none. */
uint64_t journal_oldest(const struct journal *j);

#endif
