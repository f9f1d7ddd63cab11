/*
 * The recordings of real CLIs on their own clock through the enricher: what is delivered in the end has to agree with the totals
 * that an independent decoder found. AGENTBUS_TABLE=1 prints a line for each recording.
 */
#include "enricher_bed.h"
#include "provider.h"
#include "recordings.h"

#include <cjson/cJSON.h>

#define REQUESTS_MAX 4096
#define PATH_SIZE    512
#define SETTLED_MS   60000 /* after the last request nothing is outstanding any more */

struct sent {
	uint64_t t_ms;
	char file[64];
};

/* Where the spans of a recording legitimately differ from what its log records tell. */
static const struct difference {
	const char *recording;
	int tools;      /* TOOL spans more than tool_calls */
	int unfinished; /* LLM spans that have neither tokens nor an error */
	int failed;     /* LLM spans that failed, more than api_errors */
	const char *why;
} differences[] = {
	{ "claude/denied", 1, 0, 0, "a refused tool has a span and no tool_result" },
	{ "codex/interactive-denied", 1, 0, 0, "the person cancelled the turn: the tool's span ends, no tool_result comes" },
	{ "codex/interactive-interrupt", 0, 1, 0, "the answer was broken off: its span ends, no token record comes" },
	{ "codex/timeout", 0, 0, 2, "an answer that breaks off is no failed request, but a call that failed" },
	{ "gemini/hooks", -1, 0, 0, "a tool that the person cancelled has a tool_call record and no span" },
	{ "gemini/interactive", -1, 0, 0, "the same" },
	{ "gemini/tool-failure", -2, 0, 0, "calls of a tool that does not exist or with bad arguments have no span" },
};

/* What the failed calls of a recording are, by how its name begins. */
static const struct {
	const char *scenario;
	enum error_class class;
} failures[] = {
	{ "gemini/timeout", ERROR_NETWORK }, /* it was the mock that gave up: "fetch failed" is all that is told */
	{ "/auth-error", ERROR_AUTH },       { "/interactive-usage-limit", ERROR_RATE_LIMIT },
	{ "/overloaded", ERROR_SERVER },     { "/rate-limit", ERROR_RATE_LIMIT },
	{ "/server-error", ERROR_SERVER },   { "/timeout", ERROR_TIMEOUT },
};

/* A span that came in and is to be forwarded. */
struct expected_span {
	uint8_t trace_id[16], span_id[8];
	uint64_t arrived_ns;
	bool delivered;
};

struct play {
	struct bed bed;
	const char *dir;
	struct sent sent[REQUESTS_MAX];
	size_t sent_count;
	uint64_t base_ns; /* epoch time of the recording's zero */
	struct outline *outline;
	struct expected_span *spans;
	size_t span_count;
};

struct row {
	size_t spans, llm, with_tokens, with_cost, failed, tools, made;
	uint64_t held_ms;
};

/* --- reading a recording --- */

static char *
read_text(const char *dir, const char *file)
{
	char path[PATH_SIZE], *text;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	text = (char *)recording_read(path, &len);
	text[len] = '\0';
	return text;
}

static void
read_manifest(struct play *p)
{
	char *text = read_text(p->dir, "manifest.jsonl"), *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		cJSON *o = cJSON_Parse(line);
		const char *file = cJSON_GetStringValue(cJSON_GetObjectItem(o, "file"));
		struct sent *s = &p->sent[p->sent_count++];

		cr_assert(file && p->sent_count < REQUESTS_MAX, "%s", p->dir);
		s->t_ms = (uint64_t)cJSON_GetObjectItem(o, "t_ms")->valuedouble;
		snprintf(s->file, sizeof(s->file), "%s", file);
		cJSON_Delete(o);
	}
	free(text);
}

static void
decode(struct play *p, const struct sent *s, struct otlp_request *ret)
{
	const enum otlp_signal signal = strstr(s->file, "-logs.")     ? OTLP_LOGS
					: strstr(s->file, "-traces.") ? OTLP_TRACES
								      : OTLP_METRICS;
	char path[PATH_SIZE];
	uint8_t *raw, *bytes;
	enum verdict v;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", p->dir, s->file);
	raw = bytes = recording_read(path, &len);
	arena_reset(&p->bed.arena);
	if (recording_is_gzip(raw, len))
		cr_assert_eq(inflate_body(raw, len, 64 << 20, &p->bed.arena, &bytes, &len), VERDICT_OK, "%s", path);
	v = strstr(s->file, ".json") ? otlp_json_decode(signal, (const char *)bytes, len, OTLP_MAX_DEPTH, &p->bed.arena, ret)
				     : otlp_pb_decode(signal, bytes, len, OTLP_MAX_DEPTH, &p->bed.arena, ret);
	cr_assert_eq(v, VERDICT_OK, "%s", path);
	free(raw);
}

