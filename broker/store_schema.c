#include "store_schema.h"

#include <stdio.h>

/* "agbs", as file(1) and others tell applications' databases apart. */
#define APPLICATION_ID      0x61676273
#define APPLICATION_ID_TEXT "1634165363"

/* Step i leads from version i to i + 1. What was released is never changed: add a step. */
static const char *const steps[] = {
	"PRAGMA application_id = " APPLICATION_ID_TEXT ";"
	"CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
	/* changed: a counter, for their order. record: agentbus.store.v1.SessionRecord; too long for a table WITHOUT ROWID. */
	"CREATE TABLE sessions (provider TEXT NOT NULL, id TEXT NOT NULL, changed INTEGER NOT NULL, record BLOB NOT NULL,"
	" PRIMARY KEY (provider, id));"
	/* events: first .. last, each as field 1 of a message. start: bytes of events in all rows before, since `first` was 1. */
	"CREATE TABLE journal (first INTEGER NOT NULL PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL,"
	" start INTEGER NOT NULL, events BLOB NOT NULL);",

	"CREATE TABLE usage (day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,"
	" requests INTEGER NOT NULL, api_errors INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL,"
	" cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, reported_cost INTEGER NOT NULL,"
	" PRIMARY KEY (day, provider, model, project)) WITHOUT ROWID;",

	/* What was counted before has no computed cost. */
	"ALTER TABLE usage ADD COLUMN computed_cost INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE usage ADD COLUMN unreported_cost INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE usage ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;",

	/*
	 * Export requests that wait to be passed on. id: the signal (its upper four bits), and the row: 1, 2, 3 … of that signal.
	 * bytes, items: in all rows of it up to this one.
	 */
	"CREATE TABLE forward_items (id INTEGER NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL, items INTEGER NOT NULL,"
	" time INTEGER NOT NULL, body BLOB NOT NULL);"
	/* How far each destination has come, and what was counted. */
	"CREATE TABLE forward_lanes (destination TEXT NOT NULL, signal INTEGER NOT NULL, last_row INTEGER NOT NULL,"
	" last_bytes INTEGER NOT NULL, last_items INTEGER NOT NULL, sent INTEGER NOT NULL, rejected INTEGER NOT NULL,"
	" dropped INTEGER NOT NULL, sent_bytes INTEGER NOT NULL, sent_requests INTEGER NOT NULL, retries INTEGER NOT NULL,"
	" PRIMARY KEY (destination, signal)) WITHOUT ROWID;"
	/* Spans that wait for what logs say of them, or that were made of logs. due: nanoseconds. spans: an export request. */
	"CREATE TABLE forward_held (id INTEGER NOT NULL PRIMARY KEY, due INTEGER NOT NULL, made INTEGER NOT NULL,"
	" spans BLOB NOT NULL);",

	/* What was counted before is of no session that anybody knows. */
	"CREATE TABLE usage_by_session (day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL,"
	" session TEXT NOT NULL, requests INTEGER NOT NULL, api_errors INTEGER NOT NULL, input INTEGER NOT NULL,"
	" cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL,"
	" reported_cost INTEGER NOT NULL, computed_cost INTEGER NOT NULL, unreported_cost INTEGER NOT NULL,"
	" estimated INTEGER NOT NULL, PRIMARY KEY (day, provider, model, project, session)) WITHOUT ROWID;"
	"INSERT INTO usage_by_session SELECT day, provider, model, project, '', requests, api_errors, input, cache_read,"
	" cache_write, output, reasoning, reported_cost, computed_cost, unreported_cost, estimated FROM usage;"
	"DROP TABLE usage;"
	"ALTER TABLE usage_by_session RENAME TO usage;"
	/* Which level of which period (2026-11-26, 2026-11) was told, at what amount. */
	"CREATE TABLE budget (period TEXT NOT NULL, level TEXT NOT NULL, amount INTEGER NOT NULL,"
	" PRIMARY KEY (period, level)) WITHOUT ROWID;",
};

#define VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

bool
store_schema_check(struct store *st)
{
	int64_t application, version, tables;

	if (!store_ask(st, "PRAGMA application_id", &application) || !store_ask(st, "PRAGMA user_version", &version) ||
	    !store_ask(st, "SELECT count(*) FROM sqlite_schema", &tables))
		return false;
	if (application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0)) {
		log_error(st->log, "%s is another application's database: move it away, or give --state-dir another directory",
			  st->path);
		return false;
	}
	if (version > VERSION) {
		log_error(
		    st->log,
		    "%s is of a newer agentbusd (its version is %lld, ours is %lld): run that one, move it away, or start with "
		    "--memory",
		    st->path, (long long)version, (long long)VERSION);
		return false;
	}
	return true;
}

bool
store_schema_migrate(struct store *st)
{
	int64_t version;

	if (!store_ask(st, "PRAGMA user_version", &version))
		return false;
	for (; version < VERSION; version++) {
		char set[64];

		snprintf(set, sizeof(set), "PRAGMA user_version = %lld; COMMIT", (long long)version + 1);
		if (!store_exec(st, "BEGIN IMMEDIATE") || !store_exec(st, steps[version]) || !store_exec(st, set))
			return false;
	}
	return true;
}
