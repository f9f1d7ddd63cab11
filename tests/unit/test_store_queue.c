#include "store_queue.h"

#include "store_fixture.h"

TestSuite(store_queue, .init = setup, .fini = teardown);

static bool
put(unsigned signal, const char *text)
{
	return store_queue_put(f->st, signal, NOW, strlen(text), (const uint8_t *)text, strlen(text));
}

/* Expects the row after one, its text, and the mark behind it. */
static struct store_mark
expect_row(unsigned signal, struct store_mark after, const char *text)
{
	struct store_mark mark = { 77, 77, 77 };
	uint64_t time_ns = 77;

	f->read.len = 0;
	cr_assert(store_queue_read(f->st, signal, &after, &f->read, &mark, &time_ns));
	buf_append(&f->read, "", 1);
	cr_expect_str_eq((char *)f->read.bytes, text);
	cr_expect_eq(mark.row, after.row + 1);
	cr_expect_eq(mark.bytes, after.bytes + strlen(text));
	cr_expect_eq(mark.items, after.items + strlen(text));
	cr_expect_eq(time_ns, NOW);
	return mark;
}

static void
expect_end(unsigned signal, struct store_mark at)
{
	struct store_mark mark = { 77, 77, 77 };
	uint64_t time_ns = 77;

	f->read.len = 0;
	cr_assert(store_queue_read(f->st, signal, &at, &f->read, &mark, &time_ns));
	cr_expect_eq(f->read.len, 0);
	cr_expect_eq(mark.row, at.row);
	cr_expect_eq(store_queue_end(f->st, signal).row, at.row);
	cr_expect_eq(store_queue_end(f->st, signal).bytes, at.bytes);
}

Test(store_queue, rows_come_back_in_order_by_signal)
{
	const struct store_mark start = { 0 };
	struct store_mark at;

	reopen();
	cr_assert(put(0, "one") && put(1, "other") && put(0, "two") && store_commit(f->st, NOW));
	reopen();
	at = expect_row(0, expect_row(0, start, "one"), "two");
	expect_end(0, at);
	expect_end(1, expect_row(1, start, "other"));
	expect_end(2, start);
	cr_assert(put(0, "three"));
	expect_row(0, at, "three");
}

Test(store_queue, what_is_not_committed_is_gone)
{
	reopen();
	cr_assert(put(0, "one") && store_commit(f->st, NOW));
	cr_assert(put(0, "two"));
	cr_expect_eq(store_queue_end(f->st, 0).row, 2);
	store_rollback(f->st);
	cr_expect_eq(store_queue_end(f->st, 0).row, 1);
	cr_assert(put(0, "three") && store_commit(f->st, NOW));
	expect_end(0, expect_row(0, expect_row(0, (struct store_mark){ 0 }, "one"), "three"));
}

static void
drop_all(unsigned signal, struct store_mark up_to)
{
	bool more = true;

	for (int i = 0; i < 1000 && more; i++)
		cr_assert(store_queue_drop(f->st, signal, &up_to, &more) && store_commit(f->st, NOW));
	cr_expect_not(more);
}

/* The queue goes on where it was, though no row is left to tell: the lanes know. */
Test(store_queue, rows_are_dropped_in_steps_and_numbers_go_on)
{
	struct store_lane lane = { .destination = "a", .signal = 0 };
	bool more;

	reopen();
	for (int i = 0; i < 500; i++)
		cr_assert(put(0, "row"));
	lane.at = store_queue_end(f->st, 0);
	cr_assert(store_put_lane(f->st, &lane) && store_commit(f->st, NOW));
	cr_assert(store_queue_drop(f->st, 0, &lane.at, &more));
	cr_expect(more);
	store_rollback(f->st);
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 500);
	drop_all(0, lane.at);
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 0);
	reopen();
	expect_end(0, lane.at);
	cr_assert(put(0, "next") && store_commit(f->st, NOW));
	expect_row(0, lane.at, "next");
	drop_all(0, store_queue_end(f->st, 0));
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 0);
}

Test(store_queue, a_commit_does_not_drop_much)
{
	const size_t size = (size_t)1 << 20;
	uint8_t *large = calloc(1, size);
	bool more;

	reopen();
	for (int i = 0; i < 10; i++)
		cr_assert(store_queue_put(f->st, 2, NOW, 1, large, size));
	cr_assert(store_commit(f->st, NOW));
	const struct store_mark end = store_queue_end(f->st, 2);
	cr_assert(store_queue_drop(f->st, 2, &end, &more) && store_commit(f->st, NOW));
	cr_expect(more);
	cr_expect_geq(sql("SELECT count(*) FROM forward_items"), 7);
	free(large);
}

Test(store_queue, rows_that_somebody_took_away_are_passed)
{
	const struct store_mark start = { 0 };
	struct store_mark mark;
	uint64_t time_ns;

	reopen();
	cr_assert(put(0, "one") && put(0, "two") && put(0, "three") && store_commit(f->st, NOW));
	sql("DELETE FROM forward_items WHERE row = 2");
	f->read.len = 0;
	const struct store_mark one = expect_row(0, start, "one");
	cr_assert(store_queue_read(f->st, 0, &one, NULL, &mark, &time_ns));
	cr_expect_eq(mark.row, 3);
	cr_expect_eq(mark.bytes, 11);
	drop_all(0, store_queue_end(f->st, 0));
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 0);
}

static bool
join_lane(void *ctx, const struct store_lane *lane)
{
	struct buf *b = ctx;
	char text[200];
	const struct store_lane_counts *c = &lane->counts;
	const int n = snprintf(text, sizeof(text), "%s/%u:%d,%d,%d:%d,%d,%d,%d,%d,%d ", lane->destination, lane->signal,
			       (int)lane->at.row, (int)lane->at.bytes, (int)lane->at.items, (int)c->sent, (int)c->rejected,
			       (int)c->dropped, (int)c->sent_bytes, (int)c->sent_requests, (int)c->retries);

	buf_append(b, text, (size_t)n);
	return true;
}

static void
expect_lanes(const char *expected)
{
	f->read.len = 0;
	cr_assert(store_each_lane(f->st, join_lane, &f->read));
	buf_append(&f->read, "", 1);
	cr_expect_str_eq((char *)f->read.bytes, expected);
}

Test(store_queue, lanes_are_kept)
{
	struct store_lane lane = { "a", 1, { 1, 2, 3 }, { 4, 5, 6, 7, 8, 9 } };

	reopen();
	expect_lanes("");
	cr_assert(store_put_lane(f->st, &lane));
	lane.signal = 2;
	cr_assert(store_put_lane(f->st, &lane));
	lane.at.row = 10;
	cr_assert(store_put_lane(f->st, &lane) && store_commit(f->st, NOW));
	reopen();
	expect_lanes("a/1:1,2,3:4,5,6,7,8,9 a/2:10,2,3:4,5,6,7,8,9 ");
	cr_assert(store_forget_lane(f->st, "a", 1) && store_commit(f->st, NOW));
	reopen();
	expect_lanes("a/2:10,2,3:4,5,6,7,8,9 ");
}

Test(store_queue, is_the_same_in_memory)
{
	f->st = store_open_memory(&quiet);
	cr_assert_not_null(f->st);
	cr_assert(put(0, "one") && store_commit(f->st, NOW));
	cr_assert(put(0, "two"));
	store_rollback(f->st);
	const struct store_mark at = expect_row(0, (struct store_mark){ 0 }, "one");
	expect_end(0, at);
	drop_all(0, at);
	f->read.len = 0;
	expect_end(0, at);
	cr_expect_not(store_dirty(f->st));
}
