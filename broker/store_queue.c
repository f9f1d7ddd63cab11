#include "store_queue.h"

#include "store_db.h"

#define DROP_ROWS  64 /* per commit */
#define DROP_BYTES ((uint64_t)2 << 20)

/* A signal's rows are next to each other in the table, in order: no index is needed. */
#define ROW_BITS 60
#define ROW_LAST (((uint64_t)1 << ROW_BITS) - 1)

static uint64_t
id_of(unsigned signal, uint64_t row)
{
	return (uint64_t)signal << ROW_BITS | (row & ROW_LAST);
}

/* A sum that is stored never was negative; one that is was changed by somebody else. */
static uint64_t
column(sqlite3_stmt *q, int i)
{
	const sqlite3_int64 n = sqlite3_column_int64(q, i);

	return n > 0 ? (uint64_t)n : 0;
}

static void
bind(sqlite3_stmt *q, int i, uint64_t n)
{
	sqlite3_bind_int64(q, i, n < INT64_MAX ? (sqlite3_int64)n : INT64_MAX);
}

static struct store_mark
mark_at(sqlite3_stmt *q, int i)
{
	return (struct store_mark){ column(q, i) & ROW_LAST, column(q, i + 1), column(q, i + 2) };
}

/* --- rows --- */

bool
store_queue_put(struct store *st, unsigned signal, uint64_t now_ns, uint64_t items, const uint8_t *bytes, size_t len)
{
	const struct store_mark end = st->queue.end[signal];
	const struct store_mark next = { end.row + 1, end.bytes + len, end.items + items };
	sqlite3_stmt *q = store_write(st, SQL_ITEM_PUT);

	if (!q)
		return false;
	bind(q, 1, id_of(signal, next.row));
	bind(q, 2, next.bytes);
	bind(q, 3, next.items);
	bind(q, 4, now_ns);
	sqlite3_bind_blob64(q, 5, bytes, len, SQLITE_STATIC);
	if (!store_written(st, q))
		return false;
	st->queue.end[signal] = next;
	return true;
}

struct store_mark
store_queue_end(const struct store *st, unsigned signal)
{
	return st->queue.end[signal];
}

/* Appends the blob of a row. False without memory. */
static bool
append_body(sqlite3_stmt *q, int i, struct buf *out)
{
	const uint8_t *bytes = sqlite3_column_blob(q, i);
	const size_t len = bytes ? (size_t)sqlite3_column_bytes(q, i) : 0;

	return buf_append(out, bytes, len);
}

bool
store_queue_read(struct store *st, unsigned signal, const struct store_mark *after, struct buf *out, struct store_mark *ret_mark,
		 uint64_t *ret_time_ns)
{
	sqlite3_stmt *q = st->statements[out ? SQL_ITEM_READ : SQL_ITEM_LOOK];
	struct store_mark mark = *after;
	uint64_t time_ns = 0;
	bool ok = true;

	bind(q, 1, id_of(signal, after->row));
	bind(q, 2, id_of(signal, ROW_LAST));
	const int code = sqlite3_step(q);
	if (code == SQLITE_ROW) {
		mark = mark_at(q, 0);
		time_ns = column(q, 3);
		ok = !out || append_body(q, 4, out);
	} else if (code != SQLITE_DONE) {
		ok = store_unread(st);
	}
	store_reset(q);
	if (!ok)
		return false;
	*ret_mark = mark;
	*ret_time_ns = time_ns;
	return true;
}

static bool
drop_row(struct store *st, unsigned signal, uint64_t row)
{
	sqlite3_stmt *q = store_write(st, SQL_ITEM_DROP);

	if (!q)
		return false;
	bind(q, 1, id_of(signal, row));
	return store_written(st, q);
}

