#include "store.h"

#include "path.h"
#include "store_db.h"
#include "store_schema.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- opening --- */

static bool
open_directory(struct store *st, const char *dir)
{
	if (*dir == '\0') {
		log_error(st->log, "no directory for the database: set XDG_STATE_HOME, give --state-dir, or start with --memory");
		return false;
	}
	if (!path_make_directories(dir) || !(st->dir = realpath(dir, NULL)) ||
	    asprintf(&st->path, "%s/" STORE_FILE, st->dir) < 0) {
		log_error(st->log, "%s: %s", dir, strerror(errno));
		st->path = NULL;
		return false;
	}
	st->dir_fd = path_open_own(st->dir, "--state-dir", st->log);
	if (st->dir_fd >= 0)
		st->lock = path_lock(st->dir_fd, st->dir, STORE_FILE "-lock", st->log);
	return st->lock >= 0;
}

/* Also finds out whether what is needed first can be read. */
static bool
load(struct store *st)
{
	int64_t changed;

	if (!store_ask(st, "SELECT max(changed) FROM sessions", &changed) ||
	    !store_read_row(st, SQL_JOURNAL_OLDEST, &st->rows.oldest) ||
	    !store_read_row(st, SQL_JOURNAL_NEWEST, &st->rows.newest) || !store_queue_load(st))
		return false;
	st->changed = (uint64_t)changed;
	st->kept = st->rows;
	return true;
}

struct store *
store_open(const struct store_settings *settings, const struct log *log)
{
	struct store *st = calloc(1, sizeof(*st));

	if (!st) {
		log_error(log, "no memory for the database");
		return NULL;
	}
	st->log = log;
	st->history_bytes = settings->history_bytes;
	st->history_age_ns = settings->history_age_ns;
	st->dir_fd = st->lock = -1;
	if (open_directory(st, settings->dir) && store_db_open(st) && store_schema_check(st) &&
	    store_db_configure(st, settings->fsync) && store_schema_migrate(st) && store_db_prepare(st) && load(st) &&
	    store_probe(st))
		return st;
	const int error = st->lock < 0 ? errno : EIO;
	store_close(st);
	errno = error;
	return NULL;
}

struct store *
store_open_memory(const struct log *log)
{
	struct store *st = calloc(1, sizeof(*st));

	if (!st || !(st->path = strdup(":memory:"))) {
		log_error(log, "no memory for a database");
		free(st);
		return NULL;
	}
	st->log = log;
	st->history_bytes = st->history_age_ns = UINT64_MAX;
	st->dir_fd = st->lock = -1;
	if (store_db_open_memory(st) && store_schema_migrate(st) && store_db_prepare(st) && load(st))
		return st;
	store_close(st);
	return NULL;
}

void
store_close(struct store *st)
{
	if (!st)
		return;
	store_db_close(st);
	if (st->lock >= 0)
		close(st->lock);
	if (st->dir_fd >= 0)
		close(st->dir_fd);
	free(st->path);
	free(st->dir);
	free(st);
}

bool
store_probe(struct store *st)
{
	sqlite3_stmt *q;

	if (st->writing || st->failed)
		return !st->failed;
	q = store_write(st, SQL_META_PROBE);
	if (q && store_written(st, q))
		return store_commit(st, 0);
	store_rollback(st);
	return false;
}

/* --- what the counter of events is --- */

static void
bind_text(sqlite3_stmt *q, int i, const char *text)
{
	sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

/* What is not there is "". */
static bool
meta_get(struct store *st, const char *key, char *out, size_t size)
{
	sqlite3_stmt *q = st->statements[SQL_META_GET];
	bool ok = true;
	int code;

	bind_text(q, 1, key);
	code = sqlite3_step(q);
	*out = '\0';
	if (code == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(q, 0);
		str_copy(out, size, str_from(text));
	} else if (code != SQLITE_DONE) {
		ok = store_unread(st);
	}
	store_reset(q);
	return ok;
}

static bool
meta_put(struct store *st, const char *key, const char *value)
{
	sqlite3_stmt *q = store_write(st, SQL_META_PUT);

	if (!q)
		return false;
	bind_text(q, 1, key);
	bind_text(q, 2, value);
	return store_written(st, q);
}

bool
store_position(struct store *st, struct store_position *ret)
{
	struct store_position p = { .seq = st->rows.newest.last };
	char clean[8];

	if (!meta_get(st, "boot_id", p.boot_id, sizeof(p.boot_id)) || !meta_get(st, "clean", clean, sizeof(clean)))
		return false;
	p.clean = strcmp(clean, "1") == 0;
	*ret = p;
	return true;
}

bool
store_begin_counter(struct store *st, const char *boot_id)
{
	sqlite3_stmt *q = store_write(st, SQL_JOURNAL_CLEAR);

	if (!q || !store_written(st, q) || !meta_put(st, "boot_id", boot_id))
		return false;
	st->rows = (struct store_rows){ 0 };
	return true;
}

bool
store_set_clean(struct store *st, bool clean)
{
	return meta_put(st, "clean", clean ? "1" : "0");
}

/* --- sessions --- */

bool
store_put_session(struct store *st, const char *provider, const char *id, const uint8_t *record, size_t len)
{
	sqlite3_stmt *q = store_write(st, SQL_SESSION_PUT);

	if (!q)
		return false;
	bind_text(q, 1, provider);
	bind_text(q, 2, id);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)++st->changed);
	sqlite3_bind_blob64(q, 4, record, len, SQLITE_STATIC);
	return store_written(st, q);
}

bool
store_forget_session(struct store *st, const char *provider, const char *id)
{
	sqlite3_stmt *q = store_write(st, SQL_SESSION_FORGET);

	if (!q)
		return false;
	bind_text(q, 1, provider);
	bind_text(q, 2, id);
	return store_written(st, q);
}

bool
store_forget_all_sessions(struct store *st)
{
	sqlite3_stmt *q = store_write(st, SQL_SESSION_FORGET_ALL);

	return q && store_written(st, q);
}

/* Gives the record of one row to fn; sets *go_on to what that returns. A row that fn has removed meanwhile is passed over. */
static bool
give_session(struct store *st, sqlite3_int64 row, bool (*fn)(void *, const uint8_t *, size_t), void *ctx, bool *go_on)
{
	sqlite3_stmt *q = st->statements[SQL_SESSION_READ];
	int code;

	sqlite3_bind_int64(q, 1, row);
	code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		const uint8_t *record = sqlite3_column_blob(q, 0);
		*go_on = fn(ctx, record, record ? (size_t)sqlite3_column_bytes(q, 0) : 0);
	} else if (code != SQLITE_DONE) {
		store_unread(st);
	}
	store_reset(q);
	return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool
store_each_session(struct store *st, bool (*fn)(void *ctx, const uint8_t *record, size_t len), void *ctx)
{
	sqlite3_stmt *q = st->statements[SQL_SESSION_ORDER];
	bool ok = true, go_on = true;
	int code = SQLITE_DONE;

	while (ok && go_on && (code = sqlite3_step(q)) == SQLITE_ROW)
		ok = give_session(st, sqlite3_column_int64(q, 0), fn, ctx, &go_on);
	if (ok && go_on && code != SQLITE_DONE)
		ok = store_unread(st);
	store_reset(q);
	return ok;
}
