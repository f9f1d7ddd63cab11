/* The store's file: whose it is, what is wrong with it, and what happens to it. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY 65534

TestSuite(store_file, .init = setup, .fini = teardown);

Test(store_file, serves_one_broker)
{
	reopen();
	expect_refusal("already serves");
	reopen();
}

Test(store_file, refuses_what_is_no_directory_of_ours)
{
	f->settings.dir = "";
	expect_refusal("--state-dir");
	f->settings.dir = "/proc/agentbus/none";
	expect_refusal("/proc/agentbus/none");
	f->settings.dir = f->dir;
	cr_assert_eq(mkdir(path_of("agentbus.db"), 0700), 0);
	expect_refusal("agentbus.db");
	cr_assert_eq(rmdir(path_of("agentbus.db")), 0);
	cr_assert_eq(symlink("elsewhere", path_of("agentbus.db")), 0);
	expect_refusal("agentbus.db");
	cr_assert_eq(unlink(path_of("agentbus.db")), 0);
	if (geteuid() == 0) {
		cr_assert_eq(chown(f->dir, NOBODY, NOBODY), 0);
		expect_refusal("belongs to user 65534");
	}
}

Test(store_file, refuses_what_cannot_be_written)
{
	const bool root = geteuid() == 0;

	reopen();
	store_close(f->st);
	f->st = NULL;
	if (root) {
		cr_assert_eq(chown(f->dir, NOBODY, NOBODY), 0);
		cr_assert_eq(chown(path_of("agentbus.db-lock"), NOBODY, NOBODY), 0);
		cr_assert_eq(seteuid(NOBODY), 0);
		expect_refusal("Permission denied");
		cr_assert_eq(seteuid(0), 0);
		cr_assert_eq(chown(path_of("agentbus.db"), NOBODY, NOBODY), 0);
		cr_assert_eq(seteuid(NOBODY), 0);
	}
	chmod(path_of("agentbus.db"), 0400);
	expect_refusal("check the permissions");
	chmod(path_of("agentbus.db"), 0600);
	chmod(f->dir, 0500);
	expect_refusal("check the permissions");
	chmod(f->dir, 0700);
	f->st = store_open(&f->settings, &quiet);
	cr_expect_not_null(f->st);
	if (root)
		cr_assert_eq(seteuid(0), 0);
}

Test(store_file, refuses_garbage_and_leaves_it)
{
	struct buf before;
	FILE *file = fopen(path_of("agentbus.db"), "we");

	for (unsigned i = 0; i < 20000; i++)
		fputc((int)(i * 2654435761u >> 24), file);
	fclose(file);
	before = contents("agentbus.db");
	expect_refusal("move it away");
	expect_contents("agentbus.db", &before);
}

Test(store_file, refuses_other_applications_and_leaves_them)
{
	static const char *const theirs[] = { "CREATE TABLE t (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 1",
					      "PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA application_id = 7" };

	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		struct buf before;
		sql(theirs[i]);
		before = contents("agentbus.db");
		expect_refusal("another application");
		expect_contents("agentbus.db", &before);
		unlink(path_of("agentbus.db"));
	}
}

Test(store_file, refuses_a_newer_version_and_leaves_it)
{
	struct buf before;

	reopen();
	store_close(f->st);
	f->st = NULL;
	sql("PRAGMA user_version = 6");
	before = contents("agentbus.db");
	expect_refusal("newer agentbusd");
	expect_contents("agentbus.db", &before);
}

Test(store_file, brings_an_older_version_up_to_date)
{
	reopen();
	put_session("codex", "a", "one");
	append(1, 3);
	cr_expect(store_commit(f->st, NOW));
	store_close(f->st);
	f->st = NULL;
	sql("DROP TABLE usage; DROP TABLE budget; DROP TABLE forward_items; DROP TABLE forward_lanes; DROP TABLE forward_held; "
	    "PRAGMA user_version = 1");
	reopen();
	expect_sessions("one ");
	expect_read(0, 1000, 1, 3, 1);
	cr_expect(store_add_usage(f->st, &used));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("PRAGMA user_version"), 5);
	cr_expect_eq(sql("SELECT requests FROM usage"), 1);
}

Test(store_file, usage_of_version_2_has_no_computed_cost_until_more_is_added)
{
	reopen();
	store_close(f->st);
	f->st = NULL;
	sql("DROP TABLE usage; DROP TABLE budget; DROP TABLE forward_items; DROP TABLE forward_lanes; DROP TABLE forward_held;"
	    "CREATE TABLE usage (day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,"
	    " requests INTEGER NOT NULL, api_errors INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL,"
	    " cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, reported_cost INTEGER NOT NULL,"
	    " PRIMARY KEY (day, provider, model, project)) WITHOUT ROWID;"
	    "INSERT INTO usage VALUES ('2026-11-26', 'codex', 'gpt-5', 'agentbus', 1, 2, 3, 4, 5, 6, 7, -8);"
	    "PRAGMA user_version = 2");
	reopen();
	cr_expect_eq(sql("PRAGMA user_version"), 5);
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE requests = 1 AND reported_cost = -8 AND computed_cost = 0"
			 " AND unreported_cost = 0 AND estimated = 0"),
		     1);
	cr_expect(store_add_usage(f->st, &used));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_eq(sql("SELECT count(*) FROM usage WHERE session = 's1' AND requests = 1 AND reported_cost = -8"
			 " AND computed_cost = 9 AND unreported_cost = 10 AND estimated = 1"),
		     1);
}

Test(store_file, a_truncated_file_is_refused)
{
	struct buf whole;

	reopen();
	for (uint64_t n = 0; n < 30; n++) {
		cr_expect(append_sized(10 * n + 1, 10 * n + 10, 1000, NOW));
		cr_expect(store_commit(f->st, NOW));
	}
	store_close(f->st);
	f->st = NULL;
	whole = contents("agentbus.db");
	cr_assert_gt(whole.len, 300000);
	/* The last page may hold nothing: part of it is no loss. */
	for (size_t len = 2; len < whole.len - 4096; len += len < 5000 ? 97 : 30011) {
		FILE *file = fopen(path_of("agentbus.db"), "we");
		fwrite(whole.bytes, 1, len, file);
		fclose(file);
		expect_refusal("move it away");
	}
	buf_finish(&whole);
}

