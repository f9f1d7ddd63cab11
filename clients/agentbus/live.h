/* The table of agentbus status, kept up to date. */
#ifndef CLIENTS_AGENTBUS_LIVE_H
#define CLIENTS_AGENTBUS_LIVE_H

#include "agentbus.h"
#include "common/roster.h"

/*
 * Shows the sessions of the bus until Ctrl-C or SIGTERM: on a terminal in place, below what was there before; else a table
 * for each change. Returns the exit status.
 */
int live_run(struct agentbus *bus, enum roster_scope scope);

#endif
