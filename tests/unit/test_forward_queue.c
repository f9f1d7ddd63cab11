#include "forward_queue.h"

#include "said.h"
#include "store_fixture.h"

#include <stdlib.h>

#define S 1000000000ull

static const struct log talking = { .level = LEVEL_WARNING };
static struct forward_queue *q;
static struct destinations to;
static unsigned kept;

static void
on_kept(void *ctx)
{
	(void)ctx;
	kept++;
}

/* A queue for destinations "a" (logs) and "b" (logs and traces), with room for 1,000 bytes each, on what is stored. */
static void
begin(void)
{
	to = (struct destinations){ .count = 2 };
	for (size_t i = 0; i < 2; i++) {
		to.list[i] = (struct destination){ .queue_size = 1000, .signals[OTLP_LOGS] = true };
		to.list[i].name[0] = (char)('a' + i);
	}
	to.list[1].signals[OTLP_TRACES] = true;
	forward_queue_init(q, &to, false, &talking);
	q->kept = on_kept;
	cr_assert(forward_queue_load(q, f->st) && store_commit(f->st, NOW));
}

static void
queue_setup(void)
{
	setup();
	q = calloc(1, sizeof(*q));
	reopen();
	begin();
}

static void
queue_teardown(void)
{
	forward_queue_finish(q);
	free(q);
	teardown();
}

TestSuite(forward_queue, .init = queue_setup, .fini = queue_teardown);

/* As outbox_add() would, without a request. */
static void
add(enum otlp_signal signal, size_t len)
{
	struct outbox_signal *s = &q->outbox.of[signal];

	cr_assert(s->wanted);
	cr_assert(buf_reserve(&s->bytes, len));
	memset(s->bytes.bytes + s->bytes.len, 'x', len);
	s->bytes.len += len;
	s->rows = realloc(s->rows, (s->count + 1) * sizeof(*s->rows));
	cr_assert_not_null(s->rows);
	s->rows[s->count++] = (struct outbox_row){ s->bytes.len, 2 };
	s->size = s->count;
}

static void
write_at(uint64_t now_ns)
{
	cr_assert(forward_queue_write(q, now_ns) && store_commit(f->st, now_ns));
	forward_queue_keep(q);
}

/* Lanes: 0 is logs to "a", 1 logs to "b", 2 traces to "b". */
static void
expect_waiting(size_t lane, uint64_t rows, uint64_t bytes, uint64_t dropped)
{
	const struct store_mark w = forward_queue_waiting(q, &q->lanes[lane]);

	cr_expect_eq(w.row, rows, "lane %zu: %llu rows", lane, (unsigned long long)w.row);
	cr_expect_eq(w.bytes, bytes, "lane %zu: %llu bytes", lane, (unsigned long long)w.bytes);
	cr_expect_eq(w.items, 2 * rows);
	cr_expect_eq(q->lanes[lane].counts.dropped, dropped, "lane %zu: %llu dropped", lane,
		     (unsigned long long)q->lanes[lane].counts.dropped);
}

/* As if a destination had taken so many rows. */
static void
pass(size_t lane, unsigned rows)
{
	struct store_mark at = q->lanes[lane].at;
	uint64_t time_ns;

	while (rows-- > 0)
		cr_assert(store_queue_read(f->st, q->lanes[lane].signal, &at, NULL, &at, &time_ns));
	forward_queue_pass(&q->lanes[lane], &at);
}

Test(forward_queue, each_lane_has_its_own_mark)
{
	cr_assert_eq(q->lane_count, 3);
	write_at(NOW);
	cr_expect_not(forward_queue_pending(q));
	add(OTLP_LOGS, 100);
	add(OTLP_LOGS, 50);
	add(OTLP_TRACES, 10);
	cr_expect(forward_queue_pending(q));
	write_at(NOW);
	cr_expect_not(forward_queue_pending(q));
	expect_waiting(0, 2, 150, 0);
	expect_waiting(1, 2, 150, 0);
	expect_waiting(2, 1, 10, 0);
	pass(0, 1);
	expect_waiting(0, 1, 50, 0);
	expect_waiting(1, 2, 150, 0);
	cr_expect(forward_queue_pending(q));
	cr_expect_eq(kept, 2);
}

Test(forward_queue, rows_go_when_all_have_passed_them)
{
	add(OTLP_LOGS, 100);
	add(OTLP_LOGS, 100);
	write_at(NOW);
	pass(0, 2);
	write_at(NOW);
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 2);
	pass(1, 1);
	write_at(NOW);
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 1);
	pass(1, 1);
	write_at(NOW);
	cr_expect_eq(sql("SELECT count(*) FROM forward_items"), 0);
}

