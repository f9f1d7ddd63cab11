#include "store_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 50

/* Sums stay whole numbers: at the largest one they stand still. */
#define KEYS "day, provider, model, project, session"
#define SUMS                                                                                                                     \
	"requests, api_errors, input, cache_read, cache_write, output, reasoning, reported_cost, computed_cost,"                 \
	" unreported_cost, estimated"
#define ADD_UP                                                                                                                   \
	"capped_sum(requests), capped_sum(api_errors), capped_sum(input), capped_sum(cache_read), capped_sum(cache_write),"      \
	" capped_sum(output), capped_sum(reasoning), capped_sum(reported_cost), capped_sum(computed_cost),"                      \
	" capped_sum(unreported_cost)"

/* The values are numbered as in the row: keys, then sums. */
static const char usage_update[] =
    "UPDATE usage SET requests = min(requests + ?6, 9223372036854775807),"
    " api_errors = min(api_errors + ?7, 9223372036854775807),"
    " input = min(input + ?8, 9223372036854775807),"
    " cache_read = min(cache_read + ?9, 9223372036854775807),"
    " cache_write = min(cache_write + ?10, 9223372036854775807),"
    " output = min(output + ?11, 9223372036854775807),"
    " reasoning = min(reasoning + ?12, 9223372036854775807),"
    " reported_cost = max(min(reported_cost + ?13, 9223372036854775807), -9223372036854775807),"
    " computed_cost = max(min(computed_cost + ?14, 9223372036854775807), -9223372036854775807),"
    " unreported_cost = max(min(unreported_cost + ?15, 9223372036854775807), -9223372036854775807),"
    " estimated = max(estimated, ?16)"
    " WHERE day = ?1 AND provider = ?2 AND model = ?3 AND project = ?4 AND session = ?5";

/* What a day used, without its sessions. */
static const char usage_merge[] = "INSERT OR REPLACE INTO usage (" KEYS ", " SUMS ")"
				  " SELECT day, provider, model, project, '', " ADD_UP
				  ", max(estimated) FROM usage WHERE day = ?1 GROUP BY provider, model, project";

/* What is of no session that is known, "", is one row for each CLI. A session whose project became known late has it. */
#define READ(day, provider, model, project, session, group, order)                                                               \
	("SELECT " day ", " provider ", " model ", " project ", " session ", " ADD_UP                                            \
	 ", max(estimated) AND capped_sum(unreported_cost) > 0 FROM usage"                                                       \
	 " WHERE day >= ?1 AND (?2 = '' OR day <= ?2)" group order)
/* What a session used before its project was known is of that project, too. */
static const char usage_by_project[] =
    "SELECT '', '', '', CASE WHEN project <> '' THEN project ELSE ifnull(known, '') END AS name, '', " ADD_UP
    ", max(estimated) AND capped_sum(unreported_cost) > 0 FROM usage LEFT JOIN"
    " (SELECT provider AS cli, session AS id, max(project) AS known FROM usage WHERE day >= ?1 AND (?2 = '' OR day <= ?2)"
    " AND session <> '' GROUP BY provider, session) ON cli = provider AND id = session"
    " WHERE day >= ?1 AND (?2 = '' OR day <= ?2) GROUP BY name"
    " ORDER BY capped_sum(reported_cost) + capped_sum(unreported_cost) DESC, capped_sum(requests) DESC, name";

#define DEAREST " ORDER BY capped_sum(reported_cost) + capped_sum(unreported_cost) DESC, capped_sum(requests) DESC"

static const char lane_put[] =
    "INSERT INTO forward_lanes (destination, signal, last_row, last_bytes, last_items,"
    " sent, rejected, dropped, sent_bytes, sent_requests, retries)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT (destination, signal) DO UPDATE SET"
    " last_row = excluded.last_row, last_bytes = excluded.last_bytes, last_items = excluded.last_items, sent = excluded.sent,"
    " rejected = excluded.rejected, dropped = excluded.dropped, sent_bytes = excluded.sent_bytes,"
    " sent_requests = excluded.sent_requests, retries = excluded.retries";