/* --- what has to come out --- */

static void
latest(struct play *p, uint64_t ns, uint64_t t_ms)
{
	if (ns > p->base_ns + t_ms * MS)
		p->base_ns = ns - t_ms * MS;
}

static void
expect_span(struct bed *b, const Opentelemetry__Proto__Resource__V1__Resource *r, const OtlpSpan *span)
{
	struct play *p = (struct play *)b;
	struct expected_span *x;

	(void)r;
	if ((p->span_count & (p->span_count + 1)) == 0)
		p->spans = realloc(p->spans, (2 * p->span_count + 1) * sizeof(*p->spans));
	cr_assert(p->spans);
	x = &p->spans[p->span_count++];
	*x = (struct expected_span){ .arrived_ns = b->now_ns };
	bed_copy_id(&span->trace_id, x->trace_id, sizeof(x->trace_id));
	bed_copy_id(&span->span_id, x->span_id, sizeof(x->span_id));
}

static void
find_end(struct bed *b, const Opentelemetry__Proto__Resource__V1__Resource *r, const OtlpSpan *span)
{
	(void)r;
	latest((struct play *)b, span->end_time_unix_nano, b->now_ns / MS);
}

/* No record arrives before it happened: that fixes the epoch time of the recording's zero. */
static void
find_base(struct play *p, const struct otlp_request *req, uint64_t t_ms)
{
	if (req->signal == OTLP_LOGS)
		for (size_t i = 0; i < req->logs->n_resource_logs; i++)
			for (size_t k = 0; k < req->logs->resource_logs[i]->n_scope_logs; k++) {
				const Opentelemetry__Proto__Logs__V1__ScopeLogs *sl = req->logs->resource_logs[i]->scope_logs[k];

				for (size_t m = 0; m < sl->n_log_records; m++) {
					const OtlpLogRecord *rec = sl->log_records[m];

					latest(p, rec->time_unix_nano ? rec->time_unix_nano : rec->observed_time_unix_nano, t_ms);
				}
			}
	p->bed.now_ns = t_ms * MS;
	if (req->signal == OTLP_TRACES)
		bed_each_span(&p->bed, req, find_end);
}

static void
look_ahead(struct play *p)
{
	struct otlp_request req;

	for (size_t i = 0; i < p->sent_count; i++) {
		decode(p, &p->sent[i], &req);
		find_base(p, &req, p->sent[i].t_ms);
	}
	for (size_t i = 0; i < p->sent_count; i++) {
		decode(p, &p->sent[i], &req);
		if (req.signal != OTLP_TRACES)
			continue;
		p->bed.now_ns = p->base_ns + p->sent[i].t_ms * MS;
		cr_assert_eq(outline_apply(p->outline, &req, &p->bed.arena), VERDICT_OK);
		bed_each_span(&p->bed, &req, expect_span);
	}
}

/* --- playing --- */

/* Each signal over a connection of its own: what no connection tells is the harder case. */
static void
play(struct play *p)
{
	p->bed.now_ns = p->base_ns;
	for (size_t i = 0; i < p->sent_count; i++) {
		struct otlp_request req;

		bed_wait_until(&p->bed, p->base_ns + p->sent[i].t_ms * MS);
		decode(p, &p->sent[i], &req);
		cr_assert_eq(bed_take(&p->bed, &req, 1 + req.signal), VERDICT_OK, "%s/%s", p->dir, p->sent[i].file);
		arena_reset(&p->bed.arena);
		bed_settle(&p->bed);
	}
	bed_wait(&p->bed, SETTLED_MS);
	cr_expect_eq(enricher_held(p->bed.enricher)->count, 0, "%s: something is still held", p->dir);
	cr_expect_eq(enricher_deadline(p->bed.enricher), UINT64_MAX, "%s", p->dir);
}

/* --- judging --- */

static bool
is_made(const struct got *g)
{
	return got_is(g, "agentbus.synthesised", "true");
}

static bool
is_expected(const struct play *p, const char *error)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strstr(p->dir, failures[i].scenario))
			return strcmp(error, error_class_name(failures[i].class)) == 0;
	return false;
}

