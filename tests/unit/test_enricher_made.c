/* Spans that are made of calls of which only logs tell. */
#include "enricher_post.h"

TestSuite(enricher_made, .init = start_usual, .fini = finish);

Test(enricher_made, a_call_without_spans_becomes_one)
{
	post_answer("r1", 0);
	bed_wait_until(&bed, BED_NOW + 3 * SECOND - 1);
	cr_expect_null(made());
	bed_wait(&bed, 1);
	const struct got *g = made();
	cr_assert_not_null(g);
	cr_expect_eq(g->at_ns, BED_NOW + 3 * SECOND);
	cr_expect_str_eq(g->name, "chat claude-opus-5-5");
	cr_expect(got_is(g, "session.id", "one"));
	cr_expect(got_is(g, "gen_ai.usage.cost_usd", "1.000000000000"));
	cr_expect_not(g->has_parent);
	bed_wait(&bed, 60000);
	cr_expect_eq(count(OTLP_TRACES), 1);
}

/* That its CLI exports no spans is known then. */
Test(enricher_made, the_next_calls_become_spans_at_once)
{
	post_answer("r1", 0);
	bed_wait(&bed, 3000);
	cr_expect_eq(count(OTLP_TRACES), 1);
	post_answer("r2", 3000);
	cr_expect_eq(count(OTLP_TRACES), 2);
	cr_expect_eq(enricher_held(bed.enricher)->count, 0);
	write_traces(CLAUDE, LLM(3, "r3", 3000, 3100), "");
	bed_post(&bed, OTLP_TRACES, json, 1);
	post_answer("r3", 3100);
	post_answer("r4", 3200);
	bed_wait(&bed, 60000);
	cr_expect_eq(count(OTLP_TRACES), 3, "until it is seen to export some");
}

Test(enricher_made, a_call_with_a_trace_takes_longer)
{
	post_logs(CLAUDE, record(TEXT("event.name", "api_request"), 0, TRACE, OF_SESSION ANSWER), 1);
	bed_wait_until(&bed, BED_NOW + 15 * SECOND - 1);
	cr_expect_null(made());
	bed_wait(&bed, 1);
	cr_assert_not_null(made());
	cr_expect_eq(made()->trace_id[15], 0x10, "in that trace");
}

Test(enricher_made, what_else_becomes_a_span)
{
	static const struct {
		const char *event, *attributes;
		const char *name; /* NULL: none */
	} rows[] = {
		{ TEXT("event.name", "tool_result"), OF_SESSION TEXT("tool_name", "Bash"), "execute_tool Bash" },
		{ TEXT("event.name", "api_error"), OF_SESSION TEXT("model", "m"), "chat m" },
		{ TEXT("event.name", "user_prompt"), OF_SESSION TEXT("x", "y"), NULL },
		{ TEXT("event.name", "tool_decision"), OF_SESSION TEXT("tool_name", "Bash"), NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		restart(usual, 7);
		post_logs(CLAUDE, record(rows[i].event, 0, "", rows[i].attributes), 1);
		bed_wait(&bed, 60000);
		cr_expect_eq(made() != NULL, rows[i].name != NULL, "%s", rows[i].event);
		if (made() && rows[i].name)
			cr_expect_str_eq(made()->name, rows[i].name);
	}
}

Test(enricher_made, nothing_is_made_where_spans_come)
{
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("x", "y")), 1);
	post_spans(CLAUDE, span("claude_code.interaction", 1, 0, 1, OF_SESSION TEXT("x", "y")), 1);
	post_answer("r1", 0);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
}

Test(enricher_made, nothing_is_made_where_spans_come_meanwhile)
{
	post_answer("r1", 0);
	bed_wait(&bed, 1000);
	post_spans(CLAUDE, span("claude_code.interaction", 1, 0, 1, OF_SESSION TEXT("x", "y")), 1);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
}

Test(enricher_made, nothing_is_made_of_a_call_that_has_its_span)
{
	post_answer("r1", 100);
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
	cr_expect_eq(count(OTLP_TRACES), 1);
}

Test(enricher_made, nothing_is_made_where_it_is_off)
{
	restart((struct enricher_settings){ .hold_ns = BED_HOLD }, 7);
	post_answer("r1", 0);
	cr_expect_eq(enricher_deadline(bed.enricher), UINT64_MAX);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
}
