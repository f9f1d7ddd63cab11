#include "journal.h"

#include <stdlib.h>
#include <string.h>

/* Smaller events than this are rare, so that the index does not run out before the ring does. */
#define SMALL_EVENT 128

bool
journal_init(struct journal *j, size_t size)
{
	struct journal new = { .oldest = 1 };

	if (size < JOURNAL_SIZE_MIN || size > JOURNAL_SIZE_MAX)
		return false;
	new.slot_count = size / (SMALL_EVENT + sizeof(*new.slots));
	new.size = size - new.slot_count * sizeof(*new.slots);
	new.ring = malloc(size);
	new.slots = calloc(new.slot_count, sizeof(*new.slots));
	if (!new.ring || !new.slots) {
		free(new.ring);
		free(new.slots);
		return false;
	}
	*j = new;
	return true;
}

void
journal_finish(struct journal *j)
{
	free(j->ring);
	free(j->slots);
	*j = (struct journal){ 0 };
}

static struct journal_slot *
slot_of(const struct journal *j, uint64_t seq)
{
	return &j->slots[seq % j->slot_count];
}

/* Drops the oldest events that begin within [from, to): they lie there in order, and nothing older lies elsewhere. */
static void
drop_between(struct journal *j, size_t from, size_t to)
{
	while (j->oldest <= j->newest && slot_of(j, j->oldest)->at >= from && slot_of(j, j->oldest)->at < to)
		j->oldest++;
}

bool
journal_append(struct journal *j, uint64_t seq, const uint8_t *bytes, size_t len)
{
	if (len > j->size) {
		j->newest = seq;
		j->oldest = seq + 1;
		j->head = 0;
		return false;
	}
	if (j->oldest > j->newest) {
		j->oldest = seq;
		j->head = 0;
	}
	if (len > j->size - j->head) {
		drop_between(j, j->head, j->size);
		j->head = 0;
	}
	drop_between(j, j->head, j->head + len);
	if (seq - j->oldest >= j->slot_count)
		j->oldest = seq - j->slot_count + 1;
	*slot_of(j, seq) = (struct journal_slot){ .at = (uint32_t)j->head, .len = (uint32_t)len };
	if (len > 0)
		memcpy(j->ring + j->head, bytes, len);
	j->head += len;
	j->newest = seq;
	return true;
}

void
journal_begin(struct journal *j, uint64_t seq)
{
	j->newest = seq;
	j->oldest = seq + 1;
	j->head = 0;
}

void
journal_rewind(struct journal *j, uint64_t seq)
{
	if (seq >= j->newest)
		return;
	j->newest = seq;
	if (j->oldest > seq)
		j->oldest = seq + 1;
}

bool
journal_read(const struct journal *j, uint64_t seq, const uint8_t **ret, size_t *ret_len)
{
	if (seq < j->oldest || seq > j->newest)
		return false;
	const struct journal_slot *slot = slot_of(j, seq);
	*ret = j->ring + slot->at;
	*ret_len = slot->len;
	return true;
}

uint64_t
journal_oldest(const struct journal *j)
{
	return j->oldest;
}
