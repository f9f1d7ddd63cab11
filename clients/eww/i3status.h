/* i3status-rust's custom block with json and persistent: icon, state, text and short_text, the texts as Pango markup. */
#ifndef CLIENTS_EWW_I3STATUS_H
#define CLIENTS_EWW_I3STATUS_H

#include "common/json.h"
#include "eww/view.h"

#include <stdbool.h>

/* Appends the line, without its newline. Returns false if memory runs out. */
bool i3status_render(const struct view *v, struct json *out);

#endif
