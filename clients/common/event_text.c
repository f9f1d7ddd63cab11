#include "common/event_text.h"

#include "common/text.h"
#include "common/tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Room for names that came with telemetry. */
enum { NAME_COLUMNS = 40, NAME_SIZE = NAME_COLUMNS * 4 + 4 };

struct line {
	char *out;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void
add(struct line *l, const char *format, ...)
{
	size_t room = l->size - l->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(l->out + l->len, room, format, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Foreign text, made fit for a terminal; otherwise what stands in for it. */
static void
add_name(struct line *l, const char *name, const char *otherwise)
{
	char clean[NAME_SIZE];

	add(l, "%s", *name ? text_clip(name, NAME_COLUMNS, clean, sizeof(clean)) : otherwise);
}

static void
add_note(struct line *l, const char *before, const char *name, const char *after)
{
	if (!*name)
		return;
	add(l, "%s", before);
	add_name(l, name, "");
	add(l, "%s", after);
}

static void
add_duration(struct line *l, const char *before, uint64_t ms)
{
	char text[TEXT_SIZE];

	if (ms > 0 && ms <= UINT64_MAX / 1000000)
		add(l, "%s%s", before, text_duration(ms * 1000000, text, sizeof(text)));
}

/* --- one function per kind --- */

static void
say_started(struct line *l, const struct agentbus_event *e)
{
	add(l, "started %s", tool_of(e->session->provider)->title);
	if (e->session->auxiliary)
		add(l, " below %s", *e->session->parent_id ? text_short_id(e->session->parent_id) : "another session");
}

static void
say_prompt(struct line *l, const struct agentbus_event *e)
{
	add(l, "prompt");
	if (e->prompt.length)
		add(l, " of %" PRIu64 " %s", e->prompt.length, e->prompt.length == 1 ? "character" : "characters");
}

static void
say_request(struct line *l, const struct agentbus_event *e)
{
	const struct agentbus_tokens *t = &e->api_request.tokens;
	const struct agentbus_cost *cost = &e->api_request.cost;
	char text[TEXT_SIZE];

	add_name(l, e->api_request.model, "unknown model");
	add(l, ": %s in", text_count(t->input, text, sizeof(text)));
	add(l, ", %s out", text_count(t->output, text, sizeof(text)));
	if (cost->has_reported || cost->has_computed)
		add(l, ", %s%s", cost->estimated ? "about " : "", text_usd(cost->total, text, sizeof(text)));
	add_duration(l, ", ", e->api_request.duration_ms);
}

static void
say_error(struct line *l, const struct agentbus_event *e)
{
	const struct agentbus_failure *failure = &e->api_error.error;

	add(l, "error: ");
	add_name(l, failure->type, "unknown");
	if (failure->status)
		add(l, " (HTTP %u)", failure->status);
	add_note(l, " from ", e->api_error.model, "");
	if (e->api_error.attempt > 1)
		add(l, ", attempt %u", e->api_error.attempt);
	if (e->api_error.final)
		add(l, ", given up");
	else if (e->api_error.retried)
		add(l, ", will be retried");
}

static void
say_tool(struct line *l, const struct agentbus_event *e)
{
	add(l, "tool ");
	add_name(l, e->tool.name, "unknown");
	add(l, e->tool.success ? " done" : " failed");
	add_note(l, " (", e->tool.error_type, ")");
	add_note(l, ", ", e->tool.decision, "");
	add_duration(l, ", ", e->tool.duration_ms);
}

static void
say_state(struct line *l, const struct agentbus_event *e)
{
	add(l, "%s -> %s", agentbus_state_name(e->state_change.from), agentbus_state_name(e->state_change.to));
	add_note(l, " (", e->reason, ")");
	add_duration(l, ", turn of ", e->state_change.turn_duration_ms);
	if (e->session->failed && e->state_change.to == AGENTBUS_COMPLETED)
		add(l, ", failed");
}

static void
say_ended(struct line *l, const struct agentbus_event *e)
{
	add(l, "ended");
	add_note(l, " (", e->reason, ")");
}

static void
say_gap(struct line *l, const struct agentbus_event *e)
{
	if (e->gap.last_seq)
		add(l, "events %" PRIu64 " to %" PRIu64 " are lost", e->gap.first_seq, e->gap.last_seq);
	else
		add(l, "events from %" PRIu64 " on are lost, nobody knows how many", e->gap.first_seq);
}

static void
say_connected(struct line *l, const struct agentbus_event *e)
{
	(void)e;
	add(l, "connected");
}

static void
say_disconnected(struct line *l, const struct agentbus_event *e)
{
	(void)e;
	add(l, "the broker is gone; waiting for it");
}

static void
say_reset(struct line *l, const struct agentbus_event *e)
{
	(void)e;
	add(l, "the sessions were fetched anew");
}

static const struct {
	enum agentbus_kind kind;
	bool of_session;
	void (*say)(struct line *l, const struct agentbus_event *e);
} kinds[] = {
	{ AGENTBUS_SESSION_STARTED, true, say_started },
	{ AGENTBUS_PROMPT, true, say_prompt },
	{ AGENTBUS_API_REQUEST, true, say_request },
	{ AGENTBUS_API_ERROR, true, say_error },
	{ AGENTBUS_TOOL, true, say_tool },
	{ AGENTBUS_STATE_CHANGED, true, say_state },
	{ AGENTBUS_SESSION_ENDED, true, say_ended },
	{ AGENTBUS_GAP, false, say_gap },
	{ AGENTBUS_CONNECTED, false, say_connected },
	{ AGENTBUS_DISCONNECTED, false, say_disconnected },
	{ AGENTBUS_RESET, false, say_reset },
};

const char *
event_text(const struct agentbus_event *e, char *out, size_t size)
{
	struct line l = { .out = out, .size = size };

	out[0] = '\0';
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].kind == e->kind && (e->session || !kinds[i].of_session))
			kinds[i].say(&l, e);
	}
	/* A kind that came after this version. */
	if (l.len == 0)
		add_name(&l, agentbus_kind_name(e->kind), "unknown");
	return out;
}