static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_META_GET] = "SELECT value FROM meta WHERE key = ?1",
	[SQL_META_PUT] = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
	[SQL_META_PROBE] = "INSERT INTO meta (key, value) VALUES ('probe', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1",
	[SQL_SESSION_PUT] = ("INSERT INTO sessions (provider, id, changed, record) VALUES (?1, ?2, ?3, ?4)"
			     " ON CONFLICT (provider, id) DO UPDATE SET changed = excluded.changed, record = excluded.record"),
	[SQL_SESSION_FORGET] = "DELETE FROM sessions WHERE provider = ?1 AND id = ?2",
	[SQL_SESSION_FORGET_ALL] = "DELETE FROM sessions",
	/* Without the records: what is sorted is held in memory. */
	[SQL_SESSION_ORDER] = "SELECT rowid FROM sessions ORDER BY changed",
	[SQL_SESSION_READ] = "SELECT record FROM sessions WHERE rowid = ?1",
	[SQL_JOURNAL_OLDEST] = "SELECT first, last, time, start, length(events) FROM journal ORDER BY first LIMIT 1",
	[SQL_JOURNAL_NEWEST] = "SELECT first, last, time, start, length(events) FROM journal ORDER BY first DESC LIMIT 1",
	[SQL_JOURNAL_READ] = ("SELECT first, last, events FROM journal"
			      " WHERE first >= ifnull((SELECT max(first) FROM journal WHERE first <= ?1), ?1) ORDER BY first"),
	[SQL_JOURNAL_PUT] = "INSERT INTO journal (first, last, time, start, events) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_JOURNAL_DROP] = "DELETE FROM journal WHERE first = ?1",
	[SQL_JOURNAL_CLEAR] = "DELETE FROM journal",
	[SQL_ITEM_PUT] = "INSERT INTO forward_items (id, bytes, items, time, body) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_ITEM_LOOK] = "SELECT id, bytes, items, time FROM forward_items WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1",
	[SQL_ITEM_READ] = "SELECT id, bytes, items, time, body FROM forward_items WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 1",
	[SQL_ITEM_DROP] = "DELETE FROM forward_items WHERE id = ?1",
	/* The oldest one, then the newest. */
	[SQL_ITEM_ENDS] = ("SELECT id, bytes, items, length(body) FROM forward_items WHERE id IN"
			   " ((SELECT min(id) FROM forward_items WHERE id > ?1 AND id <= ?2),"
			   " (SELECT max(id) FROM forward_items WHERE id > ?1 AND id <= ?2)) ORDER BY id"),
	[SQL_LANE_PUT] = lane_put,
	[SQL_LANE_EACH] = ("SELECT destination, signal, last_row, last_bytes, last_items, sent, rejected, dropped, sent_bytes,"
			   " sent_requests, retries FROM forward_lanes"),
	[SQL_HELD_PUT] = "INSERT INTO forward_held (id, due, made, spans) VALUES (?1, ?2, ?3, ?4)",
	[SQL_HELD_DROP] = "DELETE FROM forward_held WHERE id = ?1",
	[SQL_HELD_EACH] = "SELECT id, due, made, spans FROM forward_held ORDER BY id",
	[SQL_LANE_FORGET] = "DELETE FROM forward_lanes WHERE destination = ?1 AND signal = ?2",
	[SQL_USAGE_UPDATE] = usage_update,
	[SQL_USAGE_INSERT] = ("INSERT INTO usage (" KEYS ", " SUMS ")"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"),
	[SQL_USAGE_SESSION_ROWS] = "SELECT count(*) FROM usage WHERE session <> ''",
	[SQL_USAGE_OLDEST] = "SELECT day FROM usage WHERE session <> '' ORDER BY day LIMIT 1",
	[SQL_USAGE_MERGE] = usage_merge,
	[SQL_USAGE_DROP] = "DELETE FROM usage WHERE day = ?1 AND session <> ''",
	[SQL_USAGE_READ + STORE_USAGE_TOTAL] = READ("''", "''", "''", "''", "''", "", ""),
	[SQL_USAGE_READ + STORE_USAGE_DAY] = READ("day", "''", "''", "''", "''", " GROUP BY day", " ORDER BY day"),
	[SQL_USAGE_READ + STORE_USAGE_MODEL] = READ("''", "''", "model", "''", "''", " GROUP BY model", DEAREST ", model"),
	[SQL_USAGE_READ + STORE_USAGE_PROVIDER] =
	    READ("''", "provider", "''", "''", "''", " GROUP BY provider", DEAREST ", provider"),
	[SQL_USAGE_READ + STORE_USAGE_PROJECT] = usage_by_project,
	[SQL_USAGE_READ + STORE_USAGE_SESSION] =
	    READ("''", "provider", "''", "max(project)", "session", " GROUP BY provider, session", DEAREST ", provider, session"),
	[SQL_BUDGET_GET] = "SELECT amount FROM budget WHERE period = ?1 AND level = ?2",
	[SQL_BUDGET_PUT] = ("INSERT INTO budget (period, level, amount) VALUES (?1, ?2, ?3)"
			    " ON CONFLICT (period, level) DO UPDATE SET amount = excluded.amount"),
};

