#include "metrics_text.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static struct metrics *m;
static struct buf page;
static struct metrics_state state;

static void
setup(void)
{
	m = metrics_create();
	cr_assert_not_null(m);
	state = (struct metrics_state){ .version = "1.2.3" };
}

static void
teardown(void)
{
	metrics_destroy(m);
	buf_finish(&page);
}

TestSuite(metrics_text, .init = setup, .fini = teardown);

static void
answer(const char *model, uint64_t ms, uint64_t time_ns)
{
	const struct session session = { .provider = "codex" };
	const struct observation o = { .means = MEANS_RESPONSE,
				       .model = str_from(model),
				       .tokens = { 10, 5, 1, 7, 3 },
				       .cost = 1250000000,
				       .has_cost = true,
				       .duration_ms = ms,
				       .time_ns = time_ns,
				       .has_trace_id = time_ns != 0,
				       .trace_id = { 0x0a, 0xbc } };

	const struct cost cost = { .reported = o.cost, .has_reported = true };

	metrics_count(m, &(struct event){ .kind = EVENT_API_REQUEST, .session = &session, .observation = &o, .cost = &cost });
	metrics_keep(m);
}

/* The page as text that ends in NUL. */
static const char *
text(enum metrics_format f)
{
	buf_finish(&page);
	cr_assert(metrics_text_write(m, &state, f, &page));
	cr_assert(buf_append(&page, "", 1));
	return (const char *)page.bytes;
}

static void
has_line(const char *all, const char *line)
{
	char whole[600];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	cr_assert_not_null(strstr(all, whole), "no line %s", line);
}

/* --- a strict reader of one line --- */

static const char *
skip_name(const char *p)
{
	if (!isalpha((unsigned char)*p) && *p != '_')
		return NULL;
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	return p;
}

/* name="value", with the escapes that there are */
static const char *
skip_label(const char *p)
{
	p = skip_name(p);
	if (!p || p[0] != '=' || p[1] != '"')
		return NULL;
	for (p += 2; *p && *p != '"'; p++) {
		if (*p == '\n' || (*p == '\\' && !strchr("\\\"n", *++p)))
			return NULL;
	}
	return *p == '"' ? p + 1 : NULL;
}

static const char *
skip_labels(const char *p)
{
	do
		p = skip_label(p + 1);
	while (p && *p == ',');
	return p && *p == '}' ? p + 1 : NULL;
}

/* A space and a number. */
static const char *
skip_number(const char *p)
{
	char *end;

	if (p[0] != ' ' || !isdigit((unsigned char)p[1]))
		return NULL;
	strtod(p + 1, &end);
	return end;
}

static bool
is_sample(const char *p, bool openmetrics)
{
	p = skip_name(p);
	if (p && *p == '{')
		p = skip_labels(p);
	if (p)
		p = skip_number(p);
	if (p && openmetrics && strncmp(p, " # {", 4) == 0) {
		p = skip_labels(p + 3);
		for (int i = 0; i < 2 && p; i++)
			p = skip_number(p);
	}
	return p && *p == '\n';
}

static bool
is_comment(const char *p)
{
	return strncmp(p, "# TYPE ", 7) == 0 || strncmp(p, "# HELP ", 7) == 0 || strncmp(p, "# UNIT ", 7) == 0;
}

static void
check_lines(const char *all, bool openmetrics)
{
	for (const char *p = all; *p; p = strchr(p, '\n') + 1) {
		cr_assert_not_null(strchr(p, '\n'));
		if (strcmp(p, "# EOF\n") == 0)
			cr_assert(openmetrics);
		else
			cr_assert(is_comment(p) || is_sample(p, openmetrics), "%.*s", (int)strcspn(p, "\n"), p);
	}
}

/* --- */

Test(metrics_text, every_line_can_be_read)
{
	char model[32];

	for (int i = 0; i < 200; i++) {
		snprintf(model, sizeof(model), "\\%d\"{},# \xc3\xa9\n", i);
		answer(model, (uint64_t)i * i * 20, (uint64_t)i);
	}
	metrics_http_answer(m, 200);
	metrics_grpc_answer(m, 0);
	for (enum metrics_format f = 0; f < METRICS_FORMAT_COUNT; f++)
		check_lines(text(f), f == METRICS_OPENMETRICS);
}

Test(metrics_text, one_format_has_an_end_and_the_other_none)
{
	const char *all = text(METRICS_OPENMETRICS);

	cr_assert_str_eq(all + strlen(all) - 7, "\n# EOF\n");
	all = text(METRICS_PROMETHEUS);
	cr_assert_null(strstr(all, "EOF"));
	cr_assert_null(strstr(all, "# UNIT"));
	cr_assert_eq(all[strlen(all) - 1], '\n');
}

