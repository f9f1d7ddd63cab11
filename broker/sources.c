#include "sources.h"

#include <string.h>

static const char *const kinds[SOURCE_KIND_COUNT] = {
	[SOURCE_LOGS] = "logs",
	[SOURCE_TRACES] = "traces",
	[SOURCE_METRICS] = "metrics",
	[SOURCE_HOOKS] = "hooks",
};

/* What a scope's items are counted for. */
struct taker {
	struct sources *s;
	size_t max_attributes;
	uint64_t now_ns;
	struct arena *scratch;
};

static void
note(struct sources *s, const char *provider, enum source_kind kind, uint64_t count, uint64_t now_ns)
{
	for (size_t i = 0; i < SOURCES_PROVIDERS_MAX && providers[i]; i++) {
		if (strcmp(providers[i]->name, provider) != 0)
			continue;
		s->of[i][kind].count += count;
		s->of[i][kind].last_ns = now_ns;
	}
}

static struct resource_view
view_of(const struct taker *t, const Opentelemetry__Proto__Resource__V1__Resource *r)
{
	return provider_resource(r ? r->attributes : NULL, r ? r->n_attributes : 0, t->max_attributes, 0, t->now_ns, t->scratch);
}

/* Some emitters tell whose a scope is by its records alone: by the first. */
static void
take_logs(const struct taker *t, const Opentelemetry__Proto__Logs__V1__ResourceLogs *rl)
{
	const struct resource_view r = view_of(t, rl->resource);

	for (size_t i = 0; i < rl->n_scope_logs; i++) {
		const Opentelemetry__Proto__Logs__V1__ScopeLogs *sl = rl->scope_logs[i];
		const struct provider *p = provider_of_scope(&r, sl->scope ? sl->scope->name : "");

		if (sl->n_log_records > 0)
			note(t->s, provider_of_log(p, &r, sl->log_records[0])->name, SOURCE_LOGS, sl->n_log_records, t->now_ns);
	}
}

static void
take_spans(const struct taker *t, const Opentelemetry__Proto__Trace__V1__ResourceSpans *rs)
{
	const struct resource_view r = view_of(t, rs->resource);

	for (size_t i = 0; i < rs->n_scope_spans; i++) {
		const Opentelemetry__Proto__Trace__V1__ScopeSpans *ss = rs->scope_spans[i];
		const struct provider *p = provider_of_scope(&r, ss->scope ? ss->scope->name : "");

		if (ss->n_spans > 0)
			note(t->s, (p ? p : &provider_genai)->name, SOURCE_TRACES, ss->n_spans, t->now_ns);
	}
}

static void
take_metrics(const struct taker *t, const Opentelemetry__Proto__Metrics__V1__ResourceMetrics *rm)
{
	const struct resource_view r = view_of(t, rm->resource);

	for (size_t i = 0; i < rm->n_scope_metrics; i++) {
		const Opentelemetry__Proto__Metrics__V1__ScopeMetrics *sm = rm->scope_metrics[i];
		const struct provider *p = provider_of_scope(&r, sm->scope ? sm->scope->name : "");

		if (sm->n_metrics > 0)
			note(t->s, (p ? p : &provider_genai)->name, SOURCE_METRICS, sm->n_metrics, t->now_ns);
	}
}

void
sources_take(struct sources *s, const struct otlp_request *req, size_t max_attributes, uint64_t now_ns, struct arena *scratch)
{
	const struct taker t = { s, max_attributes, now_ns, scratch };

	if (req->signal == OTLP_LOGS)
		for (size_t i = 0; i < req->logs->n_resource_logs; i++)
			take_logs(&t, req->logs->resource_logs[i]);
	if (req->signal == OTLP_TRACES)
		for (size_t i = 0; i < req->traces->n_resource_spans; i++)
			take_spans(&t, req->traces->resource_spans[i]);
	if (req->signal == OTLP_METRICS)
		for (size_t i = 0; i < req->metrics->n_resource_metrics; i++)
			take_metrics(&t, req->metrics->resource_metrics[i]);
}

void
sources_take_hook(struct sources *s, const char *provider, uint64_t now_ns)
{
	note(s, provider, SOURCE_HOOKS, 1, now_ns);
}

const char *
sources_kind(enum source_kind kind)
{
	return kinds[kind];
}
