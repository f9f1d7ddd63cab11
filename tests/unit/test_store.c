#include "store_fixture.h"

TestSuite(store, .init = setup, .fini = teardown);

/* --- what it keeps --- */

Test(store, a_new_one_is_empty_and_private)
{
	static const char *const names[] = { "agentbus.db", "agentbus.db-wal", "agentbus.db-shm", "agentbus.db-lock" };
	struct stat s;

	umask(0);
	chmod(f->dir, 0755);
	reopen();
	expect_position("", 0, false);
	expect_sessions("");
	expect_read(0, 1000, 0, 0, 0);
	cr_expect_not(store_dirty(f->st));
	cr_expect(store_commit(f->st, NOW));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_assert_eq(stat(path_of(names[i]), &s), 0);
		cr_expect_eq(s.st_mode & 0777, 0600, "%s", names[i]);
	}
	cr_assert_eq(stat(f->dir, &s), 0);
	cr_expect_eq(s.st_mode & 0777, 0700);
	cr_expect_str_eq(said(), "");
	store_close(f->st);
	chmod(path_of("agentbus.db"), 0644);
	f->st = NULL;
	reopen();
	cr_assert_eq(stat(path_of("agentbus.db"), &s), 0);
	cr_expect_eq(s.st_mode & 0777, 0600);
}

Test(store, keeps_what_is_committed_and_nothing_else)
{
	f->settings.fsync = true;
	reopen();
	cr_expect(store_begin_counter(f->st, "boot1"));
	cr_expect(put_session("codex", "a", "one"));
	cr_expect(put_session("claude-code", "a", "two"));
	cr_expect(put_session("codex", "b", "three"));
	cr_expect(put_session("codex", "a", "four"));
	cr_expect(append(1, 3));
	cr_expect(store_set_clean(f->st, true));
	cr_expect(store_dirty(f->st));
	expect_sessions("two three four ");
	cr_expect(store_commit(f->st, NOW));
	cr_expect_not(store_dirty(f->st));
	reopen();
	expect_position("boot1", 3, true);
	expect_sessions("two three four ");
	expect_read(0, 1000, 1, 3, 1);
	cr_expect(put_session("codex", "b", "five"));
	cr_expect(store_forget_session(f->st, "codex", "a"));
	cr_expect(append(4, 4));
	cr_expect(store_set_clean(f->st, false));
	expect_position("boot1", 4, false);
	expect_sessions("two five ");
	reopen();
	expect_position("boot1", 3, true);
	expect_sessions("two three four ");
	cr_expect(store_forget_all_sessions(f->st));
	store_rollback(f->st);
	expect_sessions("two three four ");
	cr_expect(store_forget_all_sessions(f->st));
	cr_expect(store_commit(f->st, NOW));
	reopen();
	expect_sessions("");
	cr_expect_str_eq(said(), "");
}

Test(store, order_of_sessions_goes_on_after_opening)
{
	reopen();
	put_session("codex", "a", "one");
	put_session("codex", "b", "two");
	cr_expect(store_commit(f->st, NOW));
	reopen();
	put_session("codex", "a", "three");
	cr_expect(store_commit(f->st, NOW));
	expect_sessions("two three ");
}

static bool
take_one(void *ctx, const uint8_t *record, size_t len)
{
	(void)record, (void)len;
	++*(unsigned *)ctx;
	cr_expect(store_forget_session(f->st, "codex", "b"));
	return *(unsigned *)ctx < 2;
}

Test(store, sessions_may_be_forgotten_while_they_are_read)
{
	unsigned count = 0;

	reopen();
	put_session("codex", "a", "one");
	put_session("codex", "b", "two");
	put_session("codex", "c", "three");
	put_session("codex", "d", "four");
	cr_expect(store_each_session(f->st, take_one, &count));
	cr_expect_eq(count, 2);
	expect_sessions("one three four ");
}

Test(store, a_new_counter_drops_the_events)
{
	reopen();
	cr_expect(store_begin_counter(f->st, "boot1"));
	cr_expect(append(1, 10));
	cr_expect(store_commit(f->st, NOW));
	cr_expect(store_begin_counter(f->st, "boot2"));
	expect_position("boot2", 0, false);
	store_rollback(f->st);
	expect_position("boot1", 10, false);
	expect_read(8, 1000, 9, 10, 1);
	cr_expect(store_begin_counter(f->st, "boot2"));
	cr_expect(append(1, 2));
	cr_expect(store_commit(f->st, NOW));
	reopen();
	expect_position("boot2", 2, false);
	expect_read(0, 1000, 1, 2, 1);
}

/* --- the journal --- */

