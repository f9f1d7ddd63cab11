#include "outline_bed.h"
#include "outline_past.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define DEEP 10000

static struct arena arena;
static struct outline *outline;
static struct ledger ledger;

static void
setup(void)
{
	arena_init(&arena, 64 << 20);
	outline = outline_create();
	cr_assert(outline);
}

static void
teardown(void)
{
	outline_destroy(outline);
	arena_finish(&arena);
	ledger_finish(&ledger);
}

TestSuite(outline, .init = setup, .fini = teardown);

/* Sends spans in one request, and puts what is left into the ledger; the tree lasts until the next one. */
static struct otlp_request
send(const struct made *made, size_t count)
{
	struct otlp_request req;

	arena_reset(&arena);
	req = bed_request(&arena, made, count);
	cr_assert_eq(outline_apply(outline, &req, &arena), VERDICT_OK);
	ledger_add(&ledger, req.traces);
	return req;
}

static uint32_t
number(const uint8_t *id, size_t len)
{
	return (uint32_t)id[len - 4] << 24 | (uint32_t)id[len - 3] << 16 | (uint32_t)id[len - 2] << 8 | id[len - 1];
}

static const struct ledger_row *
forwarded(uint32_t trace, uint32_t id)
{
	const uint8_t t[16] = { [12] = trace >> 24, trace >> 16 & 255, trace >> 8 & 255, trace & 255 },
		      s[8] = { [4] = id >> 24, id >> 16 & 255, id >> 8 & 255, id & 255 };

	return ledger_find(&ledger, t, s);
}

/* "3<1 4<3": what was forwarded, by id, and its parent. */
static void
expect(const char *wanted)
{
	char text[512] = "";

	for (uint32_t id = 1; id < 64; id++) {
		const struct ledger_row *row = forwarded(1, id);
		size_t used = strlen(text);
		if (row)
			snprintf(text + used, sizeof(text) - used, "%s%u<%u", used ? " " : "", id,
				 row->has_parent ? number(row->parent, 8) : 0);
	}
	cr_expect_str_eq(text, wanted);
}

static void
count_name(void *ctx, const uint8_t *trace_id, const uint8_t *span_id)
{
	(void)trace_id, (void)span_id;
	++*(size_t *)ctx;
}

static size_t
names(void)
{
	size_t n = 0;

	outline_each_named(outline, count_name, &n);
	return n;
}

/* --- one request --- */

struct sample {
	const char *what;
	struct made made[8];
	const char *wanted;
	size_t names; /* that wait for their span */
};

static const struct sample requests[] = {
	{ "what stays hangs from the nearest that stays",
	  { { 1, 1, 0, MADE_KEPT },
	    { 1, 2, 1, MADE_INNER },
	    { 1, 3, 2, MADE_INNER },
	    { 1, 4, 3, MADE_TOOL },
	    { 1, 5, 4, MADE_KEPT } },
	  "1<0 4<1 5<4",
	  0 },
	{ "a root where all above was dropped",
	  { { 1, 3, 2, MADE_KEPT }, { 1, 2, 1, MADE_INNER }, { 1, 1, 0, MADE_INNER } },
	  "3<0",
	  0 },
	{ "an ancestor that has not come is named", { { 1, 4, 3, MADE_KEPT }, { 1, 3, 2, MADE_INNER } }, "4<2", 1 },
	{ "another trace has other spans",
	  { { 1, 4, 3, MADE_KEPT }, { 2, 3, 0, MADE_INNER }, { 2, 4, 3, MADE_KEPT } },
	  "4<3",
	  1 },
	{ "others' spans stay, below dropped ones",
	  { { 1, 1, 0, MADE_KEPT }, { 1, 2, 1, MADE_INNER }, { 1, 3, 2, MADE_FOREIGN }, { 1, 4, 3, MADE_FOREIGN } },
	  "1<0 3<1 4<3",
	  0 },
	{ "a circle of dropped ones is no ancestor",
	  { { 1, 1, 3, MADE_INNER },
	    { 1, 2, 1, MADE_INNER },
	    { 1, 3, 2, MADE_INNER },
	    { 1, 4, 2, MADE_KEPT },
	    { 1, 5, 5, MADE_INNER },
	    { 1, 6, 5, MADE_KEPT } },
	  "4<0 6<0",
	  0 },
	{ "nor is the span itself", { { 1, 1, 2, MADE_KEPT }, { 1, 2, 1, MADE_INNER } }, "1<0", 0 },
	{ "what was its own parent stays so", { { 1, 1, 1, MADE_KEPT }, { 1, 2, 1, MADE_KEPT } }, "1<1 2<1", 0 },
	{ "all spans of an id stay, or none",
	  { { 1, 2, 1, MADE_INNER },
	    { 1, 2, 1, MADE_KEPT },
	    { 1, 3, 2, MADE_KEPT },
	    { 1, 4, 0, MADE_INNER },
	    { 1, 4, 0, MADE_INNER } },
	  "2<1 3<2",
	  1 },
};

