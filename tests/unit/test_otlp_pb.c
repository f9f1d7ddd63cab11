#include "guard.h"
#include "otlp_pb.h"
#include "otlp_sample.h"
#include "otlp_tree.h"
#include "recordings.h"

#include <stdlib.h>
#include <time.h>

static struct arena arena;

static void
setup(void)
{
	arena_init(&arena, 16 << 20);
}

static void
teardown(void)
{
	arena_finish(&arena);
}

TestSuite(otlp_pb, .init = setup, .fini = teardown);

/* Decodes, and checks what must hold whatever the bytes are. */
static enum verdict
decode(enum otlp_signal signal, const void *bytes, size_t len, struct otlp_request *ret)
{
	struct otlp_request untouched = { .signal = OTLP_SIGNAL_COUNT }, req = untouched;
	enum verdict v;

	arena_reset(&arena);
	v = otlp_pb_decode(signal, bytes, len, OTLP_MAX_DEPTH, &arena, &req);
	if (v == VERDICT_OK) {
		cr_assert_eq(req.signal, signal);
		cr_assert(tree_is_sound(req.message));
	} else {
		cr_assert(v == VERDICT_MALFORMED || v == VERDICT_TOO_DEEP || v == VERDICT_TOO_LARGE, "%u", v);
		cr_assert_eq(req.signal, OTLP_SIGNAL_COUNT);
	}
	if (ret)
		*ret = req;
	return v;
}

static bool
packs_to(const struct otlp_request *req, const void *bytes, size_t len)
{
	size_t size = protobuf_c_message_get_packed_size(req->message);
	uint8_t *packed = malloc(size + 1);
	bool same;

	same = size == len && protobuf_c_message_pack(req->message, packed) == len && memcmp(packed, bytes, len) == 0;
	free(packed);
	return same;
}

Test(otlp_pb, samples_keep_every_field)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };
		struct otlp_request req;

		samples[signal].write(&w);
		cr_assert_eq(decode(signal, w.bytes, w.len, &req), VERDICT_OK);
		cr_assert(packs_to(&req, w.bytes, w.len), "signal %u", signal);
	}
}

Test(otlp_pb, fields_arrive_where_they_belong)
{
	struct wire_writer w = { 0 };
	struct otlp_request req;
	const OtlpLogRecord *r;

	sample_logs(&w);
	cr_assert_eq(decode(OTLP_LOGS, w.bytes, w.len, &req), VERDICT_OK);
	cr_assert_eq(req.logs->n_resource_logs, 1);
	cr_assert_eq(req.logs->resource_logs[0]->scope_logs[0]->n_log_records, 2);
	r = req.logs->resource_logs[0]->scope_logs[0]->log_records[0];
	cr_assert_eq(r->time_unix_nano, 1795392584332000001);
	cr_assert_eq(r->severity_number, 9);
	cr_assert_str_eq(r->event_name, "user_prompt");
	cr_assert_str_eq(r->body->string_value, "codex.user_prompt");
	cr_assert_eq(r->trace_id.len, 16);
	cr_assert_eq(memcmp(r->trace_id.data, sample_trace_id, 16), 0);
	cr_assert_str_eq(r->attributes[4]->key, "smallest");
	cr_assert_eq(r->attributes[4]->value->int_value, INT64_MIN);
}

Test(otlp_pb, an_empty_body_is_an_empty_request)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct otlp_request req;

		cr_assert_eq(decode(signal, NULL, 0, &req), VERDICT_OK);
		cr_assert_eq(protobuf_c_message_get_packed_size(req.message), 0);
	}
}

Test(otlp_pb, every_prefix_is_shorter_or_refused)
{
	struct guard g = guard_create(sizeof(((struct wire_writer *)NULL)->bytes));

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };

		samples[signal].write(&w);
		for (size_t n = 1; n < w.len; n++) {
			const void *bytes = guard_put(&g, w.bytes, n);
			enum otlp_signal told;

			/* One resource is all there is: a prefix of it is never whole. */
			cr_assert_eq(decode(signal, bytes, n, NULL), VERDICT_MALFORMED, "%zu of %zu", n, w.len);
			cr_assert_not(otlp_pb_signal(bytes, n, &told));
		}
	}
	guard_destroy(&g);
}

