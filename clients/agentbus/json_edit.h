/*
 * Changes to a JSON text that leave all else in it as it is, byte for byte: comments, order, indentation, ends of lines. What is
 * new is written in the manner of the text. Pure.
 *
 * A text must have passed json_scan_whole() with the same limits; an empty one counts as {}.
 */
#ifndef CLIENTS_AGENTBUS_JSON_EDIT_H
#define CLIENTS_AGENTBUS_JSON_EDIT_H

#include "edit_text.h"
#include "json_find.h"

enum { JSON_EDIT_DEPTH_MAX = 64 };

/*
 * Makes the change, and fills old, inside and created of it. EDIT_SET gives the path the value, EDIT_APPEND adds it to the array
 * there; what is missing on the way is made. False if something else is in the way, or without memory (text->failed).
 */
bool json_edit_apply(struct edit_text *text, bool relaxed, struct edit_change *c);

/*
 * Takes the change back: removes what was added, with what was made for it if that is empty now, or puts back what was replaced.
 * False, and nothing is changed, if the value is no longer as it was written, or without memory.
 */
bool json_edit_revert(struct edit_text *text, bool relaxed, const struct edit_change *c);

#endif
