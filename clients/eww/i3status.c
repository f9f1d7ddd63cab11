#include "eww/i3status.h"

#include "eww/summary.h"

/* The icons are of those that each of its icon sets has. */
static const struct {
	const char *icon, *state;
} looks[] = {
	[SUMMARY_DISCONNECTED] = { "", "Idle" },   [SUMMARY_EMPTY] = { "", "Idle" },
	[SUMMARY_IDLE] = { "tasks", "Idle" },      [SUMMARY_COMPLETED] = { "tasks", "Good" },
	[SUMMARY_WORKING] = { "tasks", "Info" },   [SUMMARY_FAILED] = { "bell", "Critical" },
	[SUMMARY_WAITING] = { "bell", "Warning" },
};

bool
i3status_render(const struct view *v, struct json *out)
{
	struct summary sum = summary_of(v);
	struct rich text = { .kind = RICH_MARKUP }, short_text = { .kind = RICH_MARKUP };

	summary_write(v, &sum, true, &text);
	summary_write(v, &sum, false, &short_text);
	json_object(out, NULL);
	json_string(out, "icon", looks[sum.state].icon);
	json_string(out, "state", looks[sum.state].state);
	json_string(out, "text", text.text);
	json_string(out, "short_text", short_text.text);
	json_end(out);
	return json_text(out) != NULL;
}
