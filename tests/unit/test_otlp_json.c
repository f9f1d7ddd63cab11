#include "otlp_json_bed.h"

TestSuite(otlp_json, .init = setup, .fini = teardown);

Test(otlp_json, samples_become_the_same_tree_as_in_protobuf)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct wire_writer w = { 0 };
		struct otlp_request req;
		uint8_t *packed;
		size_t len;

		samples[signal].write(&w);
		cr_assert_eq(decode(signal, samples[signal].json, samples[signal].json_len, &req), VERDICT_OK, "%u", signal);
		packed = pack(req.message, &len);
		cr_assert_eq(len, w.len, "signal %u: %zu instead of %zu bytes", signal, len, w.len);
		cr_assert_eq(memcmp(packed, w.bytes, len), 0, "signal %u", signal);
		free(packed);
	}
}

/* --- the whole text --- */

Test(otlp_json, one_object_and_nothing_else)
{
	static const struct {
		const char *text;
		enum verdict verdict;
	} texts[] = {
		{ "{}", VERDICT_OK },
		{ " \r\n\t{ } \n", VERDICT_OK },
		{ "{\"resourceLogs\":[]}", VERDICT_OK },
		{ "{\"resourceLogs\":null}", VERDICT_OK },
		{ "{\"other\":[{\"a\":[1,2,{}]}]}", VERDICT_OK },
		{ "", VERDICT_MALFORMED },
		{ " ", VERDICT_MALFORMED },
		{ "null", VERDICT_MALFORMED },
		{ "[]", VERDICT_MALFORMED },
		{ "\"{}\"", VERDICT_MALFORMED },
		{ "{} {}", VERDICT_MALFORMED },
		{ "{}x", VERDICT_MALFORMED },
		{ "{}}", VERDICT_MALFORMED },
		{ "{]", VERDICT_MALFORMED },
		{ "{\"a\":[}]", VERDICT_MALFORMED },
		{ "{\"a\"}", VERDICT_MALFORMED },
		{ "{\"a\":}", VERDICT_MALFORMED },
		{ "{\"a\":1,}", VERDICT_MALFORMED },
		{ "{a:1}", VERDICT_MALFORMED },
		{ "{\"a\":01x}", VERDICT_MALFORMED },
		{ "{\"a\":tru}", VERDICT_MALFORMED },
		{ "{\"a\":\"}", VERDICT_MALFORMED },
		{ "{\"a\":\"\\\"}", VERDICT_MALFORMED },
		{ "{\"a\":\"\\", VERDICT_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++)
			cr_assert_eq(decode(signal, texts[i].text, strlen(texts[i].text), NULL), texts[i].verdict, "%s",
				     texts[i].text);
	}
}

Test(otlp_json, every_prefix_is_refused)
{
	struct guard g = guard_create(sizeof(sample_logs_json) + sizeof(sample_metrics_json) + sizeof(sample_traces_json));

	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		for (size_t n = 0; n < samples[signal].json_len; n++) {
			const char *text = guard_put(&g, samples[signal].json, n);
			enum otlp_signal told;

			cr_assert_eq(decode(signal, text, n, NULL), VERDICT_MALFORMED, "%zu bytes", n);
			if (otlp_json_signal(text, n, &told))
				cr_assert_eq(told, signal);
		}
	}
	guard_destroy(&g);
}

