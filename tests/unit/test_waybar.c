#include "eww/waybar.h"

#include "eww_bed.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct view connected = { .connected = true };

/* The shape that waybar reads: this text changes only with a reason to. */
Test(waybar, in_full)
{
	struct agentbus_session s[] = { bed_session("a", AGENTBUS_WAITING, "R&D"), bed_failed("b", "shop"),
					bed_session("c", AGENTBUS_WORKING, "") };

	s[0].tool = "Bash";
	s[0].model = "claude-x";
	s[0].tokens = (struct agentbus_tokens){ .input = 52180, .output = 1200 };
	s[0].cost = (struct agentbus_cost){ .total = SAMPLE_USD / 8, .has_computed = true, .estimated = true };
	s[1].api_errors = 2;
	cr_expect_str_eq(bed_render(waybar_render, connected, s, 3),
			 "{\"text\":\"1 waiting 1 failed 1 working\",\"alt\":\"waiting\",\"tooltip\":\""
			 "3 sessions, 53.4k tokens, about $0.12, 2 errors"
			 "\\n<b>R&amp;D</b>  waiting since 22:13, Bash"
			 "\\n    <span alpha=\\\"70%\\\">Claude Code, claude-x, 53.4k tokens, about $0.12</span>"
			 "\\n<b>claude c</b>  working since 22:13"
			 "\\n    <span alpha=\\\"70%\\\">Claude Code</span>"
			 "\\n<b>shop</b>  failed since 22:13"
			 "\\n    rate_limit: slow &lt;down&gt;"
			 "\\n    <span alpha=\\\"70%\\\">Claude Code, 0 tokens, 2 errors</span>"
			 "\",\"class\":[\"waiting\",\"failed\"],\"percentage\":33}");
}

Test(waybar, without_sessions)
{
	cr_expect_str_eq(bed_render(waybar_render, connected, NULL, 0),
			 "{\"text\":\"\",\"alt\":\"empty\",\"tooltip\":\"No sessions\",\"class\":[\"empty\"],\"percentage\":0}");
	cr_expect_str_eq(bed_render(waybar_render, (struct view){ .away = "<off>" }, NULL, 0),
			 "{\"text\":\"&lt;off&gt;\",\"alt\":\"disconnected\",\"tooltip\":\"agentbusd is not running\","
			 "\"class\":[\"disconnected\"],\"percentage\":0}");
}

static const char *
tooltip_of(const cJSON *root)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(root, "tooltip"));
}

static const char *
class_at(const cJSON *root, int i)
{
	return cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "class"), i));
}

Test(waybar, a_failed_one_is_told_once)
{
	struct agentbus_session s[] = { bed_failed("a", "a"), bed_session("b", AGENTBUS_IDLE, "b") };
	cJSON *root = cJSON_Parse(bed_render(waybar_render, connected, s, 2));

	cr_expect_str_eq(class_at(root, 0), "failed");
	cr_expect_null(class_at(root, 1));
	cr_expect_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(root, "percentage")), 100);
	cJSON_Delete(root);
}

/* GTK drops a tooltip whose markup it cannot read. */
Test(waybar, hostile_names)
{
	for (int colours = 0; colours < 2; colours++) {
		for (size_t i = 0; i < BED_HOSTILE; i++) {
			const char *hostile = bed_hostile[i];
			struct agentbus_session s[] = { bed_session("a", AGENTBUS_WAITING, hostile), bed_failed("b", hostile) };
			struct view v = { .connected = true, .colours = colours == 1 };

			s[0].tool = s[0].model = s[1].last_error.message = hostile;
			cJSON *root = cJSON_Parse(bed_render(waybar_render, v, s, 2));

			cr_assert_not_null(root);
			cr_expect(bed_is_markup(tooltip_of(root)), "%s", tooltip_of(root));
			cr_expect(bed_is_markup(cJSON_GetStringValue(cJSON_GetObjectItem(root, "text"))));
			cJSON_Delete(root);
		}
	}
}

/* How many sessions a tooltip names, and how many it says are more. */
static void
expect_listed(const struct agentbus_session *s, size_t count, size_t max, size_t least, size_t most)
{
	cJSON *root = cJSON_Parse(bed_render(waybar_render, (struct view){ .connected = true, .max = max }, s, count));
	const char *tooltip = tooltip_of(root), *more = strstr(tooltip, "\n+");
	size_t named = 0;

	for (const char *p = tooltip; (p = strstr(p, "\n<b>")); p++)
		named++;
	cr_expect(bed_is_markup(tooltip));
	cr_expect_lt(strlen(tooltip), RICH_SIZE);
	cr_expect(named >= least && named <= most, "%zu", named);
	cr_expect_eq(named + (more ? strtoul(more + 2, NULL, 10) : 0), count);
	cJSON_Delete(root);
}

Test(waybar, tooltip_is_bounded)
{
	enum { MANY = 300 };
	static char ids[MANY][8];
	static struct agentbus_session s[MANY];
	char quotes[101];

	memset(quotes, '"', 100);
	quotes[100] = '\0';
	for (size_t i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "s%zu", i);
		s[i] = bed_session(ids[i], AGENTBUS_WORKING, "shop");
	}
	expect_listed(s, 10, 0, 10, 10);
	expect_listed(s, 11, 0, 10, 10);
	expect_listed(s, MANY, 1, 1, 1);
	expect_listed(s, MANY, MANY, 60, 120);
	for (size_t i = 0; i < MANY; i++)
		s[i].project = s[i].tool = s[i].model = quotes;
	expect_listed(s, MANY, 0, 5, 10);
}
