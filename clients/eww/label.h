/* Bars that show a line as it is: polybar's script module, with its tags, and ironbar's script, with Pango markup. */
#ifndef CLIENTS_EWW_LABEL_H
#define CLIENTS_EWW_LABEL_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>

/* Append the line, without its newline. Return false if memory runs out. */
bool label_render_polybar(const struct view *v, struct json *out);
bool label_render_ironbar(const struct view *v, struct json *out);

#endif
