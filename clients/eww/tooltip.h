/* All sessions as a text for people, bounded: what does not fit is counted. */
#ifndef CLIENTS_EWW_TOOLTIP_H
#define CLIENTS_EWW_TOOLTIP_H

#include "eww/rich.h"
#include "eww/view.h"

/* Plain text with a line per session, into an empty text of RICH_PLAIN. */
void tooltip_plain(const struct view *v, struct rich *out);

/* Pango markup with two lines per session below one with sums, into an empty text of RICH_MARKUP. Ten sessions unless asked for
 * more. */
void tooltip_markup(const struct view *v, struct rich *out);

#endif