/* --- errors --- */

static const char *
advice(int code)
{
	static const struct {
		int code;
		const char *text;
	} table[] = {
		{ SQLITE_FULL, "make room on its disk" },
		{ SQLITE_IOERR, "check its disk, and whether that has room" },
		{ SQLITE_READONLY, "check the permissions of it and of its directory" },
		{ SQLITE_CANTOPEN, "check the permissions of it and of its directory" },
		{ SQLITE_PERM, "check the permissions of it and of its directory" },
		{ SQLITE_BUSY, "another program keeps it locked" },
		{ SQLITE_LOCKED, "another program keeps it locked" },
		{ SQLITE_NOMEM, "there is no memory" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == (code & 0xff))
			return table[i].text;
	return "move it away, or start with --memory";
}

static void
log_once(struct store *st, const char *what)
{
	const int code = sqlite3_extended_errcode(st->db), number = sqlite3_system_errno(st->db);
	const bool outside = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_FULL;

	if (code == st->logged)
		return;
	st->logged = code;
	log_error(st->log, "%s: cannot %s: %s%s%s; %s", st->path, what, sqlite3_errmsg(st->db), outside && number ? ": " : "",
		  outside && number ? strerror(number) : "", advice(code));
}

bool
store_unread(struct store *st)
{
	log_once(st, "read");
	return false;
}

/* --- statements --- */

void
store_reset(sqlite3_stmt *q)
{
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

bool
store_exec(struct store *st, const char *text)
{
	if (sqlite3_exec(st->db, text, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	log_once(st, "open");
	return false;
}

bool
store_ask(struct store *st, const char *text, int64_t *ret)
{
	sqlite3_stmt *q = NULL;
	bool ok = sqlite3_prepare_v2(st->db, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;

	if (ok)
		*ret = sqlite3_column_int64(q, 0);
	else
		log_once(st, "open");
	sqlite3_finalize(q);
	return ok;
}

static bool
fail(struct store *st)
{
	log_once(st, "write");
	st->failed = st->unwell = true;
	return false;
}

bool
store_written(struct store *st, sqlite3_stmt *q)
{
	const bool ok = sqlite3_step(q) == SQLITE_DONE || fail(st);

	store_reset(q);
	return ok;
}

sqlite3_stmt *
store_write(struct store *st, enum store_sql which)
{
	if (st->failed)
		return NULL;
	if (!st->writing && !store_written(st, st->statements[SQL_BEGIN]))
		return NULL;
	st->writing = true;
	return st->statements[which];
}

/* --- the transaction --- */

bool
store_dirty(const struct store *st)
{
	return st->writing;
}

void
store_rollback(struct store *st)
{
	/* After some errors SQLite has rolled back already. */
	if (!sqlite3_get_autocommit(st->db)) {
		sqlite3_step(st->statements[SQL_ROLLBACK]);
		store_reset(st->statements[SQL_ROLLBACK]);
	}
	st->rows = st->kept;
	st->queue = st->queue_kept;
	st->session_rows = -1;
	st->writing = st->failed = false;
}

bool
store_commit(struct store *st, uint64_t now_ns)
{
	if (!st->failed)
		store_journal_trim(st, now_ns);
	if (!st->writing && !st->failed)
		return true;
	if (st->failed || !store_written(st, st->statements[SQL_COMMIT])) {
		store_rollback(st);
		return false;
	}
	st->writing = false;
	st->kept = st->rows;
	st->queue_kept = st->queue;
	if (st->unwell)
		log_info(st->log, "%s: can be written again", st->path);
	st->unwell = false;
	st->logged = SQLITE_OK;
	if (st->wal_bytes > STORE_WAL_MAX)
		store_checkpoint(st);
	return true;
}

void
store_checkpoint(struct store *st)
{
	int frames = 0, moved = 0, code;

	if (st->writing)
		return;
	code = sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
	/* Another program that reads may hold up some of it, and one that does the same all of it. */
	if (code == SQLITE_OK)
		st->wal_bytes = frames > moved ? (size_t)(frames - moved) * st->page_size : 0;
	else if (code != SQLITE_BUSY)
		log_once(st, "tidy up");
}

bool
store_checkpoint_file(const char *path)
{
	sqlite3 *db = NULL;
	const bool ok = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
			sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
			/* Before its first look at the file it does not know that there is a log. */
			sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK &&
			sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) == SQLITE_OK;

	sqlite3_close(db);
	return ok;
}

const char *
store_path(const struct store *st)
{
	return st->path;
}

size_t
store_wal_bytes(const struct store *st)
{
	return st->wal_bytes;
}

static int
on_wal(void *ctx, sqlite3 *db, const char *name, int frames)
{
	struct store *st = ctx;

	(void)db, (void)name;
	st->wal_bytes = (size_t)frames * st->page_size;
	return SQLITE_OK;
}

/* --- opening --- */

/* SQLite gives its other files the mode of this one. Closed again before SQLite opens it, for its locks die with any close. */
static bool
make_private(struct store *st)
{
	static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm" };
	const int fd = openat(st->dir_fd, STORE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0) {
		log_error(st->log, "%s: cannot open: %s; %s", st->path, strerror(errno), advice(SQLITE_CANTOPEN));
		return false;
	}
	close(fd);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat s;

		if (fstatat(st->dir_fd, names[i], &s, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISREG(s.st_mode)) {
			log_error(st->log, "%s/%s is in the way: it is no file; remove it", st->dir, names[i]);
			return false;
		}
		if ((s.st_mode & 0077) != 0 && fchmodat(st->dir_fd, names[i], 0600, 0) < 0) {
			log_error(st->log, "%s/%s is open to others and cannot be closed: %s", st->dir, names[i],
				  strerror(errno));
			return false;
		}
	}
	return true;
}

bool
store_db_open(struct store *st)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },        { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },   { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 0 },      { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 }, /* until it is known to be ours */
	};
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;

	if (!make_private(st))
		return false;
	if (sqlite3_open_v2(st->path, &st->db, flags, NULL) != SQLITE_OK) {
		log_once(st, "open");
		return false;
	}
	sqlite3_extended_result_codes(st->db, 1);
	sqlite3_busy_timeout(st->db, BUSY_MS);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		sqlite3_db_config(st->db, options[i].option, options[i].value, NULL);
	if (sqlite3_db_readonly(st->db, "main") == 1) {
		log_error(st->log, "%s: cannot be written; %s", st->path, advice(SQLITE_READONLY));
		return false;
	}
	return true;
}

bool
store_db_open_memory(struct store *st)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY;

	if (sqlite3_open_v2(st->path, &st->db, flags, NULL) != SQLITE_OK) {
		log_once(st, "open");
		return false;
	}
	sqlite3_extended_result_codes(st->db, 1);
	return store_exec(st, "PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -256");
}

