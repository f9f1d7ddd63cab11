#include "enricher_post.h"

TestSuite(enricher, .init = start_usual, .fini = finish);

/* --- logs and spans in whatever order --- */

Test(enricher, a_span_after_its_log_goes_at_once)
{
	post_answer("r1", 100);
	cr_assert_eq(post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1), VERDICT_OK);
	const struct got *g = bed_span(&bed, "claude_code.llm_request");
	cr_assert_not_null(g);
	cr_expect(got_is(g, "gen_ai.usage.input_tokens", "10"));
	cr_expect(got_is(g, "gen_ai.usage.cost_usd", "1.000000000000"));
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
}

Test(enricher, a_span_before_its_log_waits_for_it)
{
	cr_assert_eq(post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1), VERDICT_OK);
	cr_expect_null(bed_span(&bed, "claude_code.llm_request"));
	cr_expect_eq(enricher_deadline(bed.enricher), bed.now_ns + BED_HOLD);
	bed_wait(&bed, 700);
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("x", "y")), 2);
	cr_expect_null(bed_span(&bed, "claude_code.llm_request"), "that is no news of a call");
	post_answer("r1", 100);
	const struct got *g = bed_span(&bed, "claude_code.llm_request");
	cr_assert_not_null(g);
	cr_expect_eq(g->at_ns, BED_NOW + 700 * MS);
	cr_expect(got_is(g, "gen_ai.usage.input_tokens", "10"));
	cr_expect(got_is(g, "resource.service.name", CLAUDE));
	cr_expect_eq(g->span_id[7], 1);
	cr_expect(g->has_parent);
	bed_wait(&bed, 60000);
	cr_expect_eq(count(OTLP_TRACES), 1, "once");
}

Test(enricher, a_span_waits_no_longer_than_said)
{
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	bed_wait_until(&bed, BED_NOW + BED_HOLD - 1);
	cr_expect_null(bed_span(&bed, "claude_code.llm_request"));
	bed_wait_until(&bed, BED_NOW + BED_HOLD);
	const struct got *g = bed_span(&bed, "claude_code.llm_request");
	cr_assert_not_null(g);
	cr_expect(got_is(g, "session.id", "one"));
	cr_expect(got_is(g, "openinference.span.kind", "LLM"));
	cr_expect(got_is(g, "gen_ai.usage.input_tokens", NULL));
	cr_expect_eq(enricher_deadline(bed.enricher), UINT64_MAX);
}

Test(enricher, nothing_waits_where_nothing_is_to)
{
	restart((struct enricher_settings){ 0 }, 7);
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	post_spans(CODEX, span("turn/start", 2, 0, 1, ""), 1);
	cr_expect_eq(count(OTLP_TRACES), 2);
	cr_expect(got_is(bed_span(&bed, "turn/start"), "session.id", "codex-" CODEX), "its process stands for it");
	cr_expect_eq(enricher_deadline(bed.enricher), UINT64_MAX);
}

Test(enricher, the_other_sessions_log_is_no_news)
{
	post_spans(CLAUDE, span("claude_code.llm_request", 1, 0, 100, TEXT("session.id", "two")), 1);
	post_answer("r1", 100);
	cr_expect_null(bed_span(&bed, "claude_code.llm_request"));
}

/* --- parts of requests --- */

Test(enricher, what_is_complete_does_not_wait_for_the_rest)
{
	write_traces(CLAUDE, LLM(1, "r1", 0, 100), span("claude_code.interaction", 2, 0, 200, OF_SESSION TEXT("x", "y")));
	cr_assert_eq(bed_post(&bed, OTLP_TRACES, json, 1), VERDICT_OK);
	const struct got *g = bed_span(&bed, "claude_code.interaction");
	cr_assert_not_null(g);
	cr_expect_eq(g->at_ns, BED_NOW);
	cr_expect(got_is(g, "resource.service.name", CLAUDE));
	cr_expect_null(bed_span(&bed, "claude_code.llm_request"));
	post_answer("r1", 100);
	g = bed_span(&bed, "claude_code.llm_request");
	cr_assert_not_null(g);
	cr_expect(got_is(g, "resource.service.name", CLAUDE));
	cr_expect_eq(count(OTLP_TRACES), 2);
}

Test(enricher, what_waits_is_parted_again)
{
	write_traces(CLAUDE, LLM(1, "r1", 0, 100), LLM(2, "r2", 100, 200));
	bed_post(&bed, OTLP_TRACES, json, 1);
	bed_wait(&bed, 500);
	post_answer("r2", 200);
	cr_expect_eq(count(OTLP_TRACES), 1);
	cr_expect_eq(bed_span(&bed, "claude_code.llm_request")->span_id[7], 2);
	bed_wait(&bed, 500);
	post_answer("r1", 100);
	cr_expect_eq(count(OTLP_TRACES), 2);
	bed_wait(&bed, 60000);
	cr_expect_eq(count(OTLP_TRACES), 2);
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
}

