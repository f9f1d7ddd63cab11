#include "keeper.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define S 1000000000ull

static const struct log quiet = { .level = LEVEL_ERROR };
static const struct limits limits = { .max_inflated = 1 << 20 };

/* A keeper and all it keeps for, in a directory that outlives it. */
struct life {
	struct metrics *metrics;
	struct clock clock;
	struct journal journal;
	struct publisher publisher;
	struct sessions *sessions;
	struct intake intake;
	struct destinations to;
	struct forward_queue queue;
	struct keeper keeper;
};

static char dir[64];
static struct ev_loop *loop;

static void
setup(void)
{
	strcpy(dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	signal(SIGXFSZ, SIG_IGN);
	loop = ev_loop_new(EVFLAG_AUTO);
}

static void
teardown(void)
{
	char path[400];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	closedir(d);
	rmdir(dir);
	ev_loop_destroy(loop);
}

TestSuite(keeper, .init = setup, .fini = teardown);

static struct life *
begin_life(bool memory, bool durable)
{
	const struct session_settings settings = session_settings_default();
	struct life *l = calloc(1, sizeof(*l));
	char url[128];

	clock_init(&l->clock);
	l->metrics = metrics_create();
	cr_assert_not_null(l->metrics);
	snprintf(url, sizeof(url), "ipc://%s/events", dir);
	cr_assert(journal_init(&l->journal, 1 << 20));
	cr_assert(publish_open(&l->publisher, url, &l->journal, &quiet));
	const struct keeper_setup with = {
		.store = { .dir = dir, .history_bytes = 1 << 24, .history_age_ns = 86400 * S },
		.memory = memory,
		.durable = durable,
		.clock = &l->clock,
		.log = &quiet,
		.publisher = &l->publisher,
		.intake = &l->intake,
		.metrics = l->metrics,
		.queue = &l->queue,
	};
	l->to = (struct destinations){ { { .name = "a", .signals[OTLP_LOGS] = true, .queue_size = 1 << 20 } }, 1 };
	forward_queue_init(&l->queue, &l->to, memory, &quiet);
	cr_assert(keeper_open(&l->keeper, loop, &with));
	l->sessions = sessions_create(&settings, &l->keeper.sink);
	intake_init(&l->intake, &l->clock, l->sessions, &l->publisher, &limits);
	keeper_load(&l->keeper, l->sessions);
	return l;
}

/* In order, or as a crash would end it: nothing more is written. */
static void
end_life(struct life *l, bool crash)
{
	if (crash) {
		store_close(l->keeper.store);
		l->keeper.store = l->keeper.ledger.store = NULL;
	}
	keeper_close(&l->keeper);
	forward_queue_finish(&l->queue);
	publish_close(&l->publisher);
	intake_finish(&l->intake);
	sessions_destroy(l->sessions);
	journal_finish(&l->journal);
	metrics_destroy(l->metrics);
	free(l);
}

static void
answer(struct life *l, const char *id, const char *model)
{
	const struct observation o = { .means = MEANS_RESPONSE,
				       .flags = OBS_OPENS,
				       .provider = "codex",
				       .session = str_from(id),
				       .time_ns = clock_now(&l->clock),
				       .model = str_from(model),
				       .tokens = { .input = 100, .output = 7 } };

	sessions_observe(l->sessions, &o, clock_now(&l->clock));
}

static uint64_t
requests(const struct life *l, const char *id)
{
	const struct session *x = sessions_find(l->sessions, "codex", id);

	return x ? x->requests : 0;
}

/* No file of this process can grow, or all can. */
static void
let_files_grow(bool may)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = may ? limit.rlim_max : 1;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
wait_until_awake(struct life *l)
{
	for (int i = 0; i < 20 && l->keeper.broken; i++)
		ev_run(loop, EVRUN_ONCE);
	cr_assert_not(l->keeper.broken);
}

Test(keeper, what_is_settled_survives_a_crash)
{
	struct life *l = begin_life(false, true);
	char boot_id[33];

	cr_assert(l->intake.deferred);
	answer(l, "a", "gpt");
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	const uint64_t seq = l->publisher.seq;
	strcpy(boot_id, l->publisher.boot_id);
	answer(l, "a", "gpt"); /* not settled */
	end_life(l, true);

	l = begin_life(false, true);
	cr_assert_eq(requests(l, "a"), 2);
	cr_assert_eq(l->publisher.seq, seq);
	cr_assert_str_eq(l->publisher.boot_id, boot_id);
	cr_assert_not(sessions_changed(l->sessions));
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_gt(l->publisher.seq, seq);
	end_life(l, false);
}

Test(keeper, nothing_to_do_is_no_commit)
{
	struct life *l = begin_life(false, true);

	answer(l, "a", "gpt");
	keeper_settle(&l->keeper);
	const uint64_t commits = l->keeper.commits;
	cr_assert_eq(commits, 1);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(l->keeper.commits, commits);
	end_life(l, false);
}

Test(keeper, in_memory_nothing_is_kept)
{
	struct life *l = begin_life(true, true);

	cr_assert_not(l->intake.deferred);
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	end_life(l, false);
	l = begin_life(true, true);
	cr_assert_eq(sessions_count(l->sessions), 0);
	cr_assert_eq(l->publisher.seq, 0);
	end_life(l, false);
}

Test(keeper, goes_back_to_what_is_stored_when_storing_fails, .timeout = 60)
{
	struct life *l = begin_life(false, true);

	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	const uint64_t seq = l->publisher.seq;
	let_files_grow(false);
	answer(l, "a", "gpt");
	answer(l, "b", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_NO_STORE);
	cr_assert_eq(l->intake.closed, VERDICT_NO_STORE);
	cr_assert_not(keeper_awake(&l->keeper));
	cr_assert_eq(requests(l, "a"), 1);
	cr_assert_eq(requests(l, "b"), 0);
	cr_assert_eq(l->publisher.seq, seq);
	cr_assert_eq(l->publisher.queued, 0);
	cr_assert_eq(l->keeper.ledger.tally.count, 0);
	cr_assert_eq(l->metrics->rows[0].kept.requests, 1);
	cr_assert_eq(l->metrics->now.events, l->metrics->kept.events);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK, "nothing was taken since");

	let_files_grow(true);
	wait_until_awake(l);
	cr_assert_eq(l->intake.closed, VERDICT_OK);
	answer(l, "b", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(l->metrics->rows[0].kept.requests, 2);
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(requests(l, "a"), 1);
	cr_assert_eq(requests(l, "b"), 1);
	cr_assert_eq(l->metrics->kept.events, 0, "what is read again is no news");
	end_life(l, false);
}

Test(keeper, goes_on_in_memory_where_it_may, .timeout = 60)
{
	struct life *l = begin_life(false, false);

	cr_assert_not(l->intake.deferred);
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	let_files_grow(false);
	answer(l, "a", "gpt");
	answer(l, "b", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(l->intake.closed, VERDICT_OK);
	cr_assert(keeper_awake(&l->keeper));
	cr_assert_eq(requests(l, "a"), 2);
	let_files_grow(true);
	wait_until_awake(l);
	cr_assert_eq(l->keeper.stored_seq, l->publisher.seq);
	const uint64_t seq = l->publisher.seq;
	end_life(l, false);

	l = begin_life(false, false);
	cr_assert_eq(requests(l, "a"), 2);
	cr_assert_eq(requests(l, "b"), 1);
	cr_assert_eq(l->publisher.seq, seq, "it ended in order");
	end_life(l, false);
}

/* Events may have been seen that are not stored: their numbers must not be used again for others. */
Test(keeper, begins_a_new_counter_after_a_crash_that_may_have_lost_events)
{
	struct life *l = begin_life(false, false);
	char boot_id[33];

	answer(l, "a", "gpt");
	keeper_settle(&l->keeper);
	strcpy(boot_id, l->publisher.boot_id);
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_str_neq(l->publisher.boot_id, boot_id);
	cr_assert_eq(l->publisher.seq, 0);
	cr_assert_eq(requests(l, "a"), 1);
	strcpy(boot_id, l->publisher.boot_id);
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_str_eq(l->publisher.boot_id, boot_id, "this one loses nothing");
	end_life(l, false);
}

/* More sessions in one turn than the publisher holds messages: some are stored before the turn is over. */
Test(keeper, a_long_turn_is_stored_on_the_way)
{
	struct life *l = begin_life(false, true);
	char id[16];

	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		answer(l, id, "gpt");
	}
	cr_assert_gt(l->keeper.commits, 0);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	const uint64_t seq = l->publisher.seq;
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(sessions_count(l->sessions), 300);
	cr_assert_eq(l->publisher.seq, seq);
	end_life(l, false);
}

Test(keeper, a_long_turn_that_cannot_be_stored_never_was, .timeout = 60)
{
	struct life *l = begin_life(false, true);
	char id[16];

	let_files_grow(false);
	for (int i = 0; i < 300; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		answer(l, id, "gpt");
	}
	cr_assert(l->keeper.unsure);
	cr_assert_eq(sessions_count(l->sessions), 300, "in the middle of a turn they are needed");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_NO_STORE);
	cr_assert_eq(sessions_count(l->sessions), 0);
	cr_assert_eq(l->publisher.seq, 0);
	let_files_grow(true);
	wait_until_awake(l);
	answer(l, "later", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(sessions_count(l->sessions), 1);
	end_life(l, false);
}

Test(keeper, what_is_forgotten_stays_so)
{
	struct session_settings few = session_settings_default();
	struct life *l = begin_life(false, true);
	char id[16];

	few.max_sessions = 10;
	sessions_set_settings(l->sessions, &few);
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		answer(l, id, "gpt");
		keeper_settle(&l->keeper);
	}
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(sessions_count(l->sessions), 10);
	cr_assert_eq(requests(l, "s49"), 1);
	cr_assert_eq(requests(l, "s39"), 0);
	end_life(l, false);
}

