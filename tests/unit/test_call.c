#include "call_bed.h"

static struct calls *calls;

static void
setup(void)
{
	calls = calls_create();
	cr_assert_not_null(calls);
}

static void
teardown(void)
{
	calls_destroy(calls);
	calls_destroy(NULL);
}

TestSuite(call, .init = setup, .fini = teardown);

static struct call *
add_of(const struct provider *p, enum call_kind kind, const struct observation *o, uint64_t now_ns)
{
	return calls_add(calls, p, kind, o, NULL, STR("1.2"), now_ns);
}

static struct call *
add(enum meaning means, int64_t ms)
{
	const struct observation o = record(means, ms);

	return add_of(&provider_codex, CALL_MODEL, &o, NOW);
}

static const struct call *
claim_at(const struct observation *span, bool last, uint64_t now_ns)
{
	return calls_claim(calls, &provider_codex, CALL_MODEL, span, last, now_ns);
}

static const struct call *
claim(const struct observation *span)
{
	return claim_at(span, false, NOW);
}

/* --- what is remembered --- */

Test(call, which_records_tell_of_calls)
{
	for (unsigned m = 0; m < MEANING_COUNT; m++) {
		const struct observation o = record((enum meaning)m, 0);
		const bool model = m == MEANS_RESPONSE || m == MEANS_ERROR || m == MEANS_FAULT, tool = m == MEANS_TOOL;
		enum call_kind kind = CALL_MODEL;

		cr_expect_eq(call_is_told(&o, &kind), model || tool, "%u", m);
		if (model || tool)
			cr_expect_eq(kind, tool ? CALL_TOOL : CALL_MODEL, "%u", m);
	}
}

Test(call, sessions_have_hashes_of_their_own)
{
	const uint64_t a = call_session_hash(&provider_codex, STR("a"));

	cr_expect_eq(a, call_session_hash(&provider_codex, STR("a")));
	cr_expect_neq(a, call_session_hash(&provider_codex, STR("b")));
	cr_expect_neq(a, call_session_hash(&provider_claude, STR("a")));
	cr_expect_neq(call_session_hash(&provider_codex, STR("")), 0);
	cr_expect_eq(a & 1, 1, "odd: no trace's");
}

/* Fills every text of an observation, each a little different; returns how many there are. */
static size_t
fill_texts(struct observation *o, char *const *texts)
{
	struct str *const all[] = { &o->session,      &o->parent,     &o->service_name, &o->process,    &o->model,
				    &o->speed,        &o->request_id, &o->prompt_id,    &o->source,     &o->agent,
				    &o->tool,         &o->call_id,    &o->decision,     &o->error_type, &o->error_message,
				    &o->project_name, &o->project_dir };
	const size_t count = sizeof(all) / sizeof(all[0]);

	for (size_t i = 0; texts && i < count; i++)
		*all[i] = str_from(texts[i]);
	return count;
}

/* Where a text of the call is neither empty nor within its own room, somebody else's memory is looked at. */
static void
check_texts(const struct call *x)
{
	struct observation o = x->o;
	const struct str all[] = { o.session,    o.parent,     o.service_name,  o.process,      o.model,      o.speed,
				   o.request_id, o.prompt_id,  o.source,        o.agent,        o.tool,       o.call_id,
				   o.decision,   o.error_type, o.error_message, o.project_name, o.project_dir };

	cr_assert_eq(sizeof(all) / sizeof(all[0]), fill_texts(&o, NULL));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cr_expect(all[i].len == 0 || (all[i].ptr >= x->text && all[i].ptr + all[i].len < x->text + sizeof(x->text)),
			  "text %zu", i);
}

static const struct call *
add_with_texts_of(size_t length)
{
	struct observation o = record(MEANS_ERROR, 0);
	const size_t count = fill_texts(&o, NULL);
	char *texts[32];
	const struct call *x;

	cr_assert_leq(count, 32);
	for (size_t i = 0; i < count; i++) {
		texts[i] = malloc(length + 1);
		cr_assert(texts[i]);
		memset(texts[i], 'a' + (int)i, length);
		texts[i][length] = '\0';
	}
	fill_texts(&o, texts);
	x = add_of(&provider_codex, CALL_MODEL, &o, NOW);
	for (size_t i = 0; i < count; i++) {
		memset(texts[i], '!', length);
		free(texts[i]);
	}
	return x;
}

