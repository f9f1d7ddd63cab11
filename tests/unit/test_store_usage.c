/* Sums of usage in the store: what is asked of them, and how many there may be. */
#include "store_fixture.h"

TestSuite(store_usage, .init = setup, .fini = teardown, .timeout = 60);

struct seen {
	char text[1024];
	size_t count, most;
};

/* Writes down "key requests cost" of each sum, and stops after `most` of them. */
static bool
see(void *ctx, const struct store_usage *u)
{
	struct seen *s = ctx;
	const char *const keys[] = { u->day, u->provider, u->model, u->project, u->session };
	size_t len = strlen(s->text);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (*keys[i])
			len += (size_t)snprintf(s->text + len, sizeof(s->text) - len, "%s ", keys[i]);
	snprintf(s->text + len, sizeof(s->text) - len, "%llu %lld%s; ", (unsigned long long)u->requests,
		 (long long)(u->reported_cost + u->unreported_cost), u->estimated ? "~" : "");
	return ++s->count < s->most;
}

static void
expect_sums(enum store_usage_by by, const char *since, const char *until, const char *want)
{
	struct seen s = { .most = SIZE_MAX };

	cr_expect(store_each_usage(f->st, by, (struct store_days){ since, until }, see, &s));
	cr_expect_str_eq(s.text, want, "%s, not %s", s.text, want);
}

static void
use(const char *day, const char *provider, const char *model, const char *project, const char *session, int64_t cost)
{
	const struct store_usage u = { .day = day,
				       .provider = provider,
				       .model = model,
				       .project = project,
				       .session = session,
				       .requests = 1,
				       .computed_cost = cost,
				       .unreported_cost = cost,
				       .estimated = cost == 3 };

	cr_assert(store_add_usage(f->st, &u));
}

static void
fill(void)
{
	use("2026-11-25", "codex", "gpt", "shop", "s1", 5);
	use("2026-11-26", "codex", "gpt", "shop", "s1", 1);
	use("2026-11-26", "codex", "gpt-mini", "", "s1", 3);
	use("2026-11-27", "claude-code", "opus", "shop", "s1", 20);
	use("2026-12-01", "claude-code", "opus", "bank", "s2", 2);
}

Test(store_usage, is_added_up_by_whatever_is_asked_for)
{
	reopen();
	fill();
	expect_sums(STORE_USAGE_TOTAL, "", "", "5 31~; ");
	expect_sums(STORE_USAGE_DAY, "", "", "2026-11-25 1 5; 2026-11-26 2 4~; 2026-11-27 1 20; 2026-12-01 1 2; ");
	expect_sums(STORE_USAGE_MODEL, "", "", "opus 2 22; gpt 2 6; gpt-mini 1 3~; ");
	expect_sums(STORE_USAGE_PROVIDER, "", "", "claude-code 2 22; codex 3 9~; ");
	expect_sums(STORE_USAGE_PROJECT, "", "", "shop 4 29~; bank 1 2; ");
	expect_sums(STORE_USAGE_SESSION, "", "", "claude-code shop s1 1 20; codex shop s1 3 9~; claude-code bank s2 1 2; ");
	use("2026-12-01", "qwen-code", "m", "", "s1", 3);
	use("2026-12-01", "qwen-code", "m", "", "", 9);
	expect_sums(STORE_USAGE_PROJECT, "", "", "shop 4 29~; 2 12~; bank 1 2; ");
	expect_sums(STORE_USAGE_PROJECT, "2026-11-26", "2026-11-26", "shop 2 4~; ");
}

Test(store_usage, is_of_the_days_asked_for)
{
	reopen();
	expect_sums(STORE_USAGE_TOTAL, "", "", "0 0; ");
	expect_sums(STORE_USAGE_DAY, "", "", "");
	fill();
	expect_sums(STORE_USAGE_TOTAL, "2026-11-26", "2026-11-27", "3 24~; ");
	expect_sums(STORE_USAGE_TOTAL, "2026-11-26", "", "4 26~; ");
	expect_sums(STORE_USAGE_TOTAL, "", "2026-11-25", "1 5; ");
	expect_sums(STORE_USAGE_TOTAL, "2026-11", "2026-11-31", "4 29~; ");
	expect_sums(STORE_USAGE_TOTAL, "2027-01-01", "", "0 0; ");
}

Test(store_usage, one_may_stop_reading)
{
	struct seen s = { .most = 2 };

	reopen();
	fill();
	cr_expect(store_each_usage(f->st, STORE_USAGE_DAY, (struct store_days){ "", "" }, see, &s));
	cr_expect_eq(s.count, 2);
	expect_sums(STORE_USAGE_PROVIDER, "", "", "claude-code 2 22; codex 3 9~; ");
}

