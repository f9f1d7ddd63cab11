#include "bus_pack.h"
#include "agentbus/v1/agentbus.pb-c.h"
#include "budget.h"
#include "bus_wire.h"
#include "clock.h"

#include <assert.h>

static_assert((int)SESSION_ENDED == AGENTBUS__V1__STATE__STATE_ENDED, "states are numbered as on the bus");
static_assert((int)EVIDENCE_INFERRED == AGENTBUS__V1__EVIDENCE__EVIDENCE_INFERRED, "evidence is numbered as on the bus");
static_assert((int)EVENT_BUDGET == AGENTBUS__V1__EVENT_KIND__EVENT_KIND_BUDGET, "kinds are numbered as on the bus");

/* All text of a session and an event is bounded, and so is their number of models. */
#define TEXT_MAX   4096
#define MODEL_SIZE (sizeof(((struct model_usage *)0)->model) + 14 * BUS_WIRE_HEAD_MAX)
#define EVENT_MAX  (TEXT_MAX + (80 + 4 * ERROR_CLASS_COUNT) * BUS_WIRE_HEAD_MAX + SESSION_MODELS_MAX * MODEL_SIZE)
static_assert(sizeof(struct session) + 1024 < TEXT_MAX, "a session's text fits");

/* The numbers below are the fields of agentbus.proto; each message is put from its last field to its first. */

static void
put_tokens(struct bus_wire *w, unsigned field, const struct tokens *t)
{
	const uint8_t *end = w->at;

	bus_wire_number(w, 5, t->reasoning);
	bus_wire_number(w, 4, t->output);
	bus_wire_number(w, 3, t->cache_write);
	bus_wire_number(w, 2, t->cache_read);
	bus_wire_number(w, 1, t->input);
	bus_wire_embed(w, field, end);
}

/* Nothing if nothing is known. */
static void
put_cost(struct bus_wire *w, unsigned field, const struct cost *c)
{
	const uint8_t *end = w->at;

	if (!c->has_reported && !c->has_computed)
		return;
	bus_wire_number(w, 6, (uint64_t)c->unreported);
	bus_wire_number(w, 5, c->has_computed);
	bus_wire_number(w, 4, c->has_reported);
	bus_wire_number(w, 3, c->estimated);
	bus_wire_number(w, 2, (uint64_t)c->computed);
	bus_wire_number(w, 1, (uint64_t)c->reported);
	bus_wire_embed(w, field, end);
}

static void
put_error(struct bus_wire *w, unsigned field, enum error_class class, const char *message, unsigned status, uint64_t time_ns)
{
	const uint8_t *end = w->at;

	bus_wire_fixed64(w, 4, time_ns);
	bus_wire_number(w, 3, status);
	bus_wire_text(w, 2, message);
	bus_wire_text(w, 1, error_class_name(class));
	bus_wire_embed(w, field, end);
}

static void
put_project(struct bus_wire *w, unsigned field, const struct session *s)
{
	const uint8_t *end = w->at;

	bus_wire_text(w, 4, s->worktree);
	bus_wire_text(w, 3, s->branch);
	bus_wire_text(w, 2, s->project_dir);
	bus_wire_text(w, 1, s->project_name);
	if (w->at != end)
		bus_wire_embed(w, field, end);
}

static void
put_models(struct bus_wire *w, unsigned field, const struct session *s)
{
	for (size_t i = s->model_count; i-- > 0;) {
		const uint8_t *end = w->at;

		put_cost(w, 4, &s->models[i].cost);
		put_tokens(w, 3, &s->models[i].tokens);
		bus_wire_number(w, 2, s->models[i].requests);
		bus_wire_text(w, 1, s->models[i].model);
		bus_wire_embed(w, field, end);
	}
}

static void
put_errors_by_type(struct bus_wire *w, const struct session *s)
{
	for (unsigned c = ERROR_CLASS_COUNT - 1; c > ERROR_NONE; c--) {
		const uint8_t *end = w->at;

		if (s->errors_by_class[c] == 0)
			continue;
		bus_wire_number(w, 2, s->errors_by_class[c]);
		bus_wire_text(w, 1, error_class_name(c));
		bus_wire_embed(w, 34, end);
	}
}

