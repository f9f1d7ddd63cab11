/* Which sessions belong together: title threads, sub-agents, and dialogs that do not say whose they are. */
#include "session_bed.h"

TestSuite(session_kin, .init = setup, .fini = teardown);

static struct observation
codex_obs(enum meaning means, struct str id, uint64_t ms, unsigned flags)
{
	struct observation o = obs(means, ms, flags);

	o.provider = codex;
	o.session = id;
	o.service_name = STR("codex-app-server");
	return o;
}

Test(session_kin, title_thread_is_its_session_s_child)
{
	see(codex_obs(MEANS_PROMPT, STR("main"), 0, OBS_COUNTED), 0);
	see(codex_obs(MEANS_START, STR("title"), 40, OBS_TITLE), 0);
	see(codex_obs(MEANS_PROMPT, STR("title"), 70, OBS_COUNTED), 0);
	cr_expect(get("title")->auxiliary);
	cr_expect_str_eq(get("title")->parent_id, "main");
	cr_expect_eq(get("main")->children, 1);
}

Test(session_kin, a_read_only_session_is_no_title_thread)
{
	see(codex_obs(MEANS_PROMPT, STR("other"), 0, OBS_COUNTED), 0);
	see(codex_obs(MEANS_START, STR("mine"), 500, OBS_TITLE), 0);
	cr_expect(get("mine")->auxiliary, "looks like one so far");
	see(codex_obs(MEANS_PROMPT, STR("mine"), 20000, OBS_COUNTED), 0);
	cr_expect_not(get("mine")->auxiliary, "but nobody types a title's prompt after 20 s");
	cr_expect_eq(get("other")->children, 0);
	see(codex_obs(MEANS_START, STR("later"), 60000, OBS_TITLE), 0);
	cr_expect_not(get("later")->auxiliary);
}

Test(session_kin, subagent_by_link)
{
	struct observation link = codex_obs(MEANS_LINK, STR("child"), 100, 0);

	link.parent = STR("main");
	see(codex_obs(MEANS_PROMPT, STR("main"), 0, OBS_COUNTED), 0);
	see(link, 0);
	see(link, 0);
	see(codex_obs(MEANS_RESPONSE, STR("child"), 200, OBS_OPENS), 0);
	cr_expect(get("child")->auxiliary);
	cr_expect_eq(get("main")->children, 1);
	cr_expect_eq(get("main")->requests, 0);
}

Test(session_kin, dialog_without_a_name_goes_to_the_one_who_just_answered)
{
	struct observation dialog = codex_obs(MEANS_ASK, STR(""), 1020, OBS_SPAN);

	see(codex_obs(MEANS_PROMPT, STR("one"), 0, OBS_COUNTED), 0);
	see(codex_obs(MEANS_PROMPT, STR("two"), 100, OBS_COUNTED), 0);
	see(codex_obs(MEANS_RESPONSE, STR("one"), 1000, OBS_OPENS), 0);
	see(dialog, 5000);
	cr_expect_eq(get("one")->state, SESSION_WAITING, "%s", session_state_name(get("one")->state));
	cr_expect_eq(get("two")->state, SESSION_WORKING);
}

Test(session_kin, dialog_of_two_candidates_is_nobody_s)
{
	see(codex_obs(MEANS_PROMPT, STR("one"), 0, OBS_COUNTED), 0);
	see(codex_obs(MEANS_PROMPT, STR("two"), 100, OBS_COUNTED), 0);
	see(codex_obs(MEANS_RESPONSE, STR("one"), 1000, OBS_OPENS), 0);
	see(codex_obs(MEANS_RESPONSE, STR("two"), 1010, OBS_OPENS), 0);
	see(codex_obs(MEANS_ASK, STR(""), 1020, OBS_SPAN), 5000);
	cr_expect_eq(get("one")->state, SESSION_WORKING);
	cr_expect_eq(get("two")->state, SESSION_WORKING);
}

Test(session_kin, dialog_that_comes_before_its_answer_s_record)
{
	see(codex_obs(MEANS_PROMPT, STR("one"), 0, OBS_COUNTED), 0);
	see(codex_obs(MEANS_ASK, STR(""), 5000, OBS_SPAN), 10);
	cr_expect_eq(get("one")->state, SESSION_WORKING);
	see(codex_obs(MEANS_RESPONSE, STR("one"), 4990, OBS_OPENS), 700);
	cr_expect_eq(get("one")->state, SESSION_WAITING);
}

Test(session_kin, turn_end_finds_its_session_by_trace)
{
	struct observation prompt = codex_obs(MEANS_PROMPT, STR("one"), 0, OBS_COUNTED);
	struct observation end = codex_obs(MEANS_TURN_END, STR(""), 3000, OBS_SPAN);

	memset(prompt.trace_id, 5, 16);
	memset(end.trace_id, 5, 16);
	prompt.has_trace_id = end.has_trace_id = true;
	end.start_ns = T0;
	see(prompt, 0);
	see(end, 0);
	cr_expect_eq(get("one")->state, SESSION_COMPLETED);
}
