#include "eww/panel.h"

#include "common/text.h"
#include "common/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 48, ERROR_COLUMNS = 160 };

/* Columns times the four bytes that a character has at most, and the end. */
enum { LABEL_SIZE = LABEL_COLUMNS * 4 + 4, ERROR_SIZE = ERROR_COLUMNS * 4 + 4 };

/* What a person calls the session: its title, its project, or its tool and the end of its id. */
static const char *
label_of(const struct agentbus_session *s, char *out)
{
	char named[64];

	if (*s->title)
		return text_clip(s->title, LABEL_COLUMNS, out, LABEL_SIZE);
	if (*s->project)
		return text_clip(s->project, LABEL_COLUMNS, out, LABEL_SIZE);
	snprintf(named, sizeof(named), "%s %s", tool_of(s->provider)->name, text_short_id(s->id));
	return text_clip(named, LABEL_COLUMNS, out, LABEL_SIZE);
}

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
	char label[LABEL_SIZE], since[TEXT_SIZE];

	json_object(j, NULL);
	json_string(j, "id", s->id);
	json_string(j, "tool", tool->name);
	json_string(j, "provider", s->provider);
	json_string(j, "state", agentbus_state_name(s->state));
	json_uint(j, "since", roster_since(s) / 1000000000);
	json_string(j, "since_text", text_clock(roster_since(s), since, sizeof(since)));
	json_string(j, "project", s->project);
	json_string(j, "model", s->model);
	json_string(j, "label", label_of(s, label));
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
	json_end(j);
}

/* --- tooltip --- */

/* A text of its own that is not JSON: grown with snprintf, cut at the end. */
struct tooltip {
	char text[4096];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void
tooltip_add(struct tooltip *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n < sizeof(t->text) - t->len ? (size_t)n : sizeof(t->text) - t->len - 1;
}

static void
tooltip_add_session(struct tooltip *t, const struct roster_row *row)
{
	const struct agentbus_session *s = row->session;
	const struct roster_figures *f = &row->figures;
	const char *state = s->failed && s->state == AGENTBUS_COMPLETED ? "failed" : agentbus_state_name(s->state);
	char text[LABEL_SIZE];

	tooltip_add(t, "%s%s: ", t->len ? "\n" : "", state);
	tooltip_add(t, "%s", label_of(s, text));
	tooltip_add(t, " (%s", tool_of(s->provider)->title);
	if (*s->model)
		tooltip_add(t, ", %s", text_clip(s->model, LABEL_COLUMNS, text, sizeof(text)));
	tooltip_add(t, "), %s tokens", text_count(f->tokens.input + f->tokens.output, text, sizeof(text)));
	if (f->cost_known)
		tooltip_add(t, ", %s%s", f->cost_estimated ? "about " : "", text_usd(f->cost, text, sizeof(text)));
	if (f->errors)
		tooltip_add(t, ", %s %s", text_count(f->errors, text, sizeof(text)), f->errors == 1 ? "error" : "errors");
}

static void
write_tooltip(struct json *j, const struct roster *r, bool connected)
{
	/* A line has at most about 500 bytes: what does not fit is counted, not cut. */
	const size_t room_for_line = 600;
	struct tooltip t = { .len = 0 };
	size_t i;

	for (i = 0; i < r->count && sizeof(t.text) - t.len > room_for_line; i++)
		tooltip_add_session(&t, &r->rows[i]);
	if (i < r->count)
		tooltip_add(&t, "\nand %zu more", r->count - i);
	if (r->count == 0)
		tooltip_add(&t, "%s", connected ? "No sessions" : "agentbusd is not running");
	json_string(j, "tooltip", t.text);
}

bool
panel_render(const struct roster *r, bool connected, struct json *out)
{
	json_clear(out);
	json_object(out, NULL);
	json_uint(out, "version", PANEL_VERSION);
	json_bool(out, "connected", connected);
	json_bool(out, "has_working", r->states[AGENTBUS_WORKING] > 0);
	json_bool(out, "has_waiting", r->states[AGENTBUS_WAITING] > 0);
	write_counts(out, r);
	write_totals(out, r);
	write_tooltip(out, r, connected);
	json_array(out, "sessions");
	for (size_t i = 0; i < r->count; i++)
		write_session(out, &r->rows[i]);
	json_end(out);
	json_end(out);
	return json_text(out) != NULL;
}
