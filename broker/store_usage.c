/* The store's sums of what was used, and which budgets were told. */
#include "store_db.h"

#include <stdio.h>

#define KEYS 5 /* columns before the sums */

static void
bind_text(sqlite3_stmt *q, int i, const char *text)
{
	sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

static void
bind_count(sqlite3_stmt *q, int i, uint64_t n)
{
	sqlite3_bind_int64(q, i, n < INT64_MAX ? (sqlite3_int64)n : INT64_MAX);
}

/* --- adding --- */

/* Runs one of the statements that take a whole row. */
static bool
write_row(struct store *st, enum store_sql which, const struct store_usage *u)
{
	const char *const keys[] = { u->day, u->provider, u->model, u->project, u->session };
	const uint64_t counts[] = {
		u->requests, u->api_errors, u->input, u->cache_read, u->cache_write, u->output, u->reasoning
	};
	const int64_t money[] = { u->reported_cost, u->computed_cost, u->unreported_cost };
	sqlite3_stmt *q = store_write(st, which);
	int column = 1;

	if (!q)
		return false;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		bind_text(q, column++, keys[i]);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		bind_count(q, column++, counts[i]);
	for (size_t i = 0; i < sizeof(money) / sizeof(money[0]); i++)
		sqlite3_bind_int64(q, column++, money[i] > -INT64_MAX ? money[i] : -INT64_MAX);
	sqlite3_bind_int64(q, column, u->estimated);
	return store_written(st, q);
}

static bool
count_session_rows(struct store *st)
{
	sqlite3_stmt *q = st->statements[SQL_USAGE_SESSION_ROWS];
	const bool ok = sqlite3_step(q) == SQLITE_ROW;

	if (ok)
		st->session_rows = sqlite3_column_int64(q, 0);
	store_reset(q);
	return ok || store_unread(st);
}

static bool
write_day(struct store *st, enum store_sql which, const char *day)
{
	sqlite3_stmt *q = store_write(st, which);

	if (!q)
		return false;
	bind_text(q, 1, day);
	return store_written(st, q);
}

/* Forgets the sessions of the oldest day that has some. */
static bool
merge_oldest_day(struct store *st)
{
	sqlite3_stmt *q = st->statements[SQL_USAGE_OLDEST];
	char day[64] = "";

	if (sqlite3_step(q) == SQLITE_ROW)
		snprintf(day, sizeof(day), "%s", (const char *)sqlite3_column_text(q, 0));
	store_reset(q);
	if (!write_day(st, SQL_USAGE_MERGE, day) || !write_day(st, SQL_USAGE_DROP, day))
		return false;
	return count_session_rows(st);
}

bool
store_add_usage(struct store *st, const struct store_usage *u)
{
	if (!write_row(st, SQL_USAGE_UPDATE, u))
		return false;
	if (sqlite3_changes(st->db) > 0)
		return true;
	if (*u->session == '\0')
		return write_row(st, SQL_USAGE_INSERT, u);
	if (st->session_rows < 0 && !count_session_rows(st))
		return false;
	if (st->session_rows >= STORE_SESSION_ROWS && !merge_oldest_day(st))
		return false;
	st->session_rows++;
	return write_row(st, SQL_USAGE_INSERT, u);
}

/* --- reading --- */

static const char *
text_at(sqlite3_stmt *q, int i)
{
	const char *text = (const char *)sqlite3_column_text(q, i);

	return text ? text : "";
}

static struct store_usage
row_of(sqlite3_stmt *q)
{
	return (struct store_usage){
		.day = text_at(q, 0),
		.provider = text_at(q, 1),
		.model = text_at(q, 2),
		.project = text_at(q, 3),
		.session = text_at(q, 4),
		.requests = (uint64_t)sqlite3_column_int64(q, KEYS),
		.api_errors = (uint64_t)sqlite3_column_int64(q, KEYS + 1),
		.input = (uint64_t)sqlite3_column_int64(q, KEYS + 2),
		.cache_read = (uint64_t)sqlite3_column_int64(q, KEYS + 3),
		.cache_write = (uint64_t)sqlite3_column_int64(q, KEYS + 4),
		.output = (uint64_t)sqlite3_column_int64(q, KEYS + 5),
		.reasoning = (uint64_t)sqlite3_column_int64(q, KEYS + 6),
		.reported_cost = sqlite3_column_int64(q, KEYS + 7),
		.computed_cost = sqlite3_column_int64(q, KEYS + 8),
		.unreported_cost = sqlite3_column_int64(q, KEYS + 9),
		.estimated = sqlite3_column_int64(q, KEYS + 10) != 0,
	};
}

bool
store_each_usage(struct store *st, enum store_usage_by by, struct store_days days,
		 bool (*fn)(void *ctx, const struct store_usage *sum), void *ctx)
{
	sqlite3_stmt *q = st->statements[SQL_USAGE_READ + by];
	bool go_on = true;
	int code = SQLITE_DONE;

	bind_text(q, 1, days.since);
	bind_text(q, 2, days.until);
	while (go_on && (code = sqlite3_step(q)) == SQLITE_ROW) {
		const struct store_usage sum = row_of(q);

		go_on = fn(ctx, &sum);
	}
	const bool ok = !go_on || code == SQLITE_DONE || store_unread(st);
	store_reset(q);
	return ok;
}

/* --- budgets --- */

bool
store_budget_told(struct store *st, const char *period, const char *level, int64_t *ret)
{
	sqlite3_stmt *q = st->statements[SQL_BUDGET_GET];
	int code;

	bind_text(q, 1, period);
	bind_text(q, 2, level);
	code = sqlite3_step(q);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		*ret = code == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
	store_reset(q);
	return code == SQLITE_ROW || code == SQLITE_DONE || store_unread(st);
}

bool
store_tell_budget(struct store *st, const char *period, const char *level, int64_t amount)
{
	sqlite3_stmt *q = store_write(st, SQL_BUDGET_PUT);

	if (!q)
		return false;
	bind_text(q, 1, period);
	bind_text(q, 2, level);
	sqlite3_bind_int64(q, 3, amount);
	return store_written(st, q);
}