Test(metrics_text, types_have_the_names_of_their_format)
{
	answer("gpt", 700, 0);
	const char *all = text(METRICS_OPENMETRICS);
	cr_assert_eq(strncmp(all, "# TYPE agentbus_requests counter\n", 33), 0);
	has_line(all, "# TYPE agentbus_build info");
	has_line(all, "# UNIT agentbus_request_duration_seconds seconds");
	has_line(all, "# TYPE process_cpu_seconds counter");
	all = text(METRICS_PROMETHEUS);
	cr_assert_eq(strncmp(all, "# TYPE agentbus_requests_total counter\n", 39), 0);
	has_line(all, "# TYPE agentbus_build_info gauge");
	has_line(all, "# TYPE agentbus_request_duration_seconds histogram");
	has_line(all, "# TYPE process_cpu_seconds_total counter");
	has_line(all, "agentbus_build_info{version=\"1.2.3\"} 1");
}

Test(metrics_text, values_are_exact)
{
	answer("gpt", 1234, 0);
	answer("gpt", 1, 0);
	state.cpu_ns = 1500000000;
	state.started_ns = 1795392813000000001;
	const char *all = text(METRICS_OPENMETRICS);
	has_line(all, "agentbus_requests_total{provider=\"codex\",model=\"gpt\"} 2");
	has_line(all, "agentbus_tokens_total{provider=\"codex\",model=\"gpt\",type=\"input\"} 20");
	has_line(all, "agentbus_tokens_total{provider=\"codex\",model=\"gpt\",type=\"cache_read\"} 10");
	has_line(all, "agentbus_tokens_total{provider=\"codex\",model=\"gpt\",type=\"cache_write\"} 2");
	has_line(all, "agentbus_tokens_total{provider=\"codex\",model=\"gpt\",type=\"output\"} 14");
	has_line(all, "agentbus_tokens_total{provider=\"codex\",model=\"gpt\",type=\"reasoning\"} 6");
	has_line(all, "agentbus_cost_usd_total{provider=\"codex\",model=\"gpt\"} 0.0025");
	has_line(all, "agentbus_request_duration_seconds_sum{provider=\"codex\",model=\"gpt\"} 1.235");
	has_line(all, "process_cpu_seconds_total 1.5");
	has_line(all, "process_start_time_seconds 1795392813.000000001");
}

Test(metrics_text, labels_are_escaped)
{
	answer("a\"b\\c", 0, 0);
	has_line(text(METRICS_PROMETHEUS), "# HELP agentbus_requests_total Answers of models.\n"
					   "agentbus_requests_total{provider=\"codex\",model=\"a\\\"b\\\\c\"} 1");
	strcpy(m->rows[0].model, "a\nb"); /* none gets there, and it would be no harm */
	has_line(text(METRICS_PROMETHEUS), "agentbus_requests_total{provider=\"codex\",model=\"a\\nb\"} 1");
	memset(m->rows[0].model, '"', sizeof(m->rows[0].model) - 1);
	check_lines(text(METRICS_OPENMETRICS), true);
}

Test(metrics_text, buckets_are_cumulative)
{
	const char *const les[METRICS_BUCKETS] = { "0.1",  "0.25", "0.5",  "1.0",   "2.5",   "5.0",   "10.0",
						   "20.0", "30.0", "60.0", "120.0", "300.0", "600.0", "+Inf" };
	char line[200];

	for (size_t i = 0; i < METRICS_BOUNDS; i++)
		answer("gpt", metrics_bounds[i].ms, 0);
	answer("gpt", 3600000, 0);
	answer("gpt", 0, 0);
	const char *all = text(METRICS_PROMETHEUS);
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		snprintf(line, sizeof(line),
			 "agentbus_request_duration_seconds_bucket{provider=\"codex\",model=\"gpt\",le=\"%s\"} %zu", les[i],
			 i + 1);
		has_line(all, line);
	}
	has_line(all, "agentbus_request_duration_seconds_count{provider=\"codex\",model=\"gpt\"} 14");
	has_line(all, "agentbus_requests_total{provider=\"codex\",model=\"gpt\"} 15");
}

Test(metrics_text, examples_are_in_one_format_only)
{
	answer("gpt", 700, 1795392813016999999);
	has_line(text(METRICS_OPENMETRICS),
		 "agentbus_request_duration_seconds_bucket{provider=\"codex\",model=\"gpt\",le=\"1.0\"} 1"
		 " # {trace_id=\"0abc0000000000000000000000000000\"} 0.7 1795392813.016");
	cr_assert_null(strstr(text(METRICS_PROMETHEUS), "trace_id"));
	has_line((const char *)page.bytes,
		 "agentbus_request_duration_seconds_bucket{provider=\"codex\",model=\"gpt\",le=\"1.0\"} 1");
}

