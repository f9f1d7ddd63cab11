#include "notify/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACKS_MAX     1024 /* above: the one unchanged for longest is forgotten */
#define NS_PER_MS      1000000
#define LAST_ANSWER_NS UINT64_C(1000000000) /* a turn is over this soon after its last answer */
#define WAITING_BIT    (1u << NOTICE_WAITING)
#define END_BITS       (1u << NOTICE_COMPLETED | 1u << NOTICE_FAILED)

/* What was said of one session. */
struct track {
	struct track *next; /* the one changed before this one */
	char key[NOTICE_KEY_SIZE];
	uint64_t turn;     /* when it began: its name */
	unsigned given;    /* notices of this turn, 1 << notice */
	unsigned up;       /* the one that may be on the screen, 1 << notice; 0: none */
	bool supposed_end; /* that of this turn was given, and only inferred */
	bool seen;         /* since policy_begin() */
	bool whole;        /* all of this turn's requests were seen */
	bool cost_known, cost_estimated;
	int64_t cost;          /* of those requests */
	uint64_t last_request; /* when the last one of them was over */
};

struct policy {
	struct policy_settings settings;
	struct track *tracks; /* newest change first */
	size_t count;
	char vanished[NOTICE_KEY_SIZE];
};

static const struct policy_verdict nothing = { .action = POLICY_NOTHING };

struct policy *
policy_create(const struct policy_settings *settings)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p)
		p->settings = *settings;
	return p;
}

void
policy_destroy(struct policy *p)
{
	if (!p)
		return;
	for (struct track *t = p->tracks, *next; t; t = next) {
		next = t->next;
		free(t);
	}
	free(p);
}

const char *
policy_key(const struct agentbus_session *s, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", s->provider, s->id);
	return out;
}

