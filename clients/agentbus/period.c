#include "period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { DAYS_MAX = 36500, YEAR_MIN = 1970, YEAR_MAX = 9999 };

/* A date by itself, without a time zone. */
static void
write_day(int year, int month, int day, char out[PERIOD_DAY_SIZE])
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12 };

	timegm(&tm);
	if (!strftime(out, PERIOD_DAY_SIZE, "%Y-%m-%d", &tm))
		out[0] = '\0';
}

static void
days_before(const struct tm *today, int days, char out[PERIOD_DAY_SIZE])
{
	write_day(today->tm_year + 1900, today->tm_mon + 1, today->tm_mday - days, out);
}

static void
period_today(const struct tm *today, struct period *p)
{
	days_before(today, 0, p->since);
}

static void
period_yesterday(const struct tm *today, struct period *p)
{
	days_before(today, 1, p->since);
	days_before(today, 1, p->until);
}

static void
period_week(const struct tm *today, struct period *p)
{
	days_before(today, (today->tm_wday + 6) % 7, p->since);
}

static void
period_month(const struct tm *today, struct period *p)
{
	write_day(today->tm_year + 1900, today->tm_mon + 1, 1, p->since);
}

static void
period_year(const struct tm *today, struct period *p)
{
	write_day(today->tm_year + 1900, 1, 1, p->since);
}

static void
period_all(const struct tm *today, struct period *p)
{
	(void)today, (void)p;
}

static const struct {
	const char *word;
	void (*fill)(const struct tm *today, struct period *p);
} words[] = {
	{ "today", period_today }, { "yesterday", period_yesterday }, { "week", period_week },
	{ "month", period_month }, { "year", period_year },           { "all", period_all },
};

/* "7d" */
static bool
parse_days(const char *text, const struct tm *today, struct period *p)
{
	const size_t digits = strspn(text, "0123456789");
	const long days = strtol(text, NULL, 10);

	if (digits == 0 || digits > 5 || strcmp(text + digits, "d") != 0 || days < 1 || days > DAYS_MAX)
		return false;
	days_before(today, (int)days - 1, p->since);
	return true;
}

/* "2026-11-26", "2026-11" */
static bool
parse_date(const char *text, struct period *p)
{
	static const char pattern[] = "0000-00-00";
	const size_t len = strlen(text);
	char again[PERIOD_DAY_SIZE];
	int year, month, day = 1;

	if (len != 7 && len != 10)
		return false;
	for (size_t i = 0; i < len; i++)
		if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
			return false;
	if (sscanf(text, "%4d-%2d-%2d", &year, &month, &day) < 2 || year < YEAR_MIN || year > YEAR_MAX)
		return false;
	write_day(year, month, day, again);
	/* There is no 31st of every month. */
	if (strncmp(again, text, len) != 0)
		return false;
	memcpy(p->since, again, sizeof(again));
	if (len == 7)
		write_day(year, month + 1, 0, p->until);
	return true;
}

bool
period_parse(const char *text, const struct tm *today, struct period *ret)
{
	struct period p = { "", "" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcmp(words[i].word, text) == 0) {
			words[i].fill(today, &p);
			*ret = p;
			return true;
		}
	}
	if (!parse_days(text, today, &p) && !parse_date(text, &p))
		return false;
	*ret = p;
	return true;
}