Test(otlp_pb, any_signal_of_any_sample_is_safe)
{
	struct guard g = guard_create(sizeof(((struct wire_writer *)NULL)->bytes));

	for (unsigned i = 0; i < OTLP_SIGNAL_COUNT * OTLP_SIGNAL_COUNT; i++) {
		struct wire_writer w = { 0 };

		samples[i / OTLP_SIGNAL_COUNT].write(&w);
		decode(i % OTLP_SIGNAL_COUNT, guard_put(&g, w.bytes, w.len), w.len, NULL);
	}
	guard_destroy(&g);
}

Test(otlp_pb, mutations_and_random_bytes_harm_nothing)
{
	struct guard g = guard_create(sizeof(((struct wire_writer *)NULL)->bytes));
	unsigned accepted = 0;

	srand(3);
	for (int i = 0; i < 60000; i++) {
		enum otlp_signal signal = (enum otlp_signal)(i % OTLP_SIGNAL_COUNT), told;
		struct wire_writer w = { 0 };
		const void *bytes;

		samples[signal].write(&w);
		if (i % 7 == 0) {
			w.len = (size_t)rand() % 64;
			for (size_t k = 0; k < w.len; k++)
				w.bytes[k] = (uint8_t)rand();
		}
		for (int k = rand() % 4; k >= 0 && w.len > 0; k--)
			w.bytes[(size_t)rand() % w.len] = (uint8_t)rand();
		bytes = guard_put(&g, w.bytes, w.len);
		accepted += decode(signal, bytes, w.len, NULL) == VERDICT_OK;
		otlp_pb_signal(bytes, w.len, &told);
	}
	cr_assert_gt(accepted, 1000, "mutations that keep the structure should pass");
	guard_destroy(&g);
}

/* --- depth --- */

/* A log record whose body nests `levels` values, through arrays or through key-value lists. Caller frees. */
static uint8_t *
nest(unsigned levels, bool lists, size_t *ret_len)
{
	size_t room = (size_t)levels * 24 + 64, len = 0;
	uint8_t *end = calloc(1, room) + room, *p = end, length[10];

	/* From the inside out, so backwards: array_value 5 or kvlist_value 6, values 1, value 2. */
	const uint8_t array[] = { 0x2a, 0x0a }, list[] = { 0x32, 0x0a, 0x12 }, outer[] = { 0x0a, 0x12, 0x12, 0x2a };
	const uint8_t *tags = lists ? list : array;
	size_t n = lists ? sizeof(list) : sizeof(array);

	for (unsigned i = 0; i + 1 < levels; i++) {
		for (size_t k = n; k-- > 0;) {
			size_t digits = encode_varint(len, length);

			p -= digits;
			memcpy(p, length, digits);
			*--p = tags[k];
			len = (size_t)(end - p);
		}
	}
	for (size_t k = sizeof(outer); k-- > 0;) {
		size_t digits = encode_varint(len, length);

		p -= digits;
		memcpy(p, length, digits);
		*--p = outer[k];
		len = (size_t)(end - p);
	}
	memmove(end - room, p, len);
	*ret_len = len;
	return end - room;
}

Test(otlp_pb, values_nest_to_the_limit_and_no_further)
{
	for (int lists = 0; lists < 2; lists++) {
		for (unsigned levels = 1; levels <= 2 * OTLP_MAX_DEPTH; levels++) {
			size_t len;
			uint8_t *bytes = nest(levels, lists, &len);
			enum verdict want = levels <= OTLP_MAX_DEPTH ? VERDICT_OK : VERDICT_TOO_DEEP;

			cr_assert_eq(decode(OTLP_LOGS, bytes, len, NULL), want, "%u levels", levels);
			free(bytes);
		}
	}
}

Test(otlp_pb, deep_nesting_is_refused_at_once)
{
	for (int lists = 0; lists < 2; lists++) {
		clock_t start;
		size_t len;
		uint8_t *bytes = nest(100000, lists, &len);

		start = clock();
		cr_assert_eq(decode(OTLP_LOGS, bytes, len, NULL), VERDICT_TOO_DEEP);
		cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 10);
		cr_assert_lt(arena.used, 1000 * OTLP_MAX_DEPTH, "no more is built than the levels that are allowed");
		free(bytes);
	}
}

/* --- limits and errors --- */

