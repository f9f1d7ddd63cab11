/*
 * The prices in force: those that are built in, and above them, model by model, those of the user's file. Blocks on the file
 * system.
 */
#ifndef AGENTBUS_PRICING_H
#define AGENTBUS_PRICING_H

#include "config.h"
#include "price.h"

/*
 * A new table, with the file's prices unless its name is "". NULL after reporting every mistake in it, or that it cannot be
 * read. The caller destroys it.
 */
struct price_table *pricing_load(const char *file, struct config_report *report);

#endif
