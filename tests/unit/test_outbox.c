#include "arena.h"
#include "otlp_pb.h"
#include "otlp_sample.h"
#include "outbox.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct arena arena;
static struct outbox outbox;

static void
setup(void)
{
	arena_init(&arena, (size_t)64 << 20);
	outbox = (struct outbox){ 0 };
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++)
		outbox.of[i].wanted = true;
}

static void
teardown(void)
{
	outbox_finish(&outbox);
	arena_finish(&arena);
}

TestSuite(outbox, .init = setup, .fini = teardown);

static struct otlp_request
decode(enum otlp_signal signal, const uint8_t *bytes, size_t len)
{
	struct otlp_request req;

	cr_assert_eq(otlp_pb_decode(signal, bytes, len, OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK);
	return req;
}

/* A request of one log record, whose body is so many bytes of text. */
static struct otlp_request
log_request(size_t size)
{
	const size_t room = size + 64;
	uint8_t *bytes = arena_alloc(&arena, room), *at = bytes + room;
	static const uint8_t fields[] = { 1, 5, 2, 2,
					  1 }; /* string_value in body in log_records in scope_logs in resource_logs */
	size_t len = size;

	cr_assert_not_null(bytes);
	memset(bytes, 'x', room);
	at -= size;
	for (size_t i = 0; i < sizeof(fields); i++) {
		uint8_t head[10];
		const size_t n = encode_varint(len, head);

		at -= n;
		memcpy(at, head, n);
		*--at = (uint8_t)(fields[i] << 3 | 2);
		len += n + 1;
	}
	return decode(OTLP_LOGS, at, len);
}

Test(outbox, what_was_added_one_after_the_other_is_one_request)
{
	const struct otlp_request one = log_request(10), two = log_request(20);
	struct outbox_signal *s = &outbox.of[OTLP_LOGS];

	cr_assert(outbox_is_empty(&outbox));
	cr_assert(outbox_add(&outbox, &one));
	cr_assert(outbox_add(&outbox, &two));
	cr_assert_not(outbox_is_empty(&outbox));
	cr_expect_eq(s->count, 1);
	cr_expect_eq(s->rows[0].end, s->bytes.len);
	cr_expect_eq(s->rows[0].items, 2);
	const struct otlp_request both = decode(OTLP_LOGS, s->bytes.bytes, s->bytes.len);
	cr_expect_eq(both.logs->n_resource_logs, 2);
	cr_expect_eq(outbox_items(&both), 2);
	outbox_clear(&outbox);
	cr_expect(outbox_is_empty(&outbox));
}

/* Whatever a request holds, unknown fields included, is in it again. */
Test(outbox, packs_every_field_of_every_signal)
{
	static void (*const put[OTLP_SIGNAL_COUNT])(struct wire_writer * w) = {
		[OTLP_LOGS] = sample_logs, [OTLP_TRACES] = sample_traces, [OTLP_METRICS] = sample_metrics
	};

	for (enum otlp_signal signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { .len = 0 };
		struct outbox_signal *s = &outbox.of[signal];

		put[signal](&w);
		put_varint(&w, 999, 7);
		const struct otlp_request req = decode(signal, w.bytes, w.len);
		cr_assert_gt(outbox_items(&req), 0);
		cr_assert(outbox_add(&outbox, &req));
		cr_assert_eq(s->bytes.len, w.len);
		cr_expect_eq(memcmp(s->bytes.bytes, w.bytes, w.len), 0);
	}
}

Test(outbox, rows_are_cut_between_requests)
{
	const struct otlp_request third = log_request(OUTBOX_ROW_MAX / 3), huge = log_request(3 * OUTBOX_ROW_MAX);
	const struct outbox_signal *s = &outbox.of[OTLP_LOGS];
	size_t begin = 0;

	for (int i = 0; i < 10; i++)
		cr_assert(outbox_add(&outbox, i == 4 ? &huge : &third));
	/* Two fit into a row, for each has a head; the large one has a row of its own. */
	cr_expect_eq(s->count, 6);
	for (size_t i = 0; i < s->count; begin = s->rows[i++].end) {
		const struct otlp_request req = decode(OTLP_LOGS, s->bytes.bytes + begin, s->rows[i].end - begin);

		cr_expect_eq(outbox_items(&req), s->rows[i].items);
		cr_expect(s->rows[i].end - begin <= OUTBOX_ROW_MAX || s->rows[i].items == 1);
	}
	cr_expect_eq(begin, s->bytes.len);
}

Test(outbox, leaves_out_what_nobody_wants_and_what_is_empty)
{
	const struct otlp_request one = log_request(10), empty = decode(OTLP_LOGS, (const uint8_t *)"\x0a\0", 2);

	outbox.of[OTLP_LOGS].wanted = false;
	cr_assert(outbox_add(&outbox, &one));
	cr_expect(outbox_is_empty(&outbox));
	outbox.of[OTLP_LOGS].wanted = true;
	cr_assert(outbox_add(&outbox, &empty));
	cr_expect(outbox_is_empty(&outbox));
}

Test(outbox, cutting_leaves_the_oldest_rows)
{
	const struct otlp_request half = log_request(OUTBOX_ROW_MAX / 2);
	const struct outbox_signal *s = &outbox.of[OTLP_LOGS];

	for (int i = 0; i < 4; i++)
		cr_assert(outbox_add(&outbox, &half));
	cr_assert_eq(s->count, 4);
	const size_t two = s->rows[1].end;
	cr_expect_eq(outbox_cut(&outbox, OTLP_LOGS, 2 * two), 0);
	cr_expect_eq(outbox_cut(&outbox, OTLP_LOGS, two + 5), 2);
	cr_expect_eq(s->count, 2);
	cr_expect_eq(s->bytes.len, two);
	cr_expect_eq(outbox_cut(&outbox, OTLP_LOGS, 0), 2);
	cr_expect(outbox_is_empty(&outbox));
}
