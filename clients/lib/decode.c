#include "decode.h"
#include "names.h"

#include <string.h>

static const char topic_root[] = "v1/";

static const struct agentbus_event blank = {
	.boot_id = "",
	.reason = "",
	.api_request = { .model = "", .request_id = "", .source = "" },
	.api_error = { .model = "", .request_id = "", .error = { .type = "", .message = "" } },
	.tool = { .name = "", .call_id = "", .error_type = "", .decision = "" },
	.gap = { .boot_id = "" },
	.budget = { .period = "", .key = "", .level = "" },
};

struct agentbus_event
decode_blank_event(enum agentbus_kind kind)
{
	struct agentbus_event e = blank;

	e.kind = kind;
	return e;
}

bool
decode_batch(struct region *r, const void *data, size_t len, Agentbus__V1__EventBatch **ret_batch)
{
	const size_t root = sizeof(topic_root) - 1;

	if (len < root || memcmp(data, topic_root, root) != 0)
		return false;
	const uint8_t *nul = memchr(data, '\0', len);
	if (!nul)
		return false;
	const uint8_t *body = nul + 1;
	Agentbus__V1__EventBatch *batch =
	    agentbus__v1__event_batch__unpack(&r->allocator, len - (size_t)(body - (const uint8_t *)data), body);
	if (!batch)
		return false;
	*ret_batch = batch;
	return true;
}

static bool
is_boot_id(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= DECODE_BOOT_ID_MAX;
}

bool
decode_response(struct region *r, const void *data, size_t len, Agentbus__V1__Response **ret_response)
{
	Agentbus__V1__Response *response = agentbus__v1__response__unpack(&r->allocator, len, data);

	if (!response || *response->error || !is_boot_id(response->boot_id))
		return false;
	*ret_response = response;
	return true;
}

static struct agentbus_tokens
tokens_of(const Agentbus__V1__Tokens *pb)
{
	if (!pb)
		return (struct agentbus_tokens){ 0 };
	return (struct agentbus_tokens){
		.input = pb->input,
		.cache_read = pb->cache_read,
		.cache_write = pb->cache_write,
		.output = pb->output,
		.reasoning = pb->reasoning,
	};
}

