/*
 * What a session has used: requests, tokens and cost, per model. For session*.c only.
 */
#ifndef AGENTBUS_SESSION_USAGE_H
#define AGENTBUS_SESSION_USAGE_H

#include "session.h"

/* Counts one answer of the model. */
void usage_add_request(struct session *x, const struct observation *o);

/* Adds the CLI's own figure, if the observation has one. */
void usage_add_cost(struct session *x, const struct observation *o);

/* The row of a model, new if need be. Above SESSION_MODELS_MAX models it is that of "other". NULL without memory. */
struct model_usage *usage_of_model(struct session *x, const char *model);

void usage_add_tokens(struct tokens *sum, const struct tokens *t);

#endif
