#include "eww/panel.h"
#include "sample_session.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Renders sessions; the text is valid until the next call. */
static const char *
render_max(const struct agentbus_session *sessions, size_t count, bool connected, size_t max)
{
	static struct json out;
	struct agentbus_session const **pointers = calloc(count + 1, sizeof(*pointers));
	struct roster r = { 0 };

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < count; i++)
		pointers[i] = &sessions[i];
	cr_assert(roster_build(&r, pointers, count, ROSTER_SHOWN));
	json_clear(&out);
	cr_assert(panel_render(&(struct view){ .roster = &r, .connected = connected, .max = max }, &out));
	roster_finish(&r);
	free(pointers);
	return json_text(&out);
}

static const char *
render(const struct agentbus_session *sessions, size_t count, bool connected)
{
	return render_max(sessions, count, connected, 0);
}

#define EMPTY(connected, tooltip)                                                                                                \
	"{\"version\":1,\"connected\":" connected ",\"has_working\":false,\"has_waiting\":false,"                                \
	"\"counts\":{\"waiting\":0,\"working\":0,\"completed\":0,\"idle\":0},"                                                   \
	"\"totals\":{\"sessions\":0,\"tokens\":0,\"input_tokens\":0,\"output_tokens\":0,\"requests\":0,\"tool_calls\":0,"        \
	"\"errors\":0,\"cost_usd\":null},\"tooltip\":\"" tooltip "\",\"sessions\":[],\"more\":0}"

Test(panel, empty)
{
	cr_assert_str_eq(render(NULL, 0, true), EMPTY("true", "No sessions"));
	cr_assert_str_eq(render(NULL, 0, false), EMPTY("false", "agentbusd is not running"));
}

/* The schema: this text changes only with a reason to. */
Test(panel, one_session_in_full)
{
	struct agentbus_session s = sample_session("01234567-89ab", AGENTBUS_WORKING);

	s.model = "claude-x";
	s.project = "agentbus";
	s.tool = "Bash";
	s.tokens =
	    (struct agentbus_tokens){ .input = 52180, .output = 1200, .cache_read = 50000, .cache_write = 100, .reasoning = 7 };
	s.cost = (struct agentbus_cost){ .total = SAMPLE_USD / 8, .has_computed = true, .estimated = true };
	s.api_errors = 2;
	s.failed = true;
	s.last_error = (struct agentbus_failure){ .type = "rate_limit", .message = "slow \"down\"", .status = 429 };
	s.prompts = 3;
	s.requests = 4;
	s.tool_calls = 5;
	s.children = 1;
	cr_assert_str_eq(
	    render(&s, 1, true),
	    "{\"version\":1,\"connected\":true,\"has_working\":true,\"has_waiting\":false,"
	    "\"counts\":{\"waiting\":0,\"working\":1,\"completed\":0,\"idle\":0},"
	    "\"totals\":{\"sessions\":1,\"tokens\":53380,\"input_tokens\":52180,\"output_tokens\":1200,\"requests\":4,\"tool_"
	    "calls\":5,"
	    "\"errors\":2,\"cost_usd\":0.125},"
	    "\"tooltip\":\"working: agentbus (Claude Code, claude-x), 53.4k tokens, about $0.12, 2 errors\","
	    "\"sessions\":[{\"id\":\"01234567-89ab\",\"tool\":\"claude\",\"provider\":\"claude-code\",\"state\":\"working\","
	    "\"since\":1700000000,\"since_text\":\"22:13:20\",\"project\":\"agentbus\",\"model\":\"claude-x\",\"label\":"
	    "\"agentbus\","
	    "\"icon\":\"agentbus-claude-symbolic\","
	    "\"tokens\":{\"input\":52180,\"output\":1200,\"cache_read\":50000,\"cache_write\":100,\"reasoning\":7,\"total\":"
	    "53380},"
	    "\"cost_usd\":0.125,\"cost_estimated\":true,\"errors\":2,\"failed\":true,"
	    "\"last_error\":{\"type\":\"rate_limit\",\"message\":\"slow \\\"down\\\"\"},"
	    "\"parent_id\":null,\"children\":1,\"current_tool\":\"Bash\",\"requests\":4,\"tool_calls\":5,\"prompts\":3,"
	    "\"branch\":null}],"
	    "\"more\":0}");
}

/* The keys of an object, in order, joined by blanks. */
static void
expect_keys(const cJSON *object, const char *keys)
{
	char got[512] = "";

	for (const cJSON *member = object->child; member; member = member->next) {
		strcat(got, member->string);
		strcat(got, member->next ? " " : "");
	}
	cr_expect_str_eq(got, keys);
}

Test(panel, all_keys_whatever_is_known)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_WAITING), sample_session("b", AGENTBUS_COMPLETED),
					sample_session("c", AGENTBUS_IDLE), sample_session("d", AGENTBUS_UNKNOWN) };
	cJSON *root = cJSON_Parse(render(s, 4, true));
	const cJSON *session;

	expect_keys(root, "version connected has_working has_waiting counts totals tooltip sessions more");
	cr_expect(cJSON_IsTrue(cJSON_GetObjectItem(root, "has_waiting")));
	cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "sessions")), 4);
	cJSON_ArrayForEach(session, cJSON_GetObjectItem(root, "sessions"))
	{
		expect_keys(session,
			    "id tool provider state since since_text project model label icon tokens cost_usd cost_estimated "
			    "errors failed last_error parent_id children current_tool requests tool_calls prompts branch");
		cr_expect(cJSON_IsNull(cJSON_GetObjectItem(session, "cost_usd")));
		cr_expect(cJSON_IsNull(cJSON_GetObjectItem(session, "last_error")));
		cr_expect(cJSON_IsNull(cJSON_GetObjectItem(session, "current_tool")));
	}
	cJSON_Delete(root);
}