Test(otlp_pb, small_bodies_cannot_take_much_memory)
{
	size_t len = 1 << 20;
	uint8_t *bytes = malloc(len);
	struct arena small;
	struct otlp_request req;

	/* Two bytes each: an empty ResourceLogs. */
	for (size_t i = 0; i < len; i += 2)
		memcpy(bytes + i, "\x0a\x00", 2);
	arena_init(&small, 4 << 20);
	cr_assert_eq(otlp_pb_decode(OTLP_LOGS, bytes, len, OTLP_MAX_DEPTH, &small, &req), VERDICT_TOO_LARGE);
	cr_assert_leq(small.used, 4 << 20);
	arena_finish(&small);
	free(bytes);
}

Test(otlp_pb, wrong_wire_types_are_refused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bodies[] = {
		{ "\x08\x01", 2 },                                          /* resource_logs as a number */
		{ "\x09\0\0\0\0\0\0\0\0", 9 },                              /* as a fixed64 */
		{ "\x0b\x0c", 2 },                                          /* as a group */
		{ "\x0f", 1 },                                              /* wire type 7 */
		{ "\x00\x00", 2 },                                          /* field 0 */
		{ "\x0a\x02\x12\x05", 4 },                                  /* longer than what holds it */
		{ "\x0a\xff\xff\xff\xff\x0f", 6 },                          /* 4 GiB */
		{ "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },     /* 2^64 - 1 */
		{ "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12 }, /* a varint too long */
		{ "\x0a\x06\x12\x04\x12\x02\x08\x01", 8 },                  /* a record's time as a varint */
		{ "<html></html>", 13 },
		{ "{\"resourceLogs\":[]}", 19 },
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		cr_assert_eq(decode(OTLP_LOGS, bodies[i].bytes, bodies[i].len, NULL), VERDICT_MALFORMED, "body %zu", i);
}

Test(otlp_pb, unknown_fields_survive)
{
	struct wire_writer w = { 0 };
	struct otlp_request req;

	put_open(&w, 1);
	put_open(&w, 2);
	put_open(&w, 2);
	put_varint(&w, 2, 9);
	put_text(&w, 99, "from the future");
	put_fixed64(&w, 1000, 1);
	put_close(&w);
	put_close(&w);
	put_close(&w);
	cr_assert_eq(decode(OTLP_LOGS, w.bytes, w.len, &req), VERDICT_OK);
	cr_assert(packs_to(&req, w.bytes, w.len));
}

Test(otlp_pb, text_that_is_not_utf8_becomes_so)
{
	struct wire_writer w = { 0 };
	struct otlp_request req;

	put_open(&w, 1);
	put_text(&w, 3, "a\xff caf\xc3\xa9\n\xe2\x82");
	put_close(&w);
	cr_assert_eq(decode(OTLP_LOGS, w.bytes, w.len, &req), VERDICT_OK);
	cr_assert_str_eq(req.logs->resource_logs[0]->schema_url, "a\xef\xbf\xbd caf\xc3\xa9\n\xef\xbf\xbd\xef\xbf\xbd");
}

Test(otlp_pb, ids_of_another_length_are_none)
{
	static const size_t lengths[] = { 0, 1, 7, 8, 9, 15, 16, 17, 32 };
	static const uint8_t id[32] = "0123456789abcdef0123456789abcdef";

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const size_t len = lengths[i];
		struct wire_writer w = { 0 };
		struct otlp_request req;

		put_open(&w, 1);
		put_open(&w, 2);
		put_open(&w, 2);
		put_bytes(&w, 1, id, len);
		put_bytes(&w, 2, id, len);
		put_bytes(&w, 4, id, len);
		put_close(&w);
		put_close(&w);
		put_close(&w);
		cr_assert_eq(decode(OTLP_TRACES, w.bytes, w.len, &req), VERDICT_OK);
		const OtlpSpan *span = req.traces->resource_spans[0]->scope_spans[0]->spans[0];
		cr_assert_eq(span->trace_id.len, len == 16 ? 16 : 0);
		cr_assert_eq(span->span_id.len, len == 8 ? 8 : 0);
		cr_assert_eq(span->parent_span_id.len, len == 8 ? 8 : 0);
	}
}

/* --- the signal --- */

Test(otlp_pb, samples_tell_their_signal)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };
		enum otlp_signal told = OTLP_SIGNAL_COUNT;

		samples[signal].write(&w);
		cr_assert(otlp_pb_signal(w.bytes, w.len, &told), "signal %u", signal);
		cr_assert_eq(told, signal);
	}
}

static void
write_log_without_time(struct wire_writer *w)
{
	put_fixed64(w, 11, 1);
	put_attribute(w, 6, "a", "b");
}

