/* A session and an event as `agentbus status --json` and `agentbus watch --json` print them. */
#ifndef CLIENTS_COMMON_SESSION_JSON_H
#define CLIENTS_COMMON_SESSION_JSON_H

#include "agentbus.h"
#include "common/json.h"

/* Writes the session as an object, null for NULL. Always the same keys in the same order; the figures are its own. */
void session_json(struct json *j, const char *key, const struct agentbus_session *s);

/*
 * Writes the event as an object: seq, time, observed, kind, reason, evidence, details, trace_id, span_id, boot_id, session.
 * details is an object whose keys depend on the kind.
 */
void event_json(struct json *j, const char *key, const struct agentbus_event *e);

/* Writes the members of a budget: period, key, level, budget_usd, spent_usd, spent_estimated. */
void budget_json(struct json *j, const struct agentbus_budget *b);

#endif
