#include "eww/label.h"

#include "eww_bed.h"

#include <criterion/criterion.h>
#include <string.h>

Test(label, each_in_its_own_language)
{
	struct agentbus_session s = bed_session("a", AGENTBUS_WAITING, "<R&D> %{F-}");
	struct view v = { .connected = true };

	cr_expect_str_eq(bed_render(label_render_polybar, v, &s, 1), "1 waiting (<R&D> % {F-})");
	cr_expect_str_eq(bed_render(label_render_ironbar, v, &s, 1), "1 waiting (&lt;R&amp;D&gt; %{F-})");
	v.colours = true;
	cr_expect_str_eq(bed_render(label_render_polybar, v, &s, 1), "%{F#f2b45c}1 waiting (<R&D> % {F-})%{F-}");
	cr_expect_str_eq(bed_render(label_render_ironbar, v, &s, 1),
			 "<span foreground=\"#f2b45c\">1 waiting (&lt;R&amp;D&gt; %{F-})</span>");
}

/* One line, and nobody's tags but ours. */
Test(label, hostile_names)
{
	for (size_t i = 0; i < BED_HOSTILE; i++) {
		struct agentbus_session s = bed_session("a", AGENTBUS_WAITING, bed_hostile[i]);
		const char *line = bed_render(label_render_polybar, (struct view){ .connected = true }, &s, 1);

		cr_expect_null(strstr(line, "%{"), "%s", line);
		cr_expect_null(strchr(line, '\n'));
		line = bed_render(label_render_ironbar, (struct view){ .connected = true, .colours = true }, &s, 1);
		cr_expect(bed_is_markup(line), "%s", line);
		cr_expect_null(strchr(line, '\n'));
	}
}