static int64_t
sum_of(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

static struct agentbus_cost
cost_of(const Agentbus__V1__Cost *pb)
{
	if (!pb)
		return (struct agentbus_cost){ 0 };
	return (struct agentbus_cost){
		.total = sum_of(pb->reported, pb->unreported),
		.reported = pb->reported,
		.computed = pb->computed,
		.has_reported = pb->has_reported,
		.has_computed = pb->has_computed,
		.estimated = pb->estimated,
	};
}

static struct agentbus_failure
failure_of(const Agentbus__V1__Error *pb)
{
	if (!pb)
		return (struct agentbus_failure){ .type = "", .message = "" };
	return (struct agentbus_failure){
		.type = pb->type,
		.message = pb->message,
		.status = pb->status,
		.time = pb->time_unix_nano,
	};
}

/* An id of a trace or span; another length means that there is none. */
static bool
copy_id(uint8_t *to, size_t size, ProtobufCBinaryData from)
{
	if (from.len != size)
		return false;
	memcpy(to, from.data, size);
	return true;
}

static bool
copy_models(struct region *r, const Agentbus__V1__Session *pb, struct agentbus_session *s)
{
	if (!pb->n_models)
		return true;
	struct agentbus_model_usage *models = region_alloc(r, pb->n_models * sizeof(*models));
	if (!models)
		return false;
	for (size_t i = 0; i < pb->n_models; i++) {
		models[i] = (struct agentbus_model_usage){
			.model = pb->models[i]->model,
			.requests = pb->models[i]->requests,
			.tokens = tokens_of(pb->models[i]->tokens),
			.cost = cost_of(pb->models[i]->cost),
		};
	}
	s->models = models;
	s->model_count = pb->n_models;
	return true;
}

static bool
copy_error_counts(struct region *r, const Agentbus__V1__Session *pb, struct agentbus_session *s)
{
	if (!pb->n_errors_by_type)
		return true;
	struct agentbus_error_count *counts = region_alloc(r, pb->n_errors_by_type * sizeof(*counts));
	if (!counts)
		return false;
	for (size_t i = 0; i < pb->n_errors_by_type; i++)
		counts[i] = (struct agentbus_error_count){ pb->errors_by_type[i]->type, pb->errors_by_type[i]->count };
	s->errors_by_type = counts;
	s->error_type_count = pb->n_errors_by_type;
	return true;
}

bool
decode_session(struct region *r, const Agentbus__V1__Session *pb, struct agentbus_session *ret_session)
{
	if (!*pb->id || !*pb->provider)
		return false;
	struct agentbus_session s = {
		.id = pb->id,
		.provider = pb->provider,
		.service_name = pb->service_name,
		.model = pb->model,
		.state = names_state(pb->state),
		.state_since = pb->state_since_unix_nano,
		.reason = pb->reason,
		.evidence = names_evidence(pb->evidence),
		.title = pb->title,
		.project = pb->project ? pb->project->name : "",
		.project_dir = pb->project ? pb->project->directory : "",
		.branch = pb->project ? pb->project->branch : "",
		.worktree = pb->project ? pb->project->worktree : "",
		.pid = pb->pid,
		.tty = pb->tty,
		.tmux_pane = pb->tmux_pane,
		.window = pb->window,
		.parent_id = pb->parent_id,
		.auxiliary = pb->auxiliary,
		.children = pb->children,
		.prompts = pb->prompts,
		.requests = pb->requests,
		.tool_calls = pb->tool_calls,
		.api_errors = pb->api_errors,
		.tokens = tokens_of(pb->tokens),
		.cost = cost_of(pb->cost),
		.last_error = failure_of(pb->last_error),
		.failed = pb->failed,
		.tool = pb->tool,
		.started = pb->started_unix_nano,
		.last_event = pb->last_event_unix_nano,
		.turn_started = pb->turn_started_unix_nano,
		.turn_errors = pb->turn_errors,
		.state_observed = pb->state_observed_unix_nano,
	};
	s.has_trace_id = copy_id(s.trace_id, sizeof(s.trace_id), pb->trace_id);
	if (!copy_models(r, pb, &s) || !copy_error_counts(r, pb, &s))
		return false;
	*ret_session = s;
	return true;
}

static void
copy_api_request(struct agentbus_event *e, const Agentbus__V1__ApiRequest *pb)
{
	e->api_request.model = pb->model;
	e->api_request.request_id = pb->request_id;
	e->api_request.source = pb->source;
	e->api_request.tokens = tokens_of(pb->tokens);
	e->api_request.cost = cost_of(pb->cost);
	e->api_request.duration_ms = pb->duration_ms;
}

static void
copy_api_error(struct agentbus_event *e, const Agentbus__V1__ApiError *pb)
{
	e->api_error.model = pb->model;
	e->api_error.request_id = pb->request_id;
	e->api_error.error = failure_of(pb->error);
	e->api_error.attempt = pb->attempt;
	e->api_error.duration_ms = pb->duration_ms;
	e->api_error.final = pb->final;
	e->api_error.retried = pb->retried;
	e->api_error.attempts = pb->attempts;
}

static void
copy_tool(struct agentbus_event *e, const Agentbus__V1__Tool *pb)
{
	e->tool.name = pb->name;
	e->tool.call_id = pb->call_id;
	e->tool.error_type = pb->error_type;
	e->tool.decision = pb->decision;
	e->tool.success = pb->success;
	e->tool.duration_ms = pb->duration_ms;
}

static void
copy_state_change(struct agentbus_event *e, const Agentbus__V1__StateChange *pb)
{
	e->state_change.from = names_state(pb->from);
	e->state_change.to = names_state(pb->to);
	e->state_change.turn_duration_ms = pb->turn_duration_ms;
}

static struct agentbus_budget
budget_of(const Agentbus__V1__Budget *pb)
{
	return (struct agentbus_budget){
		.period = pb->period,
		.key = pb->key,
		.level = pb->level,
		.amount = pb->amount,
		.spent = pb->spent,
		.estimated = pb->estimated,
	};
}

static void
copy_details(struct agentbus_event *e, const Agentbus__V1__Event *pb)
{
	switch (pb->details_case) {
	case AGENTBUS__V1__EVENT__DETAILS_PROMPT:
		e->prompt.length = pb->prompt->length;
		break;
	case AGENTBUS__V1__EVENT__DETAILS_API_REQUEST:
		copy_api_request(e, pb->api_request);
		break;
	case AGENTBUS__V1__EVENT__DETAILS_API_ERROR:
		copy_api_error(e, pb->api_error);
		break;
	case AGENTBUS__V1__EVENT__DETAILS_TOOL:
		copy_tool(e, pb->tool);
		break;
	case AGENTBUS__V1__EVENT__DETAILS_STATE_CHANGE:
		copy_state_change(e, pb->state_change);
		break;
	case AGENTBUS__V1__EVENT__DETAILS_BUDGET:
		e->budget = budget_of(pb->budget);
		break;
	default:
		break;
	}
}

bool
decode_event(struct region *r, const Agentbus__V1__Event *pb, struct agentbus_event *ret_event,
	     struct agentbus_session *ret_session)
{
	if (!pb->seq || !is_boot_id(pb->boot_id) || !pb->session || !decode_session(r, pb->session, ret_session))
		return false;
	struct agentbus_event e = decode_blank_event(names_kind(pb->kind));
	e.seq = pb->seq;
	e.boot_id = pb->boot_id;
	e.time = pb->time_unix_nano;
	e.observed = pb->observed_time_unix_nano;
	e.reason = pb->reason;
	e.evidence = names_evidence(pb->evidence);
	e.session = ret_session;
	e.has_trace_id = copy_id(e.trace_id, sizeof(e.trace_id), pb->trace_id);
	e.has_span_id = copy_id(e.span_id, sizeof(e.span_id), pb->span_id);
	copy_details(&e, pb);
	*ret_event = e;
	return true;
}

/* --- usage --- */

static struct agentbus_usage_row
usage_row_of(const Agentbus__V1__UsageRow *pb)
{
	if (!pb)
		return (struct agentbus_usage_row){ .key = "", .provider = "", .project = "" };
	return (struct agentbus_usage_row){
		.key = pb->key,
		.provider = pb->provider,
		.project = pb->project,
		.requests = pb->requests,
		.api_errors = pb->api_errors,
		.tokens = tokens_of(pb->tokens),
		.cost = cost_of(pb->cost),
	};
}

static bool
copy_usage(struct region *r, const Agentbus__V1__Usage *pb, struct agentbus_usage *ret_usage)
{
	/* One more than there are: none is no request for nothing. */
	struct agentbus_usage_row *rows = region_alloc(r, (pb->n_rows + 1) * sizeof(*rows));
	struct agentbus_budget *budgets = region_alloc(r, (pb->n_budgets + 1) * sizeof(*budgets));

	if (!rows || !budgets)
		return false;
	for (size_t i = 0; i < pb->n_rows; i++)
		rows[i] = usage_row_of(pb->rows[i]);
	for (size_t i = 0; i < pb->n_budgets; i++)
		budgets[i] = budget_of(pb->budgets[i]);
	*ret_usage = (struct agentbus_usage){
		.rows = rows,
		.row_count = pb->n_rows,
		.left_out = pb->left_out,
		.total = usage_row_of(pb->total),
		.budgets = budgets,
		.budget_count = pb->n_budgets,
	};
	return true;
}

bool
decode_usage(struct region *r, const void *data, size_t len, struct agentbus_usage *ret_usage, bool *ret_refused)
{
	const Agentbus__V1__Response *response = agentbus__v1__response__unpack(&r->allocator, len, data);

	if (!response || !is_boot_id(response->boot_id))
		return false;
	if (*response->error || response->response_case != AGENTBUS__V1__RESPONSE__RESPONSE_USAGE) {
		*ret_refused = true;
		return false;
	}
	return copy_usage(r, response->usage, ret_usage);
}