/* Whatever is flipped: it opens and reads, or says why not. */
Test(store_file, a_damaged_file_harms_nobody)
{
	struct buf whole, ignored = { 0 };
	unsigned opened = 0, refused = 0;
	uint64_t last, oldest;

	reopen();
	for (uint64_t n = 0; n < 10; n++) {
		append_sized(3 * n + 1, 3 * n + 3, 500, NOW);
		put_session("codex", (char[]){ (char)('a' + n), '\0' }, "record");
		cr_expect(store_commit(f->st, NOW));
	}
	store_close(f->st);
	f->st = NULL;
	whole = contents("agentbus.db");
	for (size_t at = 0; at < whole.len; at += at < 300 ? 3 : 307) {
		FILE *file = fopen(path_of("agentbus.db"), "we");
		whole.bytes[at] ^= 0x5a;
		fwrite(whole.bytes, 1, whole.len, file);
		fclose(file);
		whole.bytes[at] ^= 0x5a;
		f->st = store_open(&f->settings, &quiet);
		f->st ? opened++ : refused++;
		if (f->st) {
			f->read.len = ignored.len = 0;
			store_read_events(f->st, 0, SIZE_MAX, &f->read, &last, &oldest);
			store_each_session(f->st, join, &ignored);
			put_session("codex", "a", "other");
			append(100, 100);
			store_commit(f->st, NOW);
		} else {
			cr_expect_gt(strlen(said()), 0);
		}
		store_close(f->st);
		f->st = NULL;
		unlink(path_of("agentbus.db-wal"));
		unlink(path_of("agentbus.db-shm"));
	}
	cr_expect_gt(opened, 0);
	cr_expect_gt(refused, 0);
	buf_finish(&whole);
	buf_finish(&ignored);
}

/* --- failures while it runs --- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit r;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

Test(store_file, a_full_disk_costs_what_was_not_committed)
{
	unsigned probes = 0;
	uint64_t seq = 1;

	signal(SIGXFSZ, SIG_IGN);
	reopen();
	cr_expect(append_sized(seq, seq, 1000, NOW));
	cr_expect(store_commit(f->st, NOW));
	limit_files(304000);
	said();
	for (bool ok = true; ok; seq += ok) {
		cr_assert_lt(seq, 1000);
		ok = put_session("codex", "a", (char[]){ (char)('a' + seq % 26), '\0' }) &&
		     append_sized(seq + 1, seq + 1, 1000, NOW);
		ok = store_commit(f->st, NOW) && ok;
	}
	cr_expect_not_null(strstr(said(), "room"));
	cr_expect_gt(seq, 10);
	expect_position("", seq, false);
	expect_sessions((char[]){ (char)('a' + (seq - 1) % 26), ' ', '\0' });
	/* A probe is smaller than a commit: where some still fit, the next failure is news. */
	while (store_probe(f->st))
		cr_assert_lt(++probes, 1000);
	cr_expect_eq(strstr(said(), "room") != NULL, probes > 0);
	cr_expect_not(store_probe(f->st));
	cr_expect_not(append_sized(seq + 1, seq + 9, 100000, NOW) && store_commit(f->st, NOW));
	store_rollback(f->st);
	cr_expect_str_eq(said(), "", "told once");
	limit_files(RLIM_INFINITY);
	cr_expect(store_probe(f->st));
	cr_expect(append_sized(seq + 1, seq + 1, 1000, NOW));
	cr_expect(store_commit(f->st, NOW));
	reopen();
	expect_position("", seq + 1, false);
}

