/*
 * Quiet hours: times of the day, by the clock on the wall, at which nobody wants to be told anything. Pure but for the time
 * zone, which is looked up at each question.
 *
 *	22:00-07:00                        every night
 *	22:00-07:00, sat, sun              and the whole of Saturday and Sunday
 *	mon-fri 23:00-06:30, sat,sun 0:00-10:00
 *
 * Days are those of the times that follow them; days that nothing follows are whole ones. A time over midnight belongs to the
 * day on which it begins.
 */
#ifndef CLIENTS_NOTIFY_QUIET_H
#define CLIENTS_NOTIFY_QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { QUIET_RANGES_MAX = 16 };

struct quiet_range {
	uint8_t days;      /* on which it begins: 1 << tm_wday */
	uint16_t from, to; /* minutes of the day; over midnight unless from < to */
};

/* All zero: none. */
struct quiet {
	struct quiet_range ranges[QUIET_RANGES_MAX];
	size_t count;
};

/* Returns false, and leaves *ret_quiet alone, if the text is not of that form or has more times than fit. */
bool quiet_parse(const char *text, struct quiet *ret_quiet);

/*
 * Whether it is quiet now. Sets *ret_end, if it is, to when that is likely to be over: a change of the clock may mean
 * that it is not, so ask again then.
 */
bool quiet_at(const struct quiet *q, time_t now, time_t *ret_end);

#endif