static bool
use_wal(struct store *st)
{
	sqlite3_stmt *q = NULL;
	const bool done =
	    sqlite3_prepare_v2(st->db, "PRAGMA journal_mode = WAL", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;
	const bool wal = done && strcmp((const char *)sqlite3_column_text(q, 0), "wal") == 0;

	if (!done)
		log_once(st, "open");
	else if (!wal)
		log_error(st->log, "%s: its file system cannot share memory between programs; give --state-dir another one",
			  st->path);
	sqlite3_finalize(q);
	return wal;
}

bool
store_db_configure(struct store *st, bool fsync)
{
	int64_t page_size;

	if (!use_wal(st) || !store_exec(st, fsync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL") ||
	    !store_exec(st, "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024; PRAGMA mmap_size = 0;"
			    "PRAGMA wal_autocheckpoint = 0") ||
	    !store_ask(st, "PRAGMA page_size", &page_size))
		return false;
	st->page_size = (size_t)page_size;
	sqlite3_wal_hook(st->db, on_wal, st);
	sqlite3_db_config(st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return true;
}

/* sum() fails where the result is too large for a whole number; this one stands still there. */
static void
capped_sum_step(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	sqlite3_int64 *sum = sqlite3_aggregate_context(ctx, sizeof(*sum));
	const sqlite3_int64 value = sqlite3_value_int64(values[0]);

	(void)count;
	if (sum && __builtin_add_overflow(*sum, value, sum))
		*sum = value < 0 ? -INT64_MAX : INT64_MAX;
}

static void
capped_sum_final(sqlite3_context *ctx)
{
	const sqlite3_int64 *sum = sqlite3_aggregate_context(ctx, 0);

	sqlite3_result_int64(ctx, sum ? *sum : 0);
}

bool
store_db_prepare(struct store *st)
{
	sqlite3_create_function(st->db, "capped_sum", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL, capped_sum_step,
				capped_sum_final);
	st->session_rows = -1;
	for (size_t i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(st->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &st->statements[i], NULL) != SQLITE_OK) {
			log_once(st, "open");
			return false;
		}
	return true;
}

void
store_db_close(struct store *st)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(st->statements[i]);
	/* Rolls back what is left. */
	sqlite3_close(st->db);
}
