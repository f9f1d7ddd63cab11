/*
 * Spans for calls of which only logs tell: a CLI that exports no traces still shows each call to a model or a tool, with its true
 * times. Ids follow from the CLI's own: the same call always becomes the same span, and calls of one prompt share a trace. No
 * parent is made up. Pure.
 */
#ifndef AGENTBUS_SYNTHESISE_H
#define AGENTBUS_SYNTHESISE_H

#include "call.h"
#include "session.h"

/* The attribute of made spans that names their provider. */
#define SYNTHESISE_PROVIDER "agentbus.provider"

/* Makes a request of one span in the arena. session may be NULL. False without memory. */
bool synthesise_span(const struct call *c, const struct session *session, struct arena *a, struct otlp_request *ret);

#endif
