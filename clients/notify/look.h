/* How notices look: names of icons, sounds and categories. */
#ifndef CLIENTS_NOTIFY_LOOK_H
#define CLIENTS_NOTIFY_LOOK_H

#include "notify/notice.h"

struct look {
	const char *icon;     /* name of the icon theme's */
	const char *own_icon; /* the same of ours, where it is installed */
	const char *category, *sound;
	double keep; /* seconds for which it is news; 0: as long as it is true */
};

/* Static. */
const struct look *look_of(enum notice notice);

/*
 * The name of the notice's icon: ours if an icon theme has it where data is installed (XDG_DATA_HOME, XDG_DATA_DIRS), else
 * one that every theme has. Static. Looks at the file system.
 */
const char *look_icon(enum notice notice);

#endif