Test(call, owns_its_texts)
{
	const struct call *x = add_with_texts_of(10);

	check_texts(x);
	cr_expect(str_eq(x->o.session, STR("aaaaaaaaaa")));
	cr_expect(str_eq(x->o.project_name, STR("pppppppppp")));
	cr_expect_eq(x->o.parent.len, 0, "what is not needed does not stay");
	cr_expect_str_eq(x->version, "1.2");
}

/* However long they are: the neighbours in the ring, and what comes behind it, stay as they were. */
Test(call, texts_stay_within_their_room)
{
	static const size_t lengths[] = { 0, 1, 79, 80, 81, 111, 127, 447, 448, 893, 894, 895, 896, 897, 5000 };

	for (size_t i = 0; i < CALLS_MAX - 1; i++)
		add(MEANS_RESPONSE, 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const struct call *x = add_with_texts_of(lengths[i]);

		check_texts(x);
		cr_expect_eq(x->o.session.len, lengths[i] < CALL_TEXT_SIZE ? lengths[i] : CALL_TEXT_SIZE - 1, "%zu", lengths[i]);
		cr_expect_leq(x->o.error_message.len, 200, "%zu", lengths[i]);
	}
}

Test(call, texts_of_each_length_fit)
{
	for (size_t length = 0; length < 400; length++)
		check_texts(add_with_texts_of(length));
}

/* --- when it began --- */

Test(call, begins_by_its_duration)
{
	struct observation o = record(MEANS_RESPONSE, 500);

	o.duration_ms = 300;
	cr_expect_eq(add_of(&provider_codex, CALL_MODEL, &o, NOW)->o.start_ns, NOW + 200 * MS);
	o.duration_ms = UINT64_MAX;
	cr_expect_eq(add_of(&provider_codex, CALL_MODEL, &o, NOW)->o.start_ns, o.time_ns, "longer than there is time");
	o.duration_ms = UINT64_MAX / 1000000 + 1;
	cr_expect_eq(add_of(&provider_codex, CALL_MODEL, &o, NOW)->o.start_ns, o.time_ns);
}

Test(call, begins_where_the_log_said_so)
{
	struct observation begin = record(MEANS_CALL, 100);

	begin.duration_ms = 40;
	calls_note(calls, &provider_codex, &begin);
	cr_expect_eq(add(MEANS_RESPONSE, 50)->o.start_ns, NOW + 50 * MS, "which was later");
	cr_expect_eq(add(MEANS_RESPONSE, 500)->o.start_ns, NOW + 60 * MS);
	cr_expect_eq(add(MEANS_RESPONSE, 900)->o.start_ns, NOW + 900 * MS, "of one call only");
}

Test(call, ends_once)
{
	const struct observation begin = record(MEANS_CALL, 100);

	cr_expect_not(add(MEANS_FAULT, 50)->is_whole, "nothing had begun");
	calls_note(calls, &provider_codex, &begin);
	const struct call *x = add(MEANS_FAULT, 500);
	cr_expect(x->is_whole);
	cr_expect_eq(x->o.start_ns, NOW + 100 * MS);
	cr_expect_not(add(MEANS_FAULT, 501)->is_whole, "told twice");
	calls_note(calls, &provider_codex, &begin);
	cr_expect(add(MEANS_RESPONSE, 600)->is_whole);
	cr_expect_not(add(MEANS_FAULT, 700)->is_whole, "that call has been answered");
}

Test(call, is_of_the_turn_that_had_begun)
{
	const struct observation first = record(MEANS_PROMPT, 100), second = record(MEANS_PROMPT, 300);

	cr_expect_eq(add(MEANS_RESPONSE, 50)->turn_ns, 0);
	calls_note(calls, &provider_codex, &first);
	cr_expect_eq(add(MEANS_RESPONSE, 200)->turn_ns, first.time_ns);
	calls_note(calls, &provider_codex, &second);
	cr_expect_eq(add(MEANS_RESPONSE, 400)->turn_ns, second.time_ns);
}