static void
put_session_usage(struct bus_wire *w, const struct session *s)
{
	put_errors_by_type(w, s);
	bus_wire_fixed64(w, 33, s->state_observed_ns);
	put_models(w, 32, s);
	bus_wire_number(w, 31, s->turn_errors);
	bus_wire_fixed64(w, 30, s->turn_started_ns);
	bus_wire_fixed64(w, 29, s->last_event_ns);
	bus_wire_fixed64(w, 28, s->started_ns);
	bus_wire_bytes(w, 27, s->trace_id, s->has_trace_id ? sizeof(s->trace_id) : 0);
	bus_wire_text(w, 26, s->tool);
	bus_wire_number(w, 25, s->failed);
	if (s->last_error.class != ERROR_NONE)
		put_error(w, 24, s->last_error.class, s->last_error.message, s->last_error.status, s->last_error.time_ns);
	put_cost(w, 23, &s->cost);
	put_tokens(w, 22, &s->tokens);
	bus_wire_number(w, 21, s->api_errors);
	bus_wire_number(w, 20, s->tool_calls);
	bus_wire_number(w, 19, s->requests);
	bus_wire_number(w, 18, s->prompts);
}

static void
put_session(struct bus_wire *w, const struct session *s)
{
	put_session_usage(w, s);
	bus_wire_number(w, 17, s->children);
	bus_wire_number(w, 16, s->auxiliary);
	bus_wire_text(w, 15, s->parent_id);
	bus_wire_text(w, 14, s->window);
	bus_wire_text(w, 13, s->tmux_pane);
	bus_wire_text(w, 12, s->tty);
	bus_wire_number(w, 11, s->pid);
	put_project(w, 10, s);
	bus_wire_number(w, 8, s->evidence);
	bus_wire_text(w, 7, s->reason);
	bus_wire_fixed64(w, 6, s->state_since_ns);
	bus_wire_number(w, 5, s->state);
	bus_wire_text(w, 4, s->model);
	bus_wire_text(w, 3, s->service_name);
	bus_wire_text(w, 2, s->provider);
	bus_wire_text(w, 1, s->id);
}

static void
put_alarm(struct bus_wire *w, const struct budget_alarm *a)
{
	bus_wire_number(w, 6, a->estimated);
	bus_wire_number(w, 5, (uint64_t)a->spent);
	bus_wire_number(w, 4, (uint64_t)a->amount);
	bus_wire_text(w, 3, budget_level_name(a->level));
	bus_wire_text(w, 2, a->key);
	bus_wire_text(w, 1, budget_period_name(a->period));
}

/* Text as a CLI sent it: made printable, and cut to a size of at most SESSION_ID_MAX. */
static void
put_view(struct bus_wire *w, unsigned field, struct str view, size_t size)
{
	char text[SESSION_ID_MAX];

	str_copy(text, size, view);
	bus_wire_text(w, field, text);
}

static void
put_prompt(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	(void)e;
	bus_wire_number(w, 1, o->prompt_length);
}

static void
put_api_request(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	put_view(w, 6, o->source, 64);
	put_view(w, 5, o->request_id, SESSION_ID_MAX);
	bus_wire_number(w, 4, o->duration_ms);
	if (e->cost)
		put_cost(w, 3, e->cost);
	put_tokens(w, 2, &o->tokens);
	put_view(w, 1, o->model, 64);
}

static void
put_api_error(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	char message[sizeof(e->session->last_error.message)];

	bus_wire_number(w, 8, o->attempts);
	bus_wire_number(w, 7, (o->flags & OBS_RETRIED) != 0);
	bus_wire_number(w, 6, (o->flags & OBS_FINAL) != 0);
	put_view(w, 5, o->request_id, SESSION_ID_MAX);
	bus_wire_number(w, 4, o->duration_ms);
	bus_wire_number(w, 3, o->attempt);
	str_copy(message, sizeof(message), o->error_message);
	put_error(w, 2, o->error, message, o->status, o->time_ns);
	put_view(w, 1, o->model, 64);
}

