/*
 * Values within a JSON text. Pure. A text must have passed json_scan_whole() with the same limits. Of a key that an object has
 * twice, the last counts, as in JavaScript.
 */
#ifndef CLIENTS_AGENTBUS_JSON_FIND_H
#define CLIENTS_AGENTBUS_JSON_FIND_H

#include "edit_text.h"
#include "json_scan.h"

/* Finds the value at a path. False if it is not there. */
bool json_find(const struct json_text *in, const struct edit_path *path, struct edit_span *ret_value);

/* Whether the objects on the way to the path are objects, as far as they are there, and *ret_depth: how many of its keys are. */
bool json_way(const struct json_text *in, const struct edit_path *path, size_t *ret_depth);

/* Whether two texts of one value each mean the same, apart from blanks, comments, and how strings are written. */
bool json_same(const struct json_text *a, const struct json_text *b);

#endif