Test(store_file, another_program_may_read_but_not_block)
{
	sqlite3 *db;

	reopen();
	cr_expect(append(1, 1));
	cr_expect(store_commit(f->st, NOW));
	cr_assert_eq(sqlite3_open(path_of("agentbus.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, "BEGIN; SELECT * FROM journal", NULL, NULL, NULL), SQLITE_OK);
	cr_expect(append(2, 2));
	cr_expect(store_commit(f->st, NOW));
	store_checkpoint(f->st);
	cr_assert_eq(sqlite3_exec(db, "ROLLBACK; BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	said();
	cr_expect_not(append(3, 3));
	cr_expect_not_null(strstr(said(), "another program"));
	cr_expect_not(store_commit(f->st, NOW));
	sqlite3_close(db);
	cr_expect(append(3, 3));
	cr_expect(store_commit(f->st, NOW));
	expect_read(0, 1000, 1, 3, 1);
}

Test(store_file, the_log_of_writes_stays_bounded)
{
	const struct log talkative = { .level = LEVEL_DEBUG };
	struct stat s;

	f->st = store_open(&f->settings, &talkative);
	cr_assert_not_null(f->st);
	for (uint64_t n = 0; n < 100; n++) {
		cr_expect(append_sized(n + 1, n + 1, (size_t)1 << 20, NOW));
		cr_expect(store_commit(f->st, NOW));
		cr_expect_leq(store_wal_bytes(f->st), (size_t)64 << 20);
	}
	cr_assert_eq(stat(path_of("agentbus.db-wal"), &s), 0);
	cr_expect_lt(s.st_size, 67 << 20);
	cr_expect_gt(store_wal_bytes(f->st), (size_t)10 << 20);
	store_checkpoint(f->st);
	cr_expect_eq(store_wal_bytes(f->st), 0);
	cr_expect(append(101, 101));
	cr_expect(store_commit(f->st, NOW));
	cr_expect_gt(store_wal_bytes(f->st), 0);
	cr_expect_lt(store_wal_bytes(f->st), 100000);
	cr_expect_str_eq(said(), "");
}

/* Commits event after event, each with a session that tells its seq, and says so after each commit. Never returns. */
static void
commit_on(int out, uint64_t seq)
{
	char text[24];

	reopen();
	for (;; seq++) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
		if (!append_sized(seq, seq, 2000, NOW) || !put_session("codex", "a", text) || !store_commit(f->st, NOW) ||
		    write(out, &seq, sizeof(seq)) != sizeof(seq))
			_exit(1);
	}
}

Test(store_file, what_is_committed_survives_a_kill)
{
	uint64_t seq = 0;
	char text[24];

	for (unsigned round = 0; round < 10; round++) {
		const uint64_t enough = seq + 20 + 7 * round;
		struct store_position p;
		uint64_t told;
		int pipes[2], status;
		pid_t child;

		cr_assert_eq(pipe(pipes), 0);
		child = fork();
		if (child == 0)
			commit_on(pipes[1], seq + 1);
		close(pipes[1]);
		while (read(pipes[0], &told, sizeof(told)) == sizeof(told)) {
			seq = told;
			if (seq == enough)
				kill(child, SIGKILL);
		}
		close(pipes[0]);
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFSIGNALED(status));
		reopen();
		cr_assert(store_position(f->st, &p));
		cr_expect(p.seq == seq || p.seq == seq + 1, "told %llu, found %llu", (unsigned long long)seq,
			  (unsigned long long)p.seq);
		snprintf(text, sizeof(text), "%llu ", (unsigned long long)p.seq);
		expect_sessions(text);
		seq = p.seq;
		store_close(f->st);
		f->st = NULL;
	}
	cr_expect_eq(sql("PRAGMA quick_check") + sql("SELECT count(*) FROM journal"), (int64_t)seq);
}

Test(store_file, a_kill_within_a_transaction_loses_just_that)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		reopen();
		append(1, 2);
		put_session("codex", "a", "one");
		store_commit(f->st, NOW);
		put_session("codex", "a", "two");
		append_sized(3, 30, 100000, NOW); /* more than the cache holds: it is in the file already */
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status));
	reopen();
	expect_position("", 2, false);
	expect_sessions("one ");
	expect_read(0, 1000, 1, 2, 1);
}