bool
store_queue_drop(struct store *st, unsigned signal, const struct store_mark *up_to, bool *ret_more)
{
	struct store_mark *first = &st->queue.begin[signal], next;
	uint64_t bytes = 0, time_ns;

	*ret_more = false;
	for (unsigned n = 0; first->row < up_to->row; n++) {
		*ret_more = n == DROP_ROWS || bytes >= DROP_BYTES;
		if (*ret_more)
			return true;
		if (!store_queue_read(st, signal, first, NULL, &next, &time_ns))
			return false;
		/* What is not there was dropped before, whatever became of it. */
		if (next.row == first->row || next.row > up_to->row)
			next = *up_to;
		else if (!drop_row(st, signal, next.row))
			return false;
		bytes += next.bytes - first->bytes;
		*first = next;
	}
	return true;
}

/* --- lanes --- */

bool
store_each_lane(struct store *st, bool (*fn)(void *ctx, const struct store_lane *lane), void *ctx)
{
	sqlite3_stmt *q = st->statements[SQL_LANE_EACH];
	bool go_on = true;
	int code = SQLITE_DONE;

	while (go_on && (code = sqlite3_step(q)) == SQLITE_ROW) {
		const struct store_lane lane = {
			.destination = (const char *)sqlite3_column_text(q, 0),
			.signal = (unsigned)column(q, 1),
			.at = mark_at(q, 2),
			.counts = { column(q, 5), column(q, 6), column(q, 7), column(q, 8), column(q, 9), column(q, 10) },
		};

		go_on = fn(ctx, &lane);
	}
	if (go_on && code != SQLITE_DONE)
		go_on = store_unread(st);
	else
		go_on = true;
	store_reset(q);
	return go_on;
}

bool
store_put_lane(struct store *st, const struct store_lane *lane)
{
	const struct store_lane_counts *c = &lane->counts;
	const uint64_t numbers[] = { lane->signal, lane->at.row, lane->at.bytes, lane->at.items,   c->sent,
				     c->rejected,  c->dropped,   c->sent_bytes,  c->sent_requests, c->retries };
	sqlite3_stmt *q = store_write(st, SQL_LANE_PUT);

	if (!q)
		return false;
	sqlite3_bind_text(q, 1, lane->destination, -1, SQLITE_STATIC);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bind(q, 2 + (int)i, numbers[i]);
	return store_written(st, q);
}

bool
store_forget_lane(struct store *st, const char *destination, unsigned signal)
{
	sqlite3_stmt *q = store_write(st, SQL_LANE_FORGET);

	if (!q)
		return false;
	sqlite3_bind_text(q, 1, destination, -1, SQLITE_STATIC);
	bind(q, 2, signal);
	return store_written(st, q);
}

/* --- opening --- */

/* The queue goes on behind whatever is furthest: a lane may have passed rows that are gone. */
static bool
take_lane(void *ctx, const struct store_lane *lane)
{
	struct store *st = ctx;

	if (lane->signal < STORE_SIGNALS && lane->at.row > st->queue.end[lane->signal].row)
		st->queue.end[lane->signal] = lane->at;
	return true;
}

static bool
load_signal(struct store *st, unsigned signal)
{
	sqlite3_stmt *q = st->statements[SQL_ITEM_ENDS];
	int code;

	bind(q, 1, id_of(signal, 0));
	bind(q, 2, id_of(signal, ROW_LAST));
	while ((code = sqlite3_step(q)) == SQLITE_ROW) {
		const struct store_mark mark = mark_at(q, 0);
		const uint64_t len = column(q, 3);

		if (st->queue.end[signal].row == 0)
			st->queue.begin[signal] = (struct store_mark){ mark.row - 1, mark.bytes - len, mark.items };
		st->queue.end[signal] = mark;
	}
	store_reset(q);
	return code == SQLITE_DONE || store_unread(st);
}

bool
store_queue_load(struct store *st)
{
	st->queue = (struct store_queue){ 0 };
	for (unsigned signal = 0; signal < STORE_SIGNALS; signal++)
		if (!load_signal(st, signal))
			return false;
	if (!store_each_lane(st, take_lane, st))
		return false;
	st->queue_kept = st->queue;
	return true;
}
