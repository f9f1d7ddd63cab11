#include "notify/body.h"

#include "common/text.h"
#include "common/tool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS   1000000
#define NAME_WIDTH  60 /* columns of a project's name */
#define TITLE_WIDTH 40
#define NAME_SIZE   256
#define SEPARATOR   " \u00b7 "
#define LINE_END    "\n"

/* Appends before, unless it would begin a line or the text, and the formatted part; leaves out what does not fit whole. */
__attribute__((format(printf, 3, 4))) static void
add(struct body *b, const char *before, const char *format, ...)
{
	size_t len = strlen(b->text), size = sizeof(b->text) - len;
	bool begins = len == 0 || (b->text[len - 1] == '\n' && strcmp(before, SEPARATOR) == 0);
	char part[NAME_SIZE + 64];
	va_list args;

	va_start(args, format);
	vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	if ((size_t)snprintf(b->text + len, size, "%s%s", begins ? "" : before, part) >= size)
		b->text[len] = '\0';
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
add_cost(struct body *b, const struct notice_turn *turn)
{
	char cost[TEXT_SIZE];

	if (turn->cost_known && turn->cost > 0)
		add(b, SEPARATOR, "%s%s",
		    turn->cost_estimated ? "about "
		    : turn->cost_partial ? "at least "
					 : "",
		    text_usd(turn->cost, cost, sizeof(cost)));
}

static void
add_where_and_how_long(struct body *b, const struct agentbus_session *s, const struct notice_turn *turn)
{
	char name[NAME_SIZE], place[ROSTER_PLACE_SIZE], duration[TEXT_SIZE];

	text_clip(s->project[0] ? roster_place(s, place) : text_short_id(s->id), NAME_WIDTH, name, sizeof(name));
	if (name[0])
		add(b, LINE_END, "%s", name);
	if (turn->duration_ms > 0)
		add(b, SEPARATOR, "%s", text_duration(turn->duration_ms * NS_PER_MS, duration, sizeof(duration)));
	add_cost(b, turn);
}

static const char *
error_words(const char *type)
{
	static const struct {
		const char *type, *words;
	} errors[] = {
		{ "auth", "authentication error" }, { "rate_limit", "rate limit" },  { "timeout", "timeout" },
		{ "server", "server error" },       { "client", "request refused" }, { "network", "network error" },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].type, type) == 0)
			return errors[i].words;
	return "unknown error";
}

/* Only what kind of error it was: the message of one may quote what the person wrote. */
static void
add_errors(struct body *b, enum notice notice, const struct agentbus_session *s)
{
	static const char *const before_last[] = { LINE_END, ": ", ", last: " };

	if (s->turn_errors > 0)
		add(b, LINE_END, "%" PRIu32 " error%s", s->turn_errors, plural(s->turn_errors));
	if (notice != NOTICE_FAILED || !s->last_error.type[0])
		return;
	add(b, before_last[s->turn_errors < 2 ? s->turn_errors : 2], "%s", error_words(s->last_error.type));
	if (s->last_error.status > 0)
		add(b, " ", "(HTTP %u)", s->last_error.status);
}

/* The cost is left out if that of the turn is all of it. */
static void
add_usage(struct body *b, const struct roster_figures *total, const struct notice_turn *turn)
{
	const uint64_t tokens = total->tokens.input + total->tokens.output;
	const bool cost = total->cost_known && !(turn->cost_known && turn->cost >= total->cost);
	char number[TEXT_SIZE];

	if (tokens == 0 && !cost)
		return;
	add(b, LINE_END, "Session: ");
	if (tokens > 0)
		add(b, "", "%s token%s", text_count(tokens, number, sizeof(number)), plural(tokens));
	if (cost)
		add(b, tokens > 0 ? ", " : "", "%s%s", total->cost_estimated ? "about " : "",
		    text_usd(total->cost, number, sizeof(number)));
}

/* What is no CLI that we know has only the name that it gives itself. */
static const char *
tool_name(const struct agentbus_session *s, char *out, size_t size)
{
	const struct tool *tool = tool_of(s->provider);
	const bool named = strcmp(tool->provider, "genai") == 0 && s->service_name[0];

	return text_clip(named ? s->service_name : tool->title, TITLE_WIDTH, out, size);
}

