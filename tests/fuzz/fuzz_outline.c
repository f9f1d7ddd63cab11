/*
 * Any bytes as spans in several requests. Each parent that a forwarded span names must have been forwarded, be named, or never
 * have been sent; the trees stay sound; and the same request twice has the same outline.
 */
#include "../unit/otlp_tree.h"
#include "../unit/outline_bed.h"
#include "require.h"

#define REQUEST_SPANS_MAX 64

/* A span is three bytes: what it is, its id, its parent. */
enum { KIND_BITS = 3, TRACE_BIT = 4, SHORT_ID_BIT = 8, ENDS_REQUEST_BIT = 16, RESTART_BITS = 0xe0 };

struct fuzz {
	struct outline *outline;
	struct ledger sent, forwarded;
	struct made made[REQUEST_SPANS_MAX];
	bool short_id[REQUEST_SPANS_MAX];
	size_t count;
};

struct naming {
	const uint8_t *trace_id, *span_id;
	bool found;
};

static void
compare_name(void *ctx, const uint8_t *trace_id, const uint8_t *span_id)
{
	struct naming *n = ctx;

	n->found |= memcmp(trace_id, n->trace_id, 16) == 0 && memcmp(span_id, n->span_id, 8) == 0;
}

static void
check(struct fuzz *f)
{
	for (size_t i = 0; i < f->forwarded.count; i++) {
		const struct ledger_row row = f->forwarded.rows[i];
		struct naming n = { row.ids, row.parent, false };

		if (!row.has_parent || ledger_find(&f->forwarded, row.ids, row.parent) ||
		    !ledger_find(&f->sent, row.ids, row.parent))
			continue;
		outline_each_named(f->outline, compare_name, &n);
		require(n.found);
	}
}

static struct otlp_request
make(const struct fuzz *f, struct arena *a)
{
	struct otlp_request req = bed_request(a, f->made, f->count);
	size_t index = 0;

	for (size_t i = 0; i < req.traces->n_resource_spans; i++) {
		BedScopeSpans *ss = req.traces->resource_spans[i]->scope_spans[0];
		for (size_t k = 0; k < ss->n_spans; k++)
			if (f->short_id[index++] && ss->spans[k]->span_id.len)
				ss->spans[k]->span_id.len = 7;
	}
	return req;
}

static void
send(struct fuzz *f, struct arena *a)
{
	struct otlp_request req = make(f, a), again = make(f, a);
	struct ledger first = { 0 }, second = { 0 };

	ledger_add(&f->sent, req.traces);
	require(outline_apply(f->outline, &req, a) == VERDICT_OK);
	require(tree_is_sound(req.message));
	ledger_add(&f->forwarded, req.traces);
	ledger_add(&first, req.traces);
	check(f);
	require(outline_apply(f->outline, &again, a) == VERDICT_OK);
	ledger_add(&second, again.traces);
	require(first.count == second.count);
	for (size_t i = 0; i < first.count; i++)
		require(memcmp(&first.rows[i], &second.rows[i], sizeof(first.rows[i])) == 0);
	ledger_finish(&first);
	ledger_finish(&second);
	f->count = 0;
	arena_reset(a);
}

/* Until the first span of Codex nothing is looked at. */
static void
wake(struct fuzz *f, struct arena *a)
{
	f->short_id[f->count] = false;
	f->made[f->count++] = (struct made){ 3, 1, 0, MADE_INNER };
	send(f, a);
}

static void
pass_on(void *ctx, const uint8_t *trace_id, const uint8_t *span_id)
{
	outline_name(ctx, trace_id, span_id);
}

/* What was dropped before is forgotten, what was forwarded is still there: only names are kept. */
static void
restart(struct fuzz *f, struct arena *a)
{
	struct outline *next = outline_create();

	require(next);
	outline_each_named(f->outline, pass_on, next);
	outline_destroy(f->outline);
	f->outline = next;
	ledger_finish(&f->sent);
	wake(f, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .outline = outline_create() };
	struct arena a;

	require(f.outline);
	arena_init(&a, (size_t)4 << 20);
	wake(&f, &a);
	for (; size >= 3; data += 3, size -= 3) {
		f.short_id[f.count] = data[0] & SHORT_ID_BIT;
		f.made[f.count++] = (struct made){ 1 + !!(data[0] & TRACE_BIT), data[1], data[2], data[0] & KIND_BITS };
		if ((data[0] & ENDS_REQUEST_BIT) || f.count == REQUEST_SPANS_MAX || size < 6)
			send(&f, &a);
		if ((data[0] & RESTART_BITS) == RESTART_BITS && f.count == 0)
			restart(&f, &a);
	}
	arena_finish(&a);
	outline_destroy(f.outline);
	ledger_finish(&f.sent);
	ledger_finish(&f.forwarded);
	return 0;
}
