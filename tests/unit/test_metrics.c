#include "metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct metrics *m;

static void
setup(void)
{
	m = metrics_create();
	cr_assert_not_null(m);
}

static void
teardown(void)
{
	metrics_destroy(m);
}

TestSuite(metrics, .init = setup, .fini = teardown);

static void
count(const char *provider, enum event_kind kind, const struct observation *o)
{
	const struct session session = { .provider = provider, .id = "secret-id", .project_name = "secret-project" };

	const struct cost cost = { .reported = o && o->has_cost ? o->cost : 0, .unreported = o && o->has_cost ? 0 : 3 };

	metrics_count(m, &(struct event){ .kind = kind, .session = &session, .observation = o, .cost = &cost });
}

static void
answer(const char *provider, const char *model)
{
	count(provider, EVENT_API_REQUEST,
	      &(struct observation){ .means = MEANS_RESPONSE,
				     .model = str_from(model),
				     .tokens = { 10, 5, 1, 7, 3 },
				     .cost = 9,
				     .has_cost = true,
				     .duration_ms = 700,
				     .time_ns = 1000,
				     .has_trace_id = true,
				     .trace_id = { 0xab } });
}

static const struct metrics_row *
row_of(const char *provider, const char *model)
{
	for (size_t i = 0; i < METRICS_ROWS; i++)
		if (m->rows[i].kept.requests > 0 && strcmp(m->providers[m->rows[i].provider], provider) == 0 &&
		    strcmp(m->rows[i].model, model) == 0)
			return &m->rows[i];
	return NULL;
}

Test(metrics, answers_add_up_by_provider_and_model)
{
	answer("codex", "gpt");
	answer("codex", "gpt");
	answer("qwen-code", "gpt");
	answer("codex", "");
	metrics_keep(m);
	const struct metrics_row *row = row_of("codex", "gpt");
	cr_assert_not_null(row);
	cr_assert_eq(row->kept.requests, 2);
	cr_assert_eq(row->kept.tokens.input, 20);
	cr_assert_eq(row->kept.tokens.cache_read, 10);
	cr_assert_eq(row->kept.tokens.cache_write, 2);
	cr_assert_eq(row->kept.tokens.output, 14);
	cr_assert_eq(row->kept.tokens.reasoning, 6);
	cr_assert_eq(row->kept.cost, 18);
	cr_assert_eq(row->kept.duration_ms, 1400);
	cr_assert_eq(row_of("qwen-code", "gpt")->kept.requests, 1);
	cr_assert_eq(row_of("codex", "unknown")->kept.requests, 1);
	cr_assert_eq(m->model_count, 3);
	cr_assert_eq(m->kept.events, 4);
}

/* A counter that goes down is a restart to who reads it. */
Test(metrics, a_credit_is_no_cost)
{
	struct observation o = { .means = MEANS_RESPONSE, .model = STR("gpt"), .cost = -5, .has_cost = true };

	count("codex", EVENT_API_REQUEST, &o);
	metrics_keep(m);
	cr_assert_eq(row_of("codex", "gpt")->kept.cost, 0);
	o.has_cost = false;
	count("codex", EVENT_API_REQUEST, &o);
	metrics_keep(m);
	cr_assert_eq(row_of("codex", "gpt")->kept.cost, 3, "by the table of prices, where the CLI says nothing");
	cr_assert_eq(row_of("codex", "gpt")->kept.requests, 2);
}