void
body_render_budget(struct body *ret, const struct agentbus_budget *b, const struct agentbus_session *s)
{
	const bool limit = strcmp(b->level, "limit") == 0, month = strcmp(b->period, "month") == 0;
	char spent[TEXT_SIZE], amount[TEXT_SIZE], name[NAME_SIZE], key[NAME_SIZE];

	*ret = (struct body){ 0 };
	text_usd(b->amount, amount, sizeof(amount));
	snprintf(ret->summary, sizeof(ret->summary), limit ? "%s budget of %s is spent" : "%s spending has reached %s",
		 month ? "Monthly" : "Daily", amount);
	add(ret, LINE_END, "%s%s in %s", b->estimated ? "About " : "", text_usd(b->spent, spent, sizeof(spent)),
	    text_clip(b->key, NAME_WIDTH, key, sizeof(key)));
	add(ret, LINE_END, "Last by %s", tool_name(s, name, sizeof(name)));
	if (s->project[0])
		add(ret, SEPARATOR, "%s", text_clip(s->project, NAME_WIDTH, name, sizeof(name)));
}

/* What a dialog is: the first row that matches. A tool that was told is the one asked about; another one may be older. */
static const struct dialog {
	const char *reason, *tool; /* NULL: any */
	bool told;                 /* only if the CLI itself said so, and of which tool */
	const char *format;        /* of the CLI's and the tool's name */
} dialogs[] = {
	{ "plan", NULL, false, "%s has a plan for you" },
	{ "question", "ExitPlanMode", true, "%s has a plan for you" },
	{ "question", "exit_plan_mode", true, "%s has a plan for you" },
	{ "question", NULL, false, "%s has a question" },
	{ "elicitation", NULL, false, "%s needs an answer" },
	{ "permission", NULL, true, "%s wants to use %s" },
	{ "permission", NULL, false, "%s asks for permission" },
	{ NULL, NULL, false, "%s waits for you" },
};

static bool
is_dialog(const struct dialog *d, const struct agentbus_session *s)
{
	return (!d->reason || strcmp(d->reason, s->reason) == 0) && (!d->tool || strcmp(d->tool, s->tool) == 0) &&
	       (!d->told || (s->evidence == AGENTBUS_TOLD && s->tool[0]));
}

static void
render_waiting(struct body *b, const struct agentbus_session *s)
{
	const struct dialog *d = dialogs;
	char name[NAME_SIZE], tool[NAME_SIZE];

	while (!is_dialog(d, s))
		d++;
	text_clip(s->tool, TITLE_WIDTH, tool, sizeof(tool));
	snprintf(b->summary, sizeof(b->summary), d->format, tool_name(s, name, sizeof(name)), tool);
	add_where_and_how_long(b, s, &(struct notice_turn){ 0 });
	/* What was told has no tool unless it asks for one. */
	if (s->evidence != AGENTBUS_TOLD && tool[0])
		add(b, SEPARATOR, "%s", tool);
}

void
body_render(struct body *ret, enum notice notice, const struct agentbus_session *s, const struct notice_turn *turn,
	    const struct roster_figures *total)
{
	struct notice_turn shown = *turn;
	char name[NAME_SIZE];

	*ret = (struct body){ 0 };
	if (notice == NOTICE_WAITING) {
		render_waiting(ret, s);
		return;
	}
	/* Where a CLI says what a turn has cost, requests may have been counted with more. */
	if (total->cost_known && shown.cost > total->cost)
		shown.cost = total->cost;
	snprintf(ret->summary, sizeof(ret->summary), "%s %s", tool_name(s, name, sizeof(name)),
		 notice == NOTICE_FAILED ? "failed" : "finished");
	add_where_and_how_long(ret, s, &shown);
	add_errors(ret, notice, s);
	add_usage(ret, total, &shown);
}

const char *
body_escape(const char *text, char *out, size_t size)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" } };
	size_t used = 0;
	uint32_t rune;

	out[0] = '\0';
	for (size_t len; (len = text_rune(text, &rune)) > 0; text += len) {
		const char *piece = text;
		size_t piece_len = len;

		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (rune == (uint32_t)entities[i].c) {
				piece = entities[i].entity;
				piece_len = strlen(piece);
			}
		if (piece_len >= size - used)
			break;
		memcpy(out + used, piece, piece_len);
		used += piece_len;
		out[used] = '\0';
	}
	return out;
}
