#include "golden.h"

/* What a line of a timeline means. Texts are those of the recorders. */
static const struct truth {
	const char *text;
	enum session_state state;
	bool exit;    /* of a run without a person */
	bool answers; /* a dialog */
} truths[] = {
	{ "ENTER", SESSION_WORKING, false, false },
	{ "seen: Hello", SESSION_COMPLETED, false, false },
	{ "seen: Allow", SESSION_WAITING, false, false },
	{ "seen: Apply", SESSION_WAITING, false, false },
	{ "seen: Do you want", SESSION_WAITING, false, false },
	{ "seen: Would you like", SESSION_WAITING, false, false },
	{ "seen: Which colour", SESSION_WAITING, false, false },
	{ "key Escape", SESSION_COMPLETED, false, true },
	{ "key ", SESSION_WORKING, false, true },
	{ "exited", SESSION_ENDED, false, false },
	{ "prompt", SESSION_WORKING, false, false },
	{ "answer", SESSION_COMPLETED, false, false },
	{ "saw answer", SESSION_COMPLETED, false, false },
	{ "permission dialog", SESSION_WAITING, false, false },
	{ "approval prompt", SESSION_WAITING, false, false },
	{ "saw approval", SESSION_WAITING, false, false },
	{ "approve", SESSION_WORKING, false, true },
	{ "press 1", SESSION_WORKING, false, true },
	{ "approving", SESSION_WORKING, false, true },
	{ "deny", SESSION_COMPLETED, false, true },
	{ "rejecting", SESSION_COMPLETED, false, true },
	{ "interrupt", SESSION_COMPLETED, false, false },
	{ "press Escape", SESSION_COMPLETED, false, false },
	{ "error visible", SESSION_COMPLETED, false, false },
	{ "claude process exited", SESSION_ENDED, false, false },
	{ "process exited", SESSION_ENDED, false, false },
	{ "saw exited", SESSION_ENDED, false, false },
	{ "exit rc", SESSION_COMPLETED, true, false },
	{ "cli-exit", SESSION_COMPLETED, true, false },
};

static const struct truth *
truth_of(const char *what)
{
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strncmp(what, truths[i].text, strlen(truths[i].text)) == 0)
			return &truths[i];
	return NULL;
}

static bool
is_prompt(const struct seen *s)
{
	const struct truth *t = truth_of(s->what);

	return t->state == SESSION_WORKING && !t->answers;
}

void
golden_add_time(struct play *p, const cJSON *m)
{
	uint64_t t = (uint64_t)golden_number(m, "t_ms");
	struct seen *s = &p->timeline[p->timeline_count];

	if (t > p->end_ms)
		p->end_ms = t;
	if (p->timeline_count == TIMELINE_MAX || !truth_of(golden_text(m, "what")))
		return;
	s->t_ms = t;
	s->next_ms = UINT64_MAX;
	snprintf(s->what, sizeof(s->what), "%s", golden_text(m, "what"));
	s->what[strcspn(s->what, "(|")] = '\0'; /* details of the recorder, and what would end a cell of the table */
	for (size_t i = p->timeline_count; is_prompt(s) && i-- > 0 && p->timeline[i].next_ms == UINT64_MAX;)
		p->timeline[i].next_ms = t;
	p->timeline_count++;
}

/* Whether no dialog is open after it. */
static bool
moves_on(const struct truth *t)
{
	return t->answers || t->state == SESSION_WORKING;
}

uint64_t
golden_answered_ms(const struct play *p, uint64_t t_ms)
{
	for (size_t i = 0; i < p->timeline_count; i++)
		if (p->timeline[i].t_ms >= t_ms && moves_on(truth_of(p->timeline[i].what)))
			return p->timeline[i].t_ms;
	return 0;
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
 * How long after the person the state was there: a turn's end may be known before its answer is drawn, an exit before the process
 * is gone. Returns false if that was at once.
 */
static bool
delay_of(struct play *p, const struct seen *s, char *text, size_t size)
{
	const struct truth *truth = truth_of(s->what);
	const struct change *c;

	/* A run that exits may be known to have ended, which says even more. */
	if (p->last_seen_ms <= s->t_ms &&
	    (truth->state == state_at(p, s->t_ms) || (truth->exit && state_at(p, s->t_ms) == SESSION_ENDED))) {
		snprintf(text, size, "at once");
		return false;
	}
	c = first_seen(p, s->t_ms > p->last_seen_ms ? s->t_ms : p->last_seen_ms, truth->state);
	if (c && p->told && c->seen_ms > s->next_ms)
		c = NULL;
	if (c)
		p->last_seen_ms = c->seen_ms;
	if (!c)
		snprintf(text, size, "not shown");
	else if (c->timer && truth->state == SESSION_ENDED)
		snprintf(text, size, "given up, +%.0f", (double)(c->seen_ms - s->t_ms) / 1e3);
	else
		snprintf(text, size, "+%.2f%s", (double)(c->seen_ms - s->t_ms) / 1e3, c->timer ? " (timer)" : "");
	return true;
}

void
golden_print_delays_head(void)
{
	printf("| recording | state | what the person saw (s) | telemetry alone (s) | with hooks (s) |\n"
	       "| --- | --- | --- | --- | --- |\n");
}

static const char *
short_name(const struct play *p)
{
	return strncmp(p->name, "bundled-", 8) == 0 ? p->name + 8 : p->name;
}

void
golden_print_delays(struct play *alone, struct play *told)
{
	char by_telemetry[64] = "—", by_hooks[64] = "—";
	bool late = false;

	for (size_t i = 0; i < alone->timeline_count; i++) {
		const struct seen *s = &alone->timeline[i];
		if (alone->request_count)
			late = delay_of(alone, s, by_telemetry, sizeof(by_telemetry));
		if (told)
			late |= delay_of(told, s, by_hooks, sizeof(by_hooks));
		if (late || !truth_of(s->what)->exit)
			printf("| %s | %s | %.3f %.40s | %s | %s |\n", short_name(alone),
			       session_state_name(truth_of(s->what)->state), (double)s->t_ms / 1e3, s->what, by_telemetry,
			       by_hooks);
	}
}