Test(call, a_request_that_says_nothing_of_the_turn_begins_a_call_too)
{
	struct observation begin = record(MEANS_ACTIVITY, 0);

	calls_note(calls, &provider_codex, &begin);
	cr_expect_eq(add(MEANS_RESPONSE, 500)->o.start_ns, NOW + 500 * MS);
	begin.flags = OBS_ASKS;
	calls_note(calls, &provider_codex, &begin);
	cr_expect_eq(add(MEANS_RESPONSE, 500)->o.start_ns, NOW);
	calls_note(calls, &provider_codex, &begin);
	cr_expect(add(MEANS_FAULT, 500)->is_whole);
}

Test(call, another_sessions_beginning_is_not_its_own)
{
	struct observation begin = record(MEANS_CALL, 100);

	begin.session = STR("another");
	calls_note(calls, &provider_codex, &begin);
	cr_expect_eq(add(MEANS_RESPONSE, 500)->o.start_ns, NOW + 500 * MS);
	begin.session = STR("s");
	calls_note(calls, &provider_claude, &begin);
	cr_expect_eq(add(MEANS_RESPONSE, 500)->o.start_ns, NOW + 500 * MS);
}

/* --- which is a span's --- */

Test(call, is_found_by_span_id)
{
	struct observation o = record(MEANS_RESPONSE, 0), span = span_of(9, 5000, 6000);

	o.has_span_id = true;
	memset(o.span_id, 9, sizeof(o.span_id));
	const struct call *x = add_of(&provider_codex, CALL_MODEL, &o, NOW);
	add(MEANS_RESPONSE, 6000);
	cr_expect_eq(claim(&span), x, "whatever the times say");
}

Test(call, is_found_by_request_id)
{
	struct observation o = record(MEANS_RESPONSE, 0), span = span_of(9, 5000, 6000);

	o.request_id = span.request_id = STR("req-1");
	o.model = STR("another");
	const struct call *x = add_of(&provider_codex, CALL_MODEL, &o, NOW);
	add(MEANS_RESPONSE, 6000);
	cr_expect_eq(claim(&span), x);
}

Test(call, tools_are_found_by_their_call_id)
{
	struct observation o = record(MEANS_TOOL, 0), span = span_of(9, 5000, 6000);

	o.call_id = STR("call-1");
	o.request_id = span.request_id = STR("req-1");
	span.call_id = STR("call-2");
	const struct call *x = add_of(&provider_codex, CALL_TOOL, &o, NOW);
	cr_expect_null(calls_claim(calls, &provider_codex, CALL_TOOL, &span, true, NOW));
	span.call_id = STR("call-1");
	cr_expect_null(calls_claim(calls, &provider_codex, CALL_MODEL, &span, true, NOW), "no call of the model");
	cr_expect_eq(calls_claim(calls, &provider_codex, CALL_TOOL, &span, false, NOW), x);
}

