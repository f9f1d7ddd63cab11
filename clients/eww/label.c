#include "eww/label.h"

#include "eww/summary.h"

static bool
render(const struct view *v, enum rich_kind kind, struct json *out)
{
	struct summary sum = summary_of(v);
	struct rich text = { .kind = kind };

	summary_write(v, &sum, true, &text);
	json_plain(out, text.text);
	return json_text(out) != NULL;
}

bool
label_render_polybar(const struct view *v, struct json *out)
{
	return render(v, RICH_POLYBAR, out);
}

bool
label_render_ironbar(const struct view *v, struct json *out)
{
	return render(v, RICH_MARKUP, out);
}