static void
put_tool(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	(void)e;
	put_view(w, 6, o->decision, 32);
	bus_wire_text(w, 5, error_class_name(o->error));
	bus_wire_number(w, 4, o->duration_ms);
	bus_wire_number(w, 3, (o->flags & (OBS_FAILED | OBS_REFUSED)) == 0);
	put_view(w, 2, o->call_id, SESSION_ID_MAX);
	put_view(w, 1, o->tool, 64);
}

static void
put_change(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	(void)o;
	bus_wire_number(w, 3, e->turn_ns / NS_PER_MS);
	bus_wire_number(w, 2, e->session->state);
	bus_wire_number(w, 1, e->from);
}

static void
put_budget(struct bus_wire *w, const struct event *e, const struct observation *o)
{
	(void)o;
	put_alarm(w, e->budget);
}

/* What an event of each kind tells beside the session; `observed` ones need the observation that caused them. */
static const struct {
	unsigned field;
	void (*put)(struct bus_wire *w, const struct event *e, const struct observation *o);
	bool observed;
} details[] = {
	[EVENT_SESSION_STARTED] = { 15, put_change, false },
	[EVENT_PROMPT] = { 11, put_prompt, true },
	[EVENT_API_REQUEST] = { 12, put_api_request, true },
	[EVENT_API_ERROR] = { 13, put_api_error, true },
	[EVENT_TOOL] = { 14, put_tool, true },
	[EVENT_STATE_CHANGED] = { 15, put_change, false },
	[EVENT_SESSION_ENDED] = { 15, put_change, false },
	[EVENT_BUDGET] = { 17, put_budget, false },
};

static void
put_event(struct bus_wire *w, const struct event *e, const char *boot_id)
{
	const struct observation *o = e->observation;
	const uint8_t *end = w->at;

	if (o || !details[e->kind].observed) {
		details[e->kind].put(w, e, o);
		bus_wire_embed(w, details[e->kind].field, end);
	}
	if (o) {
		bus_wire_bytes(w, 10, o->span_id, o->has_span_id ? sizeof(o->span_id) : 0);
		bus_wire_bytes(w, 9, o->trace_id, o->has_trace_id ? sizeof(o->trace_id) : 0);
	}
	end = w->at;
	put_session(w, e->session);
	bus_wire_embed(w, 8, end);
	bus_wire_number(w, 7, e->evidence);
	bus_wire_text(w, 6, e->reason);
	bus_wire_number(w, 5, e->kind);
	bus_wire_fixed64(w, 4, e->now_ns);
	bus_wire_fixed64(w, 3, e->time_ns);
	bus_wire_text(w, 2, boot_id);
}

bool
bus_pack_session(const struct session *s, struct buf *out)
{
	uint8_t bytes[EVENT_MAX];
	struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));

	put_session(&w, s);
	return !w.full && buf_append(out, w.at, (size_t)(bytes + sizeof(bytes) - w.at));
}

bool
bus_pack_event(const struct event *e, const char *boot_id, struct buf *out)
{
	uint8_t bytes[EVENT_MAX];
	struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));

	put_event(&w, e, boot_id);
	return !w.full && buf_append(out, w.at, (size_t)(bytes + sizeof(bytes) - w.at));
}

bool
bus_pack_budget(const struct budget_alarm *a, struct buf *out)
{
	uint8_t bytes[8 * BUS_WIRE_HEAD_MAX + 2 * BUDGET_KEY_SIZE];
	struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));

	put_alarm(&w, a);
	return !w.full && buf_append(out, w.at, (size_t)(bytes + sizeof(bytes) - w.at));
}

bool
bus_pack_usage(const struct bus_usage *u, struct buf *out)
{
	uint8_t bytes[TEXT_MAX + 32 * BUS_WIRE_HEAD_MAX];
	struct bus_wire w = bus_wire_start(bytes, sizeof(bytes));

	put_cost(&w, 7, &u->cost);
	put_tokens(&w, 6, &u->tokens);
	bus_wire_number(&w, 5, u->api_errors);
	bus_wire_number(&w, 4, u->requests);
	bus_wire_text(&w, 3, u->project);
	bus_wire_text(&w, 2, u->provider);
	bus_wire_text(&w, 1, u->key);
	return !w.full && buf_append(out, w.at, (size_t)(bytes + sizeof(bytes) - w.at));
}
