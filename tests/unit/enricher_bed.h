/* An enricher with its sessions and prices, requests for it, and what it delivered written down. For test_enricher*.c. */
#ifndef AGENTBUS_TEST_ENRICHER_BED_H
#define AGENTBUS_TEST_ENRICHER_BED_H

#include "enricher.h"
#include "field.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "pipeline.h"
#include "pricing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MS       1000000ull
#define SECOND   (1000 * MS)
#define BED_NOW  1800000000000000000ull
#define BED_HOLD (2 * SECOND)

/* One span or log record as it was delivered. */
struct got {
	enum otlp_signal signal;
	uint64_t at_ns; /* when */
	uint8_t trace_id[16], span_id[8], parent_id[8];
	bool has_parent;
	uint64_t start_ns, end_ns;
	unsigned status;
	char name[64];
	char *attributes; /* "key=value\n" each; of the resource: "resource.key=value\n" */
};

struct bed {
	struct event_sink sink;
	struct sessions *sessions;
	struct price_table *prices;
	struct enricher *enricher;
	struct arena arena;
	uint64_t now_ns;
	struct got *got;
	size_t count;
	size_t requests; /* delivered */
	bool refuses;    /* whoever takes them has no memory */
};

static inline void
bed_ignore(struct event_sink *sink, const struct event *e)
{
	(void)sink;
	(void)e;
}

static inline void
bed_complain(struct config_report *report, const char *text)
{
	(void)report;
	cr_assert_fail("%s", text);
}

/* --- what is delivered --- */

static inline void
bed_write_attributes(FILE *out, const char *prefix, OtlpKeyValue **list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct value v;

		if (!value_of(list[i]->value, &v))
			continue;
		fprintf(out, "%s%s=", prefix, list[i]->key);
		if (v.kind == VALUE_TEXT)
			fprintf(out, "%.*s\n", (int)v.text.len, v.text.ptr);
		else if (v.kind == VALUE_DOUBLE)
			fprintf(out, "%.12f\n", v.d);
		else if (v.kind == VALUE_BOOL)
			fprintf(out, "%s\n", v.i ? "true" : "false");
		else
			fprintf(out, "%lld\n", (long long)v.i);
	}
}

static inline struct got *
bed_append(struct bed *b, enum otlp_signal signal, const Opentelemetry__Proto__Resource__V1__Resource *r, OtlpKeyValue **list,
	   size_t count)
{
	struct got *g;
	size_t len;
	FILE *out;

	if ((b->count & (b->count + 1)) == 0) {
		b->got = realloc(b->got, (2 * b->count + 1) * sizeof(*b->got));
		cr_assert(b->got);
	}
	g = &b->got[b->count++];
	*g = (struct got){ .signal = signal, .at_ns = b->now_ns };
	out = open_memstream(&g->attributes, &len);
	cr_assert(out);
	bed_write_attributes(out, "", list, count);
	if (r)
		bed_write_attributes(out, "resource.", r->attributes, r->n_attributes);
	fclose(out);
	return g;
}

static inline void
bed_copy_id(const ProtobufCBinaryData *id, uint8_t *dst, size_t size)
{
	if (id->len == size)
		memcpy(dst, id->data, size);
}

static inline void
bed_append_span(struct bed *b, const Opentelemetry__Proto__Resource__V1__Resource *r, const OtlpSpan *span)
{
	struct got *g = bed_append(b, OTLP_TRACES, r, span->attributes, span->n_attributes);

	bed_copy_id(&span->trace_id, g->trace_id, sizeof(g->trace_id));
	bed_copy_id(&span->span_id, g->span_id, sizeof(g->span_id));
	bed_copy_id(&span->parent_span_id, g->parent_id, sizeof(g->parent_id));
	g->has_parent = span->parent_span_id.len > 0;
	g->start_ns = span->start_time_unix_nano;
	g->end_ns = span->end_time_unix_nano;
	g->status = span->status ? (unsigned)span->status->code : 0;
	snprintf(g->name, sizeof(g->name), "%s", span->name);
}

/* Calls fn for each span of a request. */
static inline void
bed_each_span(struct bed *b, const struct otlp_request *req,
	      void (*fn)(struct bed *, const Opentelemetry__Proto__Resource__V1__Resource *, const OtlpSpan *))
{
	for (size_t i = 0; i < req->traces->n_resource_spans; i++) {
		const Opentelemetry__Proto__Trace__V1__ResourceSpans *rs = req->traces->resource_spans[i];

		for (size_t k = 0; k < rs->n_scope_spans; k++)
			for (size_t m = 0; m < rs->scope_spans[k]->n_spans; m++)
				fn(b, rs->resource, rs->scope_spans[k]->spans[m]);
	}
}

static inline void
bed_append_logs(struct bed *b, const struct otlp_request *req)
{
	for (size_t i = 0; i < req->logs->n_resource_logs; i++) {
		const Opentelemetry__Proto__Logs__V1__ResourceLogs *rl = req->logs->resource_logs[i];

		for (size_t k = 0; k < rl->n_scope_logs; k++)
			for (size_t m = 0; m < rl->scope_logs[k]->n_log_records; m++) {
				const OtlpLogRecord *rec = rl->scope_logs[k]->log_records[m];
				struct got *g = bed_append(b, OTLP_LOGS, rl->resource, rec->attributes, rec->n_attributes);

				bed_copy_id(&rec->trace_id, g->trace_id, sizeof(g->trace_id));
			}
	}
}

