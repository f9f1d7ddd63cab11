#include "content.h"
#include "enricher_bed.h"

static struct bed bed;

static const struct enricher_settings usual = { .synthesise = true, .hold_ns = BED_HOLD };

static void
setup(void)
{
	bed_start(&bed, usual);
}

static void
teardown(void)
{
	bed_finish(&bed);
}

TestSuite(enricher, .init = setup, .fini = teardown);

static void
restart(struct enricher_settings settings, unsigned wanted)
{
	bed_finish(&bed);
	bed_start_for(&bed, settings, wanted);
}

/* --- requests --- */

#define TEXT(k, v)  "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define INT(k, v)   "{\"key\":\"" k "\",\"value\":{\"intValue\":\"" #v "\"}}"
#define TRACE       "0102030405060708090a0b0c0d0e0f10"
#define CLAUDE      "claude-code"
#define CODEX       "codex_exec"
#define DAEMON      "codex-app-server"
#define OF_SESSION  TEXT("session.id", "one") ","
#define TOKENS      INT("input_tokens", 10) "," INT("output_tokens", 2)
#define ANSWER      TEXT("model", "claude-opus-5-5") "," TOKENS "," INT("cost_usd", 1)
#define CODEX_TOKEN TEXT("event.name", "codex.sse_event") "," TEXT("input_token_count", "10") "," TEXT("output_token_count", "2")

static char json[1 << 16];

/* A log record of BED_NOW + ms; in a trace unless that is "". */
static const char *
record(const char *event, uint64_t ms, const char *trace, const char *attributes)
{
	static char buffers[4][8192];
	static unsigned next;
	char *dst = buffers[next++ % 4];

	cr_assert_lt(snprintf(dst, sizeof(buffers[0]), "{\"timeUnixNano\":\"%llu\",\"traceId\":\"%s\",\"attributes\":[%s%s%s]}",
			      (unsigned long long)(BED_NOW + ms * MS), trace, event, *event && *attributes ? "," : "",
			      attributes),
		     (int)sizeof(buffers[0]));
	return dst;
}

static enum verdict
post_logs(const char *service, const char *records, uint64_t peer)
{
	cr_assert_lt(snprintf(json, sizeof(json),
			      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[" TEXT(
				  "service.name", "%s") "]},\"scopeLogs\":[{\"logRecords\":[%s]}]}]}",
			      service, records),
		     (int)sizeof(json));
	return bed_post(&bed, OTLP_LOGS, json, peer);
}

/* A span of TRACE from BED_NOW + from to BED_NOW + to, whose id is n. */
static const char *
span(const char *name, unsigned n, uint64_t from, uint64_t to, const char *attributes)
{
	static char buffers[4][8192];
	static unsigned next;
	char *dst = buffers[next++ % 4];

	cr_assert_lt(
	    snprintf(dst, sizeof(buffers[0]),
		     "{\"traceId\":\"" TRACE "\",\"spanId\":\"%016x\",\"parentSpanId\":\"00000000000000ff\",\"name\":\"%s\","
		     "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[%s]}",
		     n, name, (unsigned long long)(BED_NOW + from * MS), (unsigned long long)(BED_NOW + to * MS), attributes),
	    (int)sizeof(buffers[0]));
	return dst;
}

static void
write_traces(const char *service, const char *spans, const char *more)
{
	cr_assert_lt(snprintf(json, sizeof(json),
			      "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
				  "service.name", "%s") "]},\"scopeSpans\":[{\"scope\":{\"name\":\"x\"},\"spans\":[%s%s%s]}]}]}",
			      service, spans, *more ? "," : "", more),
		     (int)sizeof(json));
}

static enum verdict
post_spans(const char *service, const char *spans, uint64_t peer)
{
	write_traces(service, spans, "");
	return bed_post(&bed, OTLP_TRACES, json, peer);
}

static void
post_answer(const char *request_id, uint64_t ms)
{
	char attributes[1024];

	snprintf(attributes, sizeof(attributes), OF_SESSION ANSWER "," TEXT("request_id", "%s"), request_id);
	cr_assert_eq(post_logs(CLAUDE, record(TEXT("event.name", "api_request"), ms, "", attributes), 0), VERDICT_OK);
}

#define LLM(n, id, from, to) span("claude_code.llm_request", n, from, to, OF_SESSION TEXT("request_id", id))

static size_t
count(enum otlp_signal signal)
{
	size_t n = 0;

	for (size_t i = 0; i < bed.count; i++)
		n += bed.got[i].signal == signal;
	return n;
}

static const struct got *
log_record(size_t n)
{
	for (size_t i = 0; i < bed.count; i++)
		if (bed.got[i].signal == OTLP_LOGS && n-- == 0)
			return &bed.got[i];
	cr_assert_fail("no such record");
	return NULL;
}

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

/* --- spans that are made --- */

static const struct got *
made(void)
{
	const struct got *found = NULL;

	for (size_t i = 0; i < bed.count; i++) {
		if (!got_is(&bed.got[i], "agentbus.synthesised", "true"))
			continue;
		cr_expect_null(found, "two of them");
		found = &bed.got[i];
	}
	return found;
}

Test(enricher, a_call_without_spans_becomes_one)
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
Test(enricher, the_next_calls_become_spans_at_once)
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

