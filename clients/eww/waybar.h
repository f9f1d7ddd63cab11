/*
 * waybar's custom module with return-type json: text, alt, tooltip, class and percentage.
 *
 * text and tooltip are Pango markup. Without sessions the text is that of view.empty, "" at first: waybar hides the module then.
 */
#ifndef CLIENTS_EWW_WAYBAR_H
#define CLIENTS_EWW_WAYBAR_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>

/* Appends the line, without its newline. Returns false if memory runs out. */
bool waybar_render(const struct view *v, struct json *out);

#endif
