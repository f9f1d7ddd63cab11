#include "eww/field.h"

#include "common/text.h"
#include "common/tool.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array)     (sizeof(array) / sizeof(*(array)))
#define TEXT_OF(member)  offsetof(struct agentbus_session, member)
#define COUNT_OF(member) offsetof(struct roster_figures, member)

struct field {
	const char *name;
	void (*write)(const struct field *f, const struct view *v, const struct summary *sum, char *out);
	size_t which; /* for write: a state, or where the member is */
	bool of_top;  /* "" without a session */
};

/* --- of all sessions --- */

static void
write_state_count(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	(void)v;
	snprintf(out, FIELD_SIZE, "%zu", sum->counts[f->which]);
}

static void
write_sessions(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	(void)f;
	(void)sum;
	snprintf(out, FIELD_SIZE, "%zu", v->roster->count);
}

static void
write_more(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	(void)f;
	(void)sum;
	snprintf(out, FIELD_SIZE, "%zu", v->roster->count - view_listed(v, 0));
}

static void
write_state(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	(void)f;
	(void)v;
	snprintf(out, FIELD_SIZE, "%s", summary_name(sum->state));
}

static void
write_summary(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	struct view plain = *v;
	struct rich text = { .kind = RICH_PLAIN };

	(void)f;
	plain.colours = false;
	summary_write(&plain, sum, false, &text);
	text_clip(text.text, RICH_COLUMNS, out, FIELD_SIZE);
}

/* --- figures: of all, or of the top session --- */

static const struct roster_figures *
figures_of(const struct field *f, const struct view *v, const struct summary *sum)
{
	return f->of_top ? &sum->top->figures : &v->roster->totals;
}

static void
write_cost(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	const struct roster_figures *figures = figures_of(f, v, sum);

	if (figures->cost_known)
		text_usd(figures->cost, out, FIELD_SIZE);
}

static void
write_tokens(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	const struct roster_figures *figures = figures_of(f, v, sum);

	text_count(figures->tokens.input + figures->tokens.output, out, FIELD_SIZE);
}

static void
write_figure(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	const char *figures = (const char *)figures_of(f, v, sum);

	text_count(*(const uint64_t *)(const void *)(figures + f->which), out, FIELD_SIZE);
}

/* --- of the top session --- */

static void
write_top_text(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	const char *session = (const char *)sum->top->session;

	(void)v;
	text_clip(*(const char *const *)(const void *)(session + f->which), RICH_COLUMNS, out, FIELD_SIZE);
}

static void
write_top_label(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	char label[SUMMARY_LABEL_SIZE];

	(void)f;
	(void)v;
	snprintf(out, FIELD_SIZE, "%s", summary_label(sum->top->session, label));
}

static void
write_top_tool(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	(void)f;
	(void)v;
	snprintf(out, FIELD_SIZE, "%s", tool_of(sum->top->session->provider)->name);
}

static void
write_top_since(const struct field *f, const struct view *v, const struct summary *sum, char *out)
{
	char since[SUMMARY_SINCE_SIZE];

	(void)f;
	(void)v;
	snprintf(out, FIELD_SIZE, "%s", summary_since(sum->top->session, since));
}

static const struct field fields[] = {
	{ "waiting", write_state_count, SUMMARY_WAITING, false },
	{ "failed", write_state_count, SUMMARY_FAILED, false },
	{ "working", write_state_count, SUMMARY_WORKING, false },
	{ "completed", write_state_count, SUMMARY_COMPLETED, false },
	{ "idle", write_state_count, SUMMARY_IDLE, false },
	{ "sessions", write_sessions, 0, false },
	{ "more", write_more, 0, false },
	{ "state", write_state, 0, false },
	{ "summary", write_summary, 0, false },
	{ "cost", write_cost, 0, false },
	{ "tokens", write_tokens, 0, false },
	{ "errors", write_figure, COUNT_OF(errors), false },
	{ "requests", write_figure, COUNT_OF(requests), false },
	{ "top.label", write_top_label, 0, true },
	{ "top.project", write_top_text, TEXT_OF(project), true },
	{ "top.branch", write_top_text, TEXT_OF(branch), true },
	{ "top.tool", write_top_tool, 0, true },
	{ "top.current_tool", write_top_text, TEXT_OF(tool), true },
	{ "top.model", write_top_text, TEXT_OF(model), true },
	{ "top.reason", write_top_text, TEXT_OF(reason), true },
	{ "top.since", write_top_since, 0, true },
	{ "top.error", write_top_text, TEXT_OF(last_error.message), true },
	{ "top.errors", write_figure, COUNT_OF(errors), true },
	{ "top.cost", write_cost, 0, true },
	{ "top.tokens", write_tokens, 0, true },
	{ "top.id", write_top_text, TEXT_OF(id), true },
};

const struct field *
field_find(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(fields); i++) {
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			return &fields[i];
	}
	return NULL;
}

void
field_write(const struct field *f, const struct view *v, const struct summary *sum, char out[FIELD_SIZE])
{
	out[0] = '\0';
	if (!f->of_top || sum->top)
		f->write(f, v, sum, out);
}

const char *
field_names(char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(fields) && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", fields[i].name);
	return out;
}