Test(metrics_text, what_is_unknown_is_left_out)
{
	state.store_writable = state.max_fds = state.cpu_ns = METRICS_UNKNOWN;
	const char *all = text(METRICS_OPENMETRICS);
	cr_assert_null(strstr(all, "agentbus_store_writable"));
	cr_assert_null(strstr(all, "process_max_fds"));
	cr_assert_null(strstr(all, "process_cpu_seconds"));
	has_line(all, "process_open_fds 0");
	has_line(all, "agentbus_store_commits_total 0");
}

Test(metrics_text, sessions_and_errors_are_there_before_the_first)
{
	static const char *const states[] = { "idle", "working", "waiting", "completed", "ended" };
	char line[200];

	state.sessions[0][SESSION_WAITING] = 3;
	const char *all = text(METRICS_OPENMETRICS);
	for (size_t i = 0; i < m->provider_count; i++) {
		for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
			snprintf(line, sizeof(line), "agentbus_sessions{provider=\"%s\",state=\"%s\"} %d", m->providers[i],
				 states[s], i == 0 && s == 2 ? 3 : 0);
			has_line(all, line);
		}
		for (enum error_class c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++) {
			snprintf(line, sizeof(line), "agentbus_errors_total{provider=\"%s\",type=\"%s\"} 0", m->providers[i],
				 error_class_name(c));
			has_line(all, line);
		}
	}
	cr_assert_null(strstr(all, "type=\"\""));
}

Test(metrics_text, size_is_bounded)
{
	char model[80];

	for (int i = 0; i < 1000; i++) {
		memset(model, '"', sizeof(model) - 1);
		snprintf(model, sizeof(model), "%d", i);
		model[strlen(model)] = '"';
		model[sizeof(model) - 1] = '\0';
		answer(model, 700, 1795392813016999999);
	}
	cr_assert_lt(strlen(text(METRICS_OPENMETRICS)), 512 * 1024);
}

Test(metrics_text, media_names)
{
	cr_assert_str_eq(metrics_media_name(METRICS_OPENMETRICS), "application/openmetrics-text; version=1.0.0; charset=utf-8");
	cr_assert_str_eq(metrics_media_name(METRICS_PROMETHEUS), "text/plain; version=0.0.4; charset=utf-8");
}

Test(metrics_text, what_is_passed_on)
{
	const struct metrics_lane lanes[] = {
		{ "a", "logs", 1, 2, 3, 4, 5, 6500000000 },
		{ "a", "traces", 10, 0, 0, 0, 0, 0 },
	};

	state.held_bytes = METRICS_UNKNOWN;
	cr_assert_null(strstr(text(METRICS_OPENMETRICS), "agentbus_forward"));
	state.held_bytes = 7;
	state.lanes = lanes;
	state.lane_count = 2;
	const char *shown = text(METRICS_OPENMETRICS);
	cr_expect_not_null(strstr(shown, "agentbus_forward_sent_total{destination=\"a\",signal=\"logs\"} 1\n"
					 "agentbus_forward_sent_total{destination=\"a\",signal=\"traces\"} 10\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_retried_total{destination=\"a\",signal=\"logs\"} 2\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_rejected_total{destination=\"a\",signal=\"logs\"} 3\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_dropped_total{destination=\"a\",signal=\"logs\"} 4\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_queued_bytes{destination=\"a\",signal=\"logs\"} 5\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_oldest_seconds{destination=\"a\",signal=\"logs\"} 6.5\n"));
	cr_expect_not_null(strstr(shown, "agentbus_forward_held_bytes 7\n"));
}

Test(metrics_text, budgets_stand_beside_their_levels)
{
	state.budgets[0] = (struct budget_alarm){ BUDGET_DAY, BUDGET_WARN, "2026-11-26", INT64_C(5500000000000), 1, false };
	state.budgets[1] = (struct budget_alarm){ BUDGET_MONTH, BUDGET_LIMIT, "2026-11", INT64_C(90000000000000), -5, true };
	cr_assert(strstr(text(METRICS_OPENMETRICS), "agentbus_budget_usd{") == NULL);
	state.budget_count = 2;
	const char *all = text(METRICS_OPENMETRICS);
	has_line(all, "# TYPE agentbus_budget_usd gauge");
	has_line(all, "# UNIT agentbus_budget_spent_usd usd");
	has_line(all, "agentbus_budget_usd{period=\"day\",level=\"warn\"} 5.5");
	has_line(all, "agentbus_budget_spent_usd{period=\"day\",level=\"warn\"} 0.000000000001");
	has_line(all, "agentbus_budget_usd{period=\"month\",level=\"limit\"} 90");
	has_line(all, "agentbus_budget_spent_usd{period=\"month\",level=\"limit\"} 0");
}