Test(otlp_json, mutations_and_random_text_harm_nothing)
{
	static const char alphabet[] = "{}[]\",:\\u0dtfn-1e. ";
	struct guard g = guard_create(8192);
	unsigned accepted = 0;

	srand(4);
	for (int i = 0; i < 30000; i++) {
		enum otlp_signal signal = (enum otlp_signal)(i % OTLP_SIGNAL_COUNT), told;
		size_t len = samples[signal].json_len;
		char copy[8192];
		const char *text;

		memcpy(copy, samples[signal].json, len);
		if (i % 5 == 0) {
			len = (size_t)rand() % 64;
			for (size_t k = 0; k < len; k++)
				copy[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		}
		for (int k = rand() % 4; k >= 0 && len > 0; k--)
			copy[(size_t)rand() % len] =
			    (char)(rand() % 2 ? rand() : alphabet[(size_t)rand() % (sizeof(alphabet) - 1)]);
		text = guard_put(&g, copy, len);
		accepted += decode(signal, text, len, NULL) == VERDICT_OK;
		otlp_json_signal(text, len, &told);
	}
	cr_assert_gt(accepted, 1000, "mutations within text should pass");
	guard_destroy(&g);
}

/* --- depth and size --- */

/* A log record whose body nests `levels` values, through arrays or key-value lists. Caller frees. */
static char *
nest(unsigned levels, bool lists)
{
	static const char *const open[] = { "{\"arrayValue\":{\"values\":[", "{\"kvlistValue\":{\"values\":[{\"value\":" };
	static const char *const close[] = { "]}}", "}]}}" };
	char *text = malloc((size_t)levels * 48 + 256), *p;

	p = stpcpy(text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":");
	for (unsigned i = 1; i < levels; i++)
		p = stpcpy(p, open[lists]);
	p = stpcpy(p, "{}");
	for (unsigned i = 1; i < levels; i++)
		p = stpcpy(p, close[lists]);
	strcpy(p, "}]}]}]}");
	return text;
}

Test(otlp_json, values_nest_to_the_limit_and_no_further)
{
	for (int lists = 0; lists < 2; lists++) {
		for (unsigned levels = 1; levels <= 2 * OTLP_MAX_DEPTH; levels++) {
			char *text = nest(levels, lists);
			enum verdict want = levels <= OTLP_MAX_DEPTH ? VERDICT_OK : VERDICT_TOO_DEEP;

			cr_assert_eq(decode(OTLP_LOGS, text, strlen(text), NULL), want, "%u levels", levels);
			free(text);
		}
	}
}

Test(otlp_json, a_higher_limit_stays_within_the_librarys_own)
{
	struct otlp_request req;
	char *text = nest(200, true);

	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, strlen(text), 100000, &arena, &req), VERDICT_OK);
	free(text);
	text = nest(300, true);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, strlen(text), 100000, &arena, &req), VERDICT_TOO_DEEP);
	free(text);
}

Test(otlp_json, deep_nesting_is_refused_at_once)
{
	clock_t start = clock();
	char *text = malloc(300001);

	for (int lists = 0; lists < 2; lists++) {
		char *nested = nest(100000, lists);

		cr_assert_eq(decode(OTLP_LOGS, nested, strlen(nested), NULL), VERDICT_TOO_DEEP);
		free(nested);
	}
	/* Of unknown members, too, and never closed. */
	memcpy(text, "{\"a\":", 5);
	memset(text + 5, '[', 300000 - 5);
	cr_assert_eq(decode(OTLP_LOGS, text, 300000, NULL), VERDICT_TOO_DEEP);
	cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 2);
	free(text);
}

Test(otlp_json, small_bodies_cannot_take_much_memory)
{
	size_t len = 1 << 20;
	char *text = malloc(len + 1);
	struct otlp_request req;
	struct arena small;

	strcpy(text, "{\"a\":[0");
	for (char *p = text + 7; p < text + len - 3; p += 2)
		memcpy(p, ",0", 2);
	memcpy(text + len - 3, "0]}", 3);
	arena_init(&small, 4 << 20);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, text, len, OTLP_MAX_DEPTH, &small, &req), VERDICT_TOO_LARGE);
	cr_assert(small.exhausted);
	arena_finish(&small);
	/* A tree that is allowed, for the arena to refuse. */
	arena_init(&small, 4096);
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, sample_logs_json, sizeof(sample_logs_json) - 1, OTLP_MAX_DEPTH, &small, &req),
		     VERDICT_TOO_LARGE);
	arena_finish(&small);
	free(text);
}

Test(otlp_json, every_cap_is_survived)
{
	for (size_t cap = 0; cap < 32768; cap += 64) {
		struct otlp_request req;
		struct arena small;
		enum verdict v;

		arena_init(&small, cap);
		v = otlp_json_decode(OTLP_METRICS, sample_metrics_json, sizeof(sample_metrics_json) - 1, OTLP_MAX_DEPTH, &small,
				     &req);
		cr_assert(v == VERDICT_TOO_LARGE || v == VERDICT_OK);
		arena_finish(&small);
	}
}

Test(otlp_json, backslashes_cost_no_more_than_other_text)
{
	size_t len = 4 << 20;
	char *text = malloc(len);
	clock_t start;

	memset(text, '\\', len);
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + len - 2, "\"}", 2);
	start = clock();
	cr_assert_eq(decode(OTLP_LOGS, text, len, NULL), VERDICT_OK);
	cr_assert_lt(clock() - start, CLOCKS_PER_SEC / 2);
	free(text);
}

