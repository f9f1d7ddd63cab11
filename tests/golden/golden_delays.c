#include "golden.h"

/* What a line of a timeline means. Texts are those of the recorders. */
static const struct truth {
	const char *text;
	enum session_state state;
	bool exit; /* of a run without a person */
} truths[] = {
	{ "ENTER", SESSION_WORKING, false },
	{ "prompt", SESSION_WORKING, false },
	{ "answer", SESSION_COMPLETED, false },
	{ "saw answer", SESSION_COMPLETED, false },
	{ "permission dialog", SESSION_WAITING, false },
	{ "approval prompt", SESSION_WAITING, false },
	{ "saw approval", SESSION_WAITING, false },
	{ "approve", SESSION_WORKING, false },
	{ "press 1 (approve)", SESSION_WORKING, false },
	{ "approving", SESSION_WORKING, false },
	{ "deny", SESSION_COMPLETED, false },
	{ "rejecting", SESSION_COMPLETED, false },
	{ "interrupt", SESSION_COMPLETED, false },
	{ "press Escape", SESSION_COMPLETED, false },
	{ "error visible", SESSION_COMPLETED, false },
	{ "claude process exited", SESSION_ENDED, false },
	{ "process exited", SESSION_ENDED, false },
	{ "saw exited", SESSION_ENDED, false },
	{ "exit rc", SESSION_COMPLETED, true },
	{ "cli-exit", SESSION_COMPLETED, true },
};

static const struct truth *
truth_of(const char *what)
{
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strncmp(what, truths[i].text, strlen(truths[i].text)) == 0)
			return &truths[i];
	return NULL;
}

/* The newest state of a session of its own before t_ms, SESSION_IDLE if none. */
static enum session_state
state_at(const struct play *p, uint64_t t_ms)
{
	enum session_state st = SESSION_IDLE;

	for (size_t i = 0; i < p->change_count && p->changes[i].seen_ms <= t_ms; i++)
		if (!p->changes[i].auxiliary)
			st = p->changes[i].state;
	return st;
}

/* The first change to that state of a session of its own, not before from_ms. */
static const struct change *
first_seen(const struct play *p, uint64_t from_ms, enum session_state st)
{
	for (size_t i = 0; i < p->change_count; i++)
		if (p->changes[i].seen_ms >= from_ms && !p->changes[i].auxiliary && p->changes[i].state == st)
			return &p->changes[i];
	return NULL;
}

/*
 * One line of the table: what the person saw, when a request that shows it arrived (the exporter's delay), and how long it
 * then took to become a state (ours). A turn's end may be known before its answer is drawn, an exit before the process is gone.
 */
void
golden_print_delay(struct play *p, const cJSON *m)
{
	const struct truth *truth = truth_of(golden_text(m, "what"));
	uint64_t t = (uint64_t)golden_number(m, "t_ms");
	const struct change *c;

	if (!truth)
		return;
	printf("| %s | %.3f %.28s | %s |", p->name, (double)t / 1e3, golden_text(m, "what"), session_state_name(truth->state));
	/* A run that exits may be known to have ended, which says even more. */
	if (p->last_seen_ms <= t && (truth->state == state_at(p, t) || (truth->exit && state_at(p, t) == SESSION_ENDED))) {
		printf(" at once | 0 | 0 |\n");
		return;
	}
	c = first_seen(p, t > p->last_seen_ms ? t : p->last_seen_ms, truth->state);
	if (c)
		p->last_seen_ms = c->seen_ms;
	if (c && c->timer && truth->state == SESSION_ENDED)
		printf(" not told, given up at %.1f | | |\n", (double)c->seen_ms / 1e3);
	else if (c)
		printf(" %.3f | %.2f | %.2f%s |\n", (double)c->seen_ms / 1e3,
		       c->arrival_ms > t ? (double)(c->arrival_ms - t) / 1e3 : 0,
		       (double)(c->seen_ms - (c->arrival_ms > t ? c->arrival_ms : t)) / 1e3, c->timer ? " (timer)" : "");
	else
		printf(" not shown | | |\n");
}