Test(call, is_found_by_time)
{
	/* A span from 1,000 to 2,000 ms: which records can be its own. */
	static const struct {
		int64_t ms;
		bool fits;
	} rows[] = { { 990, false }, { 995, true }, { 1500, true }, { 2000, true }, { 2100, true }, { 2101, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct observation span = span_of((uint8_t)(i + 1), 1000, 2000);
		const struct call *x = add(MEANS_RESPONSE, rows[i].ms), *claimed = claim(&span);

		cr_expect_eq(claimed, rows[i].fits ? x : NULL, "%d ms", (int)rows[i].ms);
		calls_destroy(calls);
		calls = calls_create();
	}
}

Test(call, the_nearest_to_the_end_is_taken)
{
	const struct observation span = span_of(1, 0, 1000), second = span_of(2, 0, 1000);

	add(MEANS_RESPONSE, 200);
	const struct call *x = add(MEANS_RESPONSE, 980);
	const struct call *y = add(MEANS_RESPONSE, 900);
	cr_expect_eq(claim(&span), x);
	cr_expect_eq(claim(&second), y, "each call is one span's");
}

Test(call, what_speaks_against_it)
{
	static const struct {
		const char *what;
		size_t member;
	} rows[] = {
		{ "model", offsetof(struct observation, model) },        { "prompt", offsetof(struct observation, prompt_id) },
		{ "request", offsetof(struct observation, request_id) }, { "tool", offsetof(struct observation, tool) },
		{ "call", offsetof(struct observation, call_id) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation o = record(MEANS_RESPONSE, 500), span = span_of(1, 0, 1000);

		*(struct str *)((char *)&o + rows[i].member) = STR("one");
		*(struct str *)((char *)&span + rows[i].member) = STR("two");
		const struct call *x = add_of(&provider_codex, CALL_MODEL, &o, NOW);
		cr_expect_null(claim_at(&span, true, NOW), "another %s", rows[i].what);
		*(struct str *)((char *)&span + rows[i].member) = STR("");
		cr_expect_eq(claim(&span), x, "no %s", rows[i].what);
		calls_destroy(calls);
		calls = calls_create();
	}
}

Test(call, of_another_session_or_provider_is_not_taken)
{
	struct observation span = span_of(1, 0, 1000);

	add(MEANS_RESPONSE, 1000);
	span.session = STR("t");
	cr_expect_null(claim(&span));
	span.session = STR("s");
	cr_expect_null(calls_claim(calls, &provider_claude, CALL_MODEL, &span, true, NOW));
	cr_expect_not_null(claim(&span));
}

Test(call, a_fault_is_taken_at_last)
{
	const struct observation span = span_of(1, 0, 1000), second = span_of(2, 0, 1000);
	const struct call *fault = add(MEANS_FAULT, 1000);

	cr_expect_null(claim(&span));
	const struct call *answer = add(MEANS_RESPONSE, 300);
	cr_expect_eq(claim_at(&span, true, NOW), answer, "whatever is a call is better");
	cr_expect_eq(claim_at(&second, true, NOW), fault);
}

Test(call, an_attempt_that_failed_is_no_end_of_a_span_that_went_on)
{
	struct observation span = span_of(1, 0, 1000);
	const struct call *attempt = add(MEANS_ERROR, 300);

	cr_expect_null(claim(&span), "its answer may still come");
	const struct call *answer = add(MEANS_RESPONSE, 990);
	cr_expect_eq(claim(&span), answer);

	span = span_of(2, 0, 310);
	cr_expect_eq(claim(&span), attempt, "here it was the end");
}

Test(call, an_attempt_that_failed_is_taken_at_last_or_if_the_span_failed)
{
	struct observation span = span_of(1, 0, 1000);
	const struct call *first = add(MEANS_ERROR, 300), *second = add(MEANS_ERROR, 600);

	cr_expect_eq(claim_at(&span, true, NOW), second);
	span = span_of(2, 0, 1000);
	span.flags |= OBS_FAILED;
	cr_expect_eq(claim(&span), first);
}

Test(call, a_span_that_comes_again_has_the_same_call)
{
	const struct observation span = span_of(1, 0, 1000), nobody = span_of(0, 0, 1000);
	const struct call *x = add(MEANS_RESPONSE, 900);

	cr_expect_eq(claim(&span), x);
	add(MEANS_RESPONSE, 999);
	cr_expect_eq(claim(&span), x, "though another would be nearer now");
	cr_expect_neq(claim(&nobody), NULL);
	cr_expect_null(claim(&nobody), "without an id nobody knows that it came again");
}

Test(call, meets_its_span_for_a_while)
{
	const struct observation span = span_of(1, 0, 1000);
	const struct call *x = add(MEANS_RESPONSE, 1000);

	cr_expect_null(claim_at(&span, true, NOW + CALL_WINDOW_NS + 1));
	cr_expect_eq(claim_at(&span, true, NOW + CALL_WINDOW_NS), x);
}

Test(call, the_oldest_goes_first)
{
	struct observation o = record(MEANS_RESPONSE, 0), span = span_of(1, 0, 0);

	for (unsigned i = 0; i <= CALLS_MAX; i++) {
		char id[16];

		snprintf(id, sizeof(id), "r%u", i);
		o.request_id = str_from(id);
		add_of(&provider_codex, CALL_MODEL, &o, NOW);
	}
	span.request_id = STR("r0");
	cr_expect_null(claim(&span));
	span.request_id = STR("r1");
	cr_expect_not_null(claim(&span));
	span = span_of(2, 0, 0);
	span.request_id = STR("r2048");
	cr_expect_not_null(claim(&span));
}
