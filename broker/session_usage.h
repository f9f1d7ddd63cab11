/*
 * What a session has used: requests, tokens and cost, per model. For session*.c only.
 */
#ifndef AGENTBUS_SESSION_USAGE_H
#define AGENTBUS_SESSION_USAGE_H

#include "session.h"

/* Counts one answer of the model. Above SESSION_MODELS_MAX models the rest goes to "other". */
void usage_add_request(struct session *x, const struct observation *o);

/* Adds the CLI's own figure, if the observation has one. */
void usage_add_cost(struct session *x, const struct observation *o);

#endif