Test(outline, of_one_request)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct sample *s = &requests[i];
		size_t n = 0;
		while (n < 8 && s->made[n].trace)
			n++;
		for (unsigned again = 0; again < 2; again++) {
			ledger_finish(&ledger);
			send(s->made, n);
			cr_log_info("%s", s->what);
			expect(s->wanted);
			cr_expect_geq(names(), s->names, "%s", s->what);
		}
		outline_destroy(outline);
		outline = outline_create();
	}
}

/* --- every order of arrival --- */

#define TREE 6

/* Remote parents are above 50: they never come. */
static const struct made trees[][TREE] = {
	{ { 0, 1, 0, MADE_KEPT },
	  { 0, 2, 1, MADE_INNER },
	  { 0, 3, 2, MADE_KEPT },
	  { 0, 4, 3, MADE_INNER },
	  { 0, 5, 4, MADE_KEPT },
	  { 0, 6, 4, MADE_TOOL } },
	{ { 0, 1, 0, MADE_INNER },
	  { 0, 2, 1, MADE_INNER },
	  { 0, 3, 2, MADE_KEPT },
	  { 0, 4, 3, MADE_INNER },
	  { 0, 5, 4, MADE_INNER },
	  { 0, 6, 5, MADE_TOOL } },
	{ { 0, 1, 51, MADE_INNER },
	  { 0, 2, 1, MADE_INNER },
	  { 0, 3, 2, MADE_INNER },
	  { 0, 4, 3, MADE_KEPT },
	  { 0, 5, 1, MADE_FOREIGN },
	  { 0, 6, 5, MADE_INNER } },
	{ { 0, 1, 0, MADE_INNER },
	  { 0, 2, 1, MADE_KEPT },
	  { 0, 3, 1, MADE_INNER },
	  { 0, 4, 3, MADE_FOREIGN },
	  { 0, 5, 3, MADE_KEPT },
	  { 0, 6, 52, MADE_KEPT } },
};

static const struct made *
made_of(const struct made *tree, uint32_t id)
{
	return id >= 1 && id <= TREE ? &tree[id - 1] : NULL;
}

static bool
is_ancestor(const struct made *tree, const struct made *of, uint32_t id)
{
	for (const struct made *m = of; m; m = made_of(tree, m->parent))
		if (m->parent == id)
			return true;
	return false;
}

/* The nearest ancestor by the table, in one request: 0, one that stays, or the remote one. */
static uint32_t
nearest(const struct made *tree, const struct made *of)
{
	uint32_t id = of->parent;

	while (made_of(tree, id) && made_of(tree, id)->kind == MADE_INNER)
		id = made_of(tree, id)->parent;
	return id;
}

/* All of a tree has come: who is there, and under whom? */
static void
check_tree(const struct made *tree, uint32_t trace, unsigned requests_sent)
{
	for (const struct made *m = tree; m < tree + TREE; m++) {
		const struct ledger_row *row = forwarded(trace, m->id);
		uint32_t parent;
		if (!row) {
			cr_assert_eq(m->kind, MADE_INNER);
			continue;
		}
		parent = row->has_parent ? number(row->parent, 8) : 0;
		if (requests_sent == 1) {
			cr_assert_neq(m->kind, MADE_INNER);
			cr_assert_eq(parent, nearest(tree, m));
		}
		cr_assert(is_ancestor(tree, m, parent), "%u under %u", m->id, parent);
		cr_assert(parent == 0 || parent > 50 || forwarded(trace, parent), "%u under %u", m->id, parent);
	}
}

static void
send_in_pieces(const struct made *tree, const unsigned *order, unsigned cuts, uint32_t trace)
{
	struct made part[TREE];
	unsigned requests_sent = 0;
	size_t n = 0;

	for (unsigned i = 0; i < TREE; i++) {
		part[n] = tree[order[i]];
		part[n++].trace = trace;
		if (i == TREE - 1 || (cuts >> i & 1)) {
			send(part, n);
			requests_sent++;
			n = 0;
		}
	}
	check_tree(tree, trace, requests_sent);
	ledger_finish(&ledger);
}

