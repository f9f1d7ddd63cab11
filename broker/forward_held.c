#include "forward_held.h"

#include "buf.h"
#include "store_held.h"

#include <stdlib.h>
#include <string.h>

#define TRACE_ID_SIZE 16
#define NAME_SIZE     24 /* a trace id and a span id */

/* --- reading --- */

static bool
take_held(void *ctx, uint64_t id, uint64_t due_ns, bool made, const uint8_t *spans, size_t len)
{
	const struct wants anything = { .more = true }, nothing = { 0 };
	struct held *h = ctx;
	struct held_item *item;
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return false;
	if (len)
		memcpy(copy, spans, len);
	item = held_add(h, id, due_ns, 0, made ? &nothing : &anything, copy, len);
	if (item)
		item->made = made ? ++h->last_made : 0;
	else
		free(copy);
	return true;
}

static void
take_names(void *ctx, const uint8_t *names, size_t len)
{
	for (; len >= NAME_SIZE; names += NAME_SIZE, len -= NAME_SIZE)
		outline_name(ctx, names, names + TRACE_ID_SIZE);
}

bool
forward_held_load(struct enricher *e, struct store *st)
{
	if (!e)
		return true;
	held_finish(enricher_held(e));
	if (!store_each_held(st, take_held, enricher_held(e)) || !store_outline_get(st, take_names, enricher_outline(e)))
		return false;
	enricher_kept(e);
	return true;
}

/* --- writing --- */

static bool
put(void *ctx, const struct held_item *item)
{
	return store_held_put(ctx, item->id, item->due_ns, item->made != 0, item->bytes, item->len);
}

static bool
drop(void *ctx, uint64_t id)
{
	return store_held_drop(ctx, id);
}

static void
append_name(void *ctx, const uint8_t *trace_id, const uint8_t *span_id)
{
	struct buf *b = ctx;

	/* Without memory names are missing: a trace may show a span twice removed from its parent, and nothing else is wrong. */
	if (buf_reserve(b, NAME_SIZE)) {
		buf_append(b, trace_id, TRACE_ID_SIZE);
		buf_append(b, span_id, NAME_SIZE - TRACE_ID_SIZE);
	}
}

static bool
write_names(struct enricher *e, struct store *st)
{
	struct buf names = { 0 };
	bool ok;

	outline_each_named(enricher_outline(e), append_name, &names);
	ok = store_outline_put(st, names.bytes, names.len);
	buf_clear(&names, 0);
	return ok;
}

bool
forward_held_pending(struct enricher *e)
{
	return e && (held_changed(enricher_held(e)) || enricher_renamed(e));
}

bool
forward_held_write(struct enricher *e, struct store *st)
{
	const struct held_store store = { .put = put, .drop = drop, .ctx = st };

	if (!e)
		return true;
	return held_keep(enricher_held(e), &store) && (!enricher_renamed(e) || write_names(e, st));
}

void
forward_held_keep(struct enricher *e)
{
	if (e)
		enricher_kept(e);
}

void
forward_held_rewind(struct enricher *e)
{
	if (e)
		held_rewind(enricher_held(e));
}
