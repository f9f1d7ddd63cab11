/* What a format is given to make a line of. Pure: no clock, no I/O. */
#ifndef CLIENTS_EWW_VIEW_H
#define CLIENTS_EWW_VIEW_H

#include "common/roster.h"
#include "eww/rich.h"

#include <stdbool.h>
#include <stddef.h>

struct template;

struct view {
	/* Of ROSTER_SHOWN. Empty while the broker is away: nothing is known of its sessions then. */
	const struct roster *roster;
	bool connected;
	size_t max;                      /* how many sessions are listed; 0 leaves it to the format */
	const char *empty, *away;        /* a bar's text without sessions, and without a broker */
	bool colours;                    /* a bar's text has a colour for each state */
	enum rich_kind escape;           /* of what a template's values hold */
	const struct template *template; /* of the format of that name */
};

/* How many sessions a format lists that lists standard ones if nothing else was asked for; 0 is all. */
static inline size_t
view_listed(const struct view *v, size_t standard)
{
	size_t max = v->max ? v->max : standard;

	return max && max < v->roster->count ? max : v->roster->count;
}

#endif
