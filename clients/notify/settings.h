/* The options of notify-subscriber, and what follows from them. */
#ifndef CLIENTS_NOTIFY_SETTINGS_H
#define CLIENTS_NOTIFY_SETTINGS_H

#include "common/options.h"
#include "notify/notice.h"
#include "notify/teller.h"

#include <stdbool.h>

struct settings {
	struct options options;
	double min_turn, waiting_delay, cooldown;
	unsigned urgency[NOTICE_COUNT]; /* as on the bus; 3: off */
	unsigned when_focused;
	bool dismiss_acknowledges, sound;
	const char *quiet_hours, *quiet_hours_allow, *focus_command, *focus_check_command; /* NULL: the default */
};

/*
 * Reads the options, and what they hold. Returns true if the program goes on; else it is to exit with *ret_status, and what
 * is wrong was said. Call options_finish(&s->options) in either case; *ret_teller uses what s holds.
 */
bool settings_read(struct settings *s, struct teller_settings *ret_teller, int argc, char **argv, int *ret_status);

#endif