static void
swap(unsigned *order, int a, int b)
{
	unsigned t = order[a];

	order[a] = order[b];
	order[b] = t;
}

/* The next permutation in the order of a dictionary. */
static bool
next_order(unsigned *order)
{
	int i = TREE - 2, k = TREE - 1;

	while (i >= 0 && order[i] > order[i + 1])
		i--;
	if (i < 0)
		return false;
	while (order[k] < order[i])
		k--;
	swap(order, i, k);
	for (int x = i + 1, y = TREE - 1; x < y; x++, y--)
		swap(order, x, y);
	return true;
}

Test(outline, of_every_order_in_every_number_of_requests)
{
	uint32_t trace = 0;

	for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
		unsigned order[TREE] = { 0, 1, 2, 3, 4, 5 };
		do {
			for (unsigned cuts = 0; cuts < 1u << (TREE - 1); cuts++)
				send_in_pieces(trees[i], order, cuts, ++trace);
		} while (next_order(order));
		cr_expect(i == 2 || i == 3 ? names() > 0 : names() == 0, "tree %zu leaves %zu names", i, names());
		outline_destroy(outline);
		outline = outline_create();
	}
}

/* --- over several requests --- */

Test(outline, of_a_turn_that_takes_long)
{
	const struct made one[] = { { 1, 1, 0, MADE_KEPT } };
	const struct made two[] = { { 1, 9, 8, MADE_KEPT }, { 1, 8, 7, MADE_INNER } };
	const struct made three[] = { { 1, 7, 6, MADE_INNER },
				      { 1, 6, 5, MADE_INNER },
				      { 1, 5, 4, MADE_KEPT },
				      { 1, 4, 3, MADE_INNER },
				      { 1, 3, 1, MADE_INNER } };
	uint64_t changes = outline_changes(outline);

	send(one, 1);
	cr_expect_eq(outline_changes(outline), changes);
	send(two, 2);
	expect("1<0 9<7");
	cr_expect_eq(names(), 1);
	cr_expect_gt(outline_changes(outline), changes);
	changes = outline_changes(outline);
	send(three, 5);
	expect("1<0 5<1 7<5 9<7");
	cr_expect_eq(names(), 0);
	cr_expect_gt(outline_changes(outline), changes);
	changes = outline_changes(outline);
	send(&(struct made){ 1, 10, 8, MADE_KEPT }, 1);
	send(&(struct made){ 1, 11, 3, MADE_KEPT }, 1);
	expect("1<0 5<1 7<5 9<7 10<7 11<1");
	cr_expect_eq(outline_changes(outline), changes);
}

static void
pass_on(void *ctx, const uint8_t *trace_id, const uint8_t *span_id)
{
	outline_name(ctx, trace_id, span_id);
}

Test(outline, goes_on_after_a_restart)
{
	const struct made before[] = { { 1, 9, 8, MADE_KEPT }, { 1, 8, 7, MADE_INNER } };
	const struct made after[] = { { 1, 7, 6, MADE_INNER }, { 1, 6, 0, MADE_INNER } };
	struct outline *next = outline_create();

	send(before, 2);
	outline_each_named(outline, pass_on, next);
	outline_destroy(outline);
	outline = next;
	cr_expect_eq(names(), 1);
	send(after, 2);
	expect("7<0 9<7");
	cr_expect_eq(names(), 0);
}

/* --- what it takes, and what it leaves alone --- */

static void
deep_chain(bool up, bool single)
{
	static struct made made[DEEP];

	for (uint32_t i = 0; i < DEEP; i++) {
		uint32_t id = up ? DEEP - i : i + 1;
		made[i] = (struct made){ 1, id, id - 1, id == 1 || id == DEEP ? MADE_KEPT : MADE_INNER };
	}
	if (!single)
		send(made, DEEP);
	for (uint32_t i = 0; single && i < DEEP; i++)
		send(&made[i], 1);
	cr_expect_eq(ledger_orphans(&ledger), 0);
	cr_expect_eq(names(), 0);
}

Test(outline, of_a_deep_chain, .timeout = 20)
{
	deep_chain(true, false);
	cr_expect_eq(ledger.count, 2);
	deep_chain(false, false);
	cr_expect_eq(ledger.count, 4);
}