Test(metrics, other_events_count_by_provider)
{
	const size_t codex = metrics_provider(m, "codex"), qwen = metrics_provider(m, "qwen-code");

	for (enum error_class c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
		for (unsigned n = 0; n < c; n++)
			count("codex", EVENT_API_ERROR, &(struct observation){ .means = MEANS_ERROR, .error = c });
	count("codex", EVENT_API_ERROR, &(struct observation){ .means = MEANS_FAULT, .error = ERROR_SERVER });
	count("qwen-code", EVENT_TOOL, &(struct observation){ .means = MEANS_TOOL });
	count("qwen-code", EVENT_PROMPT, &(struct observation){ .means = MEANS_PROMPT, .flags = OBS_COUNTED });
	count("qwen-code", EVENT_PROMPT, &(struct observation){ .means = MEANS_PROMPT });
	count("qwen-code", EVENT_STATE_CHANGED, NULL);
	count("qwen-code", EVENT_SESSION_ENDED, &(struct observation){ .means = MEANS_END });
	count("nobody", EVENT_TOOL, &(struct observation){ .means = MEANS_TOOL });
	metrics_keep(m);
	for (enum error_class c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
		cr_assert_eq(m->kept.of[codex].errors[c], c);
	cr_assert_eq(m->kept.of[codex].tool_calls, 0);
	cr_assert_eq(m->kept.of[qwen].tool_calls, 1);
	cr_assert_eq(m->kept.of[qwen].prompts, 1);
	cr_assert_eq(m->kept.of[qwen].errors[ERROR_SERVER], 0);
	cr_assert_eq(metrics_provider(m, "nobody"), m->provider_count);
	cr_assert_eq(m->model_count, 0);
}

Test(metrics, models_beyond_the_limit_are_others)
{
	char model[32];

	for (int i = 0; i < 10000; i++) {
		snprintf(model, sizeof(model), "model-%d", i);
		answer(i % 2 ? "codex" : "qwen-code", model);
	}
	answer("gemini-cli", "late");
	answer("codex", "model-1");
	answer("codex", "other");
	metrics_keep(m);
	cr_assert_eq(m->model_count, METRICS_MODELS);
	cr_assert_eq(row_of("codex", "model-1")->kept.requests, 2);
	cr_assert_eq(row_of("codex", "other")->kept.requests, 5000 - METRICS_MODELS / 2 + 1);
	cr_assert_eq(row_of("qwen-code", "other")->kept.requests, 5000 - METRICS_MODELS / 2);
	cr_assert_eq(row_of("gemini-cli", "other")->kept.requests, 1);
	cr_assert_null(row_of("gemini-cli", "late"));
}

/* A name is cut as everywhere, so that it is text. */
Test(metrics, long_and_broken_names_are_text)
{
	char model[200];

	memset(model, 'x', sizeof(model) - 1);
	model[sizeof(model) - 1] = '\0';
	answer("codex", model);
	answer("codex", "a\nb");
	metrics_keep(m);
	model[sizeof(m->rows[0].model) - 1] = '\0';
	cr_assert_not_null(row_of("codex", model));
	cr_assert_not_null(row_of("codex", "a b"));
}

Test(metrics, durations_fall_into_the_first_bucket_that_holds_them)
{
	struct observation o = { .means = MEANS_RESPONSE, .model = STR("gpt") };
	uint64_t sum = 0;

	count("codex", EVENT_API_REQUEST, &o); /* it does not tell */
	for (size_t i = 0; i < METRICS_BOUNDS; i++) {
		o.duration_ms = metrics_bounds[i].ms;
		count("codex", EVENT_API_REQUEST, &o);
		sum += o.duration_ms++;
		count("codex", EVENT_API_REQUEST, &o);
		sum += o.duration_ms;
	}
	metrics_keep(m);
	const struct metrics_usage *u = &row_of("codex", "gpt")->kept;
	cr_assert_eq(u->buckets[0], 1);
	for (size_t i = 1; i < METRICS_BOUNDS; i++)
		cr_assert_eq(u->buckets[i], 2, "%zu", i);
	cr_assert_eq(u->buckets[METRICS_BOUNDS], 1);
	cr_assert_eq(u->duration_ms, sum);
	cr_assert_eq(u->requests, 1 + 2 * METRICS_BOUNDS);
	for (size_t i = 1; i < METRICS_BOUNDS; i++)
		cr_assert_gt(metrics_bounds[i].ms, metrics_bounds[i - 1].ms);
	for (size_t i = 0; i < METRICS_BOUNDS; i++)
		cr_assert_float_eq(atof(metrics_bounds[i].seconds) * 1000, (double)metrics_bounds[i].ms, 1e-9);
}

Test(metrics, the_newest_trace_is_the_example)
{
	struct observation o = { .means = MEANS_RESPONSE,
				 .model = STR("gpt"),
				 .duration_ms = 700,
				 .has_trace_id = true,
				 .time_ns = 50,
				 .trace_id = { 1 } };
	const size_t bucket = 3;

	count("codex", EVENT_API_REQUEST, &o);
	o.time_ns = 40;
	o.trace_id[0] = 2;
	count("codex", EVENT_API_REQUEST, &o); /* arrived late */
	o.time_ns = 60;
	o.has_trace_id = false;
	count("codex", EVENT_API_REQUEST, &o);
	metrics_keep(m);
	const struct metrics_usage *u = &row_of("codex", "gpt")->kept;
	cr_assert_eq(u->buckets[bucket], 3);
	cr_assert_eq(u->exemplars[bucket].time_ns, 50);
	cr_assert_eq(u->exemplars[bucket].trace_id[0], 1);
	o.has_trace_id = true;
	count("codex", EVENT_API_REQUEST, &o);
	metrics_keep(m);
	cr_assert_eq(u->exemplars[bucket].time_ns, 60);
	cr_assert_eq(u->exemplars[bucket].trace_id[0], 2);
	cr_assert_eq(u->exemplars[bucket].duration_ms, 700);
	for (size_t i = 0; i < METRICS_BUCKETS; i++)
		cr_assert_eq(u->exemplars[i].time_ns != 0, i == bucket);
}

Test(metrics, what_is_not_kept_is_taken_back)
{
	const size_t codex = metrics_provider(m, "codex");

	answer("codex", "gpt");
	cr_assert_null(row_of("codex", "gpt"));
	metrics_keep(m);
	answer("codex", "gpt");
	answer("codex", "new");
	answer("codex", "other");
	count("codex", EVENT_TOOL, &(struct observation){ .means = MEANS_TOOL });
	metrics_rewind(m);
	metrics_keep(m);
	cr_assert_eq(row_of("codex", "gpt")->kept.requests, 1);
	cr_assert_eq(row_of("codex", "gpt")->now.requests, 1);
	cr_assert_null(row_of("codex", "new"));
	cr_assert_null(row_of("codex", "other"));
	cr_assert_eq(m->model_count, 1);
	cr_assert_eq(m->kept.of[codex].tool_calls, 0);
	cr_assert_eq(m->kept.events, 1);
	answer("codex", "newer");
	answer("codex", "gpt");
	metrics_keep(m);
	cr_assert_eq(row_of("codex", "newer")->kept.requests, 1);
	cr_assert_eq(row_of("codex", "gpt")->kept.requests, 2);
}

Test(metrics, answers_count_by_status)
{
	for (unsigned code = 200; code < 200 + 2 * METRICS_CODES; code++)
		metrics_http_answer(m, code);
	metrics_http_answer(m, 200);
	metrics_grpc_answer(m, 0);
	metrics_grpc_answer(m, 0);
	metrics_grpc_answer(m, 14);
	cr_assert_eq(m->http[0].code, 200);
	cr_assert_eq(m->http[0].answers, 2);
	cr_assert_eq(m->http[METRICS_CODES - 1].answers, 1);
	cr_assert_eq(m->grpc[0].code, 0);
	cr_assert_eq(m->grpc[0].answers, 2);
	cr_assert_eq(m->grpc[1].code, 14);
	cr_assert_eq(m->grpc[2].answers, 0);
}

Test(metrics, nobody_need_want_them)
{
	const struct session session = { .provider = "codex" };

	metrics_count(NULL, &(struct event){ .kind = EVENT_TOOL, .session = &session });
	metrics_keep(NULL);
	metrics_rewind(NULL);
	metrics_http_answer(NULL, 200);
	metrics_grpc_answer(NULL, 0);
	metrics_destroy(NULL);
	cr_assert_eq(m->now.events, 0);
}