/* The CLI's figure for a turn takes back what was computed; what is left of that is no guess any more. */
Test(store_usage, a_guess_that_was_taken_back_is_none)
{
	const struct store_usage turn = { .day = "2026-11-26",
					  .provider = "codex",
					  .model = "gpt",
					  .project = "",
					  .session = "s1",
					  .reported_cost = 70,
					  .unreported_cost = -3 };

	reopen();
	use("2026-11-26", "codex", "gpt", "", "s1", 3);
	cr_assert(store_add_usage(f->st, &turn));
	expect_sums(STORE_USAGE_SESSION, "", "", "codex s1 1 70; ");
}

Test(store_usage, sums_stand_still_at_the_largest)
{
	reopen();
	use("2026-11-25", "codex", "gpt", "", "a", INT64_MAX);
	use("2026-11-26", "codex", "gpt", "", "a", INT64_MAX);
	use("2026-11-27", "codex", "gpt", "", "a", 1);
	expect_sums(STORE_USAGE_TOTAL, "", "", "3 9223372036854775807; ");
}

Test(store_usage, of_older_versions_is_kept_without_a_session)
{
	reopen();
	store_close(f->st);
	f->st = NULL;
	sql("DROP TABLE usage; DROP TABLE budget; DROP TABLE forward_items; DROP TABLE forward_lanes; DROP TABLE forward_held;"
	    "CREATE TABLE usage (day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,"
	    " requests INTEGER NOT NULL, api_errors INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL,"
	    " cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, reported_cost INTEGER NOT NULL,"
	    " computed_cost INTEGER NOT NULL DEFAULT 0, unreported_cost INTEGER NOT NULL DEFAULT 0,"
	    " estimated INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, provider, model, project)) WITHOUT ROWID;"
	    "INSERT INTO usage VALUES ('2026-11-26', 'codex', 'gpt', 'shop', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1);"
	    "PRAGMA user_version = 3");
	reopen();
	expect_sums(STORE_USAGE_SESSION, "", "", "codex shop 1 18~; ");
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE session = '' AND api_errors = 2 AND input = 3 AND cache_read = 4"
			 " AND cache_write = 5 AND output = 6 AND reasoning = 7 AND reported_cost = 8 AND computed_cost = 9"
			 " AND unreported_cost = 10 AND estimated = 1"),
		     1);
	use("2026-11-26", "codex", "gpt", "shop", "s1", 2);
	expect_sums(STORE_USAGE_TOTAL, "", "", "2 20~; ");
}

Test(store_usage, above_so_many_sessions_the_oldest_days_forget_theirs)
{
	char id[16];

	reopen();
	use("2026-11-24", "codex", "gpt", "shop", "", 4);
	use("2026-11-24", "codex", "gpt", "shop", "a", 2);
	use("2026-11-24", "codex", "gpt", "shop", "b", 3);
	for (int i = 0; i < STORE_SESSION_ROWS - 2; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		use("2026-11-25", "codex", "gpt", "shop", id, 1);
	}
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM usage"), STORE_SESSION_ROWS + 1);
	use("2026-11-25", "codex", "gpt", "shop", "s7", 1);
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE day = '2026-11-24'"), 3, "that one had its row");
	use("2026-11-26", "codex", "gpt", "shop", "one more", 1);
	store_rollback(f->st);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE day = '2026-11-24'"), 3);
	use("2026-11-26", "codex", "gpt", "shop", "one more", 1);
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE day = '2026-11-24'"), 1);
	cr_expect_eq(sql("SELECT unreported_cost FROM usage WHERE day = '2026-11-24' AND session = ''"), 9);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE session <> ''"), STORE_SESSION_ROWS - 1);
	cr_expect_eq(sql("SELECT sum(requests) FROM usage"), STORE_SESSION_ROWS + 3);
}

Test(store_usage, in_memory_nothing_is_on_disk)
{
	f->st = store_open_memory(&quiet);
	cr_assert_not_null(f->st);
	fill();
	cr_expect(store_commit(f->st, NOW));
	expect_sums(STORE_USAGE_TOTAL, "", "", "5 31~; ");
	cr_expect_eq(access(path_of("agentbus.db"), F_OK), -1);
}

Test(store_usage, remembers_which_budgets_were_told)
{
	int64_t amount = 7;

	reopen();
	cr_expect(store_budget_told(f->st, "2026-11", "warn", &amount));
	cr_expect_eq(amount, 0);
	cr_expect(store_tell_budget(f->st, "2026-11", "warn", 5));
	cr_expect(store_commit(f->st, NOW));
	cr_expect(store_tell_budget(f->st, "2026-11", "warn", 6));
	store_rollback(f->st);
	reopen();
	cr_expect(store_budget_told(f->st, "2026-11", "warn", &amount));
	cr_expect_eq(amount, 5);
	cr_expect(store_budget_told(f->st, "2026-11", "limit", &amount));
	cr_expect_eq(amount, 0);
}
