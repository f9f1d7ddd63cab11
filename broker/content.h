/*
 * Takes content out of what is forwarded: what a person wrote, a model answered, or a tool was given or gave back. Names,
 * ids, numbers and outcomes stay. Pure.
 */
#ifndef AGENTBUS_CONTENT_H
#define AGENTBUS_CONTENT_H

#include "otlp.h"

/* The longest text of an error that stays, in bytes. */
#define CONTENT_ERROR_MAX 200

/*
 * Changes a decoded request in place. Attributes that content_keys.h names go, at every depth, and are counted where their
 * owner counts dropped ones; so do bodies and status messages that are content. Texts of errors of requests to a model are
 * cut to one line; their new text is in the arena, which must be the request's own. All else stays as it is, what this
 * version does not know included. Values may nest no deeper than the decoder allows. Points of a metric that only content
 * told apart become one.
 *
 * Returns VERDICT_OK and sets *ret_dropped to how many attributes and texts were dropped or shortened; or TOO_LARGE or
 * NO_MEMORY: then part of the content is still there, and the request must not be forwarded.
 */
enum verdict content_drop(struct otlp_request *req, struct arena *a, size_t *ret_dropped);

#endif
