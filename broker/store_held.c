#include "store_held.h"

#include "store_db.h"

#define OUTLINE_KEY "outline"

static sqlite3_int64
number(uint64_t n)
{
	return n < INT64_MAX ? (sqlite3_int64)n : INT64_MAX;
}

bool
store_held_put(struct store *st, uint64_t id, uint64_t due_ns, bool made, const uint8_t *spans, size_t len)
{
	sqlite3_stmt *q = store_write(st, SQL_HELD_PUT);

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, number(id));
	sqlite3_bind_int64(q, 2, number(due_ns));
	sqlite3_bind_int(q, 3, made);
	sqlite3_bind_blob64(q, 4, spans, len, SQLITE_STATIC);
	return store_written(st, q);
}

bool
store_held_drop(struct store *st, uint64_t id)
{
	sqlite3_stmt *q = store_write(st, SQL_HELD_DROP);

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, number(id));
	return store_written(st, q);
}

bool
store_each_held(struct store *st,
		bool (*fn)(void *ctx, uint64_t id, uint64_t due_ns, bool made, const uint8_t *spans, size_t len), void *ctx)
{
	sqlite3_stmt *q = st->statements[SQL_HELD_EACH];
	bool more = true;
	int code = SQLITE_ROW;

	while (more && (code = sqlite3_step(q)) == SQLITE_ROW) {
		const uint8_t *spans = sqlite3_column_blob(q, 3);
		const size_t len = spans ? (size_t)sqlite3_column_bytes(q, 3) : 0;

		more = fn(ctx, (uint64_t)sqlite3_column_int64(q, 0), (uint64_t)sqlite3_column_int64(q, 1),
			  sqlite3_column_int(q, 2) != 0, spans, len);
	}
	store_reset(q);
	return code == SQLITE_ROW || code == SQLITE_DONE || store_unread(st);
}

bool
store_outline_put(struct store *st, const uint8_t *names, size_t len)
{
	sqlite3_stmt *q = store_write(st, SQL_META_PUT);

	if (!q)
		return false;
	sqlite3_bind_text(q, 1, OUTLINE_KEY, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(q, 2, len ? names : (const uint8_t *)"", len, SQLITE_STATIC);
	return store_written(st, q);
}

bool
store_outline_get(struct store *st, void (*fn)(void *ctx, const uint8_t *names, size_t len), void *ctx)
{
	sqlite3_stmt *q = st->statements[SQL_META_GET];
	int code;

	sqlite3_bind_text(q, 1, OUTLINE_KEY, -1, SQLITE_STATIC);
	code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		const uint8_t *names = sqlite3_column_blob(q, 0);

		fn(ctx, names, names ? (size_t)sqlite3_column_bytes(q, 0) : 0);
	}
	store_reset(q);
	return code == SQLITE_ROW || code == SQLITE_DONE || store_unread(st);
}
