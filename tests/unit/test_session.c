#include "session_bed.h"

TestSuite(session, .init = setup, .fini = teardown);

Test(session, turn_from_prompt_to_end)
{
	see(obs(MEANS_START, 0, 0), 100);
	cr_expect_eq(f->count, 0, "a start-up id is not shown");
	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 500);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(get("a")->prompts, 1);
	see(obs(MEANS_RESPONSE, 5000, OBS_OPENS), 500);
	see(obs(MEANS_TURN_END, 6000, OBS_SPAN), 500);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(f->seen[f->count - 1].turn_ns, 5 * S);
	tick_at(6500 + 29999);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	tick_at(6500 + 30000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	tick_at(6500 + 30000 + 300000);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1);
	cr_expect_eq(sessions_deadline(f->sessions), UINT64_MAX);
}

Test(session, startup_id_vanishes)
{
	see(obs(MEANS_START, 0, 0), 0);
	cr_expect_eq(sessions_count(f->sessions), 1);
	tick_at(300000);
	cr_expect_eq(sessions_count(f->sessions), 0);
	cr_expect_eq(f->count, 0);
}

Test(session, late_records_count_but_move_nothing)
{
	struct observation o = obs(MEANS_RESPONSE, 2000, OBS_OPENS);

	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 0);
	see(obs(MEANS_TURN_END, 3000, OBS_SPAN), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	see(o, 4000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->requests, 1);
	see(obs(MEANS_PROMPT, 500, OBS_COUNTED), 6000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->prompts, 2);
}

