/* A store in a directory of its own, what it logs in a file beside it; events and sessions to put there. For test_store*.c. */
#ifndef AGENTBUS_TEST_STORE_FIXTURE_H
#define AGENTBUS_TEST_STORE_FIXTURE_H

#include "bus_wire.h"
#include "store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY (86400 * 1000000000ull)
#define NOW (20000 * DAY)

static const struct log quiet = { .level = LEVEL_ERROR };

struct fixture {
	char dir[64], said[80];
	struct store_settings settings;
	struct store *st;
	struct buf events, read;
	int err; /* where stderr went before */
};

static struct fixture *f;

static inline void
setup(void)
{
	int said;

	f = calloc(1, sizeof(*f));
	strcpy(f->dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(f->dir));
	snprintf(f->said, sizeof(f->said), "%s.log", f->dir);
	f->settings = (struct store_settings){ .dir = f->dir, .history_bytes = (uint64_t)1 << 30, .history_age_ns = 7 * DAY };
	f->err = dup(STDERR_FILENO);
	said = open(f->said, O_CREAT | O_RDWR | O_APPEND, 0666);
	cr_assert_eq(fchmod(said, 0666), 0); /* some tests go on as another user */
	dup2(said, STDERR_FILENO);
	close(said);
}

static inline void
teardown(void)
{
	char path[400];
	struct dirent *e;
	DIR *d;

	store_close(f->st);
	dup2(f->err, STDERR_FILENO);
	d = opendir(f->dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, e->d_name);
		if (e->d_name[0] != '.')
			remove(path);
	}
	closedir(d);
	rmdir(f->dir);
	unlink(f->said);
	buf_finish(&f->events);
	buf_finish(&f->read);
	free(f);
}

static inline const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static inline void
reopen(void)
{
	store_close(f->st);
	f->st = store_open(&f->settings, &quiet);
	cr_assert_not_null(f->st);
}

/* What was logged since the last call. */
static inline const char *
said(void)
{
	static char text[4096];
	FILE *file = fopen(f->said, "re");
	size_t n = fread(text, 1, sizeof(text) - 1, file);

	text[n] = '\0';
	fclose(file);
	cr_assert_eq(truncate(f->said, 0), 0);
	return text;
}

static inline void
expect_refusal(const char *word)
{
	const char *text;

	said();
	cr_assert_null(store_open(&f->settings, &quiet));
	text = said();
	cr_expect_not_null(strstr(text, word), "\"%s\" is not in: %s", word, text);
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line: %s", text);
}

/* Another program that looks at, or changes, the database. The first column of the first row, 0 if there is none. */
static inline int64_t
sql(const char *text)
{
	sqlite3 *db;
	sqlite3_stmt *q;
	const char *rest = text;
	int64_t n = 0;

	cr_assert_eq(sqlite3_open(path_of("agentbus.db"), &db), SQLITE_OK);
	while (*rest) {
		cr_assert_eq(sqlite3_prepare_v2(db, rest, -1, &q, &rest), SQLITE_OK, "%s", sqlite3_errmsg(db));
		if (sqlite3_step(q) == SQLITE_ROW)
			n = sqlite3_column_int64(q, 0);
		cr_assert_eq(sqlite3_finalize(q), SQLITE_OK);
	}
	sqlite3_close(db);
	return n;
}

static inline struct buf
contents(const char *name)
{
	FILE *file = fopen(path_of(name), "re");
	struct buf b = { 0 };
	int c;

	cr_assert_not_null(file);
	while ((c = fgetc(file)) != EOF)
		buf_append(&b, &(uint8_t){ (uint8_t)c }, 1);
	fclose(file);
	return b;
}

static inline void
expect_contents(const char *name, struct buf *before)
{
	struct buf now = contents(name);

	cr_expect_eq(now.len, before->len);
	for (size_t i = 0; i < now.len && i < before->len; i++)
		cr_assert_eq(now.bytes[i], before->bytes[i], "%s was changed", name);
	buf_finish(&now);
	buf_finish(before);
}

/* --- events: a seq, and bytes to make them large --- */

static inline void
put_event(struct buf *b, uint64_t seq, size_t size)
{
	uint8_t head[BUS_WIRE_HEAD_MAX], number[BUS_WIRE_HEAD_MAX];
	const size_t n = bus_wire_put_number(number, 1, seq);

	buf_append(b, head, bus_wire_put_head(head, 1, n + size));
	buf_append(b, number, n);
	for (size_t i = 0; i < size; i++)
		buf_append(b, "x", 1);
}

static inline bool
append_sized(uint64_t first, uint64_t last, size_t size, uint64_t now_ns)
{
	f->events.len = 0;
	for (uint64_t seq = first; seq <= last; seq++)
		put_event(&f->events, seq, size);
	return store_append_events(f->st, first, last, now_ns, f->events.bytes, f->events.len);
}

static inline bool
append(uint64_t first, uint64_t last)
{
	return append_sized(first, last, 50, NOW);
}

/* Reads with a limit; expects that events first to last come, and `oldest`. */
static inline void
expect_read(uint64_t after, size_t limit, uint64_t first, uint64_t last, uint64_t oldest)
{
	uint64_t got_last = 77, got_oldest = 77;

	f->read.len = 0;
	cr_assert(store_read_events(f->st, after, limit, &f->read, &got_last, &got_oldest));
	cr_expect_eq(got_last, last ? last : after, "after %llu: last %llu", (unsigned long long)after,
		     (unsigned long long)got_last);
	cr_expect_eq(got_oldest, oldest, "oldest %llu", (unsigned long long)got_oldest);
	f->events.len = 0;
	for (uint64_t seq = first; last && seq <= last; seq++)
		put_event(&f->events, seq, 50);
	cr_expect_eq(f->read.len, f->events.len);
	cr_expect(f->read.len == f->events.len && (f->read.len == 0 || memcmp(f->read.bytes, f->events.bytes, f->read.len) == 0));
}

static inline void
expect_position(const char *boot_id, uint64_t seq, bool clean)
{
	struct store_position p;

	cr_assert(store_position(f->st, &p));
	cr_expect_str_eq(p.boot_id, boot_id);
	cr_expect_eq(p.seq, seq, "seq %llu", (unsigned long long)p.seq);
	cr_expect_eq(p.clean, clean);
}

/* --- sessions --- */

static inline bool
put_session(const char *provider, const char *id, const char *record)
{
	return store_put_session(f->st, provider, id, (const uint8_t *)record, strlen(record));
}

static inline bool
join(void *ctx, const uint8_t *record, size_t len)
{
	struct buf *b = ctx;

	buf_append(b, record, len);
	buf_append(b, " ", 1);
	return b->len < 1000;
}

static inline void
expect_sessions(const char *records)
{
	struct buf b = { 0 };

	cr_assert(store_each_session(f->st, join, &b));
	buf_append(&b, "", 1);
	cr_expect_str_eq((char *)b.bytes, records);
	buf_finish(&b);
}

/* --- usage --- */

static const struct store_usage used = {
	.day = "2026-11-26",
	.provider = "codex",
	.model = "gpt-5",
	.project = "agentbus",
	.session = "s1",
	.requests = 1,
	.api_errors = 2,
	.input = 3,
	.cache_read = 4,
	.cache_write = 5,
	.output = 6,
	.reasoning = 7,
	.reported_cost = -8,
	.computed_cost = 9,
	.unreported_cost = 10,
	.estimated = true,
};

#endif
