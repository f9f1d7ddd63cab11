#include "held.h"

#include <stdlib.h>
#include <string.h>

void
wants_add(struct wants *w, uint64_t hash)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->hash[i] == hash)
			return;
	if (w->count < HELD_WANTS_MAX)
		w->hash[w->count++] = hash;
	else
		w->more = true;
}

bool
wants_meet(const struct wants *a, const struct wants *b)
{
	if ((a->more && b->count) || (b->more && a->count))
		return true;
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (a->hash[i] == b->hash[k])
				return true;
	return false;
}

static void
destroy(struct held *h, struct held_item *item)
{
	h->bytes -= item->len;
	free(item->bytes);
	free(item);
}

/* Those for which `gone` holds are destroyed, the others stay in their order. */
static void
sweep(struct held *h, bool (*gone)(const struct held_item *item))
{
	size_t kept = 0;

	for (size_t i = 0; i < h->count; i++) {
		if (gone(h->items[i]))
			destroy(h, h->items[i]);
		else
			h->items[kept++] = h->items[i];
	}
	h->count = kept;
}

static bool
is_any(const struct held_item *item)
{
	(void)item;
	return true;
}

static bool
is_released(const struct held_item *item)
{
	return item->released;
}

static bool
is_new(const struct held_item *item)
{
	return item->id == 0;
}

void
held_finish(struct held *h)
{
	sweep(h, is_any);
}

struct held_item *
held_add(struct held *h, uint64_t id, uint64_t due_ns, uint64_t peer, const struct wants *wants, uint8_t *bytes, size_t len)
{
	struct held_item *item;

	if (h->count == HELD_ITEMS_MAX || len > HELD_BYTES_MAX - h->bytes)
		return NULL;
	item = malloc(sizeof(*item));
	if (!item)
		return NULL;
	*item = (struct held_item){ .id = id, .due_ns = due_ns, .peer = peer, .wants = *wants, .bytes = bytes, .len = len };
	h->items[h->count++] = item;
	h->bytes += len;
	h->changes += id == 0;
	h->restored |= id != 0;
	if (id > h->last_id)
		h->last_id = id;
	if (due_ns < h->earliest_ns)
		h->earliest_ns = due_ns;
	return item;
}

void
held_forget(struct held *h, uint64_t made)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i]->made == made)
			held_release(h, h->items[i]);
}

struct held_item *
held_next(struct held *h, size_t *index, const struct wants *news, uint64_t now_ns)
{
	if (*index == 0 && news->count == 0 && h->earliest_ns > now_ns)
		return NULL;
	while (*index < h->count) {
		struct held_item *item = h->items[(*index)++];

		if (!item->released && (item->due_ns <= now_ns || wants_meet(&item->wants, news)))
			return item;
	}
	if (h->earliest_ns <= now_ns)
		h->earliest_ns = 0;
	return NULL;
}

void
held_release(struct held *h, struct held_item *item)
{
	h->changes += !item->released;
	item->released = true;
	if (item->due_ns <= h->earliest_ns)
		h->earliest_ns = 0;
}

void
held_postpone(struct held *h, struct held_item *item, uint64_t due_ns)
{
	item->due_ns = due_ns;
	h->earliest_ns = 0;
}

void
held_bound(struct held *h, uint64_t latest_ns, uint64_t made_ns)
{
	for (size_t i = 0; h->restored && i < h->count; i++) {
		struct held_item *item = h->items[i];
		const uint64_t latest = item->made ? made_ns : latest_ns;

		if (item->due_ns > latest)
			held_postpone(h, item, latest);
	}
	h->restored = false;
}

uint64_t
held_deadline(struct held *h)
{
	if (h->earliest_ns)
		return h->count ? h->earliest_ns : UINT64_MAX;
	h->earliest_ns = UINT64_MAX;
	for (size_t i = 0; i < h->count; i++)
		if (!h->items[i]->released && h->items[i]->due_ns < h->earliest_ns)
			h->earliest_ns = h->items[i]->due_ns;
	return h->earliest_ns;
}

bool
held_changed(const struct held *h)
{
	return h->changes > 0;
}

bool
held_keep(struct held *h, const struct held_store *store)
{
	uint64_t id = h->last_id;

	for (size_t i = 0; h->changes && i < h->count; i++) {
		struct held_item *item = h->items[i];

		if (item->id && item->released && !store->drop(store->ctx, item->id))
			return false;
		if (item->id || item->released)
			continue;
		item->id = ++id;
		const bool stored = store->put(store->ctx, item);
		item->id = 0;
		if (!stored)
			return false;
	}
	return true;
}

void
held_kept(struct held *h)
{
	if (h->changes == 0)
		return;
	sweep(h, is_released);
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i]->id == 0)
			h->items[i]->id = ++h->last_id;
	h->changes = 0;
}

void
held_rewind(struct held *h)
{
	if (h->changes == 0)
		return;
	sweep(h, is_new);
	for (size_t i = 0; i < h->count; i++)
		h->items[i]->released = false;
	h->changes = 0;
	h->earliest_ns = 0;
}
