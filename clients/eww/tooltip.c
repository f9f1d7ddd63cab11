#include "eww/tooltip.h"

#include "common/text.h"
#include "common/tool.h"
#include "eww/summary.h"

/* A line of plain text is begun below this; it has about 500 bytes at most. */
enum { PLAIN_ENOUGH = 3496 };

/* Lines of markup that leave less than this are taken back, for the one that says how many are missing. */
enum { MORE_SIZE = 64 };

enum { MARKUP_SESSIONS = 10, ERROR_COLUMNS = 80 };

/* "1.2k tokens, about $0.12, 2 errors" */
static void
add_figures(struct rich *t, const struct roster_figures *f)
{
	char text[TEXT_SIZE];

	rich_format(t, "%s tokens", text_count(f->tokens.input + f->tokens.output, text, sizeof(text)));
	if (f->cost_known)
		rich_format(t, ", %s%s", f->cost_estimated ? "about " : "", text_usd(f->cost, text, sizeof(text)));
	if (f->errors)
		rich_format(t, ", %s %s", text_count(f->errors, text, sizeof(text)), f->errors == 1 ? "error" : "errors");
}

static void
add_nothing(struct rich *t, const struct view *v)
{
	rich_raw(t, v->connected ? "No sessions" : "agentbusd is not running");
}

static void
add_plain_session(struct rich *t, const struct roster_row *row)
{
	const struct agentbus_session *s = row->session;
	bool failed = summary_of_session(s) == SUMMARY_FAILED;
	char label[SUMMARY_LABEL_SIZE];

	rich_format(t, "%s%s: ", t->len ? "\n" : "", failed ? "failed" : agentbus_state_name(s->state));
	rich_text(t, summary_label(s, label));
	rich_format(t, " (%s", tool_of(s->provider)->title);
	if (*s->model) {
		rich_raw(t, ", ");
		rich_clip(t, s->model, SUMMARY_LABEL_COLUMNS);
	}
	rich_raw(t, "), ");
	add_figures(t, &row->figures);
}

void
tooltip_plain(const struct view *v, struct rich *out)
{
	const struct roster *r = v->roster;
	size_t listed = view_listed(v, 0);
	size_t i;

	for (i = 0; i < listed && out->len < PLAIN_ENOUGH; i++)
		add_plain_session(out, &r->rows[i]);
	if (i < r->count)
		rich_format(out, "\nand %zu more", r->count - i);
	if (r->count == 0)
		add_nothing(out, v);
}

static void
add_markup_session(struct rich *t, const struct view *v, const struct roster_row *row)
{
	const struct agentbus_session *s = row->session;
	enum summary_state state = summary_of_session(s);
	char label[SUMMARY_LABEL_SIZE], since[SUMMARY_SINCE_SIZE];

	rich_raw(t, "\n<b>");
	rich_text(t, summary_label(s, label));
	rich_raw(t, "</b>  ");
	if (v->colours)
		rich_colour(t, summary_colour(state));
	rich_format(t, "%s since %s", summary_name(state), summary_since(s, since));
	if (v->colours)
		rich_uncolour(t);
	if (*s->tool && (state == SUMMARY_WAITING || state == SUMMARY_WORKING)) {
		rich_raw(t, ", ");
		rich_clip(t, s->tool, SUMMARY_LABEL_COLUMNS);
	}
	if (state == SUMMARY_FAILED && *s->last_error.type) {
		rich_format(t, "\n    %s: ", s->last_error.type);
		rich_clip(t, s->last_error.message, ERROR_COLUMNS);
	}
	rich_format(t, "\n    <span alpha=\"70%%\">%s", tool_of(s->provider)->title);
	if (*s->model) {
		rich_raw(t, ", ");
		rich_clip(t, s->model, SUMMARY_LABEL_COLUMNS);
	}
	if (row->figures.tokens.input + row->figures.tokens.output > 0 || row->figures.errors) {
		rich_raw(t, ", ");
		add_figures(t, &row->figures);
	}
	rich_raw(t, "</span>");
}

void
tooltip_markup(const struct view *v, struct rich *out)
{
	const struct roster *r = v->roster;
	size_t listed = view_listed(v, MARKUP_SESSIONS);
	size_t i;

	if (r->count == 0) {
		add_nothing(out, v);
		return;
	}
	rich_format(out, "%zu %s, ", r->count, r->count == 1 ? "session" : "sessions");
	add_figures(out, &r->totals);
	for (i = 0; i < listed; i++) {
		size_t before = out->len;

		add_markup_session(out, v, &r->rows[i]);
		if (out->full || out->len > sizeof(out->text) - MORE_SIZE) {
			rich_rewind(out, before);
			break;
		}
	}
	if (i < r->count)
		rich_format(out, "\n+%zu more", r->count - i);
}
