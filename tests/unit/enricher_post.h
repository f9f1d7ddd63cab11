/* One enricher, and what tests of it say: log records and spans of a Claude Code session, and of Codex. For test_enricher*.c. */
#ifndef AGENTBUS_TEST_ENRICHER_POST_H
#define AGENTBUS_TEST_ENRICHER_POST_H

#include "enricher_bed.h"

static struct bed bed;

static const struct enricher_settings usual = { .synthesise = true, .hold_ns = BED_HOLD };

static inline void
start_usual(void)
{
	bed_start(&bed, usual);
}

static inline void
finish(void)
{
	bed_finish(&bed);
}

static inline void
restart(struct enricher_settings settings, unsigned wanted)
{
	bed_finish(&bed);
	bed_start_for(&bed, settings, wanted);
}

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
static inline const char *
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

static inline enum verdict
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
static inline const char *
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

static inline void
write_traces(const char *service, const char *spans, const char *more)
{
	cr_assert_lt(snprintf(json, sizeof(json),
			      "{\"resourceSpans\":[{\"resource\":{\"attributes\":[" TEXT(
				  "service.name", "%s") "]},\"scopeSpans\":[{\"scope\":{\"name\":\"x\"},\"spans\":[%s%s%s]}]}]}",
			      service, spans, *more ? "," : "", more),
		     (int)sizeof(json));
}

static inline enum verdict
post_spans(const char *service, const char *spans, uint64_t peer)
{
	write_traces(service, spans, "");
	return bed_post(&bed, OTLP_TRACES, json, peer);
}

static inline void
post_answer(const char *request_id, uint64_t ms)
{
	char attributes[1024];

	snprintf(attributes, sizeof(attributes), OF_SESSION ANSWER "," TEXT("request_id", "%s"), request_id);
	cr_assert_eq(post_logs(CLAUDE, record(TEXT("event.name", "api_request"), ms, "", attributes), 0), VERDICT_OK);
}

#define LLM(n, id, from, to) span("claude_code.llm_request", n, from, to, OF_SESSION TEXT("request_id", id))

static inline size_t
count(enum otlp_signal signal)
{
	size_t n = 0;

	for (size_t i = 0; i < bed.count; i++)
		n += bed.got[i].signal == signal;
	return n;
}

static inline const struct got *
log_record(size_t n)
{
	for (size_t i = 0; i < bed.count; i++)
		if (bed.got[i].signal == OTLP_LOGS && n-- == 0)
			return &bed.got[i];
	cr_assert_fail("no such record");
	return NULL;
}

/* The one span that was made; NULL: none was. */
static inline const struct got *
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

#endif
