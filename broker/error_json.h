/*
 * Finds what an API's error says in its JSON. Pure; bounded in depth, and one pass over the text.
 */
#ifndef AGENTBUS_ERROR_JSON_H
#define AGENTBUS_ERROR_JSON_H

#include "str.h"

/*
 * Reads the JSON object or array that text begins with. Sets *ret_message to what an error in it says, as it is written there,
 * escapes and all, without its quotes; empty if it says nothing, or the JSON is broken or cut. Returns how much of text is
 * JSON.
 */
size_t error_json_scan(struct str text, struct str *ret_message);

/* Writes the characters that the inside of a JSON string stands for, at most size bytes; returns how many. */
size_t error_json_unescape(struct str s, char *dst, size_t size);

#endif