static struct track **
find_track(struct policy *p, const char *key)
{
	struct track **at = &p->tracks;

	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static struct track *
unlink_track(struct policy *p, struct track **at)
{
	struct track *t = *at;

	*at = t->next;
	p->count--;
	return t;
}

static void
forget_oldest(struct policy *p)
{
	struct track **at = &p->tracks;

	while (*at && (*at)->next)
		at = &(*at)->next;
	if (*at)
		free(unlink_track(p, at));
}

static void
begin_turn(struct track *t, uint64_t turn)
{
	t->turn = turn;
	t->given = 0;
	t->supposed_end = false;
	t->whole = true;
	t->cost = 0;
	t->last_request = 0;
	t->cost_known = t->cost_estimated = false;
}

/* The session's track, moved to the front and to the session's turn. NULL without memory. */
static struct track *
touch_track(struct policy *p, const struct agentbus_session *s)
{
	char key[NOTICE_KEY_SIZE];
	struct track **at = find_track(p, policy_key(s, key, sizeof(key)));
	struct track *t = *at ? unlink_track(p, at) : calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	memcpy(t->key, key, sizeof(key));
	if (t->turn != s->turn_started)
		begin_turn(t, s->turn_started);
	t->seen = true;
	if (p->count >= TRACKS_MAX)
		forget_oldest(p);
	t->next = p->tracks;
	p->tracks = t;
	p->count++;
	return t;
}

/* The session's notice is to go if it is one of these. */
static struct policy_verdict
close_if_up(struct track *t, unsigned notices)
{
	if (!(t->up & notices))
		return nothing;
	t->up = 0;
	return (struct policy_verdict){ .action = POLICY_CLOSE };
}

static struct policy_verdict
give(struct policy *p, struct track *t, enum notice notice, const struct notice_turn *turn)
{
	if (!p->settings.wanted[notice] || (t->given & 1u << notice))
		return close_if_up(t, notice == NOTICE_WAITING ? END_BITS : WAITING_BIT);
	t->given |= 1u << notice;
	t->up = 1u << notice;
	return (struct policy_verdict){ .action = POLICY_SHOW, .notice = notice, .turn = *turn };
}

static bool
changes_state(const struct agentbus_event *e)
{
	return e->session &&
	       (e->kind == AGENTBUS_STATE_CHANGED || e->kind == AGENTBUS_SESSION_STARTED || e->kind == AGENTBUS_SESSION_ENDED) &&
	       e->state_change.from != e->state_change.to;
}

/* A program that does its one turn and exits may go from working to ended. */
static bool
ends_turn(const struct agentbus_event *e)
{
	enum agentbus_state to = e->state_change.to;

	return to == AGENTBUS_COMPLETED ||
	       (e->state_change.turn_duration_ms > 0 && (to == AGENTBUS_IDLE || to == AGENTBUS_ENDED));
}

static uint64_t
turn_duration_ms(const struct agentbus_event *e)
{
	uint64_t began = e->session->turn_started;

	if (e->state_change.turn_duration_ms > 0 || began == 0 || e->time <= began)
		return e->state_change.turn_duration_ms;
	return (e->time - began) / NS_PER_MS;
}

/*
 * "lost": the broker has not heard of something that was running, and nobody knows that it is done. "interrupted": the
 * person stopped the turn, and was there. "clear": so it was, to begin another session.
 */
static bool
says_nothing_new(const char *reason)
{
	return strcmp(reason, "lost") == 0 || strcmp(reason, "interrupted") == 0 || strcmp(reason, "clear") == 0;
}

static struct notice_turn
turn_of(const struct track *t, const struct agentbus_event *e)
{
	struct notice_turn turn = { .duration_ms = turn_duration_ms(e) };

	if (!t->whole || !t->cost_known)
		return turn;
	turn.cost = t->cost;
	turn.cost_known = true;
	turn.cost_estimated = t->cost_estimated;
	turn.cost_partial = e->time > t->last_request + LAST_ANSWER_NS;
	return turn;
}

static struct policy_verdict
turn_over(struct policy *p, struct track *t, const struct agentbus_event *e)
{
	const struct notice_turn turn = turn_of(t, e);

	t->supposed_end = e->evidence == AGENTBUS_INFERRED;
	if (e->session->failed)
		return give(p, t, NOTICE_FAILED, &turn);
	if (turn.duration_ms < p->settings.min_turn_ms || says_nothing_new(e->reason))
		return close_if_up(t, WAITING_BIT);
	return give(p, t, NOTICE_COMPLETED, &turn);
}

/* What a request has cost goes to the turn of the session, or of the one that its sub-agent works for. */
static void
count_request(struct policy *p, const struct agentbus_event *e)
{
	const struct agentbus_session *s = e->session;
	const struct agentbus_cost *c = &e->api_request.cost;
	struct track *t;
	char key[NOTICE_KEY_SIZE];

	if (s->auxiliary) {
		snprintf(key, sizeof(key), "%s/%s", s->provider, s->parent_id);
		t = *find_track(p, key);
	} else {
		t = touch_track(p, s);
	}
	if (!t || (!c->has_reported && !c->has_computed) || e->time < t->turn)
		return;
	if (__builtin_add_overflow(t->cost, c->total, &t->cost))
		t->cost = INT64_MAX;
	if (t->last_request < e->time)
		t->last_request = e->time;
	t->cost_known = true;
	t->cost_estimated |= c->estimated;
}

/*
 * Work that goes on may stop for the person again, and that is news again. So is the end of a turn whose end was only
 * supposed before.
 */
static struct policy_verdict
work_goes_on(struct track *t)
{
	t->given &= ~WAITING_BIT;
	if (t->supposed_end)
		t->given &= ~END_BITS;
	return close_if_up(t, WAITING_BIT | END_BITS);
}

struct policy_verdict
policy_event(struct policy *p, const struct agentbus_event *e)
{
	const enum agentbus_state to = e->state_change.to;
	struct track *t;

	if (e->session && e->kind == AGENTBUS_API_REQUEST)
		count_request(p, e);
	if (!changes_state(e) || e->session->auxiliary || !(t = touch_track(p, e->session)))
		return nothing;
	if (to == AGENTBUS_WAITING)
		return give(p, t, NOTICE_WAITING, &(struct notice_turn){ 0 });
	if (ends_turn(e))
		return turn_over(p, t, e);
	t->given &= ~WAITING_BIT;
	if (to == AGENTBUS_WORKING)
		return work_goes_on(t);
	/* Idle because somebody has looked, and not because of the time. */
	return close_if_up(t, WAITING_BIT | (to == AGENTBUS_IDLE && e->evidence == AGENTBUS_TOLD ? END_BITS : 0));
}

struct policy_verdict
policy_budget(const struct policy *p, const struct agentbus_event *e)
{
	const enum notice notice = strcmp(e->budget.level, "limit") == 0 ? NOTICE_BUDGET_LIMIT : NOTICE_BUDGET_WARN;

	if (!p->settings.wanted[notice])
		return nothing;
	return (struct policy_verdict){ .action = POLICY_SHOW, .notice = notice };
}

const char *
policy_budget_key(const struct agentbus_budget *b, char *out, size_t size)
{
	snprintf(out, size, "budget/%s", b->key);
	return out;
}

void
policy_begin(struct policy *p)
{
	for (struct track *t = p->tracks; t; t = t->next)
		t->seen = false;
}

struct policy_verdict
policy_session(struct policy *p, const struct agentbus_session *s)
{
	char key[NOTICE_KEY_SIZE];
	struct track *t = *find_track(p, policy_key(s, key, sizeof(key)));
	const bool busy = s->state == AGENTBUS_WAITING || s->state == AGENTBUS_WORKING;

	if (s->auxiliary || (!t && !busy))
		return nothing;
	t = touch_track(p, s);
	if (!t)
		return nothing;
	/* Requests of this turn may have been missed: the first ones, or some that the broker has lost. */
	t->whole = false;
	if (s->state == AGENTBUS_WAITING)
		return give(p, t, NOTICE_WAITING, &(struct notice_turn){ 0 });
	return s->state == AGENTBUS_WORKING ? work_goes_on(t) : close_if_up(t, WAITING_BIT);
}

const char *
policy_vanished(struct policy *p)
{
	for (struct track **at = &p->tracks; *at;) {
		if ((*at)->seen) {
			at = &(*at)->next;
			continue;
		}
		struct track *t = unlink_track(p, at);
		const bool waits = t->up == WAITING_BIT;

		memcpy(p->vanished, t->key, sizeof(p->vanished));
		free(t);
		if (waits)
			return p->vanished;
	}
	return NULL;
}
