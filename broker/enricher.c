#include "enricher.h"

#include "enricher_passage.h"

#include <stdlib.h>

#define ARENA_CAP ((size_t)128 << 20)
#define RETRY_NS  1000000000ull /* what could not be delivered for want of memory is tried again */

/* Metrics keep their own words: a series that gains an attribute is another series. */
static bool
metrics(struct passage *t, struct otlp_request *req)
{
	return !t->e->with.wanted[OTLP_METRICS] || (passage_drop_content(t, req, NULL) && passage_deliver(t, req));
}

enum verdict
enricher_take(struct enricher *e, struct otlp_request *req, uint64_t peer, uint64_t now_ns, struct arena *a)
{
	static bool (*const pass[OTLP_SIGNAL_COUNT])(struct passage * t, struct otlp_request * req) = {
		[OTLP_LOGS] = passage_logs,
		[OTLP_TRACES] = passage_traces,
		[OTLP_METRICS] = metrics,
	};
	struct passage t = { .e = e, .peer = peer, .now_ns = now_ns, .last = e->with.settings.hold_ns == 0, .arena = a };

	if (pass[req->signal](&t, req))
		return VERDICT_OK;
	return a->exhausted && !t.refused ? VERDICT_TOO_LARGE : VERDICT_NO_MEMORY;
}

/* --- time --- */

static void
settle_item(struct enricher *e, struct held_item *item, uint64_t now_ns)
{
	struct passage t = { .e = e, .peer = item->peer, .now_ns = now_ns, .last = item->due_ns <= now_ns, .arena = &e->arena };
	bool stays = false;

	if (!(item->made ? passage_made(&t, item) : passage_retry(&t, item, &stays)))
		held_postpone(&e->held, item, now_ns + RETRY_NS);
	else if (!stays)
		held_release(&e->held, item);
	else
		item->wants = t.wants; /* it may wait for something else now: whose it is has been found out */
}

void
enricher_settle(struct enricher *e, uint64_t now_ns)
{
	const struct wants news = e->news;
	struct held_item *item;
	size_t index = 0;

	e->news = (struct wants){ 0 };
	held_bound(&e->held, now_ns + e->with.settings.hold_ns, now_ns + TRACED_NS);
	while ((item = held_next(&e->held, &index, &news, now_ns))) {
		settle_item(e, item, now_ns);
		arena_reset(&e->arena);
	}
	/* What spans that were completed just now tell is no news to others. */
	e->news = (struct wants){ 0 };
}

uint64_t
enricher_deadline(struct enricher *e)
{
	return held_deadline(&e->held);
}

struct held *
enricher_held(struct enricher *e)
{
	return &e->held;
}

struct outline *
enricher_outline(struct enricher *e)
{
	return e->outline;
}

bool
enricher_renamed(const struct enricher *e)
{
	return outline_changes(e->outline) != e->names_kept;
}

void
enricher_kept(struct enricher *e)
{
	held_kept(&e->held);
	e->names_kept = outline_changes(e->outline);
}

/* --- create and destroy --- */

void
enricher_set_prices(struct enricher *e, const struct price_table *prices)
{
	e->prices = prices;
}

struct enricher *
enricher_create(const struct enricher_setup *setup)
{
	struct enricher *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->with = *setup;
	arena_init(&e->arena, ARENA_CAP);
	e->calls = calls_create();
	e->outline = outline_create();
	if (e->calls && e->outline)
		return e;
	enricher_destroy(e);
	return NULL;
}

void
enricher_destroy(struct enricher *e)
{
	if (!e)
		return;
	held_finish(&e->held);
	outline_destroy(e->outline);
	calls_destroy(e->calls);
	arena_finish(&e->arena);
	free(e);
}