static inline bool
bed_deliver(void *ctx, const struct otlp_request *req)
{
	struct bed *b = ctx;

	if (b->refuses)
		return false;
	b->requests++;
	if (req->signal == OTLP_TRACES)
		bed_each_span(b, req, bed_append_span);
	else if (req->signal == OTLP_LOGS)
		bed_append_logs(b, req);
	return true;
}

/* The value of an attribute as text, in a buffer that the next eight calls leave alone; NULL if it has none. */
static inline const char *
got_value(const struct got *g, const char *key)
{
	static char buffers[8][512];
	static unsigned next;
	const size_t len = strlen(key);

	for (const char *line = g->attributes, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		if (strncmp(line, key, len) != 0 || line[len] != '=')
			continue;
		char *dst = buffers[next++ % 8];
		snprintf(dst, sizeof(buffers[0]), "%.*s", (int)(end - line - (ptrdiff_t)len - 1), line + len + 1);
		return dst;
	}
	return NULL;
}

static inline bool
got_is(const struct got *g, const char *key, const char *value)
{
	const char *has = got_value(g, key);

	return value ? has && strcmp(has, value) == 0 : !has;
}

static inline uint64_t
got_number(const struct got *g, const char *key)
{
	const char *has = got_value(g, key);

	return has ? strtoull(has, NULL, 10) : 0;
}

/* The only span of that name so far; NULL if there is none. */
static inline const struct got *
bed_span(const struct bed *b, const char *name)
{
	const struct got *found = NULL;

	for (size_t i = 0; i < b->count; i++) {
		if (b->got[i].signal != OTLP_TRACES || strcmp(b->got[i].name, name) != 0)
			continue;
		cr_expect_null(found, "%s was delivered twice", name);
		found = &b->got[i];
	}
	return found;
}

/* --- begin and end --- */

/* wanted: a bit per signal. */
static inline void
bed_start_for(struct bed *b, struct enricher_settings settings, unsigned wanted)
{
	struct session_settings follow = session_settings_default();
	struct config_report report = { .line = bed_complain };
	struct enricher_setup setup = {
		.settings = settings, .max_attributes = 1024, .max_depth = OTLP_MAX_DEPTH, .deliver = bed_deliver, .ctx = b
	};

	*b = (struct bed){ .sink = { .emit = bed_ignore }, .now_ns = BED_NOW };
	arena_init(&b->arena, (size_t)256 << 20);
	b->sessions = sessions_create(&follow, &b->sink);
	b->prices = pricing_load("", &report);
	setup.sessions = b->sessions;
	for (unsigned s = 0; s < OTLP_SIGNAL_COUNT; s++)
		setup.wanted[s] = wanted >> s & 1;
	b->enricher = enricher_create(&setup);
	cr_assert(b->sessions && b->prices && b->enricher);
	sessions_set_prices(b->sessions, b->prices);
	enricher_set_prices(b->enricher, b->prices);
}

static inline void
bed_start(struct bed *b, struct enricher_settings settings)
{
	bed_start_for(b, settings, (1u << OTLP_SIGNAL_COUNT) - 1);
}

static inline void
bed_finish(struct bed *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->got[i].attributes);
	free(b->got);
	enricher_destroy(b->enricher);
	sessions_destroy(b->sessions);
	price_table_destroy(b->prices);
	arena_finish(&b->arena);
}

/* --- time and requests --- */

/* The end of a turn: what was held is stored. */
static inline void
bed_settle(struct bed *b)
{
	enricher_settle(b->enricher, b->now_ns);
	enricher_kept(b->enricher);
}

/* Lets time pass, with all that is due on the way. */
static inline void
bed_wait_until(struct bed *b, uint64_t ns)
{
	for (;;) {
		const uint64_t sessions = sessions_deadline(b->sessions), enricher = enricher_deadline(b->enricher);
		const uint64_t due = sessions < enricher ? sessions : enricher;

		if (due > ns)
			break;
		if (due > b->now_ns)
			b->now_ns = due;
		sessions_tick(b->sessions, b->now_ns);
		bed_settle(b);
	}
	b->now_ns = ns;
}

static inline void
bed_wait(struct bed *b, uint64_t ms)
{
	bed_wait_until(b, b->now_ns + ms * MS);
}

/* A decoded request, the way the broker takes it. */
static inline enum verdict
bed_take(struct bed *b, struct otlp_request *req, uint64_t peer)
{
	enum verdict v = pipeline_apply(b->sessions, req, 1024, peer, b->now_ns, &b->arena);

	if (v == VERDICT_OK)
		v = enricher_take(b->enricher, req, peer, b->now_ns, &b->arena);
	return v;
}

static inline enum verdict
bed_post(struct bed *b, enum otlp_signal signal, const char *json, uint64_t peer)
{
	struct otlp_request req;
	enum verdict v;

	arena_reset(&b->arena);
	cr_assert_eq(otlp_json_decode(signal, json, strlen(json), OTLP_MAX_DEPTH, &b->arena, &req), VERDICT_OK, "%s", json);
	v = bed_take(b, &req, peer);
	/* What lived with the request is gone: whoever still looks at it is found out by the sanitizer. */
	arena_reset(&b->arena);
	bed_settle(b);
	return v;
}

#endif