Test(outline, of_a_deep_chain_root_first, .timeout = 20)
{
	deep_chain(false, true);
	cr_assert_eq(ledger.count, 2);
	cr_assert(forwarded(1, DEEP));
	cr_expect_eq(number(forwarded(1, DEEP)->parent, 8), 1);
}

/* Each one that is forwarded names the next: nothing else can be known. */
Test(outline, of_a_deep_chain_leaf_first, .timeout = 20)
{
	deep_chain(true, true);
	cr_expect_eq(ledger.count, DEEP);
}

/* Dropped long ago, in a circle, and each asked for by many: whoever goes round does it once. */
Test(outline, of_a_wide_circle, .timeout = 20)
{
	static struct made made[DEEP];

	for (uint32_t i = 0; i < DEEP; i++)
		made[i] = (struct made){ 1, i + 1, (i + 1) % DEEP + 1, MADE_INNER };
	for (uint32_t i = 0; i < DEEP; i++)
		send(&made[i], 1);
	for (uint32_t i = 0; i < DEEP; i++)
		made[i] = (struct made){ 1, DEEP + i + 1, i + 1, MADE_KEPT };
	send(made, DEEP);
	cr_expect_eq(ledger.count, DEEP);
	for (size_t i = 0; i < ledger.count; i++)
		cr_assert_not(ledger.rows[i].has_parent);
}

Test(outline, leaves_ids_of_other_lengths_alone)
{
	const struct made made[] = { { 1, 2, 1, MADE_INNER },
				     { 1, 3, 2, MADE_KEPT },
				     { 1, 4, 2, MADE_INNER },
				     { 1, 5, 2, MADE_INNER },
				     { 1, 6, 2, MADE_KEPT } };
	struct otlp_request req = bed_request(&arena, made, 5);
	OtlpSpan **spans = req.traces->resource_spans[0]->scope_spans[0]->spans;

	spans[1]->parent_span_id.len = 7;
	spans[2]->span_id.len = 0;
	spans[3]->trace_id = bed_id(&arena, 1, 15);
	memset(spans[4]->parent_span_id.data, 0, 8);
	cr_assert_eq(outline_apply(outline, &req, &arena), VERDICT_OK);
	cr_assert_eq(req.traces->resource_spans[0]->scope_spans[0]->n_spans, 4);
	cr_expect_eq(spans[0]->parent_span_id.len, 7);
	cr_expect_eq(number(spans[1]->parent_span_id.data, 8), 1, "without an id of its own it has a parent all the same");
	cr_expect_eq(number(spans[2]->parent_span_id.data, 8), 2);
	cr_expect_eq(spans[3]->parent_span_id.len, 8);
	cr_expect_eq(names(), 1);
}

Test(outline, takes_what_is_empty_away)
{
	const struct made made[] = { { 1, 1, 0, MADE_INNER }, { 1, 2, 1, MADE_FOREIGN }, { 1, 3, 2, MADE_INNER } };
	struct otlp_request req = bed_request(&arena, made, 3);
	BedTraces *traces = req.traces;

	traces->resource_spans[3] = bed_resource(&arena, "codex_exec", 0);
	traces->n_resource_spans = 4;
	cr_assert_eq(outline_apply(outline, &req, &arena), VERDICT_OK);
	cr_assert_eq(traces->n_resource_spans, 2);
	cr_expect_eq(traces->resource_spans[0]->scope_spans[0]->n_spans, 1);
	cr_expect_eq(traces->resource_spans[1]->n_scope_spans, 1, "it was empty before");
	cr_expect_eq(send(made, 1).traces->n_resource_spans, 0);
}

Test(outline, moves_links_and_tells_nothing_of_a_new_parents_process)
{
	const struct made made[] = {
		{ 1, 2, 1, MADE_KEPT }, { 1, 3, 2, MADE_INNER }, { 1, 4, 0, MADE_INNER }, { 1, 5, 3, MADE_KEPT }
	};
	static const uint32_t shown[] = { 3, 4, 2, 77 }, wanted[] = { 2, 4, 2, 77 };
	struct otlp_request req = bed_request(&arena, made, 4);
	OtlpSpan *span = req.traces->resource_spans[0]->scope_spans[0]->spans[3];

	span->links = bed_zero(&arena, 4 * sizeof(*span->links));
	for (; span->n_links < 4; span->n_links++) {
		span->links[span->n_links] = bed_zero(&arena, sizeof(**span->links));
		opentelemetry__proto__trace__v1__span__link__init(span->links[span->n_links]);
		span->links[span->n_links]->trace_id = bed_id(&arena, 1, 16);
		span->links[span->n_links]->span_id = bed_id(&arena, shown[span->n_links], 8);
	}
	cr_assert_eq(outline_apply(outline, &req, &arena), VERDICT_OK);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(number(span->links[i]->span_id.data, 8), wanted[i]);
	cr_expect_eq(number(span->parent_span_id.data, 8), 2);
	cr_expect_eq(span->flags, 1);
	cr_expect_eq(req.traces->resource_spans[0]->scope_spans[0]->spans[0]->flags, 0x301);
}