Test(enricher, parting_again_is_no_longer_waiting)
{
	write_traces(CLAUDE, LLM(1, "r1", 0, 100), LLM(2, "r2", 100, 200));
	bed_post(&bed, OTLP_TRACES, json, 1);
	bed_wait(&bed, 1500);
	post_answer("r2", 200);
	bed_wait_until(&bed, BED_NOW + BED_HOLD);
	cr_expect_eq(count(OTLP_TRACES), 2);
}

Test(enricher, resources_and_scopes_stay_with_their_spans)
{
	snprintf(json, sizeof(json),
		 "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT("service.name", CLAUDE) "," TEXT(
		     "r", "1") "]},\"scopeSpans\":[{\"spans\":[%s]},{\"spans\":[%s]}]},{},{\"resource\":{\"attributes\":"
			       "[" TEXT("service.name", CLAUDE) "," TEXT("r", "2") "]},\"scopeSpans\":[{\"spans\":[%s]}]}]}",
		 LLM(1, "r1", 0, 100), span("a", 2, 0, 1, OF_SESSION TEXT("x", "y")),
		 span("b", 3, 0, 1, OF_SESSION TEXT("x", "y")));
	bed_post(&bed, OTLP_TRACES, json, 1);
	cr_assert(bed_span(&bed, "a") && bed_span(&bed, "b"));
	cr_expect(got_is(bed_span(&bed, "a"), "resource.r", "1"));
	cr_expect(got_is(bed_span(&bed, "b"), "resource.r", "2"));
	bed_wait(&bed, 2000);
	cr_assert_not_null(bed_span(&bed, "claude_code.llm_request"));
	cr_expect(got_is(bed_span(&bed, "claude_code.llm_request"), "resource.r", "1"));
	cr_expect_eq(count(OTLP_TRACES), 3);
}

static void
fill_held(void)
{
	const struct wants none = { 0 };

	for (size_t i = 0; i < HELD_ITEMS_MAX; i++)
		cr_assert(held_add(enricher_held(bed.enricher), i + 1, UINT64_MAX, 0, &none, malloc(1), 0));
}

Test(enricher, without_a_place_to_wait_it_goes_as_it_is)
{
	const struct wants none = { 0 };
	uint8_t *bytes = malloc(HELD_BYTES_MAX);

	cr_assert(held_add(enricher_held(bed.enricher), 0, UINT64_MAX, 0, &none, bytes, HELD_BYTES_MAX));
	write_traces(CLAUDE, LLM(1, "r1", 0, 100), span("claude_code.interaction", 2, 0, 200, OF_SESSION TEXT("x", "y")));
	bed_post(&bed, OTLP_TRACES, json, 1);
	cr_expect_eq(count(OTLP_TRACES), 2);
	cr_assert_not_null(bed_span(&bed, "claude_code.llm_request"));
	cr_expect(got_is(bed_span(&bed, "claude_code.llm_request"), "session.id", "one"));
	cr_expect(got_is(bed_span(&bed, "claude_code.llm_request"), "openinference.span.kind", "LLM"));
}

/* What took more memory than there would be for it later does not wait. */
Test(enricher, a_tree_too_large_to_be_read_again_does_not_wait)
{
	struct otlp_request req;

	write_traces(CLAUDE, LLM(1, "r1", 0, 100), "");
	cr_assert_eq(otlp_json_decode(OTLP_TRACES, json, strlen(json), OTLP_MAX_DEPTH, &bed.arena, &req), VERDICT_OK);
	cr_assert_not_null(arena_take(&bed.arena, (size_t)130 << 20));
	cr_assert_eq(bed_take(&bed, &req, 1), VERDICT_OK);
	cr_expect_eq(count(OTLP_TRACES), 1);
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
}

/* --- whose it is --- */

Test(enricher, a_trace_whose_session_is_known_later)
{
	post_spans(CODEX, span("turn/start", 1, 0, 1, ""), 1);
	cr_expect_eq(count(OTLP_TRACES), 0);
	bed_wait(&bed, 300);
	post_logs(CODEX, record(TEXT("event.name", "codex.user_prompt"), 0, TRACE, TEXT("conversation.id", "one")), 2);
	const struct got *g = bed_span(&bed, "turn/start");
	cr_assert_not_null(g);
	cr_expect(got_is(g, "session.id", "one"));
	cr_expect_eq(g->at_ns, BED_NOW + 300 * MS);
}

