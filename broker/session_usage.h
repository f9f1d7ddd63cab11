/*
 * What a session has used: requests, tokens and cost, per model. For session*.c only.
 */
#ifndef AGENTBUS_SESSION_USAGE_H
#define AGENTBUS_SESSION_USAGE_H

#include "session.h"

/* Counts one answer of the model. Returns what it cost, by the CLI and by the table; prices may be NULL. */
struct cost usage_add_request(struct session *x, const struct observation *o, const struct price_table *prices);

/*
 * Adds the CLI's own figure for a whole turn, if the observation has one. It does not say of which requests, but comes after
 * all of them: it stands for those before it that had no figure. Returns by how much the session's cost has changed; has_reported
 * is false if it has not.
 */
struct cost usage_add_turn_cost(struct session *x, const struct observation *o);

/* The row of a model, new if need be. Above SESSION_MODELS_MAX models it is that of "other". NULL without memory. */
struct model_usage *usage_of_model(struct session *x, const char *model);

void usage_add_tokens(struct tokens *sum, const struct tokens *t);

/* Sums stand still at the largest and the smallest number. */
void usage_add_cost(struct cost *sum, const struct cost *c);

#endif
