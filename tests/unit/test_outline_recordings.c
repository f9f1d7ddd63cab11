/* The outline of what real CLIs sent, in the requests it came in, and in the worst case: each span by itself. */
#include "otlp_json.h"
#include "otlp_pb.h"
#include "outline_bed.h"
#include "recordings.h"

/* The turn, its request, the calls' tools: measured are 2.3 to 6. */
#define KEPT_PER_RESPONSE 12

struct run {
	struct outline *outline;
	struct ledger forwarded;
};

struct playing {
	char folder[128]; /* CLI and scenario */
	struct ledger sent;
	struct run whole, single;
	size_t recordings;
};

static void
run_finish(struct run *r)
{
	outline_destroy(r->outline);
	ledger_finish(&r->forwarded);
	r->outline = NULL;
}

static void
check_run(struct playing *p, struct run *r)
{
	bool codex = strncmp(p->folder, "codex/", 6) == 0;

	cr_expect_leq(ledger_orphans(&r->forwarded), ledger_orphans(&p->sent), "%s", p->folder);
	cr_expect_eq(ledger_models(&r->forwarded), ledger_models(&p->sent), "%s", p->folder);
	cr_expect_eq(ledger_tools(&r->forwarded), ledger_tools(&p->sent), "%s", p->folder);
	cr_expect(codex || r->forwarded.count == p->sent.count, "%s", p->folder);
}

static void
end_of_folder(struct playing *p)
{
	size_t models = ledger_models(&p->sent);

	if (p->sent.count) {
		p->recordings++;
		check_run(p, &p->whole);
		check_run(p, &p->single);
		cr_expect(models == 0 || p->whole.forwarded.count <= KEPT_PER_RESPONSE * models, "%s", p->folder);
		cr_log_info("%-28s %5zu spans -> %4zu (single: %4zu), models %2zu, tools %2zu, orphans %zu -> %zu (%zu)",
			    p->folder, p->sent.count, p->whole.forwarded.count, p->single.forwarded.count, models,
			    ledger_tools(&p->sent), ledger_orphans(&p->sent), ledger_orphans(&p->whole.forwarded),
			    ledger_orphans(&p->single.forwarded));
	}
	ledger_finish(&p->sent);
	run_finish(&p->whole);
	run_finish(&p->single);
}

static struct otlp_request
decode(const struct recording *r, struct arena *a)
{
	struct otlp_request req;

	arena_reset(a);
	if (r->json)
		cr_assert_eq(otlp_json_decode(r->signal, (const char *)r->bytes, r->len, OTLP_MAX_DEPTH, a, &req), VERDICT_OK);
	else
		cr_assert_eq(otlp_pb_decode(r->signal, r->bytes, r->len, OTLP_MAX_DEPTH, a, &req), VERDICT_OK);
	return req;
}

static void
apply_single(struct run *run, BedResourceSpans rs, BedScopeSpans ss, OtlpSpan *span, struct arena *a)
{
	BedScopeSpans *scopes[] = { &ss };
	BedResourceSpans *resources[] = { &rs };
	BedTraces traces = OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_REQUEST__INIT;
	struct otlp_request req = { .signal = OTLP_TRACES };

	req.traces = &traces;
	ss.spans = &span;
	ss.n_spans = 1;
	rs.scope_spans = scopes;
	rs.n_scope_spans = 1;
	traces.resource_spans = resources;
	traces.n_resource_spans = 1;
	cr_assert_eq(outline_apply(run->outline, &req, a), VERDICT_OK);
	ledger_add(&run->forwarded, &traces);
}

static void
play(const struct recording *r, void *ctx)
{
	struct playing *p = ctx;
	char cli[64] = "", scenario[64] = "", folder[128];
	struct otlp_request req;
	struct arena a;

	cr_assert_eq(sscanf(r->path, "../shared/captures/%63[^/]/%63[^/]", cli, scenario), 2);
	snprintf(folder, sizeof(folder), "%s/%s", cli, scenario);
	if (strcmp(folder, p->folder) != 0) {
		end_of_folder(p);
		memcpy(p->folder, folder, sizeof(folder));
		p->whole.outline = outline_create();
		p->single.outline = outline_create();
		cr_assert(p->whole.outline && p->single.outline);
	}
	if (r->signal != OTLP_TRACES)
		return;
	arena_init(&a, 256 << 20);
	req = decode(r, &a);
	ledger_add(&p->sent, req.traces);
	cr_assert_eq(outline_apply(p->whole.outline, &req, &a), VERDICT_OK);
	ledger_add(&p->whole.forwarded, req.traces);
	req = decode(r, &a);
	for (size_t i = 0; i < req.traces->n_resource_spans; i++)
		for (size_t k = 0; k < req.traces->resource_spans[i]->n_scope_spans; k++)
			for (size_t n = 0; n < req.traces->resource_spans[i]->scope_spans[k]->n_spans; n++)
				apply_single(&p->single, *req.traces->resource_spans[i],
					     *req.traces->resource_spans[i]->scope_spans[k],
					     req.traces->resource_spans[i]->scope_spans[k]->spans[n], &a);
	arena_finish(&a);
}

Test(outline_recordings, keep_models_and_tools_and_make_no_orphans)
{
	struct playing p = { 0 };

	recordings_each(play, &p);
	end_of_folder(&p);
	cr_assert_gt(p.recordings, 0);
}
