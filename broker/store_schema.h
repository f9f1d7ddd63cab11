/*
 * The tables of the store, and how those of earlier versions become those of this one. For store*.c only.
 */
#ifndef AGENTBUS_STORE_SCHEMA_H
#define AGENTBUS_STORE_SCHEMA_H

#include "store_db.h"

/* Whether the open file is empty or ours, and not of a newer version. Writes nothing; logs why not. */
bool store_schema_check(struct store *st);

/* Takes all steps that are missing, each in a transaction of its own. */
bool store_schema_migrate(struct store *st);

#endif
