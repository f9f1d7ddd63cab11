#include "otlp_json.h"
#include "pipeline.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1800000000000000000ull

struct collector {
	struct event_sink sink;
	size_t count;
	char text[8192];
};

static void
on_event(struct event_sink *sink, const struct event *e)
{
	struct collector *c = (struct collector *)sink;
	size_t used = strlen(c->text);

	c->count++;
	snprintf(c->text + used, sizeof(c->text) - used, "%s:%d:%s ", e->session->id, e->kind,
		 session_state_name(e->session->state));
}

static struct collector collector;
static struct sessions *sessions;
static struct arena arena;

static void
setup(void)
{
	struct session_settings settings = session_settings_default();

	collector = (struct collector){ .sink = { on_event } };
	sessions = sessions_create(&settings, &collector.sink);
	arena_init(&arena, 8 << 20);
}

static void
teardown(void)
{
	sessions_destroy(sessions);
	arena_finish(&arena);
}

TestSuite(pipeline, .init = setup, .fini = teardown);

static enum verdict
post_limited(enum otlp_signal signal, const char *json, size_t max_attributes)
{
	struct otlp_request req;
	enum verdict v;

	arena_reset(&arena);
	v = otlp_json_decode(signal, json, strlen(json), OTLP_MAX_DEPTH, &arena, &req);
	return v == VERDICT_OK ? pipeline_apply(sessions, &req, max_attributes, 1, NOW, &arena) : v;
}

static enum verdict
post(enum otlp_signal signal, const char *json)
{
	return post_limited(signal, json, SIZE_MAX);
}

#define ATTR(k, v)        "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define RECORD(ns, attrs) "{\"timeUnixNano\":\"" ns "\",\"attributes\":[" attrs "]}"
#define LOGS(service, records)                                                                                                   \
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":[" ATTR(                                                               \
	    "service.name", service) "]},\"scopeLogs\":[{\"logRecords\":[" records "]}]}]}"

Test(pipeline, several_sessions_in_one_request)
{
	cr_assert_eq(post(OTLP_LOGS,
			  LOGS("codex-app-server",
			       RECORD("1700000000000000000",
				      ATTR("event.name", "codex.user_prompt") "," ATTR(
					  "conversation.id", "one")) "," RECORD("1700000001000000000",
										ATTR("event.name", "codex.user_prompt") "," ATTR(
										    "conversation.id", "two")))),
		     VERDICT_OK);
	cr_expect_eq(sessions_count(sessions), 2);
	cr_expect_eq(sessions_find(sessions, "codex", "one")->state, SESSION_WORKING);
	cr_expect_eq(sessions_find(sessions, "codex", "two")->state, SESSION_WORKING);
}

Test(pipeline, records_are_applied_by_their_time)
{
	cr_assert_eq(
	    post(OTLP_LOGS, LOGS("gemini-cli",
				 RECORD("1700000005000000000",
					ATTR("event.name", "gemini_cli.slash_command") "," ATTR("command", "quit") "," ATTR(
					    "session.id", "g")) "," RECORD("1700000001000000000",
									   ATTR("event.name", "gemini_cli.user_prompt") "," ATTR(
									       "session.id", "g")))),
	    VERDICT_OK);
	cr_expect_eq(sessions_find(sessions, "gemini-cli", "g")->state, SESSION_ENDED, "%s", collector.text);
}

Test(pipeline, unknown_emitters_and_metrics_change_nothing)
{
	cr_assert_eq(
	    post(OTLP_LOGS, LOGS("my-web-shop", RECORD("1", ATTR("event.name", "checkout") "," ATTR("session.id", "x")))),
	    VERDICT_OK);
	cr_assert_eq(post(OTLP_METRICS,
			  "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"claude_code.token.usage\",\"sum\":"
			  "{\"dataPoints\":[{\"asInt\":\"5\",\"attributes\":[" ATTR("session.id", "x") "]}]}}]}]}]}"),
		     VERDICT_OK);
	cr_assert_eq(post(OTLP_LOGS, "{}"), VERDICT_OK);
	cr_assert_eq(post(OTLP_TRACES, "{\"resourceSpans\":[{}]}"), VERDICT_OK);
	cr_expect_eq(sessions_count(sessions), 0);
	cr_expect_eq(collector.count, 0);
}

Test(pipeline, attributes_over_the_limit_are_passed_over)
{
	static const char prompt[] =
	    LOGS("codex-app-server", RECORD("1700000000000000000", ATTR("event.name", "codex.user_prompt") "," ATTR(
								       "x", "y") "," ATTR("conversation.id", "c")));

	cr_assert_eq(post_limited(OTLP_LOGS, prompt, 2), VERDICT_OK);
	cr_expect_null(sessions_find(sessions, "codex", "c"));
	cr_assert_eq(post_limited(OTLP_LOGS, prompt, 3), VERDICT_OK);
	cr_expect_not_null(sessions_find(sessions, "codex", "c"));
}

Test(pipeline, a_request_too_large_for_its_arena_changes_nothing)
{
	struct otlp_request req;
	char *json = malloc(1 << 20);
	size_t n = 0;

	n += (size_t)sprintf(json + n, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[");
	for (int i = 0; i < 2000; i++)
		n += (size_t)sprintf(json + n,
				     "%s{\"eventName\":\"gemini_cli.user_prompt\",\"attributes\":[" ATTR("session.id", "x") "]}",
				     i ? "," : "");
	n += (size_t)sprintf(json + n, "]}]}]}");
	cr_assert_eq(otlp_json_decode(OTLP_LOGS, json, n, OTLP_MAX_DEPTH, &arena, &req), VERDICT_OK);
	arena.cap = arena.used + 1000;
	cr_expect_eq(pipeline_apply(sessions, &req, SIZE_MAX, 1, NOW, &arena), VERDICT_TOO_LARGE);
	cr_expect_eq(sessions_count(sessions), 0);
	free(json);
}

Test(pipeline, a_failure_gets_its_class_and_what_may_be_shown)
{
	const struct session *x;

	cr_assert_eq(post(OTLP_LOGS, LOGS("gemini-cli",
					  RECORD("1700000000000000000",
						 ATTR("event.name", "gemini_cli.api_error") "," ATTR("session.id", "g") "," ATTR(
						     "error", "{\\\"error\\\":{\\\"code\\\":503,\\\"message\\\":\\\"Overloaded, "
							      "Bearer abcdefgh\\\"}}")))),
		     VERDICT_OK);
	x = sessions_find(sessions, "gemini-cli", "g");
	cr_expect_eq(x->last_error.class, ERROR_SERVER);
	cr_expect_str_eq(x->last_error.message, "Overloaded, Bearer ***");
	cr_expect_eq(x->errors_by_class[ERROR_SERVER], 1);
}

Test(pipeline, a_failure_without_a_message_shows_its_class)
{
	const struct session *x;

	cr_assert_eq(post(OTLP_LOGS,
			  LOGS("gemini-cli",
			       RECORD("1700000000000000000", ATTR("event.name", "gemini_cli.chat.content_retry") "," ATTR(
								 "session.id", "g") "," ATTR("error_type", "NO_RESPONSE_TEXT")))),
		     VERDICT_OK);
	x = sessions_find(sessions, "gemini-cli", "g");
	cr_expect_eq(x->last_error.class, ERROR_UNKNOWN);
	cr_expect_str_eq(x->last_error.message, "NO_RESPONSE_TEXT");
	cr_expect_eq(x->api_errors, 0);
	cr_expect_eq(x->errors_by_class[ERROR_UNKNOWN], 0);
}
