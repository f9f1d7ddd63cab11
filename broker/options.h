/*
 * Where settings come from: the defaults, then the file, then the environment, then the command line.
 */
#ifndef AGENTBUS_OPTIONS_H
#define AGENTBUS_OPTIONS_H

#include "config.h"

enum options_action { OPTIONS_RUN, OPTIONS_CHECK, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
	enum options_action action;
	struct config config;
	char file[CONFIG_PATH_MAX]; /* that was read, or "" */
};

/*
 * Reads everything anew. Returns 0 and sets *ret, or the exit status after having reported why not: 2 for a command line
 * that cannot be, 1 for anything else. May be called again on SIGHUP.
 */
int options_load(int argc, char **argv, struct config_report *report, struct options *ret);

/* The directory of Claude Code's session files, as the setting and the environment say; "": none is to be watched. */
void options_session_files(const struct config *c, char path[CONFIG_PATH_MAX]);

/* Prints --help. */
void options_help(void);

#endif