Test(keeper, a_second_one_is_told_that_the_store_is_taken)
{
	struct life *l = begin_life(false, true);
	struct keeper second;
	struct publisher p = { 0 };
	struct intake in = { 0 };
	const struct keeper_setup with = {
		.store = { .dir = dir }, .durable = true, .clock = &l->clock, .log = &quiet, .publisher = &p, .intake = &in
	};

	cr_assert_not(keeper_open(&second, loop, &with));
	end_life(l, false);
}

/* Who reads on and on keeps the log from beginning anew. It is not gone over again at each commit for that. */
Test(keeper, a_reader_that_stays_is_no_reason_to_tidy_up_all_the_time)
{
	struct life *l = begin_life(false, true);
	unsigned tidied = 0;
	char path[128];
	sqlite3 *db;

	answer(l, "a", "gpt");
	keeper_settle(&l->keeper);
	snprintf(path, sizeof(path), "%s/agentbus.db", dir);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sessions", NULL, NULL, NULL), SQLITE_OK);
	const size_t before = l->keeper.log_due;
	for (size_t due = before; store_wal_bytes(l->keeper.store) < 3 * before; due = l->keeper.log_due) {
		answer(l, "a", "gpt");
		cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
		tidied += l->keeper.log_due != due;
	}
	cr_assert_leq(tidied, 3);
	sqlite3_close(db);
	end_life(l, false);
}

