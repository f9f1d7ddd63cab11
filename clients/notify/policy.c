#include "notify/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE   256
#define TRACKS_MAX 1024 /* above: the one unchanged for longest is forgotten */
#define NS_PER_MS  1000000

/* What was said of one session. */
struct track {
	struct track *next; /* the one changed before this one */
	char key[KEY_SIZE];
	uint64_t turn;  /* when it began: its name */
	unsigned given; /* notices of this turn, 1 << notice */
	bool waits;     /* a notice of waiting may be on the screen */
	bool seen;      /* since policy_begin() */
};

struct policy {
	struct policy_settings settings;
	struct track *tracks; /* newest change first */
	size_t count;
	char vanished[KEY_SIZE];
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

/* The session's track, moved to the front and to the session's turn. NULL without memory. */
static struct track *
touch_track(struct policy *p, const struct agentbus_session *s)
{
	char key[KEY_SIZE];
	struct track **at = find_track(p, policy_key(s, key, sizeof(key)));
	struct track *t = *at ? unlink_track(p, at) : calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	memcpy(t->key, key, sizeof(key));
	if (t->turn != s->turn_started) {
		t->turn = s->turn_started;
		t->given = 0;
	}
	t->seen = true;
	if (p->count >= TRACKS_MAX)
		forget_oldest(p);
	t->next = p->tracks;
	p->tracks = t;
	p->count++;
	return t;
}

static struct policy_verdict
close_if_waiting(struct track *t, enum policy_action otherwise)
{
	bool waits = t->waits;

	t->waits = false;
	return (struct policy_verdict){ .action = waits ? POLICY_CLOSE : otherwise };
}

static struct policy_verdict
give(struct policy *p, struct track *t, enum notice notice, uint64_t turn_duration_ms)
{
	if (!p->settings.wanted[notice] || (t->given & 1u << notice))
		return notice == NOTICE_WAITING ? nothing : close_if_waiting(t, POLICY_NOTHING);
	t->given |= 1u << notice;
	t->waits = notice == NOTICE_WAITING;
	return (struct policy_verdict){ .action = POLICY_SHOW, .notice = notice, .turn_duration_ms = turn_duration_ms };
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
 * person stopped the turn, and was there.
 */
static bool
says_nothing_new(const char *reason)
{
	return strcmp(reason, "lost") == 0 || strcmp(reason, "interrupted") == 0;
}

static struct policy_verdict
turn_over(struct policy *p, struct track *t, const struct agentbus_event *e)
{
	uint64_t ms = turn_duration_ms(e);

	if (e->session->failed)
		return give(p, t, NOTICE_FAILED, ms);
	if (ms < p->settings.min_turn_ms || says_nothing_new(e->reason))
		return close_if_waiting(t, POLICY_NOTHING);
	return give(p, t, NOTICE_COMPLETED, ms);
}

struct policy_verdict
policy_event(struct policy *p, const struct agentbus_event *e)
{
	struct track *t;

	if (!changes_state(e) || e->session->auxiliary || !(t = touch_track(p, e->session)))
		return nothing;
	if (e->state_change.to == AGENTBUS_WAITING)
		return give(p, t, NOTICE_WAITING, 0);
	if (ends_turn(e))
		return turn_over(p, t, e);
	/* Work that goes on may stop for the person again, and that is news again. */
	t->given &= ~(1u << NOTICE_WAITING);
	return close_if_waiting(t, e->state_change.to == AGENTBUS_WORKING ? POLICY_DROP : POLICY_NOTHING);
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
	char key[KEY_SIZE];
	struct track *t;

	if (s->auxiliary)
		return nothing;
	if (s->state == AGENTBUS_WAITING)
		return (t = touch_track(p, s)) ? give(p, t, NOTICE_WAITING, 0) : nothing;
	t = *find_track(p, policy_key(s, key, sizeof(key)));
	if (!t)
		return nothing;
	t->seen = true;
	return close_if_waiting(t, s->state == AGENTBUS_WORKING ? POLICY_DROP : POLICY_NOTHING);
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
		bool waits = t->waits;

		memcpy(p->vanished, t->key, sizeof(p->vanished));
		free(t);
		if (waits)
			return p->vanished;
	}
	return NULL;
}