Test(session, late_end_of_the_last_turn_does_not_end_this_one)
{
	struct observation end = obs(MEANS_TURN_END, 1500, OBS_SPAN);

	see(obs(MEANS_PROMPT, 1000, OBS_COUNTED), 0);
	see(obs(MEANS_PROMPT, 2000, OBS_COUNTED), 0);
	see(end, 3000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session, quiet_ends_a_turn_that_answered)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(obs(MEANS_RESPONSE, 1000, OBS_OPENS), 0);
	tick_at(15999);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	tick_at(16000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(get("a")->reason, "quiet");
	cr_expect_eq(get("a")->evidence, EVIDENCE_INFERRED);
}

Test(session, a_connected_process_is_believed_to_work_on)
{
	struct observation o = obs(MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 7;
	see(o, 0);
	tick_at(179000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	sessions_peer_closed(f->sessions, 7, 2, T0 + 180 * S);
	tick_at(180000 + 14999);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	tick_at(180000 + 15000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_str_eq(get("a")->reason, "lost");
}

Test(session, a_lost_tool_result_does_not_pin_working)
{
	struct observation o = obs(MEANS_DECISION, 1000, OBS_OPENS);

	o.peer = 7;
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(o, 0);
	tick_at(1000 + 599999);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	tick_at(1000 + 600000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

/* The answer's span and log record are both here, and no decision: the person is asked. */
static void
ask(void)
{
	struct observation span = obs(MEANS_RESPONSE_END, 2000, OBS_SPAN | OBS_WANTS_TOOL | OBS_MARKS_TURN);
	struct observation log = obs(MEANS_RESPONSE, 2000, OBS_OPENS | OBS_MARKS_TURN);

	span.request_id = log.request_id = STR("req1");
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 100);
	see(span, 500);
	see(log, 500);
}

Test(session, waiting_is_inferred_and_ends)
{
	struct observation decision = obs(MEANS_DECISION, 20000, OBS_OPENS);

	ask();
	tick_at(3499);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	tick_at(3500);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	cr_expect_eq(get("a")->state_since_ns, T0 + 2 * S);
	decision.request_id = STR("req1");
	see(decision, 500);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session, a_decision_before_the_answer_is_no_waiting)
{
	struct observation decision = obs(MEANS_DECISION, 1900, OBS_OPENS);
	struct observation span = obs(MEANS_RESPONSE_END, 2000, OBS_SPAN | OBS_WANTS_TOOL);
	struct observation log = obs(MEANS_RESPONSE, 2000, OBS_OPENS);

	decision.request_id = span.request_id = log.request_id = STR("req1");
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(decision, 0);
	see(log, 0);
	see(span, 0);
	tick_at(10000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session, waiting_is_given_up_in_the_end)
{
	ask();
	tick_at(3500);
	cr_expect_eq(get("a")->state, SESSION_WAITING);
	tick_at(2500 + 1800000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
}

Test(session, waiting_ends_with_its_process)
{
	struct observation o = obs(MEANS_PROMPT, 0, OBS_COUNTED);

	o.peer = 3;
	see(o, 0);
	ask();
	tick_at(3500);
	sessions_peer_closed(f->sessions, 3, 5, T0 + 10 * S);
	tick_at(25000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
}

Test(session, failed_turn)
{
	struct observation e = obs(MEANS_ERROR, 1000, OBS_FINAL);

	e.error = ERROR_AUTH;
	e.status = 401;
	e.error_message = STR("invalid x-api-key");
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(e, 0);
	cr_expect_eq(get("a")->api_errors, 1);
	tick_at(3000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect(get("a")->failed);
	cr_expect_eq(get("a")->last_error.class, ERROR_AUTH);
	see(obs(MEANS_PROMPT, 9000, OBS_COUNTED), 0);
	cr_expect_not(get("a")->failed);
}

Test(session, retried_error_is_no_failure)
{
	struct observation e = obs(MEANS_ERROR, 1000, 0);

	e.error = ERROR_RATE_LIMIT;
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(e, 0);
	cr_expect(get("a")->failed);
	see(obs(MEANS_RESPONSE, 2000, OBS_OPENS), 0);
	cr_expect_not(get("a")->failed);
	cr_expect_eq(get("a")->api_errors, 1);
}

Test(session, background_requests_count_and_say_nothing)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(obs(MEANS_TURN_END, 1000, OBS_SPAN), 0);
	see(obs(MEANS_RESPONSE, 9000, OBS_OPENS | OBS_BACKGROUND), 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
	cr_expect_eq(get("a")->requests, 1);
}

Test(session, slash_command_span_completes_nothing)
{
	struct observation end = obs(MEANS_TURN_END, 5000, OBS_SPAN);

	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(obs(MEANS_RESPONSE, 500, OBS_OPENS), 0);
	see(obs(MEANS_TURN_END, 1000, OBS_SPAN), 0);
	tick_at(40000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
	end.start_ns = T0 + 2 * S;
	see(end, 40000);
	cr_expect_eq(get("a")->state, SESSION_IDLE);
}

Test(session, a_part_of_a_turn_is_not_its_end)
{
	struct observation part = obs(MEANS_TURN_END, 3001, OBS_SPAN | OBS_AFTER_TOOLS);

	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(obs(MEANS_RESPONSE, 1000, OBS_OPENS), 0);
	see(obs(MEANS_TOOL, 3000, OBS_OPENS), 0);
	see(part, 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	see(obs(MEANS_RESPONSE, 4000, OBS_OPENS), 0);
	part.time_ns = T0 + 4001000000ull;
	see(part, 0);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

Test(session, exit_then_resume)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(obs(MEANS_TURN_END, 1000, OBS_SPAN), 0);
	see(obs(MEANS_END, 2000, 0), 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	see(obs(MEANS_END, 2100, 0), 0);
	cr_expect_eq(count_kind(EVENT_SESSION_ENDED), 1);
	see(obs(MEANS_PROMPT, 60000, OBS_COUNTED), 0);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
	cr_expect_eq(get("a")->prompts, 2);
}

Test(session, clear_ends_the_sessions_of_its_process)
{
	struct observation a = obs(MEANS_PROMPT, 0, OBS_COUNTED), b = obs(MEANS_START, 5000, OBS_REPLACES);

	a.process = b.process = STR("box:1");
	b.session = STR("b");
	see(a, 0);
	see(b, 0);
	cr_expect_eq(get("a")->state, SESSION_ENDED);
	cr_expect_neq(get("b")->state, SESSION_ENDED);
}

Test(session, same_call_as_span_and_log_counts_once)
{
	struct observation o = obs(MEANS_RESPONSE, 0, OBS_OPENS | OBS_TWICE);

	memset(o.span_id, 9, 8);
	o.has_span_id = true;
	o.tokens.input = 5;
	see(o, 0);
	see(o, 10);
	cr_expect_eq(get("a")->requests, 1);
	cr_expect_eq(get("a")->tokens.input, 5);
}

Test(session, a_call_is_priced_once_at_its_own_time)
{
	struct price_list list = { 0 }, none = { 0 };
	struct price p = { .name = "m", .tier_count = 1, .until_ns = T0 + 1000 };
	struct observation o = obs(MEANS_RESPONSE, 0, OBS_OPENS | OBS_TWICE);
	struct price_table *prices;

	p.tiers[0].rates[PRICE_INPUT] = 3;
	cr_assert(price_list_add(&list, &p));
	p.from_ns = p.until_ns;
	p.until_ns = UINT64_MAX;
	p.tiers[0].rates[PRICE_INPUT] = 4;
	cr_assert(price_list_add(&list, &p));
	prices = price_table_create(&list, &none);
	sessions_set_prices(f->sessions, prices);
	memset(o.span_id, 9, 8);
	o.has_span_id = true;
	o.model = STR("m");
	o.tokens.input = 5;
	see(o, 1000000);
	see(o, 1000010);
	cr_expect_eq(get("a")->cost.computed, 15);
	o.span_id[0] = 8;
	o.time_ns += 1000;
	see(o, 0);
	cr_expect_eq(get("a")->cost.computed, 35);
	cr_expect_eq(count_kind(EVENT_API_REQUEST), 2);
	for (size_t i = 0, n = 0; i < f->count; i++)
		if (f->seen[i].kind == EVENT_API_REQUEST)
			cr_expect_eq(f->seen[i].cost.unreported, n++ ? 20 : 15);
	sessions_set_prices(f->sessions, NULL);
	price_table_destroy(prices);
	price_list_finish(&list);
}

Test(session, models_are_counted_apart)
{
	struct observation o = obs(MEANS_RESPONSE, 0, OBS_OPENS);
	char name[32];

	for (int i = 0; i < SESSION_MODELS_MAX + 5; i++) {
		snprintf(name, sizeof(name), "model-%d", i);
		o.model = str_from(name);
		o.time_ns += 1000;
		see(o, 0);
	}
	cr_expect_eq(get("a")->model_count, SESSION_MODELS_MAX);
	cr_expect_eq(get("a")->requests, SESSION_MODELS_MAX + 5);
	cr_expect_eq(get("a")->models[0].requests, 1);
	cr_expect_str_eq(get("a")->models[SESSION_MODELS_MAX - 1].model, "other");
	cr_expect_eq(get("a")->models[SESSION_MODELS_MAX - 1].requests, 6);
}

Test(session, anonymous_emitters_go_by_process)
{
	struct observation o = obs(MEANS_RESPONSE, 0, OBS_OPENS | OBS_ANONYMOUS);

	o.session = (struct str){ 0 };
	o.pid = 42;
	see(o, 0);
	cr_expect_not_null(get("claude-code-42"));
	o.flags = OBS_OPENS;
	o.pid = 43;
	see(o, 0);
	cr_expect_eq(sessions_count(f->sessions), 1);
}

Test(session, table_is_bounded_and_forgets_ended_ones_first)
{
	struct session_settings settings = session_settings_default();
	struct observation o = obs(MEANS_PROMPT, 0, OBS_COUNTED);
	char id[32];

	settings.max_sessions = 100;
	sessions_set_settings(f->sessions, &settings);
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		o.session = str_from(id);
		see(o, 0);
	}
	o = obs(MEANS_END, 1, 0);
	o.session = STR("s50");
	see(o, 0);
	o = obs(MEANS_PROMPT, 2, OBS_COUNTED);
	o.session = STR("new");
	see(o, 0);
	cr_expect_eq(sessions_count(f->sessions), 100);
	cr_expect_null(get("s50"));
	cr_expect_not_null(get("s0"));
	o.session = STR("newer");
	see(o, 0);
	cr_expect_null(get("s0"), "then the one not heard of for longest");
}

Test(session, hostile_ids_are_kept_harmless)
{
	struct observation o = obs(MEANS_PROMPT, 0, OBS_COUNTED);
	static char huge[100000];

	memset(huge, 'x', sizeof(huge));
	o.session = (struct str){ huge, sizeof(huge) };
	see(o, 0);
	o.session = (struct str){ "\xff\xfe\n", 3 };
	see(o, 0);
	cr_expect_eq(sessions_count(f->sessions), 2);
}

/*
 * Evidence of three turns, shuffled within what exporters delay: whatever the order of arrival, the end is the same and no
 * turn completes twice.
 */
Test(session, order_of_arrival_does_not_matter)
{
	static const struct {
		enum meaning means;
		unsigned ms, flags;
	} script[] = {
		{ MEANS_START, 0, 0 },
		{ MEANS_PROMPT, 1000, OBS_COUNTED },
		{ MEANS_RESPONSE, 2000, OBS_OPENS },
		{ MEANS_RESPONSE_END, 2000, OBS_SPAN },
		{ MEANS_TURN_END, 2010, OBS_SPAN },
		{ MEANS_PROMPT, 14000, OBS_COUNTED },
		{ MEANS_DECISION, 14900, OBS_OPENS },
		{ MEANS_RESPONSE, 15000, OBS_OPENS },
		{ MEANS_TOOL, 15200, OBS_OPENS },
		{ MEANS_RESPONSE, 16000, OBS_OPENS },
		{ MEANS_RESPONSE_END, 16000, OBS_SPAN },
		{ MEANS_TURN_END, 16010, OBS_SPAN },
		{ MEANS_PROMPT, 28000, OBS_COUNTED },
		{ MEANS_RESPONSE, 29000, OBS_OPENS },
		{ MEANS_RESPONSE_END, 29000, OBS_SPAN },
		{ MEANS_TURN_END, 29010, OBS_SPAN },
	};
	const size_t n = sizeof(script) / sizeof(script[0]);
	unsigned seed = 1;

	for (int round = 0; round < 300; round++) {
		unsigned arrival[sizeof(script) / sizeof(script[0])];
		size_t completed = 0;
		teardown();
		setup();
		for (size_t i = 0; i < n; i++)
			arrival[i] = script[i].ms + (unsigned)(rand_r(&seed) % 10000);
		for (unsigned ms = 0; ms < 42000; ms += 10) {
			tick_at(ms);
			for (size_t i = 0; i < n; i++)
				if (arrival[i] / 10 == ms / 10) {
					struct observation o =
					    obs(script[i].means, script[i].ms, script[i].flags | OBS_MARKS_TURN);
					o.peer = 1;
					o.start_ns = script[i].means == MEANS_TURN_END ? o.time_ns - 1100000000ull : 0;
					sessions_observe(f->sessions, &o, T0 + ms * 1000000ull);
				}
		}
		for (size_t i = 0; i < f->count; i++)
			completed += f->seen[i].kind == EVENT_STATE_CHANGED && f->seen[i].state == SESSION_COMPLETED;
		cr_assert_eq(get("a")->state, SESSION_COMPLETED, "round %d: %s", round, session_state_name(get("a")->state));
		cr_assert_eq(get("a")->prompts, 3);
		cr_assert_eq(get("a")->requests, 4);
		cr_assert_leq(completed, 3, "round %d: completed %zu times", round, completed);
	}
}