Test(enricher, a_call_with_a_trace_takes_longer)
{
	post_logs(CLAUDE, record(TEXT("event.name", "api_request"), 0, TRACE, OF_SESSION ANSWER), 1);
	bed_wait_until(&bed, BED_NOW + 15 * SECOND - 1);
	cr_expect_null(made());
	bed_wait(&bed, 1);
	cr_assert_not_null(made());
	cr_expect_eq(made()->trace_id[15], 0x10, "in that trace");
}

Test(enricher, what_else_becomes_a_span)
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

Test(enricher, nothing_is_made_where_spans_come)
{
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("x", "y")), 1);
	post_spans(CLAUDE, span("claude_code.interaction", 1, 0, 1, OF_SESSION TEXT("x", "y")), 1);
	post_answer("r1", 0);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
}

Test(enricher, nothing_is_made_where_spans_come_meanwhile)
{
	post_answer("r1", 0);
	bed_wait(&bed, 1000);
	post_spans(CLAUDE, span("claude_code.interaction", 1, 0, 1, OF_SESSION TEXT("x", "y")), 1);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
}

Test(enricher, nothing_is_made_of_a_call_that_has_its_span)
{
	post_answer("r1", 100);
	post_spans(CLAUDE, LLM(1, "r1", 0, 100), 1);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
	cr_expect_eq(count(OTLP_TRACES), 1);
}

Test(enricher, nothing_is_made_where_it_is_off)
{
	restart((struct enricher_settings){ .hold_ns = BED_HOLD }, 7);
	post_answer("r1", 0);
	cr_expect_eq(enricher_deadline(bed.enricher), UINT64_MAX);
	bed_wait(&bed, 60000);
	cr_expect_null(made());
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

/* --- content --- */

/* An error of a length, told of a request to a model or of who knows what. Its class is told by its last word. */
static const struct got *
error_of(size_t length, bool as_span, const char *about)
{
	char attributes[4096], message[2048];

	cr_assert_lt(length, sizeof(message));
	for (size_t i = 0; i < length; i++)
		message[i] = "word "[i % 5];
	memcpy(message + length - 8, " timeout", 9);
	snprintf(attributes, sizeof(attributes), OF_SESSION TEXT("error", "%s") "," TEXT("success", "false") "%s", message,
		 about);
	if (as_span)
		post_spans(CLAUDE, span("claude_code.llm_request", 1, 0, 100, attributes), 1);
	else
		post_logs(CLAUDE, record(TEXT("event.name", "api_error"), 100, "", attributes), 1);
	return as_span ? bed_span(&bed, "claude_code.llm_request") : log_record(0);
}

static size_t
length_of(const struct got *g, const char *key)
{
	const char *value = got_value(g, key);

	return value ? strlen(value) : 0;
}

#define ABOUT_CALL "," TEXT("model", "m")

Test(enricher, a_message_that_was_shortened_is_not_made_whole_again)
{
	for (unsigned as_span = 0; as_span < 2; as_span++) {
		restart((struct enricher_settings){ 0 }, 7);
		const struct got *g = error_of(1000, as_span, ABOUT_CALL);
		cr_assert_not_null(g);
		cr_expect_eq(length_of(g, "error"), CONTENT_ERROR_MAX);
		cr_expect_leq(length_of(g, "error.message"), CONTENT_ERROR_MAX);
		cr_expect_geq(length_of(g, "error.message"), CONTENT_ERROR_MAX - 10, "nearly all of what is left of it");
		cr_expect(got_is(g, "error.type", "timeout"), "by all of what was said");
	}
}

Test(enricher, a_message_that_was_dropped_does_not_come_back)
{
	for (unsigned as_span = 0; as_span < 2; as_span++) {
		restart((struct enricher_settings){ 0 }, 7);
		const struct got *g = error_of(1000, as_span, "");
		cr_assert_not_null(g);
		cr_expect(got_is(g, "error", NULL));
		cr_expect(got_is(g, "error.message", NULL));
		cr_expect(got_is(g, "error.type", "timeout"));
		bed_wait(&bed, 60000);
	}
}

/* Nor in the span of a call, nor in one that is made. */
Test(enricher, a_message_that_was_dropped_is_not_remembered)
{
	error_of(100, false, "");
	bed_wait(&bed, 60000);
	cr_assert_not_null(made());
	cr_expect(got_is(made(), "error.message", NULL));
	cr_expect(got_is(made(), "error.type", "timeout"));
}

Test(enricher, content_stays_where_it_is_to)
{
	restart((struct enricher_settings){ .keep_content = true }, 7);
	cr_expect_eq(length_of(error_of(400, false, ABOUT_CALL), "error"), 400);
	post_logs(CLAUDE, record(TEXT("event.name", "user_prompt"), 0, "", OF_SESSION TEXT("prompt", "secret")), 1);
	cr_expect(got_is(log_record(1), "prompt", "secret"));
}

Test(enricher, content_of_waiting_spans_is_dropped_before_they_wait)
{
	post_spans(CLAUDE, span("claude_code.llm_request", 1, 0, 100, OF_SESSION TEXT("response.model_output", "secret")), 1);
	cr_assert_eq(enricher_held(bed.enricher)->count, 1);
	const struct held_item *item = enricher_held(bed.enricher)->items[0];
	cr_expect_null(memmem(item->bytes, item->len, "secret", 6));
	cr_expect_not_null(memmem(item->bytes, item->len, "llm_request", 11));
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