Test(forward_queue, goes_on_after_a_restart)
{
	add(OTLP_LOGS, 100);
	add(OTLP_LOGS, 30);
	write_at(NOW);
	pass(0, 1);
	q->lanes[0].counts.sent = 2;
	write_at(NOW);
	reopen();
	begin();
	expect_waiting(0, 1, 30, 0);
	expect_waiting(1, 2, 130, 0);
	cr_expect_eq(q->lanes[0].counts.sent, 2);
}

Test(forward_queue, new_ones_begin_now_and_gone_ones_are_forgotten)
{
	add(OTLP_LOGS, 100);
	write_at(NOW);
	reopen();
	to.list[0].name[0] = 'z';
	forward_queue_finish(q);
	forward_queue_init(q, &to, false, &talking);
	cr_assert(forward_queue_load(q, f->st) && store_commit(f->st, NOW));
	expect_waiting(0, 0, 0, 0);
	expect_waiting(1, 1, 100, 0);
	write_at(NOW);
	cr_expect_eq(sql("SELECT count(*) FROM forward_lanes WHERE destination = 'a'"), 0);
	cr_expect_eq(sql("SELECT count(*) FROM forward_lanes WHERE destination = 'z'"), 1);
}

/* Only who is behind loses, its oldest first, whatever the signal; it is told once a minute. */
Test(forward_queue, a_full_queue_loses_its_oldest)
{
	char text[SAID_MAX];
	const struct said stderr_text = said_begin();

	add(OTLP_TRACES, 100);
	write_at(NOW);
	for (unsigned i = 0; i < 20; i++) {
		add(OTLP_LOGS, 100);
		write_at(NOW + (i + 1) * S);
		pass(0, 1);
	}
	expect_waiting(0, 0, 0, 0);
	expect_waiting(1, 10, 1000, 20);
	expect_waiting(2, 0, 0, 2);
	add(OTLP_LOGS, 100);
	write_at(NOW + 100 * S);
	said_end(&stderr_text, text);
	cr_expect_str_eq(text, "agentbusd: warning: forward b: more waits than its queue may hold; oldest items dropped: 2\n"
			       "agentbusd: warning: forward b: more waits than its queue may hold; oldest items dropped: 22\n");
	expect_waiting(1, 10, 1000, 22);
}

Test(forward_queue, what_could_not_be_committed_never_was)
{
	add(OTLP_LOGS, 100);
	write_at(NOW);
	add(OTLP_LOGS, 2000);
	cr_assert(forward_queue_write(q, NOW));
	store_rollback(f->st);
	forward_queue_rewind(q);
	cr_expect(outbox_is_empty(&q->outbox));
	/* The oldest was dropped for it; the large one is not counted, for nobody was told that it is here. */
	expect_waiting(0, 0, 0, 2);
	add(OTLP_LOGS, 100);
	write_at(NOW);
	expect_waiting(0, 1, 100, 2);
}

Test(forward_queue, without_a_store_little_is_kept)
{
	forward_queue_unload(q);
	add(OTLP_LOGS, 100);
	add(OTLP_LOGS, 100);
	forward_queue_squeeze(q, 150, NOW);
	cr_expect_eq(q->outbox.of[OTLP_LOGS].count, 1);
	expect_waiting(0, 0, 0, 2);
	cr_expect_eq(q->lanes[1].counts.dropped, 2);
	cr_expect_eq(q->lanes[2].counts.dropped, 0);
	cr_assert(forward_queue_load(q, f->st));
	write_at(NOW);
	expect_waiting(0, 1, 100, 2);
}

Test(forward_queue, share_is_smaller_in_memory)
{
	to.list[0].queue_size = (size_t)100 << 20;
	forward_queue_init(q, &to, true, &talking);
	cr_expect_eq(q->share[0], FORWARD_QUEUE_MEMORY_MAX);
	cr_expect_eq(q->share[1], 1000);
}

Test(forward_queue, nobody_is_fine)
{
	cr_expect(forward_queue_load(NULL, f->st));
	cr_expect_not(forward_queue_pending(NULL));
	cr_expect(forward_queue_write(NULL, NOW));
	forward_queue_keep(NULL);
	forward_queue_rewind(NULL);
	forward_queue_squeeze(NULL, 0, NOW);
	forward_queue_unload(NULL);
}
