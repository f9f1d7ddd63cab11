/* Which days a person means. Pure: text and today in, days out. */
#ifndef CLIENTS_AGENTBUS_PERIOD_H
#define CLIENTS_AGENTBUS_PERIOD_H

#include <stdbool.h>
#include <time.h>

enum { PERIOD_DAY_SIZE = 11 };

/* The first and the last day, "2026-11-26"; "": no limit. */
struct period {
	char since[PERIOD_DAY_SIZE], until[PERIOD_DAY_SIZE];
};

/* What period_parse() reads, for messages. */
#define PERIOD_WORDS "today, yesterday, week, month, year, all, 7d, 2026-11 or 2026-11-26"

/*
 * "today" and "yesterday", "week" (from Monday on), "month", "year", "7d" (that many days, today included), "2026-11-26" (from
 * that day on), "2026-11" (that month), "all". today is the local date. False, and *ret untouched, for anything else.
 */
bool period_parse(const char *text, const struct tm *today, struct period *ret);

#endif
