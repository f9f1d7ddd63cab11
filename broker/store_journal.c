/*
 * The journal in the store: rows of framed events. A row is what one commit brought, cut into pieces of bounded size.
 */
#include "store_db.h"

#define ROW_MAX   ((size_t)256 << 10) /* unless one event alone is larger */
#define TRIM_ROWS 8                   /* per commit: an append brings one or two */
#define FRAME_TAG 0x0a                /* field 1, with a length */

/* --- frames --- */

/* The size of the framed event at the beginning of the bytes, its head included; 0 where there is none. */
static size_t
frame_size(const uint8_t *bytes, size_t len)
{
	uint64_t size = 0;
	size_t at = 1;

	if (len < 2 || bytes[0] != FRAME_TAG)
		return 0;
	for (unsigned shift = 0; at < len && shift < 35; shift += 7) {
		size |= (uint64_t)(bytes[at] & 0x7f) << shift;
		if ((bytes[at++] & 0x80) == 0)
			return size <= len - at ? at + size : 0;
	}
	return 0;
}

/* How many framed events the bytes are, 0 if they are anything else. */
static uint64_t
count_frames(const uint8_t *bytes, size_t len)
{
	uint64_t count = 0;

	for (size_t at = 0, n; at < len; at += n, count++) {
		n = frame_size(bytes + at, len - at);
		if (n == 0)
			return 0;
	}
	return count;
}

/* --- writing --- */

static bool
put_row(struct store *st, const struct store_row *row, const uint8_t *events)
{
	sqlite3_stmt *q = store_write(st, SQL_JOURNAL_PUT);

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)row->first);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)row->last);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)row->time_ns);
	sqlite3_bind_int64(q, 4, (sqlite3_int64)row->start);
	sqlite3_bind_blob64(q, 5, events, row->len, SQLITE_STATIC);
	if (!store_written(st, q))
		return false;
	st->rows.newest = *row;
	if (st->rows.oldest.first == 0)
		st->rows.oldest = *row;
	return true;
}

bool
store_append_events(struct store *st, uint64_t first_seq, uint64_t last_seq, uint64_t now_ns, const uint8_t *bytes, size_t len)
{
	struct store_row row = { .first = first_seq, .time_ns = now_ns };
	const struct store_row *newest = &st->rows.newest;

	if (st->failed)
		return false;
	if (first_seq <= newest->last || last_seq < first_seq || last_seq > INT64_MAX ||
	    count_frames(bytes, len) != last_seq - first_seq + 1) {
		log_error(st->log, "%s: events %llu to %llu do not follow %llu", st->path, (unsigned long long)first_seq,
			  (unsigned long long)last_seq, (unsigned long long)newest->last);
		st->failed = st->unwell = true;
		return false;
	}
	for (size_t begin = 0, at = 0; begin < len; begin = at) {
		size_t n = frame_size(bytes + at, len - at);

		for (row.last = row.first - 1; n && (at == begin || at + n - begin <= ROW_MAX); row.last++) {
			at += n;
			n = frame_size(bytes + at, len - at);
		}
		row.start = newest->start + newest->len;
		row.len = at - begin;
		if (!put_row(st, &row, bytes + begin))
			return false;
		row.first = row.last + 1;
	}
	return true;
}

static bool
drop_oldest(struct store *st)
{
	sqlite3_stmt *q = store_write(st, SQL_JOURNAL_DROP);

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)st->rows.oldest.first);
	if (!store_written(st, q))
		return false;
	if (store_read_row(st, SQL_JOURNAL_OLDEST, &st->rows.oldest))
		return true;
	st->failed = st->unwell = true;
	return false;
}

/* The newest row stays whatever its age: it tells where the counter stands. */
void
store_journal_trim(struct store *st, uint64_t now_ns)
{
	const struct store_row *oldest = &st->rows.oldest, *newest = &st->rows.newest;

	for (unsigned n = 0; n < TRIM_ROWS && oldest->first != newest->first; n++) {
		const uint64_t bytes = newest->start + newest->len - oldest->start;
		const bool old = now_ns > oldest->time_ns && now_ns - oldest->time_ns > st->history_age_ns;

		if ((!old && bytes <= st->history_bytes) || !drop_oldest(st))
			return;
	}
}

/* --- reading --- */

bool
store_read_row(struct store *st, enum store_sql which, struct store_row *ret)
{
	sqlite3_stmt *q = st->statements[which];
	const int code = sqlite3_step(q);

	if (code == SQLITE_ROW)
		*ret = (struct store_row){
			.first = (uint64_t)sqlite3_column_int64(q, 0),
			.last = (uint64_t)sqlite3_column_int64(q, 1),
			.time_ns = (uint64_t)sqlite3_column_int64(q, 2),
			.start = (uint64_t)sqlite3_column_int64(q, 3),
			.len = (uint64_t)sqlite3_column_int64(q, 4),
		};
	else if (code == SQLITE_DONE)
		*ret = (struct store_row){ 0 };
	else
		store_unread(st);
	store_reset(q);
	return code == SQLITE_ROW || code == SQLITE_DONE;
}

struct reading {
	uint64_t after_seq;
	size_t begin, limit; /* of what is appended */
	uint64_t last;       /* seq of the newest event appended */
	bool full;           /* the next event is beyond the limit */
};

/* Appends what is wanted of a row. What is damaged in it counts as a hole. False without memory. */
static bool
take_row(struct store *st, struct reading *r, sqlite3_stmt *q, struct buf *out)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(q, 0);
	const uint64_t last = (uint64_t)sqlite3_column_int64(q, 1);
	const uint8_t *bytes = sqlite3_column_blob(q, 2);
	const size_t len = bytes ? (size_t)sqlite3_column_bytes(q, 2) : 0;
	size_t at = 0, n;

	for (; seq <= last && (n = frame_size(bytes + at, len - at)) > 0; seq++, at += n) {
		if (seq <= r->after_seq)
			continue;
		if (out->len > r->begin && out->len - r->begin + n > r->limit) {
			r->full = true;
			return true;
		}
		if (!buf_append(out, bytes + at, n))
			return false;
		r->last = seq;
	}
	if ((seq <= last || at < len) && !st->damage_logged) {
		st->damage_logged = true;
		log_error(st->log, "%s: the journal is damaged: event %llu cannot be read", st->path, (unsigned long long)seq);
	}
	return true;
}

bool
store_read_events(struct store *st, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last, uint64_t *ret_oldest)
{
	struct reading r = { .after_seq = after_seq, .begin = out->len, .limit = limit, .last = after_seq };
	sqlite3_stmt *q = st->statements[SQL_JOURNAL_READ];
	bool ok = true;
	int code = SQLITE_DONE;

	if (after_seq < INT64_MAX)
		sqlite3_bind_int64(q, 1, (sqlite3_int64)after_seq + 1);
	while (after_seq < INT64_MAX && ok && !r.full && (code = sqlite3_step(q)) == SQLITE_ROW)
		ok = take_row(st, &r, q, out);
	if (ok && !r.full && code != SQLITE_DONE)
		ok = store_unread(st);
	store_reset(q);
	if (!ok) {
		out->len = r.begin;
		return false;
	}
	*ret_last = r.last;
	*ret_oldest = st->rows.oldest.first;
	return true;
}