/* --- the types that the mapper knows --- */

static void
check_types(const ProtobufCMessageDescriptor *d, unsigned depth)
{
	for (unsigned i = 0; i < d->n_fields && depth > 0; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];

		cr_assert_neq(f->type, PROTOBUF_C_TYPE_ENUM, "%s.%s", d->name, f->name);
		cr_assert_neq(f->type, PROTOBUF_C_TYPE_FLOAT, "%s.%s", d->name, f->name);
		cr_assert(f->label == PROTOBUF_C_LABEL_REPEATED || f->label == PROTOBUF_C_LABEL_NONE ||
			      f->type == PROTOBUF_C_TYPE_MESSAGE || f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF,
			  "%s.%s has a has_ member", d->name, f->name);
		if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			check_types(f->descriptor, depth - 1);
	}
}

Test(otlp_json, all_fields_are_of_known_types)
{
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++)
		check_types(otlp_request_descriptor(signal), 12);
}

/* --- the signal --- */

Test(otlp_json, the_top_level_member_tells_the_signal)
{
	static const struct {
		const char *text;
		enum otlp_signal signal; /* OTLP_SIGNAL_COUNT: none */
	} texts[] = {
		{ "{}", OTLP_LOGS },
		{ " { } ", OTLP_LOGS },
		{ "{\"resourceLogs\":[]}", OTLP_LOGS },
		{ "{ \"resourceSpans\" : [] }", OTLP_TRACES },
		{ "{\"resource_metrics\":[]}", OTLP_METRICS },
		{ "{\"a\":{\"resourceLogs\":[]},\"b\":\"\\\"resourceLogs\\\":\",\"c\":[\"resourceLogs\",{}],\"d\":-1.5,"
		  "\"resourceSpans\":[]}",
		  OTLP_TRACES },
		{ "{\"a\":1}", OTLP_SIGNAL_COUNT },
		{ "{\"a\":1,}", OTLP_SIGNAL_COUNT },
		{ "{\"a\" 1,\"resourceLogs\":[]}", OTLP_SIGNAL_COUNT },
		{ "{\"a\":]},\"resourceLogs\":[]}", OTLP_SIGNAL_COUNT },
		{ "{,}", OTLP_SIGNAL_COUNT },
		{ "[{\"resourceLogs\":[]}]", OTLP_SIGNAL_COUNT },
		{ "\"resourceLogs\"", OTLP_SIGNAL_COUNT },
		{ "", OTLP_SIGNAL_COUNT },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		enum otlp_signal told = OTLP_SIGNAL_COUNT;
		bool found = otlp_json_signal(texts[i].text, strlen(texts[i].text), &told);

		cr_assert_eq(found, texts[i].signal != OTLP_SIGNAL_COUNT, "%s", texts[i].text);
		cr_assert_eq(told, texts[i].signal, "%s", texts[i].text);
	}
}

/* --- recordings --- */

static void
check_recording(const struct recording *r, void *ctx)
{
	const char *text = (const char *)r->bytes;
	enum otlp_signal told = OTLP_SIGNAL_COUNT;
	struct otlp_request req, again;
	uint8_t *packed, *repacked;
	size_t len, again_len;

	if (!r->json)
		return;
	++*(size_t *)ctx;
	cr_assert_eq(decode(r->signal, text, r->len, &req), VERDICT_OK, "%s", r->path);
	packed = pack(req.message, &len);
	cr_assert_gt(len, 100, "%s", r->path);
	arena_reset(&arena);
	cr_assert_eq(otlp_pb_decode(r->signal, packed, len, OTLP_MAX_DEPTH, &arena, &again), VERDICT_OK, "%s", r->path);
	repacked = pack(again.message, &again_len);
	cr_assert_eq(len, again_len, "%s", r->path);
	cr_assert_eq(memcmp(packed, repacked, len), 0, "%s", r->path);
	free(packed);
	free(repacked);
	cr_assert(otlp_json_signal(text, r->len, &told), "%s", r->path);
	cr_assert_eq(told, r->signal, "%s", r->path);
	for (size_t n = 0; n < r->len - 2; n += 1 + r->len / 20)
		cr_assert_eq(decode(r->signal, text, n, NULL), VERDICT_MALFORMED, "%s", r->path);
}

Test(otlp_json, recordings_decode_and_tell_their_signal)
{
	size_t n = 0;

	recordings_each(check_recording, &n);
	cr_assert_gt(n, 50);
}