Test(store, reads_from_anywhere_up_to_a_limit)
{
	const size_t size = 54; /* of an event with its frame */

	reopen();
	cr_expect(append(1, 5));
	cr_expect(append(6, 6));
	cr_expect(append(7, 9));
	for (uint64_t after = 0; after < 9; after++) {
		for (size_t limit = 0; limit <= 10 * size; limit++) {
			const uint64_t want = limit < size ? 1 : limit / size, last = after + want < 9 ? after + want : 9;
			expect_read(after, limit, after + 1, last, 1);
		}
	}
	expect_read(9, 1000, 0, 0, 1);
	expect_read(1000, 1000, 0, 0, 1);
	expect_read(UINT64_MAX, 1000, 0, 0, 1);
}

Test(store, appends_to_what_was_read_already)
{
	uint64_t last, oldest;

	reopen();
	append(1, 2);
	cr_assert(store_read_events(f->st, 0, 1000, &f->read, &last, &oldest));
	cr_assert(store_read_events(f->st, 0, 1, &f->read, &last, &oldest));
	cr_expect_eq(f->read.len, 3 * 54);
	cr_expect_eq(last, 1);
}

Test(store, holes_are_passed_over)
{
	reopen();
	cr_expect(append(5, 6));
	cr_expect(store_commit(f->st, NOW));
	expect_read(0, 1000, 5, 6, 5);
	cr_expect(append(10, 11));
	cr_expect(store_commit(f->st, NOW));
	reopen();
	expect_position("", 11, false);
	expect_read(6, 1000, 10, 11, 5);
	expect_read(7, 1000, 10, 11, 5);
	expect_read(9, 1000, 10, 11, 5);
	expect_read(10, 1000, 11, 11, 5);
}

Test(store, large_appends_become_several_rows)
{
	uint64_t last = 0, oldest;

	reopen();
	cr_expect(append_sized(1, 20, 100000, NOW));
	cr_expect(append_sized(21, 21, 1000000, NOW));
	cr_expect(append_sized(22, 22, 0, NOW));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM journal"), 12);
	cr_expect_eq(sql("SELECT max(length(events)) FROM journal WHERE first < 21"), 2 * 100006);
	for (uint64_t n = 0; n < 22; n++) {
		f->read.len = 0;
		cr_assert(store_read_events(f->st, last, 1, &f->read, &last, &oldest));
		cr_expect_eq(last, n + 1);
		cr_expect_eq(oldest, 1);
	}
	f->read.len = 0;
	cr_assert(store_read_events(f->st, 0, (size_t)1 << 30, &f->read, &last, &oldest));
	cr_expect_eq(last, 22);
}

/* The oldest event, as store_read_events() tells it. */
static uint64_t
oldest_event(void)
{
	uint64_t last, oldest = 0;

	f->read.len = 0;
	cr_assert(store_read_events(f->st, 0, 1, &f->read, &last, &oldest));
	cr_expect(oldest == 0 || last == oldest);
	return oldest;
}

Test(store, drops_the_oldest_above_a_size)
{
	f->settings.history_bytes = 10 * 1004;
	reopen();
	for (uint64_t seq = 1; seq <= 100; seq++) {
		cr_expect(append_sized(seq, seq, 999, NOW));
		cr_expect(store_commit(f->st, NOW));
		cr_expect_eq(oldest_event(), seq <= 10 ? 1 : seq - 9);
	}
	/* Less at the next start: at once, but a few rows at a time, and never the newest. */
	f->settings.history_bytes = 0;
	reopen();
	for (unsigned n = 0; n < 3; n++)
		cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(oldest_event(), 100);
	cr_expect_eq(sql("SELECT count(*) FROM journal"), 1);
	expect_position("", 100, false);
}

Test(store, drops_what_is_too_old)
{
	reopen();
	for (uint64_t day = 0; day < 10; day++) {
		cr_expect(append_sized(2 * day + 1, 2 * day + 2, 10, NOW + day * DAY));
		cr_expect(store_commit(f->st, NOW + day * DAY));
	}
	cr_expect_eq(oldest_event(), 5, "day 2 is seven days before day 9");
	cr_expect(store_commit(f->st, NOW + 9 * DAY + 1));
	cr_expect_eq(oldest_event(), 7, "also without anything to write");
	cr_expect(store_commit(f->st, NOW - 50 * DAY));
	cr_expect_eq(oldest_event(), 7, "nothing is old when the clock is set back");
	cr_expect(store_commit(f->st, NOW + 500 * DAY));
	cr_expect_eq(oldest_event(), 19, "the newest row stays");
	reopen();
	cr_expect_eq(oldest_event(), 19);
	expect_position("", 20, false);
}

Test(store, dropping_is_rolled_back_as_well)
{
	f->settings.history_bytes = 0;
	reopen();
	cr_expect(append(1, 1));
	cr_expect(append(2, 2));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(oldest_event(), 2);
	cr_expect(append(3, 3));
	store_rollback(f->st);
	cr_expect_eq(oldest_event(), 2);
	expect_position("", 2, false);
	cr_expect(append(3, 3));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(oldest_event(), 3);
}