static const struct difference *
difference_of(const struct play *p)
{
	static const struct difference none = { 0 };

	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const size_t len = strlen(differences[i].recording), all = strlen(p->dir);

		if (all > len && strcmp(p->dir + all - len, differences[i].recording) == 0)
			return &differences[i];
	}
	return &none;
}

/* Each span that came in comes out once. */
static void
check_arrival(struct play *p, const struct got *g, struct row *row)
{
	for (size_t i = 0; i < p->span_count; i++) {
		struct expected_span *x = &p->spans[i];
		const uint64_t held_ms = (g->at_ns - x->arrived_ns) / MS;

		if (x->delivered || memcmp(x->span_id, g->span_id, 8) != 0 || memcmp(x->trace_id, g->trace_id, 16) != 0)
			continue;
		x->delivered = true;
		if (held_ms > row->held_ms)
			row->held_ms = held_ms;
		cr_expect_leq(held_ms, BED_HOLD / MS, "%s: %s was held for %llu ms", p->dir, g->name,
			      (unsigned long long)held_ms);
		return;
	}
	cr_expect_fail("%s: nobody sent %s", p->dir, g->name);
}

static void
check_model_call(struct play *p, const struct got *g, struct row *row)
{
	const char *error = got_value(g, "error.type");

	row->llm++;
	row->failed += error != NULL;
	row->with_tokens += got_value(g, "gen_ai.usage.input_tokens") && !error;
	row->with_cost += got_value(g, "gen_ai.usage.cost_usd") && !error;
	cr_expect(got_value(g, "gen_ai.request.model"), "%s: %s has no model:\n%s", p->dir, g->name, g->attributes);
	cr_expect(!error || is_expected(p, error), "%s: %s failed as %s\n%s", p->dir, g->name, error, g->attributes);
	cr_expect_eq(!got_value(g, "gen_ai.usage.input_tokens"), !got_value(g, "gen_ai.usage.cost_usd"), "%s: %s\n%s", p->dir,
		     g->name, g->attributes);
}

static void
check_span(struct play *p, const struct got *g, struct row *row)
{
	const char *kind = got_value(g, "openinference.span.kind");

	row->spans++;
	if (is_made(g)) {
		row->made++;
		cr_expect_not(g->has_parent);
	} else {
		check_arrival(p, g, row);
	}
	cr_expect(kind, "%s: %s has no kind", p->dir, g->name);
	cr_expect(got_value(g, "session.id"), "%s: %s has no session", p->dir, g->name);
	if (kind && strcmp(kind, "LLM") == 0)
		check_model_call(p, g, row);
	if (kind && strcmp(kind, "TOOL") == 0) {
		row->tools++;
		cr_expect(got_value(g, "gen_ai.tool.name"), "%s: %s has no tool\n%s", p->dir, g->name, g->attributes);
	}
}

struct sums {
	uint64_t spans, input, output, cache_read, cache_write, reasoning;
	double cost;
};

static struct sums
sums_of(const struct play *p, const char *session)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < p->bed.count; i++) {
		const struct got *g = &p->bed.got[i];

		if (g->signal != OTLP_TRACES || !got_is(g, "openinference.span.kind", "LLM") ||
		    !got_is(g, "session.id", session) || !got_value(g, "gen_ai.usage.input_tokens") || got_value(g, "error.type"))
			continue;
		s.spans++;
		s.input += got_number(g, "gen_ai.usage.input_tokens");
		s.output += got_number(g, "gen_ai.usage.output_tokens");
		s.cache_read += got_number(g, "gen_ai.usage.cache_read.input_tokens");
		s.cache_write += got_number(g, "gen_ai.usage.cache_write.input_tokens");
		s.reasoning += got_number(g, "gen_ai.usage.reasoning.output_tokens");
		s.cost += strtod(got_value(g, "gen_ai.usage.cost_usd"), NULL);
	}
	return s;
}

static void
expect_sum(const struct play *p, const cJSON *session, const char *what, uint64_t got)
{
	const uint64_t expected = (uint64_t)cJSON_GetObjectItem(session, what)->valuedouble;

	cr_expect_eq(got, expected, "%s: %s: %s are %llu, not %llu", p->dir, session->string, what, (unsigned long long)got,
		     (unsigned long long)expected);
}

