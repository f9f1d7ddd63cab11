#include "common/session_json.h"

static void
write_usd_or_null(struct json *j, const char *key, int64_t pico_dollars, bool known)
{
	if (known)
		json_usd(j, key, pico_dollars);
	else
		json_null(j, key);
}

static void
write_cost(struct json *j, const struct agentbus_cost *c)
{
	write_usd_or_null(j, "cost_usd", c->total, c->has_reported || c->has_computed);
	json_bool(j, "cost_estimated", c->estimated);
}

static void
write_model(struct json *j, const struct agentbus_model_usage *m)
{
	json_object(j, m->model);
	json_uint(j, "requests", m->requests);
	json_uint(j, "input_tokens", m->tokens.input);
	json_uint(j, "cache_read_tokens", m->tokens.cache_read);
	json_uint(j, "cache_write_tokens", m->tokens.cache_write);
	json_uint(j, "output_tokens", m->tokens.output);
	json_end(j);
}

/* models, by_model and cost_by_model, all in the order of first use. */
static void
write_models(struct json *j, const struct agentbus_session *s)
{
	json_array(j, "models");
	for (size_t i = 0; i < s->model_count; i++)
		json_string(j, NULL, s->models[i].model);
	json_end(j);
	json_object(j, "by_model");
	for (size_t i = 0; i < s->model_count; i++)
		write_model(j, &s->models[i]);
	json_end(j);
	json_object(j, "cost_by_model");
	for (size_t i = 0; i < s->model_count; i++) {
		json_object(j, s->models[i].model);
		write_cost(j, &s->models[i].cost);
		json_end(j);
	}
	json_end(j);
}

static void
write_errors(struct json *j, const struct agentbus_session *s)
{
	json_uint(j, "api_errors", s->api_errors);
	json_object(j, "errors_by_type");
	for (size_t i = 0; i < s->error_type_count; i++)
		json_uint(j, s->errors_by_type[i].type, s->errors_by_type[i].count);
	json_end(j);
}

static void
write_figures(struct json *j, const struct agentbus_session *s)
{
	write_cost(j, &s->cost);
	json_usd(j, "reported_cost_usd", s->cost.has_reported ? s->cost.reported : 0);
	write_usd_or_null(j, "computed_cost_usd", s->cost.computed, s->cost.has_computed);
	json_uint(j, "prompts", s->prompts);
	json_uint(j, "requests", s->requests);
	json_uint(j, "input_tokens", s->tokens.input);
	json_uint(j, "cache_read_tokens", s->tokens.cache_read);
	json_uint(j, "cache_write_tokens", s->tokens.cache_write);
	json_uint(j, "output_tokens", s->tokens.output);
	json_uint(j, "reasoning_tokens", s->tokens.reasoning);
	json_uint(j, "tool_calls", s->tool_calls);
	write_errors(j, s);
}

void
session_json(struct json *j, const char *key, const struct agentbus_session *s)
{
	if (!s) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	json_string(j, "id", s->id);
	json_string(j, "provider", s->provider);
	json_string(j, "service_name", s->service_name);
	json_string(j, "state", agentbus_state_name(s->state));
	json_time(j, "state_since", s->state_since);
	json_string(j, "reason", s->reason);
	json_string(j, "evidence", agentbus_evidence_name(s->evidence));
	json_bool(j, "ended", s->state == AGENTBUS_ENDED);
	json_bool(j, "auxiliary", s->auxiliary);
	json_string_or_null(j, "parent_id", s->parent_id);
	json_uint(j, "children", s->children);
	json_string_or_null(j, "project", s->project);
	json_string_or_null(j, "branch", s->branch);
	json_string_or_null(j, "worktree", s->worktree);
	json_uint(j, "pid", s->pid);
	json_string_or_null(j, "tty", s->tty);
	json_string_or_null(j, "tmux_pane", s->tmux_pane);
	json_string_or_null(j, "window", s->window);
	json_string_or_null(j, "model", s->model);
	json_string_or_null(j, "tool", s->tool);
	json_time(j, "started", s->started);
	json_time(j, "turn_started", s->turn_started);
	json_time(j, "last_event", s->last_event);
	json_bool(j, "failed", s->failed);
	json_string_or_null(j, "error_type", s->last_error.type);
	json_string_or_null(j, "error_message", s->last_error.message);
	json_uint(j, "error_status", s->last_error.status);
	write_figures(j, s);
	write_models(j, s);
	json_end(j);
}

/* --- events --- */

static void
write_tokens(struct json *j, const struct agentbus_tokens *t)
{
	json_uint(j, "input_tokens", t->input);
	json_uint(j, "cache_read_tokens", t->cache_read);
	json_uint(j, "cache_write_tokens", t->cache_write);
	json_uint(j, "output_tokens", t->output);
	json_uint(j, "reasoning_tokens", t->reasoning);
}

