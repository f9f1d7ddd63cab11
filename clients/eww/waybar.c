#include "eww/waybar.h"

#include "eww/summary.h"
#include "eww/tooltip.h"

/* How many of all sessions have nothing to do: their turn is over. */
static unsigned
share_done(const struct view *v, const struct summary *sum)
{
	size_t done = sum->counts[SUMMARY_COMPLETED] + sum->counts[SUMMARY_FAILED] + sum->counts[SUMMARY_IDLE];

	return v->roster->count ? (unsigned)(done * 100 / v->roster->count) : 0;
}

bool
waybar_render(const struct view *v, struct json *out)
{
	struct summary sum = summary_of(v);
	struct rich text = { .kind = RICH_MARKUP }, tooltip = { .kind = RICH_MARKUP };

	summary_write(v, &sum, false, &text);
	tooltip_markup(v, &tooltip);
	json_object(out, NULL);
	json_string(out, "text", text.text);
	json_string(out, "alt", summary_name(sum.state));
	json_string(out, "tooltip", tooltip.text);
	json_array(out, "class");
	json_string(out, NULL, summary_name(sum.state));
	/* Behind a session that waits, too, a failed one can be told. */
	if (sum.counts[SUMMARY_FAILED] && sum.state != SUMMARY_FAILED)
		json_string(out, NULL, summary_name(SUMMARY_FAILED));
	json_end(out);
	json_uint(out, "percentage", share_done(v, &sum));
	json_end(out);
	return json_text(out) != NULL;
}