/* Spans cost together what the session does: by Claude's own figures, else by the table. */
static void
check_cost(const struct play *p, const cJSON *session, double got)
{
	const char *provider = cJSON_GetStringValue(cJSON_GetObjectItem(session, "provider"));
	const struct session *x = sessions_find(p->bed.sessions, provider, session->string);
	double expected = cJSON_GetObjectItem(session, "reported_cost_usd")->valuedouble;

	if (strcmp(provider, provider_claude.name) != 0)
		expected = x ? (double)x->cost.computed / 1e12 : 0;
	cr_expect_float_eq(got, expected, 1e-9, "%s: %s: costs %.12f, not %.12f", p->dir, session->string, got, expected);
}

static void
check_session(const struct play *p, const cJSON *session)
{
	const struct sums s = sums_of(p, session->string);

	expect_sum(p, session, "requests", s.spans);
	expect_sum(p, session, "input_tokens", s.input);
	expect_sum(p, session, "output_tokens", s.output);
	expect_sum(p, session, "cache_read_tokens", s.cache_read);
	expect_sum(p, session, "cache_write_tokens", s.cache_write);
	expect_sum(p, session, "reasoning_tokens", s.reasoning);
	check_cost(p, session, s.cost);
}

static void
check_totals(const struct play *p, const struct row *row)
{
	const struct difference *differs = difference_of(p);
	char *text = read_text(p->dir, "expected.json");
	cJSON *all = cJSON_Parse(text);
	int requests = 0, tools = 0, errors = 0;
	const cJSON *session;

	cr_assert(all, "%s", p->dir);
	cJSON_ArrayForEach(session, all)
	{
		check_session(p, session);
		requests += cJSON_GetObjectItem(session, "requests")->valueint;
		tools += cJSON_GetObjectItem(session, "tool_calls")->valueint;
		errors += cJSON_GetObjectItem(session, "api_errors")->valueint;
	}
	if (all->child) {
		cr_expect_eq((int)row->with_tokens, requests, "%s: %zu spans for %d requests", p->dir, row->with_tokens,
			     requests);
		cr_expect_eq((int)row->failed, errors + differs->failed, "%s: %zu failed spans for %d errors", p->dir,
			     row->failed, errors);
		cr_expect_eq((int)row->tools, tools + differs->tools, "%s: %zu spans for %d tools", p->dir, row->tools, tools);
	}
	cr_expect_eq((int)(row->llm - row->with_tokens - row->failed), differs->unfinished, "%s: spans without an end", p->dir);
	cJSON_Delete(all);
	free(text);
}

static void
judge(struct play *p)
{
	struct row row = { 0 };

	for (size_t i = 0; i < p->bed.count; i++) {
		const struct got *g = &p->bed.got[i];

		if (g->signal == OTLP_TRACES)
			check_span(p, g, &row);
		else
			cr_expect(got_value(g, "session.id"), "%s: a record without session\n%s", p->dir, g->attributes);
	}
	for (size_t i = 0; i < p->span_count; i++)
		cr_expect(p->spans[i].delivered, "%s: a span got lost", p->dir);
	check_totals(p, &row);
	if (getenv("AGENTBUS_TABLE"))
		fprintf(stderr, "%-44s %5zu %4zu %4zu %4zu %4zu %4zu %4zu %6llu\n", p->dir, row.spans, row.llm, row.with_tokens,
			row.with_cost, row.failed, row.tools, row.made, (unsigned long long)row.held_ms);
}

static void
play_and_judge(const char *dir)
{
	struct play *p = calloc(1, sizeof(*p));

	cr_assert(p);
	bed_start(&p->bed, (struct enricher_settings){ .synthesise = true, .hold_ns = BED_HOLD });
	p->dir = dir;
	p->outline = outline_create();
	read_manifest(p);
	look_ahead(p);
	play(p);
	judge(p);
	outline_destroy(p->outline);
	bed_finish(&p->bed);
	free(p->spans);
	free(p);
}

static void
play_all(const char *pattern)
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		cr_skip_test("no recordings at %s", pattern);
	if (getenv("AGENTBUS_TABLE"))
		fprintf(stderr, "%-44s %5s %4s %4s %4s %4s %4s %4s %6s\n", "", "spans", "LLM", "tok", "cost", "fail", "tool",
			"made", "held");
	for (size_t i = 0; i < g.gl_pathc; i++) {
		char dir[PATH_SIZE];

		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(g.gl_pathv[i], '/') - g.gl_pathv[i]), g.gl_pathv[i]);
		play_and_judge(dir);
	}
	globfree(&g);
}

Test(enricher_recordings, small_set)
{
	play_all("tests/recordings/*/*/manifest.jsonl");
}

Test(enricher_recordings, captures)
{
	play_all("../shared/captures/*/*/manifest.jsonl");
}