/* First it is found out whose it is, by a record without a call; then its call comes, in a record without a trace. */
Test(enricher, who_and_what_may_come_apart)
{
	post_spans(CODEX, span("codex.sampling", 1, 0, 100, ""), 1);
	bed_wait(&bed, 300);
	post_logs(CODEX, record(TEXT("event.name", "codex.user_prompt"), 0, TRACE, TEXT("conversation.id", "one")), 2);
	cr_expect_null(bed_span(&bed, "codex.sampling"));
	bed_wait(&bed, 300);
	post_logs(CODEX, record(CODEX_TOKEN, 100, "", TEXT("conversation.id", "one") "," TEXT("model", "gpt-5.5")), 2);
	const struct got *g = bed_span(&bed, "codex.sampling");
	cr_assert_not_null(g);
	cr_expect(got_is(g, "session.id", "one"));
	cr_expect(got_is(g, "gen_ai.usage.input_tokens", "10"));
	cr_expect(got_is(g, "gen_ai.request.model", "gpt-5.5"));
	cr_expect_eq(g->at_ns, BED_NOW + 600 * MS);
}

Test(enricher, a_record_without_a_session_is_its_connections)
{
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", TEXT("session.id", "one")), 5);
	post_logs(CLAUDE, record(TEXT("event.name", "internal"), 1, "", ""), 5);
	post_logs(CLAUDE, record(TEXT("event.name", "internal"), 1, "", ""), 6);
	post_logs(CODEX, record(TEXT("event.name", "internal"), 1, "", ""), 5);
	post_logs(CLAUDE, record(TEXT("event.name", "internal"), 1, "", ""), 5 + 256);
	cr_expect(got_is(log_record(1), "session.id", "one"));
	cr_expect(got_is(log_record(1), "gen_ai.conversation.id", "one"));
	cr_expect(got_is(log_record(2), "session.id", "claude-code-" CLAUDE), "another connection");
	cr_expect(got_is(log_record(3), "session.id", "codex-" CODEX), "another CLI");
	cr_expect(got_is(log_record(4), "session.id", "claude-code-" CLAUDE), "another connection with the same place");
}

Test(enricher, a_shared_connection_is_nobodys)
{
	post_logs(DAEMON, record(TEXT("event.name", "codex.user_prompt"), 0, "", TEXT("conversation.id", "one")), 5);
	post_logs(DAEMON, record(TEXT("event.name", "internal"), 1, "", ""), 5);
	cr_expect(got_is(log_record(1), "session.id", "codex-" DAEMON));
}

Test(enricher, sessions_of_one_request_stay_apart)
{
	char records[8192];

	snprintf(records, sizeof(records), "%s,%s,%s,%s",
		 record(TEXT("event.name", "user_prompt"), 0, "", TEXT("session.id", "one")),
		 record(TEXT("event.name", "internal"), 1, "", ""),
		 record(TEXT("event.name", "user_prompt"), 0, "", TEXT("session.id", "second")),
		 record(TEXT("event.name", "internal"), 1, "", ""));
	post_logs(CLAUDE, records, 5);
	cr_expect(got_is(log_record(0), "session.id", "one"));
	cr_expect(got_is(log_record(1), "session.id", "one"));
	cr_expect(got_is(log_record(2), "session.id", "second"));
	cr_expect(got_is(log_record(3), "session.id", "second"));
}

/* --- who wants what --- */

Test(enricher, spans_that_nobody_wants_do_not_wait)
{
	restart(usual, 1u << OTLP_LOGS);
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	post_answer("r1", 0);
	cr_expect_eq(enricher_deadline(bed.enricher), UINT64_MAX);
	bed_wait(&bed, 60000);
	cr_expect_eq(count(OTLP_TRACES), 0);
	cr_expect_eq(count(OTLP_LOGS), 1);
}

Test(enricher, logs_that_nobody_wants_complete_spans)
{
	restart(usual, 1u << OTLP_TRACES);
	post_answer("r1", 100);
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	cr_expect_eq(count(OTLP_LOGS), 0);
	cr_expect(got_is(bed_span(&bed, "claude_code.llm_request"), "gen_ai.usage.input_tokens", "10"));
}

Test(enricher, metrics_go_as_they_are_if_they_are_wanted)
{
	static const char metrics[] = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"m\"}]}]}]}";

	cr_assert_eq(bed_post(&bed, OTLP_METRICS, metrics, 1), VERDICT_OK);
	cr_expect_eq(bed.requests, 1);
	restart(usual, 1u << OTLP_TRACES);
	cr_assert_eq(bed_post(&bed, OTLP_METRICS, metrics, 1), VERDICT_OK);
	cr_expect_eq(bed.requests, 0);
}