/* An event of the budget follows the answer that reached it, and goes with it if it cannot be stored. */
Test(keeper, budgets_go_back_with_what_was_spent, .timeout = 60)
{
	static const struct budget_settings budget = { .amounts = { { 100, 0 }, { 0, 0 } } };
	const struct price_list none = { 0 };
	struct price_table *prices = price_table_create(&none, &none);
	struct life *l = begin_life(false, true);

	sessions_set_prices(l->sessions, prices);
	ledger_set_budget(&l->keeper.ledger, &budget);
	let_files_grow(false);
	answer(l, "a", "gpt");
	cr_assert(budget_has_untold(&l->keeper.ledger.budget));
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_NO_STORE);
	cr_assert_eq(l->publisher.seq, 0);
	cr_assert_not(ledger_dirty(&l->keeper.ledger));
	let_files_grow(true);
	wait_until_awake(l);
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	const uint64_t seq = l->publisher.seq;
	answer(l, "a", "gpt");
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(l->publisher.seq, seq + 1, "told once");
	end_life(l, true);
	l = begin_life(false, true);
	sessions_set_prices(l->sessions, prices);
	ledger_set_budget(&l->keeper.ledger, &budget);
	answer(l, "a", "gpt");
	cr_assert_not(budget_has_untold(&l->keeper.ledger.budget), "told before the crash");
	cr_assert_eq(l->keeper.ledger.budget.accounts[0].told[BUDGET_WARN], 100);
	end_life(l, false);
	price_table_destroy(prices);
}

