/*
 * The database behind store.h: connection, statements, the transaction, and errors put into words. For store*.c only.
 */
#ifndef AGENTBUS_STORE_DB_H
#define AGENTBUS_STORE_DB_H

#include "store.h"
#include "store_queue.h"

#include <sqlite3.h>

#define STORE_FILE    "agentbus.db"
#define STORE_WAL_MAX ((size_t)64 << 20) /* above, a commit moves the log into the file, whatever that takes */

/* All statements but those of the schema. */
enum store_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_META_GET,
	SQL_META_PUT,
	SQL_META_PROBE,
	SQL_SESSION_PUT,
	SQL_SESSION_FORGET,
	SQL_SESSION_FORGET_ALL,
	SQL_SESSION_ORDER,
	SQL_SESSION_READ,
	SQL_JOURNAL_OLDEST,
	SQL_JOURNAL_NEWEST,
	SQL_JOURNAL_READ,
	SQL_JOURNAL_PUT,
	SQL_JOURNAL_DROP,
	SQL_JOURNAL_CLEAR,
	SQL_ITEM_PUT,
	SQL_ITEM_LOOK,
	SQL_ITEM_READ,
	SQL_ITEM_DROP,
	SQL_ITEM_ENDS,
	SQL_LANE_PUT,
	SQL_LANE_EACH,
	SQL_LANE_FORGET,
	SQL_HELD_PUT,
	SQL_HELD_DROP,
	SQL_HELD_EACH,
	SQL_USAGE_UPDATE,
	SQL_USAGE_INSERT,
	SQL_USAGE_SESSION_ROWS,
	SQL_USAGE_OLDEST,
	SQL_USAGE_MERGE,
	SQL_USAGE_DROP,
	SQL_USAGE_READ, /* and the next ones, as enum store_usage_by */
	SQL_USAGE_READ_LAST = SQL_USAGE_READ + STORE_USAGE_BY_COUNT - 1,
	SQL_BUDGET_GET,
	SQL_BUDGET_PUT,
	SQL_COUNT,
};

/* A row of the journal, without its events. */
struct store_row {
	uint64_t first, last; /* seq; first 0: there is no such row */
	uint64_t time_ns;
	uint64_t start; /* bytes in all rows before it, dropped ones included: what two rows span is a subtraction */
	uint64_t len;
};

struct store_rows {
	struct store_row oldest, newest;
};

/* By signal: before the oldest row that is not dropped, and behind the newest. */
struct store_queue {
	struct store_mark begin[STORE_SIGNALS], end[STORE_SIGNALS];
};

struct store {
	const struct log *log;
	uint64_t history_bytes, history_age_ns;
	char *dir;  /* absolute */
	char *path; /* of the database */
	int dir_fd, lock;
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	size_t page_size, wal_bytes;
	bool writing;                 /* within a transaction */
	bool failed;                  /* nothing can be written before store_rollback() */
	bool unwell;                  /* the last attempt to write failed, and was logged */
	bool damage_logged;           /* of the journal */
	int logged;                   /* the error that was logged last */
	struct store_rows rows, kept; /* now, and as last committed */
	struct store_queue queue, queue_kept;
	int64_t session_rows; /* of usage; below 0: not known */
	uint64_t changed;     /* newest mark of a session, for their order */
};

/* Opens the file; *st holds what is open, whether it succeeds or not. Nothing is written yet. */
bool store_db_open(struct store *st);

/* The same in memory; needs no more than store_db_prepare() and a schema. */
bool store_db_open_memory(struct store *st);

/* Sets how the database is used from now on: it is ours. */
bool store_db_configure(struct store *st, bool fsync);

bool store_db_prepare(struct store *st);

/* Rolls back, and closes what is open. */
void store_db_close(struct store *st);

/* Runs SQL without results; logs what fails. */
bool store_exec(struct store *st, const char *sql);

/* The first column of the first row, a whole number; logs what fails. */
bool store_ask(struct store *st, const char *sql, int64_t *ret);

/* A statement that writes, ready for its values; begins the transaction if there is none. NULL after a failure. */
sqlite3_stmt *store_write(struct store *st, enum store_sql which);

/* Runs it, and forgets its values. A failure is logged, and nothing more is written before store_rollback(). */
bool store_written(struct store *st, sqlite3_stmt *q);

/* Logs why reading failed. Always false. */
bool store_unread(struct store *st);

/* Lets go of a statement's rows and values. */
void store_reset(sqlite3_stmt *q);

/* Reads a row of the journal: its first five columns. None: ret->first is 0. */
bool store_read_row(struct store *st, enum store_sql which, struct store_row *ret);

/* Drops a few of the oldest events if they are too old or too many. */
void store_journal_trim(struct store *st, uint64_t now_ns);

/* Reads where the queues begin and end. */
bool store_queue_load(struct store *st);

#endif