Test(enricher, internal_spans_are_dropped_unless_they_are_kept)
{
	post_spans(CODEX, span("handle_op", 1, 0, 1, TEXT("thread_id", "one")), 1);
	cr_expect_eq(bed.requests, 0, "nothing is left of it");
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
	restart((struct enricher_settings){ .keep_internal = true }, 7);
	post_spans(CODEX, span("handle_op", 1, 0, 1, TEXT("thread_id", "one")), 1);
	cr_expect_not_null(bed_span(&bed, "handle_op"));
}

/* --- what goes wrong --- */

Test(enricher, a_request_that_cannot_be_delivered_is_refused)
{
	bed.refuses = true;
	cr_expect_eq(post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("x", "y")), 1),
		     VERDICT_NO_MEMORY);
	cr_expect_eq(post_spans(CLAUDE, span("claude_code.interaction", 2, 0, 200, OF_SESSION TEXT("x", "y")), 1),
		     VERDICT_NO_MEMORY);
	bed.refuses = false;
	cr_expect_eq(post_spans(CLAUDE, span("claude_code.interaction", 2, 0, 200, OF_SESSION TEXT("x", "y")), 1), VERDICT_OK);
	cr_expect_eq(count(OTLP_TRACES), 1);
}

Test(enricher, what_waits_and_cannot_be_delivered_waits_on)
{
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	post_logs(CODEX, record(CODEX_TOKEN, 0, "", TEXT("conversation.id", "two")), 1);
	bed.refuses = true;
	bed_wait(&bed, 4000);
	cr_expect_eq(count(OTLP_TRACES), 0);
	bed.refuses = false;
	bed_wait(&bed, 1000);
	cr_expect_not_null(bed_span(&bed, "claude_code.llm_request"));
	cr_expect_not_null(made());
}

Test(enricher, a_request_larger_than_its_arena_is_too_large)
{
	struct otlp_request req;
	enum verdict v;
	size_t cap = 0;

	do {
		struct arena small;

		arena_reset(&bed.arena);
		write_traces(CLAUDE, LLM(1, "r1", 0, 100), "");
		cr_assert_eq(otlp_json_decode(OTLP_TRACES, json, strlen(json), OTLP_MAX_DEPTH, &bed.arena, &req), VERDICT_OK);
		arena_init(&small, cap);
		v = enricher_take(bed.enricher, &req, 1, bed.now_ns, &small);
		cr_expect(v == VERDICT_OK || v == VERDICT_TOO_LARGE, "%zu bytes: %d", cap, v);
		arena_finish(&small);
		cap += 64;
		cr_assert_lt(cap, 1 << 20);
	} while (v != VERDICT_OK);
	cr_expect_gt(cap, 64);
	cr_expect_eq(enricher_held(bed.enricher)->count, 1);
}

/* A commit that fails takes back what was released: the span has its call a second time. */
Test(enricher, what_was_taken_back_is_the_same_again)
{
	struct held *held = enricher_held(bed.enricher);

	post_spans(CLAUDE, LLM(1, "", 0, 100), 1);
	bed_wait(&bed, 100);
	arena_reset(&bed.arena);
	bed.now_ns += MS;
	held_postpone(held, held->items[0], bed.now_ns);
	enricher_settle(bed.enricher, bed.now_ns);
	cr_expect_eq(count(OTLP_TRACES), 1);
	held_rewind(held);
	cr_expect_eq(held->count, 1);
	post_answer("", 100);
	cr_expect_eq(count(OTLP_TRACES), 2);
	cr_expect_eq(held->count, 0);
	cr_expect(got_is(&bed.got[bed.count - 1], "gen_ai.usage.input_tokens", "10"));
}

Test(enricher, what_the_store_gives_back_may_be_anything)
{
	const struct wants none = { 0 };
	uint8_t *bytes = malloc(3);

	cr_assert(bytes);
	memset(bytes, 0xff, 3);
	cr_assert(held_add(enricher_held(bed.enricher), 9, BED_NOW, 0, &none, bytes, 3));
	cr_assert(held_add(enricher_held(bed.enricher), 10, BED_NOW, 0, &none, malloc(1), 0));
	bed_wait(&bed, 1);
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
	cr_expect_eq(bed.requests, 0);
}

Test(enricher, what_was_stored_before_the_clock_was_set_does_not_wait_for_ever)
{
	fill_held();
	cr_expect_eq(enricher_held(bed.enricher)->count, HELD_ITEMS_MAX);
	bed_settle(&bed);
	cr_expect_eq(enricher_deadline(bed.enricher), BED_NOW + BED_HOLD);
	bed_wait(&bed, 2000);
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
}
