/*
 * EWW: one JSON object for all that a panel shows.
 *
 * Nothing in it changes with time alone, so two states that look alike give the same text. See eww-subscriber(1).
 */
#ifndef CLIENTS_EWW_PANEL_H
#define CLIENTS_EWW_PANEL_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>

/* Of the schema: grows when a key goes or changes its meaning, not when one is added. */
enum { PANEL_VERSION = 1 };

/* Appends the object. Returns false if memory runs out. */
bool panel_render(const struct view *v, struct json *out);

#endif