static void
prompt_details(struct json *j, const struct agentbus_event *e)
{
	json_uint(j, "length", e->prompt.length);
}

static void
request_details(struct json *j, const struct agentbus_event *e)
{
	json_string_or_null(j, "model", e->api_request.model);
	write_tokens(j, &e->api_request.tokens);
	write_cost(j, &e->api_request.cost);
	json_uint(j, "duration_ms", e->api_request.duration_ms);
	json_string_or_null(j, "request_id", e->api_request.request_id);
	json_string_or_null(j, "source", e->api_request.source);
}

static void
error_details(struct json *j, const struct agentbus_event *e)
{
	const struct agentbus_failure *failure = &e->api_error.error;

	json_string_or_null(j, "model", e->api_error.model);
	json_string_or_null(j, "error_type", failure->type);
	json_string_or_null(j, "error_message", failure->message);
	json_uint(j, "status", failure->status);
	json_uint(j, "attempt", e->api_error.attempt);
	json_uint(j, "attempts", e->api_error.attempts);
	json_bool(j, "final", e->api_error.final);
	json_bool(j, "retried", e->api_error.retried);
	json_uint(j, "duration_ms", e->api_error.duration_ms);
	json_string_or_null(j, "request_id", e->api_error.request_id);
}

static void
tool_details(struct json *j, const struct agentbus_event *e)
{
	json_string_or_null(j, "name", e->tool.name);
	json_string_or_null(j, "call_id", e->tool.call_id);
	json_bool(j, "success", e->tool.success);
	json_string_or_null(j, "decision", e->tool.decision);
	json_string_or_null(j, "error_type", e->tool.error_type);
	json_uint(j, "duration_ms", e->tool.duration_ms);
}

static void
state_details(struct json *j, const struct agentbus_event *e)
{
	json_string(j, "from", agentbus_state_name(e->state_change.from));
	json_string(j, "to", agentbus_state_name(e->state_change.to));
	json_uint(j, "turn_duration_ms", e->state_change.turn_duration_ms);
}

void
budget_json(struct json *j, const struct agentbus_budget *b)
{
	json_string_or_null(j, "period", b->period);
	json_string_or_null(j, "key", b->key);
	json_string_or_null(j, "level", b->level);
	json_usd(j, "budget_usd", b->amount);
	json_usd(j, "spent_usd", b->spent);
	json_bool(j, "spent_estimated", b->estimated);
}

static void
budget_details(struct json *j, const struct agentbus_event *e)
{
	budget_json(j, &e->budget);
}

static void
gap_details(struct json *j, const struct agentbus_event *e)
{
	json_uint(j, "first_seq", e->gap.first_seq);
	if (e->gap.last_seq)
		json_uint(j, "last_seq", e->gap.last_seq);
	else
		json_null(j, "last_seq");
	json_string_or_null(j, "boot_id", e->gap.boot_id);
}

static const struct {
	enum agentbus_kind kind;
	void (*write)(struct json *j, const struct agentbus_event *e);
} details[] = {
	{ AGENTBUS_SESSION_STARTED, state_details },
	{ AGENTBUS_PROMPT, prompt_details },
	{ AGENTBUS_API_REQUEST, request_details },
	{ AGENTBUS_API_ERROR, error_details },
	{ AGENTBUS_TOOL, tool_details },
	{ AGENTBUS_STATE_CHANGED, state_details },
	{ AGENTBUS_SESSION_ENDED, state_details },
	{ AGENTBUS_BUDGET, budget_details },
	{ AGENTBUS_GAP, gap_details },
};

static void
write_id_or_null(struct json *j, const char *key, const uint8_t *id, size_t len, bool known)
{
	if (known)
		json_hex(j, key, id, len);
	else
		json_null(j, key);
}

void
event_json(struct json *j, const char *key, const struct agentbus_event *e)
{
	json_object(j, key);
	json_uint(j, "seq", e->seq);
	json_time(j, "time", e->time);
	json_time(j, "observed", e->observed);
	json_string(j, "kind", agentbus_kind_name(e->kind));
	json_string_or_null(j, "reason", e->reason);
	json_string(j, "evidence", agentbus_evidence_name(e->evidence));
	json_object(j, "details");
	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		if (details[i].kind == e->kind)
			details[i].write(j, e);
	}
	json_end(j);
	write_id_or_null(j, "trace_id", e->trace_id, sizeof(e->trace_id), e->has_trace_id);
	write_id_or_null(j, "span_id", e->span_id, sizeof(e->span_id), e->has_span_id);
	json_string_or_null(j, "boot_id", e->boot_id);
	session_json(j, "session", e->session);
	json_end(j);
}
