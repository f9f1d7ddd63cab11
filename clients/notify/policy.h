/*
 * What to notify of, and what of that to take back. Pure: events and sessions in, verdicts out.
 *
 * The end of a turn is given once, however often the session changes its state, but once more if the first one was only
 * inferred and work went on; waiting, each time. A turn that was over before the start is not news; a session that waits is,
 * whenever it began to. What was given is no longer true when the session works again; waiting, when it does anything else,
 * and the end of a turn also when the person is known to have looked at it.
 */
#ifndef CLIENTS_NOTIFY_POLICY_H
#define CLIENTS_NOTIFY_POLICY_H

#include "notify/notice.h"

#include <agentbus.h>
#include <stdbool.h>
#include <stdint.h>

struct policy_settings {
	uint64_t min_turn_ms;      /* shorter turns complete in silence */
	bool wanted[NOTICE_COUNT]; /* others are never shown */
};

enum policy_action {
	POLICY_NOTHING = 0,
	POLICY_SHOW, /* the notice, in the place of any earlier one of the session */
	POLICY_CLOSE /* the session's notice is no longer true: take it from the screen, or do not show it */
};

struct policy_verdict {
	enum policy_action action;
	enum notice notice;      /* SHOW */
	struct notice_turn turn; /* SHOW: the one that is over; all zero of a session that waits */
};

struct policy;

/* Returns NULL without memory. */
struct policy *policy_create(const struct policy_settings *settings);
void policy_destroy(struct policy *p);

/* For each event that has a session. Without memory it forgets what it did before rather than fail. */
struct policy_verdict policy_event(struct policy *p, const struct agentbus_event *e);

/* For each event of a budget: it is told once, so it is shown if anybody wants it. Its key is policy_budget_key(). */
struct policy_verdict policy_budget(const struct policy *p, const struct agentbus_event *e);

/*
 * When the sessions were replaced: policy_begin(), policy_session() for each of them, then policy_vanished() until it
 * returns NULL. That gives the keys of notices to close because their session is gone; a key is valid until the next call.
 */
void policy_begin(struct policy *p);
struct policy_verdict policy_session(struct policy *p, const struct agentbus_session *s);
const char *policy_vanished(struct policy *p);

/* The name of a session's notice, "provider/id"; cut to size. */
const char *policy_key(const struct agentbus_session *s, char *out, size_t size);

/* The name of a budget's notice, the same for all levels of a period: "budget/2026-11"; cut to size. */
const char *policy_budget_key(const struct agentbus_budget *b, char *out, size_t size);

#endif
