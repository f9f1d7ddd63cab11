/*
 * The enricher and the store: spans that wait for their logs, and the outline's names, are written in the transaction of the
 * turn, so that what was acknowledged is passed on whatever happens meanwhile. All are fine with NULL: then there is nothing to
 * do.
 */
#ifndef AGENTBUS_FORWARD_HELD_H
#define AGENTBUS_FORWARD_HELD_H

#include "enricher.h"
#include "store.h"

bool forward_held_load(struct enricher *e, struct store *st);

/* Whether there is anything to write. */
bool forward_held_pending(struct enricher *e);
bool forward_held_write(struct enricher *e, struct store *st);

/* The transaction was committed (or there is no store), or all of the turn is taken back. */
void forward_held_keep(struct enricher *e);
void forward_held_rewind(struct enricher *e);

#endif
