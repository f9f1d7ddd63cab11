#include "session_bed.h"

TestSuite(session_error, .init = setup, .fini = teardown);

static struct observation
failure(enum meaning means, uint64_t ms, unsigned flags, enum error_class class, unsigned status)
{
	struct observation o = obs(means, ms, flags);

	o.error = class;
	o.status = status;
	o.error_message = means == MEANS_RESPONSE_END ? STR("of the span") : STR("of the log");
	return o;
}

Test(session_error, counts_by_class)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(failure(MEANS_ERROR, 100, 0, ERROR_RATE_LIMIT, 429), 0);
	see(failure(MEANS_ERROR, 200, 0, ERROR_RATE_LIMIT, 429), 0);
	see(failure(MEANS_ERROR, 300, 0, ERROR_UNKNOWN, 0), 0);
	see(failure(MEANS_FAULT, 400, 0, ERROR_TIMEOUT, 0), 0);
	cr_expect_eq(get("a")->api_errors, 3);
	cr_expect_eq(get("a")->errors_by_class[ERROR_RATE_LIMIT], 2);
	cr_expect_eq(get("a")->errors_by_class[ERROR_UNKNOWN], 1);
	cr_expect_eq(get("a")->errors_by_class[ERROR_TIMEOUT], 0, "no request of its own");
	cr_expect_eq(get("a")->last_error.class, ERROR_TIMEOUT);
	cr_expect_eq(get("a")->turn_errors, 4);
	cr_expect_eq(count_kind(EVENT_API_ERROR), 4);
}

Test(session_error, giving_up_is_no_second_failure)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(failure(MEANS_ERROR, 100, OBS_FINAL, ERROR_SERVER, 500), 0);
	see(failure(MEANS_GIVEN_UP, 101, OBS_FINAL, ERROR_SERVER, 500), 0);
	cr_expect_eq(count_kind(EVENT_API_ERROR), 1);
	cr_expect_eq(get("a")->api_errors, 1);
	cr_expect_eq(get("a")->turn_errors, 1);
}

/* Its api_error was lost, or is that of an earlier turn. */
Test(session_error, giving_up_is_told_where_the_failure_was_not)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(failure(MEANS_GIVEN_UP, 100, OBS_FINAL, ERROR_SERVER, 500), 0);
	cr_expect_eq(count_kind(EVENT_API_ERROR), 1);
	cr_expect(get("a")->failed);
	see(failure(MEANS_GIVEN_UP, 9000, OBS_FINAL, ERROR_SERVER, 500), 0);
	cr_expect_eq(count_kind(EVENT_API_ERROR), 2);
	cr_expect_eq(get("a")->api_errors, 0);
	tick_at(12000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

Test(session_error, a_retry_takes_the_end_back)
{
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(failure(MEANS_ERROR, 100, OBS_FINAL, ERROR_RATE_LIMIT, 429), 0);
	see(failure(MEANS_FAULT, 101, OBS_RETRIED, ERROR_RATE_LIMIT, 429), 0);
	tick_at(5000);
	cr_expect_eq(get("a")->state, SESSION_WORKING);
}

Test(session_error, the_retry_of_a_sub_agent_says_nothing_of_the_turn)
{
	struct observation o = failure(MEANS_FAULT, 101, OBS_RETRIED, ERROR_RATE_LIMIT, 429);

	o.agent = STR("sub");
	see(obs(MEANS_PROMPT, 0, OBS_COUNTED), 0);
	see(failure(MEANS_ERROR, 200, OBS_FINAL, ERROR_RATE_LIMIT, 429), 0);
	see(o, 0);
	tick_at(5000);
	cr_expect_eq(get("a")->state, SESSION_COMPLETED);
}

/* In any order, and whichever ends later; the span has no status. */
Test(session_error, a_log_record_tells_more_than_its_span)
{
	static const struct {
		uint64_t log_ms, span_ms;
		bool span_first;
	} cases[] = { { 100, 100, true },  { 100, 100, false }, { 100, 105, true },
		      { 100, 105, false }, { 105, 100, true },  { 105, 100, false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct observation log = failure(MEANS_ERROR, 10000 * i + cases[i].log_ms, 0, ERROR_AUTH, 401);
		struct observation span =
		    failure(MEANS_RESPONSE_END, 10000 * i + cases[i].span_ms, OBS_FAILED | OBS_SPAN, ERROR_NETWORK, 0);

		see(cases[i].span_first ? span : log, 0);
		see(cases[i].span_first ? log : span, 0);
		cr_expect_eq(get("a")->last_error.class, ERROR_AUTH, "case %zu", i);
		cr_expect_eq(get("a")->last_error.status, 401);
		cr_expect_str_eq(get("a")->last_error.message, "of the log");
	}
}

Test(session_error, a_span_of_another_failure_is_news)
{
	see(failure(MEANS_ERROR, 100, 0, ERROR_AUTH, 401), 0);
	see(failure(MEANS_RESPONSE_END, 5000, OBS_FAILED | OBS_SPAN, ERROR_NETWORK, 0), 0);
	cr_expect_eq(get("a")->last_error.class, ERROR_NETWORK);
	see(failure(MEANS_ERROR, 1000, 0, ERROR_AUTH, 401), 9000);
	cr_expect_eq(get("a")->last_error.class, ERROR_NETWORK, "late");
	cr_expect_eq(get("a")->api_errors, 2);
}
