/* The question what was used, to a broker that answers, does not, or is not there. */
#include "lib_bus_bed.h"

TestSuite(lib_usage, .init = make_dir, .fini = remove_dir, .timeout = 60);

static int
ask(unsigned timeout_ms, struct agentbus_usage **ret)
{
	return agentbus_usage(&(struct agentbus_usage_query){ .runtime_dir = dir,
							      .since = "2026-11-01",
							      .until = "2026-11-26",
							      .group = AGENTBUS_USAGE_BY_MODEL,
							      .timeout_ms = timeout_ms },
			      ret);
}

Test(lib_usage, is_answered)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct agentbus_usage *u;

	cr_assert_eq(ask(10000, &u), 0);
	cr_assert_eq(u->row_count, 1);
	cr_assert_str_eq(u->rows[0].key, "2026-11-01 to 2026-11-26 by 2");
	cr_assert_str_eq(u->rows[0].provider, "");
	cr_assert_eq(u->rows[0].requests, 3);
	cr_assert_eq(u->rows[0].cost.total, 7);
	cr_assert_eq(u->total.requests, 3);
	cr_assert_eq(u->left_out, 9);
	cr_assert_eq(u->budget_count, 1);
	cr_assert_str_eq(u->budgets[0].period, "month");
	cr_assert_str_eq(u->budgets[0].key, "");
	cr_assert_eq(u->budgets[0].spent, 7);
	agentbus_usage_free(u);
	cr_assert_eq(agentbus_usage(&(struct agentbus_usage_query){ .runtime_dir = dir, .timeout_ms = 10000 }, &u), 0);
	cr_assert_str_eq(u->rows[0].key, " to  by 0");
	agentbus_usage_free(u);
	fake_stop(f);
	agentbus_usage_free(NULL);
}

Test(lib_usage, without_a_broker_the_time_runs_out)
{
	struct agentbus_usage *u = NULL;
	const int64_t begin = now_ms();

	cr_assert_eq(ask(200, &u), AGENTBUS_ETIMEOUT);
	cr_assert_geq(now_ms() - begin, 200);
	cr_assert_lt(now_ms() - begin, 5000);
	cr_assert_null(u);
	cr_assert_eq(ask(0, &u), AGENTBUS_ETIMEOUT);
}

static void *
start_later(void *arg)
{
	usleep(300000);
	fake_listen(arg, dir);
	return NULL;
}

Test(lib_usage, a_broker_may_come_meanwhile)
{
	struct fake_broker *f = fake_create("one");
	struct agentbus_usage *u;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, start_later, f), 0);
	cr_assert_eq(ask(20000, &u), 0);
	pthread_join(thread, NULL);
	agentbus_usage_free(u);
	fake_stop(f);
}

Test(lib_usage, one_that_cannot_tell)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct agentbus_usage *u = NULL;

	f->mood = FAKE_REFUSING;
	cr_assert_eq(ask(10000, &u), AGENTBUS_EREFUSED);
	f->mood = FAKE_MUTE;
	cr_assert_eq(ask(300, &u), AGENTBUS_ETIMEOUT);
	f->mood = FAKE_GARBLED;
	cr_assert_eq(ask(300, &u), AGENTBUS_ETIMEOUT);
	cr_assert_null(u);
	fake_stop(f);
}

Test(lib_usage, what_cannot_be_asked)
{
	struct agentbus_usage *u;
	struct agentbus_usage_query q = { .runtime_dir = dir, .group = (enum agentbus_usage_group)6 };

	cr_assert_eq(agentbus_usage(NULL, &u), AGENTBUS_EINVAL);
	cr_assert_eq(agentbus_usage(&q, &u), AGENTBUS_EINVAL);
	q.group = AGENTBUS_USAGE_TOTAL;
	cr_assert_eq(agentbus_usage(&q, NULL), AGENTBUS_EINVAL);
	q.since = "2026-11-26 and more";
	cr_assert_eq(agentbus_usage(&q, &u), AGENTBUS_EINVAL);
	q.since = NULL;
	q.runtime_dir = "/a/very/long/path/that/no/socket/may/have/a/very/long/path/that/no/socket/may/have/for/it/has/over/108";
	cr_assert_eq(agentbus_usage(&q, &u), AGENTBUS_EPATH);
}