Test(store, events_that_do_not_fit_are_refused)
{
	static const char *const broken[] = { "",          "\x0a",       "\x0a\x05xxxx",      "\x0a\xff\xff\xff\xff\xff\xff\x01x",
					      "\x12\x01x", "\x0a\x01xy", "\x0a\x01x\x0a\x01x" };

	reopen();
	cr_expect(append(1, 3));
	cr_expect(store_commit(f->st, NOW));
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		cr_expect_not(store_append_events(f->st, 4, 4, NOW, (const uint8_t *)broken[i], strlen(broken[i])));
		cr_expect_not(put_session("codex", "a", "one"), "nothing is written before a rollback");
		cr_expect_not(store_commit(f->st, NOW), "which a commit is");
	}
	cr_expect_not(append(3, 4));
	store_rollback(f->st);
	cr_expect_not(store_append_events(f->st, 4, 3, NOW, (const uint8_t *)"x", 1));
	store_rollback(f->st);
	cr_expect_not(store_append_events(f->st, UINT64_MAX, UINT64_MAX, NOW, (const uint8_t *)"\x0a\0", 2));
	store_rollback(f->st);
	cr_expect(append(4, 4));
	cr_expect(store_commit(f->st, NOW));
	expect_sessions("");
	expect_read(0, 1000, 1, 4, 1);
}

Test(store, a_damaged_journal_is_told_once_and_read_past)
{
	uint64_t last, oldest;

	reopen();
	append(1, 3);
	append(4, 5);
	cr_expect(store_commit(f->st, NOW));
	sql("UPDATE journal SET events = substr(events, 1, 60) WHERE first = 1");
	f->read.len = 0;
	cr_assert(store_read_events(f->st, 0, 1000, &f->read, &last, &oldest));
	cr_expect_eq(f->read.len, 3 * 54, "the first, and the two of the next row");
	cr_expect_eq(last, 5);
	cr_expect_not_null(strstr(said(), "damaged"));
	expect_read(1, 1000, 4, 5, 1);
	cr_expect_str_eq(said(), "");
	sql("UPDATE journal SET events = 12, last = 9223372036854775807 WHERE first = 1");
	expect_read(0, 1000, 4, 5, 1);
	sql("UPDATE journal SET events = '' WHERE first = 1");
	expect_read(0, 1000, 4, 5, 1);
	for (unsigned i = 0; i < 54; i++) {
		char text[400];
		snprintf(text, sizeof(text),
			 "UPDATE journal SET events = x'0a32%0100d' WHERE first = 1;"
			 "UPDATE journal SET events = substr(events, 1, %u) || x'ff' || substr(events, %u) WHERE first = 1",
			 0, i, i + 2);
		sql(text);
		f->read.len = 0;
		cr_expect(store_read_events(f->st, 0, 1000, &f->read, &last, &oldest));
		cr_expect_eq(last, 5);
	}
}

/* --- usage --- */

Test(store, usage_is_added_up_per_day_provider_model_project_and_session)
{
	struct store_usage other[5] = { used, used, used, used, used };

	other[0].day = "2026-11-27";
	other[0].estimated = false;
	other[1].provider = "qwen-code";
	other[2].model = "";
	other[3].project = "";
	other[4].session = "";
	reopen();
	cr_expect(store_add_usage(f->st, &used));
	cr_expect(store_add_usage(f->st, &used));
	cr_expect(store_commit(f->st, NOW));
	for (size_t i = 0; i < 5; i++)
		cr_expect(store_add_usage(f->st, &other[i]));
	cr_expect(store_add_usage(f->st, &used));
	store_rollback(f->st);
	reopen();
	for (size_t i = 0; i < 5; i++)
		cr_expect(store_add_usage(f->st, &other[i]));
	cr_expect(store_add_usage(f->st, &used));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM usage"), 6);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE requests = 3 AND api_errors = 6 AND input = 9 AND cache_read = 12"
			 " AND cache_write = 15 AND output = 18 AND reasoning = 21 AND reported_cost = -24"
			 " AND computed_cost = 27 AND unreported_cost = 30 AND estimated = 1"),
		     1);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE day = '2026-11-27' AND estimated = 0"), 1);
	cr_expect_eq(sql("SELECT sum(requests) FROM usage"), 8);
}

Test(store, sums_of_usage_stay_whole_numbers)
{
	struct store_usage u = used;

	u.requests = u.input = u.output = UINT64_MAX;
	u.reported_cost = INT64_MIN;
	u.computed_cost = u.unreported_cost = INT64_MAX;
	reopen();
	for (unsigned n = 0; n < 3; n++)
		cr_expect(store_add_usage(f->st, &u));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT requests FROM usage"), INT64_MAX);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE typeof(requests) = 'integer' AND typeof(reported_cost) = 'integer'"
			 " AND reported_cost < -9000000000000000000 AND typeof(computed_cost) = 'integer'"
			 " AND computed_cost = 9223372036854775807 AND unreported_cost = computed_cost"),
		     1);
}
