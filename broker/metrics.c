#include "metrics.h"

#include "provider.h"

#include <stdlib.h>

#define OTHER "other"

/* From an answer out of a cache to a model that thinks for minutes. */
const struct metrics_bound metrics_bounds[METRICS_BOUNDS] = {
	{ 100, "0.1" },      { 250, "0.25" },     { 500, "0.5" },      { 1000, "1.0" },   { 2500, "2.5" },
	{ 5000, "5.0" },     { 10000, "10.0" },   { 20000, "20.0" },   { 30000, "30.0" }, { 60000, "60.0" },
	{ 120000, "120.0" }, { 300000, "300.0" }, { 600000, "600.0" },
};

struct metrics *
metrics_create(void)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	for (const struct provider *const *p = providers; *p && m->provider_count < METRICS_PROVIDERS; p++)
		m->providers[m->provider_count++] = (*p)->name;
	for (size_t i = 0; i < METRICS_PROVIDERS; i++) {
		struct metrics_row *other = &m->rows[METRICS_MODELS + i];

		other->provider = i;
		str_copy(other->model, sizeof(other->model), STR(OTHER));
	}
	return m;
}

void
metrics_destroy(struct metrics *m)
{
	free(m);
}

size_t
metrics_provider(const struct metrics *m, const char *name)
{
	size_t i = 0;

	while (i < m->provider_count && m->providers[i] != name && strcmp(m->providers[i], name) != 0)
		i++;
	return i;
}

/* --- by model --- */

static struct metrics_row *
find_row(struct metrics *m, size_t provider, struct str model)
{
	struct metrics_row key = { .provider = provider };

	str_copy(key.model, sizeof(key.model), model.len ? model : STR("unknown"));
	if (strcmp(key.model, OTHER) == 0)
		return &m->rows[METRICS_MODELS + provider];
	for (size_t i = 0; i < m->model_count; i++)
		if (m->rows[i].provider == provider && strcmp(m->rows[i].model, key.model) == 0)
			return &m->rows[i];
	if (m->model_count == METRICS_MODELS)
		return &m->rows[METRICS_MODELS + provider];
	m->rows[m->model_count] = key;
	return &m->rows[m->model_count++];
}

static void
touch(struct metrics *m, struct metrics_row *row)
{
	if (!row->changed)
		m->changed[m->changed_count++] = (uint8_t)(row - m->rows);
	row->changed = true;
}

/* What an answer has cost: the CLI's own figure, else by the table of prices. A credit is no cost: counters only go up. */
static uint64_t
cost_of(const struct event *e)
{
	const int64_t cost = e->cost ? e->cost->reported + e->cost->unreported : 0;

	return cost > 0 ? (uint64_t)cost : 0;
}

static void
add_duration(struct metrics_usage *u, const struct observation *o)
{
	size_t i = 0;

	if (o->duration_ms == 0)
		return;
	while (i < METRICS_BOUNDS && o->duration_ms > metrics_bounds[i].ms)
		i++;
	u->buckets[i]++;
	u->duration_ms += o->duration_ms;
	if (!o->has_trace_id || o->time_ns < u->exemplars[i].time_ns)
		return;
	u->exemplars[i] = (struct metrics_exemplar){ .time_ns = o->time_ns, .duration_ms = o->duration_ms };
	memcpy(u->exemplars[i].trace_id, o->trace_id, sizeof(o->trace_id));
}

static void
count_request(struct metrics *m, size_t provider, const struct event *e)
{
	const struct observation *o = e->observation;
	struct metrics_row *row = find_row(m, provider, o->model);
	struct metrics_usage *u = &row->now;

	touch(m, row);
	u->requests++;
	u->tokens.input += o->tokens.input;
	u->tokens.cache_read += o->tokens.cache_read;
	u->tokens.cache_write += o->tokens.cache_write;
	u->tokens.output += o->tokens.output;
	u->tokens.reasoning += o->tokens.reasoning;
	u->cost += cost_of(e);
	add_duration(u, o);
}

/* --- events --- */

static void
count_error(struct metrics *m, size_t provider, const struct event *e)
{
	const struct observation *o = e->observation;

	m->now.of[provider].errors[o->error] += o->means == MEANS_ERROR;
}

static void
count_tool(struct metrics *m, size_t provider, const struct event *e)
{
	(void)e;
	m->now.of[provider].tool_calls++;
}

static void
count_prompt(struct metrics *m, size_t provider, const struct event *e)
{
	m->now.of[provider].prompts += (e->observation->flags & OBS_COUNTED) != 0;
}

static void (*const counters[])(struct metrics *m, size_t provider, const struct event *e) = {
	[EVENT_API_REQUEST] = count_request,
	[EVENT_API_ERROR] = count_error,
	[EVENT_TOOL] = count_tool,
	[EVENT_PROMPT] = count_prompt,
};

void
metrics_count(struct metrics *m, const struct event *e)
{
	if (!m)
		return;
	const size_t provider = metrics_provider(m, e->session->provider);

	m->now.events++;
	if (e->observation && provider < m->provider_count && e->kind < sizeof(counters) / sizeof(counters[0]) &&
	    counters[e->kind])
		counters[e->kind](m, provider, e);
}

void
metrics_keep(struct metrics *m)
{
	if (!m || m->now.events == m->kept.events)
		return;
	for (size_t i = 0; i < m->changed_count; i++) {
		struct metrics_row *row = &m->rows[m->changed[i]];

		row->kept = row->now;
		row->changed = false;
	}
	m->changed_count = 0;
	m->kept_count = m->model_count;
	m->kept = m->now;
}

void
metrics_rewind(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->changed_count; i++) {
		struct metrics_row *row = &m->rows[m->changed[i]];

		row->now = row->kept;
		row->changed = false;
	}
	m->changed_count = 0;
	m->model_count = m->kept_count;
	m->now = m->kept;
}

/* --- answers --- */

static void
count_code(struct metrics_code codes[METRICS_CODES], unsigned code)
{
	for (size_t i = 0; i < METRICS_CODES; i++) {
		if (codes[i].answers > 0 && codes[i].code != code)
			continue;
		codes[i].code = code;
		codes[i].answers++;
		return;
	}
}

void
metrics_http_answer(struct metrics *m, unsigned status)
{
	if (m)
		count_code(m->http, status);
}

void
metrics_grpc_answer(struct metrics *m, unsigned status)
{
	if (m)
		count_code(m->grpc, status);
}