static void
write_log_of_only_a_body(struct wire_writer *w)
{
	put_open(w, 5);
	put_text(w, 1, "text");
	put_close(w);
}

static void
write_log_with_later_fields(struct wire_writer *w)
{
	put_fixed64(w, 1, 1);
	put_varint(w, 13, 1);
}

static void
write_span_without_times(struct wire_writer *w)
{
	put_bytes(w, 1, sample_trace_id, 16);
	put_bytes(w, 2, sample_span_id, 8);
	put_text(w, 5, "name");
}

static void
write_span_with_ids_of_text(struct wire_writer *w)
{
	put_text(w, 1, "0123456789abcdef");
	put_text(w, 2, "01234567");
	put_text(w, 5, "name");
	put_fixed64(w, 7, 1);
}

static void
write_metric_that_looks_like_ids(struct wire_writer *w)
{
	put_text(w, 1, "tokens.used.sum1");
	put_text(w, 2, "a number");
	put_open(w, 5);
	put_close(w);
}

static void
write_metric_of_only_a_name(struct wire_writer *w)
{
	put_text(w, 1, "tokens");
}

static void
write_nothing_of_ours(struct wire_writer *w)
{
	put_varint(w, 1, 1);
}

static void
write_nothing(struct wire_writer *w)
{
	(void)w;
}

Test(otlp_pb, odd_records_tell_their_signal)
{
	static const struct {
		void (*write)(struct wire_writer *w);
		enum otlp_signal signal; /* OTLP_SIGNAL_COUNT: none */
	} records[] = {
		{ write_log_without_time, OTLP_LOGS },         { write_log_of_only_a_body, OTLP_LOGS },
		{ write_log_with_later_fields, OTLP_LOGS },    { write_span_without_times, OTLP_TRACES },
		{ write_span_with_ids_of_text, OTLP_TRACES },  { write_metric_that_looks_like_ids, OTLP_METRICS },
		{ write_metric_of_only_a_name, OTLP_METRICS }, { write_nothing, OTLP_LOGS },
		{ write_nothing_of_ours, OTLP_SIGNAL_COUNT },
	};

	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct wire_writer w = { 0 };
		enum otlp_signal told = OTLP_SIGNAL_COUNT;

		put_open(&w, 1);
		put_resource_and_scope(&w);
		for (int k = 0; k < 2; k++) { /* empty records do not count */
			put_open(&w, 2);
			if (k)
				records[i].write(&w);
			put_close(&w);
		}
		put_close(&w);
		put_close(&w);
		cr_assert_eq(otlp_pb_signal(w.bytes, w.len, &told), records[i].signal != OTLP_SIGNAL_COUNT, "record %zu", i);
		cr_assert_eq(told, records[i].signal, "record %zu", i);
	}
}

Test(otlp_pb, a_body_that_is_not_otlp_has_no_signal)
{
	enum otlp_signal told = OTLP_SIGNAL_COUNT;

	cr_assert_not(otlp_pb_signal((const uint8_t *)"GET / HTTP/1.1\r\n", 16, &told));
	cr_assert_eq(told, OTLP_SIGNAL_COUNT);
	cr_assert(otlp_pb_signal(NULL, 0, &told));
	cr_assert_eq(told, OTLP_LOGS);
}

/* --- recordings --- */

static void
check_recording(const struct recording *r, void *ctx)
{
	enum otlp_signal told = OTLP_SIGNAL_COUNT;
	struct otlp_request req;
	uint8_t *copy;

	(void)ctx;
	if (r->json)
		return;
	cr_assert_eq(decode(r->signal, r->bytes, r->len, &req), VERDICT_OK, "%s", r->path);
	cr_assert_gt(protobuf_c_message_get_packed_size(req.message), 0, "%s", r->path);
	cr_assert(otlp_pb_signal(r->bytes, r->len, &told), "%s", r->path);
	cr_assert_eq(told, r->signal, "%s", r->path);
	/* Some prefixes of each; every prefix of all would take minutes. */
	copy = malloc(r->len);
	for (size_t n = 0; n < r->len; n += 1 + r->len / 50) {
		decode(r->signal, memcpy(copy, r->bytes, n), n, NULL);
		otlp_pb_signal(copy, n, &told);
	}
	free(copy);
}

Test(otlp_pb, recordings_decode_and_tell_their_signal)
{
	cr_assert_gt(recordings_each(check_recording, NULL), 100);
}