/* More models in a turn than the tally has rows. */
Test(keeper, usage_of_a_day_is_complete)
{
	struct life *l = begin_life(false, true);
	char model[16], path[128];
	sqlite3_stmt *q;
	sqlite3 *db;

	for (int i = 0; i < 3 * TALLY_ROWS; i++) {
		snprintf(model, sizeof(model), "m%d", i % (2 * TALLY_ROWS));
		answer(l, "a", model);
	}
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(l->keeper.ledger.tally.count, 0);
	end_life(l, false);
	snprintf(path, sizeof(path), "%s/agentbus.db", dir);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT count(*), sum(requests), sum(input), sum(output) FROM usage", -1, &q, NULL),
		     0);
	cr_assert_eq(sqlite3_step(q), SQLITE_ROW);
	cr_assert_eq(sqlite3_column_int(q, 0), 2 * TALLY_ROWS);
	cr_assert_eq(sqlite3_column_int(q, 1), 3 * TALLY_ROWS);
	cr_assert_eq(sqlite3_column_int(q, 2), 300 * TALLY_ROWS);
	cr_assert_eq(sqlite3_column_int(q, 3), 21 * TALLY_ROWS);
	sqlite3_finalize(q);
	sqlite3_close(db);
}

/* --- what is passed on --- */

static void
put_into_outbox(struct life *l)
{
	struct outbox_signal *s = &l->queue.outbox.of[OTLP_LOGS];

	cr_assert(buf_append(&s->bytes, "row", 3));
	s->rows = realloc(s->rows, (s->count + 1) * sizeof(*s->rows));
	cr_assert_not_null(s->rows);
	s->rows[s->count++] = (struct outbox_row){ s->bytes.len, 1 };
	s->size = s->count;
}

static uint64_t
rows_waiting(const struct life *l)
{
	return forward_queue_waiting(&l->queue, &l->queue.lanes[0]).row;
}

Test(keeper, what_is_passed_on_is_stored_with_the_rest)
{
	struct life *l = begin_life(false, true);

	answer(l, "a", "gpt");
	put_into_outbox(l);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert(outbox_is_empty(&l->queue.outbox));
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(rows_waiting(l), 1);
	forward_queue_pass(&l->queue.lanes[0], &(struct store_mark){ 1, 3, 1 });
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	end_life(l, true);
	l = begin_life(false, true);
	cr_assert_eq(rows_waiting(l), 0);
	end_life(l, false);
}

Test(keeper, what_could_not_be_stored_is_not_passed_on, .timeout = 60)
{
	struct life *l = begin_life(false, true);

	put_into_outbox(l);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	let_files_grow(false);
	answer(l, "a", "gpt");
	put_into_outbox(l);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_NO_STORE);
	cr_assert(outbox_is_empty(&l->queue.outbox));
	cr_assert_eq(rows_waiting(l), 1);
	let_files_grow(true);
	wait_until_awake(l);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(rows_waiting(l), 1);
	end_life(l, false);
}

Test(keeper, the_queue_is_in_memory_where_all_is)
{
	struct life *l = begin_life(true, true);

	put_into_outbox(l);
	cr_assert_eq(keeper_settle(&l->keeper), VERDICT_OK);
	cr_assert_eq(rows_waiting(l), 1);
	cr_assert(outbox_is_empty(&l->queue.outbox));
	end_life(l, false);
}
