#include "tidier.h"

#include "store_fixture.h"

#include <string.h>
#include <sys/wait.h>

TestSuite(tidier, .init = setup, .fini = teardown);

/* What the database file holds by itself, without the log beside it. */
static int
rows_in_the_file(void)
{
	char copy[120], command[300];
	sqlite3_stmt *q;
	sqlite3 *db;
	int rows = -1;

	snprintf(copy, sizeof(copy), "%s/copy.db", f->dir);
	snprintf(command, sizeof(command), "cp %s/agentbus.db %s", f->dir, copy);
	cr_assert_eq(system(command), 0);
	cr_assert_eq(sqlite3_open(copy, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM journal", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
		rows = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return rows;
}

/* As the process of its own that it is: agentbusd lies two directories above this program. */
static int
tidy_apart(const char *database)
{
	char program[400];
	int status = -1;

	const ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 32);
	cr_assert_gt(len, 0);
	program[len] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(program, '/') = '\0';
	strcat(program, "/agentbusd");
	cr_assert_eq(access(program, X_OK), 0, "%s", program);
	const pid_t pid = fork();
	if (pid == 0) {
		execl(program, "agentbusd", TIDIER_OPTION, database, (char *)NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(tidier, moves_the_log_of_a_store_that_is_in_use)
{
	f->st = store_open(&f->settings, &quiet);
	cr_assert_not_null(f->st);
	store_checkpoint(f->st);
	cr_assert_eq(rows_in_the_file(), 0);
	cr_assert(append(1, 3));
	cr_assert(store_commit(f->st, NOW));
	cr_assert_eq(rows_in_the_file(), 0, "it is in the log");
	cr_assert(append(4, 5)); /* under way, and not committed */
	cr_assert_eq(tidy_apart(store_path(f->st)), 0);
	cr_assert_eq(rows_in_the_file(), 1);
	cr_assert(store_commit(f->st, NOW));
	cr_assert_eq(tidy_apart(store_path(f->st)), 0);
	cr_assert_eq(rows_in_the_file(), 2);
}

Test(tidier, tells_what_it_cannot_do)
{
	char path[120];
	FILE *file;

	snprintf(path, sizeof(path), "%s/none.db", f->dir);
	cr_assert_eq(tidy_apart(path), 1);
	cr_assert_neq(access(path, F_OK), 0, "it makes no database");
	file = fopen(path, "w");
	fputs("this is no database, and long enough to be seen as none by whoever looks at its first hundred bytes or so", file);
	fclose(file);
	cr_assert_eq(tidy_apart(path), 1);
}

static void
never(void *ctx)
{
	(void)ctx;
	cr_assert_fail("nothing was started");
}

/* A loop that hears of no children would never hear of its end. */
Test(tidier, is_not_started_where_nobody_hears_of_its_end)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct tidier t;

	tidier_init(&t, loop, never, NULL);
	cr_assert_not(tidier_start(&t, "/nowhere"));
	tidier_finish(&t);
	ev_loop_destroy(loop);
}
