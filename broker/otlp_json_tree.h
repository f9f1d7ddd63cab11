/*
 * cJSON's tree in an arena: parsing takes no malloc per value, and nothing has to be deleted.
 */
#ifndef AGENTBUS_OTLP_JSON_TREE_H
#define AGENTBUS_OTLP_JSON_TREE_H

#include "arena.h"

#include <cjson/cJSON.h>

/*
 * Parses len bytes of text into the arena. Returns the tree, which dies with the arena and must not be deleted, or NULL: if
 * the arena ran out, a->exhausted or a->out_of_memory is set, else the text is malformed.
 *
 * cJSON's allocation hooks belong to the whole process and take no context. They are ours for the time of this call only,
 * so no other thread may use cJSON meanwhile.
 */
cJSON *json_tree_parse(const char *text, size_t len, struct arena *a);

#endif
