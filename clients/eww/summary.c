#include "eww/summary.h"

#include "common/text.h"
#include "common/tool.h"

#include <stdio.h>

/* A bar is no place for a long name. */
enum { NAMED_COLUMNS = 20 };

static const struct {
	const char *name;
	const char *word; /* after a number; NULL if it is not told */
	const char *colour;
	bool named;
} states[] = {
	[SUMMARY_DISCONNECTED] = { "disconnected", NULL, "#8a8f98", false },
	[SUMMARY_EMPTY] = { "empty", NULL, "#8a8f98", false },
	[SUMMARY_IDLE] = { "idle", "idle", "#8a8f98", false },
	[SUMMARY_COMPLETED] = { "completed", "done", "#6fb7d6", false },
	[SUMMARY_WORKING] = { "working", "working", "#7fc97f", false },
	[SUMMARY_FAILED] = { "failed", "failed", "#e56b6f", true },
	[SUMMARY_WAITING] = { "waiting", "waiting", "#f2b45c", true },
};

const char *
summary_name(enum summary_state state)
{
	return states[state].name;
}

const char *
summary_colour(enum summary_state state)
{
	return states[state].colour;
}

enum summary_state
summary_of_session(const struct agentbus_session *s)
{
	static const enum summary_state of[] = {
		[AGENTBUS_UNKNOWN] = SUMMARY_IDLE,        [AGENTBUS_IDLE] = SUMMARY_IDLE,
		[AGENTBUS_WORKING] = SUMMARY_WORKING,     [AGENTBUS_WAITING] = SUMMARY_WAITING,
		[AGENTBUS_COMPLETED] = SUMMARY_COMPLETED,
	};

	if (s->failed && s->state == AGENTBUS_COMPLETED)
		return SUMMARY_FAILED;
	return (size_t)s->state < sizeof(of) / sizeof(of[0]) ? of[s->state] : SUMMARY_IDLE;
}

static const struct roster_row *
first_in(const struct roster *r, enum summary_state state)
{
	size_t i = 0;

	while (i < r->count && summary_of_session(r->rows[i].session) != state)
		i++;
	return i < r->count ? &r->rows[i] : NULL;
}

struct summary
summary_of(const struct view *v)
{
	struct summary sum = { .state = v->connected ? SUMMARY_EMPTY : SUMMARY_DISCONNECTED };

	for (size_t i = 0; i < v->roster->count; i++) {
		enum summary_state state = summary_of_session(v->roster->rows[i].session);

		sum.counts[state]++;
		if (state > sum.state)
			sum.state = state;
	}
	sum.top = first_in(v->roster, sum.state);
	return sum;
}

static void
write_count(const struct view *v, enum summary_state state, size_t count, bool named, struct rich *out)
{
	char label[SUMMARY_LABEL_SIZE];

	if (out->len)
		rich_raw(out, " ");
	if (v->colours)
		rich_colour(out, states[state].colour);
	rich_format(out, "%zu %s", count, states[state].word);
	if (named && states[state].named) {
		rich_raw(out, " (");
		rich_clip(out, summary_label(first_in(v->roster, state)->session, label), NAMED_COLUMNS);
		rich_raw(out, ")");
	}
	if (v->colours)
		rich_uncolour(out);
}

void
summary_write(const struct view *v, const struct summary *sum, bool named, struct rich *out)
{
	if (sum->state <= SUMMARY_EMPTY) {
		rich_text(out, v->connected ? v->empty : v->away);
		return;
	}
	for (int state = SUMMARY_WAITING; state >= SUMMARY_COMPLETED; state--) {
		if (sum->counts[state])
			write_count(v, (enum summary_state)state, sum->counts[state], named, out);
	}
	if (sum->state == SUMMARY_IDLE)
		write_count(v, SUMMARY_IDLE, sum->counts[SUMMARY_IDLE], named, out);
}

const char *
summary_label(const struct agentbus_session *s, char out[SUMMARY_LABEL_SIZE])
{
	char named[64], place[ROSTER_PLACE_SIZE];

	if (*s->title)
		return text_clip(s->title, SUMMARY_LABEL_COLUMNS, out, SUMMARY_LABEL_SIZE);
	if (*s->project)
		return text_clip(roster_place(s, place), SUMMARY_LABEL_COLUMNS, out, SUMMARY_LABEL_SIZE);
	snprintf(named, sizeof(named), "%s %s", tool_of(s->provider)->name, text_short_id(s->id));
	return text_clip(named, SUMMARY_LABEL_COLUMNS, out, SUMMARY_LABEL_SIZE);
}

const char *
summary_since(const struct agentbus_session *s, char out[SUMMARY_SINCE_SIZE])
{
	char clock[TEXT_SIZE];

	snprintf(out, SUMMARY_SINCE_SIZE, "%.5s", text_clock(roster_since(s), clock, sizeof(clock)));
	return out;
}
