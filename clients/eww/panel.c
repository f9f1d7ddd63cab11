#include "eww/panel.h"

#include "common/text.h"
#include "common/tool.h"
#include "eww/summary.h"
#include "eww/tooltip.h"

enum { ERROR_COLUMNS = 160 };

/* Columns times the four bytes that a character has at most, and the end. */
enum { ERROR_SIZE = ERROR_COLUMNS * 4 + 4 };

static void
write_cost(struct json *j, const struct roster_figures *f)
{
	if (f->cost_known)
		json_usd(j, "cost_usd", f->cost);
	else
		json_null(j, "cost_usd");
}

static void
write_counts(struct json *j, const struct roster *r)
{
	static const enum agentbus_state order[] = { AGENTBUS_WAITING, AGENTBUS_WORKING, AGENTBUS_COMPLETED, AGENTBUS_IDLE };

	json_object(j, "counts");
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		json_uint(j, agentbus_state_name(order[i]), r->states[order[i]]);
	json_end(j);
}

static void
write_totals(struct json *j, const struct roster *r)
{
	const struct roster_figures *f = &r->totals;

	json_object(j, "totals");
	json_uint(j, "sessions", r->count);
	json_uint(j, "tokens", f->tokens.input + f->tokens.output);
	json_uint(j, "input_tokens", f->tokens.input);
	json_uint(j, "output_tokens", f->tokens.output);
	json_uint(j, "requests", f->requests);
	json_uint(j, "tool_calls", f->tool_calls);
	json_uint(j, "errors", f->errors);
	write_cost(j, f);
	json_end(j);
}

static void
write_tokens(struct json *j, const struct agentbus_tokens *t)
{
	json_object(j, "tokens");
	json_uint(j, "input", t->input);
	json_uint(j, "output", t->output);
	json_uint(j, "cache_read", t->cache_read);
	json_uint(j, "cache_write", t->cache_write);
	json_uint(j, "reasoning", t->reasoning);
	json_uint(j, "total", t->input + t->output);
	json_end(j);
}

static void
write_last_error(struct json *j, const struct agentbus_failure *error)
{
	char message[ERROR_SIZE];

	if (!*error->type) {
		json_null(j, "last_error");
		return;
	}
	json_object(j, "last_error");
	json_string(j, "type", error->type);
	json_string(j, "message", text_clip(error->message, ERROR_COLUMNS, message, sizeof(message)));
	json_end(j);
}

static void
write_session(struct json *j, const struct roster_row *row)
{
	const struct agentbus_session *s = row->session;
	const struct roster_figures *f = &row->figures;
	const struct tool *tool = tool_of(s->provider);
	bool busy = s->state == AGENTBUS_WORKING || s->state == AGENTBUS_WAITING;
	char label[SUMMARY_LABEL_SIZE], since[TEXT_SIZE];

	json_object(j, NULL);
	json_string(j, "id", s->id);
	json_string(j, "tool", tool->name);
	json_string(j, "provider", s->provider);
	json_string(j, "state", agentbus_state_name(s->state));
	json_uint(j, "since", roster_since(s) / 1000000000);
	json_string(j, "since_text", text_clock(roster_since(s), since, sizeof(since)));
	json_string(j, "project", s->project);
	json_string(j, "model", s->model);
	json_string(j, "label", summary_label(s, label));
	json_string(j, "icon", tool->icon);
	write_tokens(j, &f->tokens);
	write_cost(j, f);
	json_bool(j, "cost_estimated", f->cost_estimated);
	json_uint(j, "errors", f->errors);
	json_bool(j, "failed", s->failed);
	write_last_error(j, &s->last_error);
	json_string_or_null(j, "parent_id", s->parent_id);
	json_uint(j, "children", s->children);
	json_string_or_null(j, "current_tool", busy ? s->tool : "");
	json_uint(j, "requests", f->requests);
	json_uint(j, "tool_calls", f->tool_calls);
	json_uint(j, "prompts", f->prompts);
	json_string_or_null(j, "branch", s->branch);
	json_end(j);
}

bool
panel_render(const struct view *v, struct json *out)
{
	const struct roster *r = v->roster;
	size_t listed = view_listed(v, 0);
	struct rich tooltip = { .kind = RICH_PLAIN };

	tooltip_plain(v, &tooltip);
	json_object(out, NULL);
	json_uint(out, "version", PANEL_VERSION);
	json_bool(out, "connected", v->connected);
	json_bool(out, "has_working", r->states[AGENTBUS_WORKING] > 0);
	json_bool(out, "has_waiting", r->states[AGENTBUS_WAITING] > 0);
	write_counts(out, r);
	write_totals(out, r);
	json_string(out, "tooltip", tooltip.text);
	json_array(out, "sessions");
	for (size_t i = 0; i < listed; i++)
		write_session(out, &r->rows[i]);
	json_end(out);
	json_uint(out, "more", r->count - listed);
	json_end(out);
	return json_text(out) != NULL;
}