static void
expect_label(const struct agentbus_session *s, const char *label)
{
	cJSON *root = cJSON_Parse(render(s, 1, true));
	const cJSON *session = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "sessions"), 0);

	cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(session, "label")), label);
	cJSON_Delete(root);
}

Test(panel, labels)
{
	struct agentbus_session s = sample_session("11c1d189-baf9-4405-9994-693e03381bda", AGENTBUS_IDLE);

	expect_label(&s, "claude 03381bda");
	s.provider = "gemini-cli";
	expect_label(&s, "gemini 03381bda");
	s.project = "agentbus";
	expect_label(&s, "agentbus");
	s.title = "Fix\nthe \033[1mbuild";
	expect_label(&s, "Fix?the ?[1mbuild");
	s.title = "123456789 123456789 123456789 123456789 123456789";
	expect_label(&s, "123456789 123456789 123456789 123456789 1234567…");
}

/* The tool of a turn that is over is no news. */
Test(panel, current_tool_while_busy)
{
	static const struct {
		enum agentbus_state state;
		const char *text;
	} cases[] = {
		{ AGENTBUS_WORKING, "\"current_tool\":\"Bash\"" },
		{ AGENTBUS_WAITING, "\"current_tool\":\"Bash\"" },
		{ AGENTBUS_COMPLETED, "\"current_tool\":null" },
		{ AGENTBUS_IDLE, "\"current_tool\":null" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct agentbus_session s = sample_session("a", cases[i].state);

		s.tool = "Bash";
		cr_expect_not_null(strstr(render(&s, 1, true), cases[i].text));
	}
}

/* What a panel does not show makes no line. */
Test(panel, unseen_changes_make_no_difference)
{
	struct agentbus_session s = sample_session("a", AGENTBUS_WORKING);
	char *before = strdup(render(&s, 1, true));

	s.last_event = s.started = s.turn_started = 5;
	s.turn_errors = 9;
	s.evidence = AGENTBUS_TOLD;
	s.reason = "other";
	s.tmux_pane = "%1";
	s.pid = 7;
	cr_assert_str_eq(render(&s, 1, true), before);
	s.tokens.output++;
	cr_assert_str_neq(render(&s, 1, true), before);
	free(before);
}

Test(panel, tooltip_counts_what_does_not_fit)
{
	enum { MANY = 500 };
	struct agentbus_session *s = calloc(MANY, sizeof(*s));
	char ids[MANY][8];
	const char *tooltip, *last;
	unsigned lines = 1;

	for (size_t i = 0; i < MANY; i++) {
		snprintf(ids[i], sizeof(ids[i]), "s%zu", i);
		s[i] = sample_session(ids[i], AGENTBUS_IDLE);
	}
	cJSON *root = cJSON_Parse(render(s, MANY, true));

	tooltip = cJSON_GetStringValue(cJSON_GetObjectItem(root, "tooltip"));
	for (const char *p = tooltip; (p = strchr(p, '\n')); p++)
		lines++;
	last = strrchr(tooltip, '\n');
	cr_assert_eq(strtoul(last + strlen("\nand "), NULL, 10) + lines - 1, MANY);
	cr_assert_eq(cJSON_GetArraySize(cJSON_GetObjectItem(root, "sessions")), MANY);
	cJSON_Delete(root);
	free(s);
}

/* The rest is counted: in the object, and in the tooltip. */
Test(panel, first_sessions_only)
{
	struct agentbus_session s[] = { sample_session("a", AGENTBUS_IDLE), sample_session("b", AGENTBUS_WAITING),
					sample_session("c", AGENTBUS_WORKING), sample_session("d", AGENTBUS_IDLE) };
	static const int listed[] = { [0] = 4, [1] = 1, [2] = 2, [3] = 3, [4] = 4, [5] = 4 };

	for (size_t max = 0; max < sizeof(listed) / sizeof(listed[0]); max++) {
		cJSON *root = cJSON_Parse(render_max(s, 4, true, max));
		const cJSON *sessions = cJSON_GetObjectItem(root, "sessions");
		const char *tooltip = cJSON_GetStringValue(cJSON_GetObjectItem(root, "tooltip"));
		char more[32] = "";

		if (listed[max] < 4)
			snprintf(more, sizeof(more), "\nand %d more", 4 - listed[max]);
		cr_expect_eq(cJSON_GetArraySize(sessions), listed[max]);
		cr_expect_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(root, "more")), 4 - listed[max]);
		cr_expect_str_eq(strstr(tooltip, "\nand ") ? strstr(tooltip, "\nand ") : "", more);
		cr_expect_eq(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "totals"), "sessions")), 4);
		cr_expect_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(sessions, 0), "id")), "b");
		cJSON_Delete(root);
	}
}
