#include "eww/i3status.h"

#include "eww_bed.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>

static const struct view connected = { .connected = true };

Test(i3status, in_full)
{
	struct agentbus_session s[] = { bed_session("a", AGENTBUS_WAITING, "R&D"), bed_session("b", AGENTBUS_WORKING, "b") };

	cr_expect_str_eq(bed_render(i3status_render, connected, s, 2),
			 "{\"icon\":\"bell\",\"state\":\"Warning\",\"text\":\"1 waiting (R&amp;D) 1 working\","
			 "\"short_text\":\"1 waiting 1 working\"}");
	cr_expect_str_eq(bed_render(i3status_render, connected, NULL, 0),
			 "{\"icon\":\"\",\"state\":\"Idle\",\"text\":\"\",\"short_text\":\"\"}");
	cr_expect_str_eq(bed_render(i3status_render, (struct view){ .away = "off" }, NULL, 0),
			 "{\"icon\":\"\",\"state\":\"Idle\",\"text\":\"off\",\"short_text\":\"off\"}");
}

Test(i3status, states)
{
	struct agentbus_session s[] = { bed_session("a", AGENTBUS_WAITING, "a"), bed_failed("a", "a"),
					bed_session("a", AGENTBUS_WORKING, "a"), bed_session("a", AGENTBUS_COMPLETED, "a"),
					bed_session("a", AGENTBUS_IDLE, "a") };
	static const char *const states[] = { "Warning", "Critical", "Info", "Good", "Idle" };

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		cJSON *root = cJSON_Parse(bed_render(i3status_render, connected, &s[i], 1));

		cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(root, "state")), states[i]);
		cJSON_Delete(root);
	}
}

Test(i3status, hostile_names)
{
	for (size_t i = 0; i < BED_HOSTILE; i++) {
		struct agentbus_session s = bed_session("a", AGENTBUS_WAITING, bed_hostile[i]);
		cJSON *root = cJSON_Parse(bed_render(i3status_render, connected, &s, 1));

		cr_assert_not_null(root);
		cr_expect(bed_is_markup(cJSON_GetStringValue(cJSON_GetObjectItem(root, "text"))));
		cJSON_Delete(root);
	}
}
