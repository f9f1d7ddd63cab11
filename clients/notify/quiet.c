#include "notify/quiet.h"

#include <string.h>
#include <strings.h>

#define MINUTE       60 /* seconds */
#define DAYS         7
#define ALL_DAYS     0x7f
#define DAY_MINUTES  1440
#define HOUR_MINUTES 60
#define DAY_LETTERS  3
#define SEPARATORS   ", \t"

static bool
read_day(const char *text, int *ret_day)
{
	static const char *const names[DAYS] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

	for (int i = 0; i < DAYS; i++)
		if (strncasecmp(text, names[i], DAY_LETTERS) == 0) {
			*ret_day = i;
			return true;
		}
	return false;
}

/* "sat" or "mon-fri". */
static bool
read_days(const char *text, size_t len, uint8_t *ret_days)
{
	int first, last;

	if (len < DAY_LETTERS || !read_day(text, &first))
		return false;
	last = first;
	if (len != DAY_LETTERS &&
	    (len != 2 * DAY_LETTERS + 1 || text[DAY_LETTERS] != '-' || !read_day(text + DAY_LETTERS + 1, &last)))
		return false;
	*ret_days |= (uint8_t)(1u << last);
	for (int day = first; day != last; day = (day + 1) % DAYS)
		*ret_days |= (uint8_t)(1u << day);
	return true;
}

static bool
read_number(const char **at, size_t most_digits, unsigned *ret_number)
{
	size_t len = strspn(*at, "0123456789");

	if (len == 0 || len > most_digits)
		return false;
	*ret_number = 0;
	for (size_t i = 0; i < len; i++)
		*ret_number = *ret_number * 10 + (unsigned)((*at)[i] - '0');
	*at += len;
	return true;
}

/* "22:00" or "7:30". */
static bool
read_minute(const char **at, uint16_t *ret_minute)
{
	unsigned hour, minute;

	if (!read_number(at, 2, &hour) || *(*at)++ != ':' || !read_number(at, 2, &minute) || minute >= HOUR_MINUTES)
		return false;
	*ret_minute = (uint16_t)(hour * HOUR_MINUTES + minute);
	return *ret_minute <= DAY_MINUTES;
}

static bool
read_range(const char *text, size_t len, struct quiet_range *range)
{
	const char *at = text;

	return read_minute(&at, &range->from) && *at++ == '-' && read_minute(&at, &range->to) && at == text + len &&
	       range->from < DAY_MINUTES && range->from != range->to;
}

static bool
add_range(struct quiet *q, struct quiet_range range)
{
	if (q->count == QUIET_RANGES_MAX)
		return false;
	q->ranges[q->count++] = range;
	return true;
}

bool
quiet_parse(const char *text, struct quiet *ret_quiet)
{
	struct quiet q = { .count = 0 };
	uint8_t days = 0;

	for (const char *p = text + strspn(text, SEPARATORS); *p;) {
		size_t len = strcspn(p, SEPARATORS);
		struct quiet_range range = { .days = days ? days : ALL_DAYS };

		if (read_range(p, len, &range)) {
			if (!add_range(&q, range))
				return false;
			days = 0;
		} else if (!read_days(p, len, &days)) {
			return false;
		}
		p += len;
		p += strspn(p, SEPARATORS);
	}
	if (days && !add_range(&q, (struct quiet_range){ .days = days, .from = 0, .to = DAY_MINUTES }))
		return false;
	*ret_quiet = q;
	return true;
}

/* Whether the range is on at this minute, and on which day it ends: 0 today, 1 tomorrow. */
static bool
is_on(const struct quiet_range *r, int day, int minute, int *ret_end_day)
{
	const bool today = r->days & 1u << day, yesterday = r->days & 1u << (day + DAYS - 1) % DAYS;
	const bool over_midnight = r->from > r->to;

	*ret_end_day = 0;
	if (!over_midnight)
		return today && minute >= r->from && minute < r->to;
	if (yesterday && minute < r->to)
		return true;
	*ret_end_day = 1;
	return today && minute >= r->from;
}

/* The latest end of what is on at this moment, without what follows it at once. */
static bool
end_at(const struct quiet *q, time_t now, time_t *ret_end)
{
	struct tm tm;
	bool on = false;
	int end_day;

	tzset(); /* the machine may have moved */
	if (!localtime_r(&now, &tm))
		return false;
	for (size_t i = 0; i < q->count; i++) {
		const struct quiet_range *r = &q->ranges[i];

		if (!is_on(r, tm.tm_wday, tm.tm_hour * HOUR_MINUTES + tm.tm_min, &end_day))
			continue;
		struct tm over = { .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + end_day };
		over.tm_hour = r->to / HOUR_MINUTES;
		over.tm_min = r->to % HOUR_MINUTES;
		over.tm_isdst = -1;
		time_t end = mktime(&over);

		*ret_end = on && *ret_end > end ? *ret_end : end;
		on = true;
	}
	return on;
}

bool
quiet_at(const struct quiet *q, time_t now, time_t *ret_end)
{
	time_t end, later;

	if (!end_at(q, now, &end))
		return false;
	for (size_t i = 0; i < QUIET_RANGES_MAX && end_at(q, end, &later) && later > end; i++)
		end = later;
	/* Where the clock is set back, the end may seem to be over. */
	*ret_end = end > now ? end : now + MINUTE;
	return true;
}