/* Without memory for it, nothing has happened. */
Test(outline, is_all_or_nothing)
{
	const struct made made[] = { { 1, 4, 3, MADE_KEPT }, { 1, 3, 2, MADE_INNER } };
	struct otlp_request req = bed_request(&arena, made, 2);
	struct arena small;
	size_t cap = 0;
	enum verdict v;

	do {
		arena_init(&small, cap++);
		v = outline_apply(outline, &req, &small);
		if (v != VERDICT_OK) {
			cr_assert_eq(v, VERDICT_TOO_LARGE);
			cr_assert_eq(req.traces->resource_spans[0]->scope_spans[0]->n_spans, 2);
			cr_assert_eq(names(), 0);
			arena_finish(&small);
		}
	} while (v != VERDICT_OK);
	cr_expect_gt(cap, 1);
	cr_expect_eq(req.traces->resource_spans[0]->scope_spans[0]->n_spans, 1);
	arena_finish(&small);
}

Test(outline, does_nothing_where_there_is_nothing_to_do)
{
	const struct made made[] = { { 1, 4, 3, MADE_FOREIGN }, { 1, 3, 2, MADE_FOREIGN } };
	struct otlp_request logs = { .signal = OTLP_LOGS };

	cr_expect_eq(outline_apply(outline, &logs, &arena), VERDICT_OK);
	send(made, 2);
	expect("3<2 4<3");
	cr_expect_eq(names(), 0);
	send(NULL, 0);
	cr_expect_eq(outline_changes(outline), 0);
	outline_destroy(NULL);
}

/* --- what is forgotten --- */

static struct span_key
key_of(uint64_t span)
{
	return (struct span_key){ { 1, 2 }, span };
}

Test(outline_past, forgets_the_childless_first)
{
	struct outline_past *p = calloc(1, sizeof(*p));
	size_t inner = 0, leaves = 0, spans = 4 * (size_t)OUTLINE_PAST_SPANS;

	cr_assert(p && outline_past_prepare(p));
	for (uint64_t i = 1; i <= spans; i++)
		outline_past_add(
		    p, &(struct past_span){ .key = key_of(i), .state = PAST_DROPPED, .parent = i + 1, .inner = i % 3 == 0 });
	for (uint64_t i = 1; i <= spans; i++) {
		struct span_key key = key_of(i);
		const struct past_span *s = outline_past_find(p, &key);
		if (s) {
			cr_assert_eq(s->parent, i + 1);
			*(s->inner ? &inner : &leaves) += 1;
		}
	}
	cr_expect_gt(inner, 2 * leaves, "%zu with children, %zu without", inner, leaves);
	cr_expect_leq(inner + leaves, OUTLINE_PAST_SPANS);
	cr_expect_gt(inner + leaves, OUTLINE_PAST_SPANS * 9 / 10);
	outline_past_finish(p);
	free(p);
}

Test(outline_past, forgets_the_name_that_was_repeated_last_of_all)
{
	struct outline_past *p = calloc(1, sizeof(*p));
	struct span_key kept = key_of(1), key;
	size_t found = 0;

	cr_assert(p);
	for (uint64_t i = 2; i < 10 * (uint64_t)OUTLINE_PAST_NAMES; i++) {
		key = key_of(i);
		outline_past_name(p, &key);
		outline_past_name(p, &kept);
	}
	cr_expect_leq(p->name_count, OUTLINE_PAST_NAMES);
	cr_expect(outline_past_unname(p, &kept));
	cr_expect_not(outline_past_unname(p, &kept));
	for (uint64_t i = 2; i < 10 * (uint64_t)OUTLINE_PAST_NAMES; i++) {
		key = key_of(i);
		found += outline_past_unname(p, &key);
	}
	cr_expect_gt(found, OUTLINE_PAST_NAMES * 9 / 10);
	cr_expect_eq(p->name_count, 0);
	free(p);
}
