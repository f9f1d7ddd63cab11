/*
 * What survives the broker: sessions, the journal of events, and usage per day, in an SQLite database (WAL).
 *
 * One writer, our own process: a lock file beside the database keeps a second broker out. Writing is one transaction at a
 * time: it begins by itself with the first write and ends with store_commit(), which either keeps everything or nothing.
 * What is committed survives kill -9 of the broker; with `fsync` also a power cut. Blocks for as long as the file system
 * takes; nothing waits for other processes for longer than 50 ms.
 *
 * Errors are logged once here, at their first occurrence; after one, every write fails until store_rollback().
 */
#ifndef AGENTBUS_STORE_H
#define AGENTBUS_STORE_H

#include "buf.h"
#include "log.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_BOOT_ID_SIZE 33
#define STORE_SESSION_ROWS 50000 /* of usage that is kept by session */

struct store_settings {
	const char *dir;         /* made 0700 if missing; must be ours alone */
	bool fsync;              /* wait for the disk at each commit */
	uint64_t history_bytes;  /* of the journal in the database; above, the oldest go */
	uint64_t history_age_ns; /* events older than this go */
};

/* Where the counter of events stands. */
struct store_position {
	char boot_id[STORE_BOOT_ID_SIZE]; /* of the counter; "" in a new database */
	uint64_t seq;                     /* newest event that is stored, 0 if there never was one */
	bool clean;                       /* false: events above seq may have been published all the same */
};

/* Usage of one local day, to be added to what is there; or a sum of it. Text is "" where a sum is of several. */
struct store_usage {
	const char *day; /* "2026-11-26" */
	const char *provider, *model, *project, *session;
	uint64_t requests, api_errors;
	uint64_t input, cache_read, cache_write, output, reasoning;
	int64_t reported_cost, computed_cost, unreported_cost; /* pico-dollars, as in struct cost */
	bool estimated;                                        /* some price within unreported_cost was a guess */
};

/* What sums of usage are made for. */
enum store_usage_by {
	STORE_USAGE_TOTAL,
	STORE_USAGE_DAY,
	STORE_USAGE_MODEL,
	STORE_USAGE_PROVIDER,
	STORE_USAGE_PROJECT,
	STORE_USAGE_SESSION, /* of a provider; tells its project, too */
	STORE_USAGE_BY_COUNT
};

/* Which days, inclusive; "": no limit. */
struct store_days {
	const char *since, *until;
};

struct store;

/*
 * Opens or makes DIR/agentbus.db (the log must outlive it), brings its schema up to date, and checks that it can be written. NULL
 * after logging why not (not a database, damaged, read-only, disk full, of a newer version, locked by another broker).
 * errno is EWOULDBLOCK in the last case.
 */
struct store *store_open(const struct store_settings *settings, const struct log *log);

/* One that is in memory alone, and is gone when it is closed. NULL after logging why not. */
struct store *store_open_memory(const struct log *log);

/* Rolls back what is not committed, and closes. NULL is fine. */
void store_close(struct store *st);

/* --- reading; sees what was written before, committed or not --- */

bool store_position(struct store *st, struct store_position *ret);

/* Calls fn with each session's record, the one changed last coming last, until it returns false. False on an error of reading. */
bool store_each_session(struct store *st, bool (*fn)(void *ctx, const uint8_t *record, size_t len), void *ctx);

/*
 * Appends events after `after_seq` to out, each framed as field 1 of a message (tag 0x0a, length, event), oldest first, at
 * most `limit` bytes but at least one. What is damaged is passed over like a hole. *ret_last is the seq of the last one appended
 * (after_seq if there is none), and *ret_oldest that of the oldest event that is stored at all (0: none).
 */
bool store_read_events(struct store *st, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last,
		       uint64_t *ret_oldest);

/*
 * Calls fn with each sum, until it returns false: days in order, all others from the dearest on; the total is always one. Sums
 * stand still at the largest number; `estimated` if some price within what the CLI gave no figure for was a guess. What fn gets
 * is valid during the call. False on an error of reading.
 */
bool store_each_usage(struct store *st, enum store_usage_by by, struct store_days days,
		      bool (*fn)(void *ctx, const struct store_usage *sum), void *ctx);

/* The amount for which a level of a period (a day or a month) was told, 0: none was. */
bool store_budget_told(struct store *st, const char *period, const char *level, int64_t *ret);

/* --- writing, within the transaction --- */

bool store_put_session(struct store *st, const char *provider, const char *id, const uint8_t *record, size_t len);
bool store_forget_session(struct store *st, const char *provider, const char *id);
bool store_forget_all_sessions(struct store *st);

/* Appends the events first_seq … last_seq, framed as store_read_events() gives them. They follow what is stored, or a hole.
 */
bool store_append_events(struct store *st, uint64_t first_seq, uint64_t last_seq, uint64_t now_ns, const uint8_t *bytes,
			 size_t len);

/*
 * Sums are kept by day, provider, model, project and session; above STORE_SESSION_ROWS of them those of the oldest days are
 * added up into ones without a session.
 */
bool store_add_usage(struct store *st, const struct store_usage *u);

bool store_tell_budget(struct store *st, const char *period, const char *level, int64_t amount);

/* A new counter: drops all events and starts again at seq 0 under this boot_id. */
bool store_begin_counter(struct store *st, const char *boot_id);

/* What store_position() tells as `clean`. */
bool store_set_clean(struct store *st, bool clean);

/* Whether anything is waiting for store_commit(). */
bool store_dirty(const struct store *st);

/*
 * Keeps it all. Also drops old events, a few at a time; with nothing waiting, that is all it does. On failure everything since
 * the last commit is rolled back. Above 32 MiB that wait for store_checkpoint() it does that, too.
 */
bool store_commit(struct store *st, uint64_t now_ns);
void store_rollback(struct store *st);

/* A commit of nothing but a mark: whether the database can be written at the moment. Not while anything is waiting. */
bool store_probe(struct store *st);

/* Moves what was committed from the write-ahead log into the database file. To be called at quiet moments; may take a while. */
void store_checkpoint(struct store *st);

/* The same for a database that another process writes to; for a process of its own. False if it could not be. */
bool store_checkpoint_file(const char *path);

/* The path of the database. */
const char *store_path(const struct store *st);

/* Bytes of the write-ahead log that wait for store_checkpoint(). */
size_t store_wal_bytes(const struct store *st);

#endif
