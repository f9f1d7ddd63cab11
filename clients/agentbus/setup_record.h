/*
 * What was written into a configuration file, so that it can be taken back: three files in the directory for state, of which the
 * first is whole or not there: NAME.json, the changes; NAME.before, the file as it was; NAME.after, as it was written.
 * Blocks on the file system.
 */
#ifndef CLIENTS_AGENTBUS_SETUP_RECORD_H
#define CLIENTS_AGENTBUS_SETUP_RECORD_H

#include "edit_text.h"

#include <limits.h>

enum { SETUP_RECORD_CHANGES_MAX = 256 };

struct setup_record {
	bool existed;  /* before, the file */
	bool made_dir; /* its directory was made for it */
	struct edit_change changes[SETUP_RECORD_CHANGES_MAX];
	size_t change_count;
	struct edit_text before, after;
};

/* Where the records are: $XDG_STATE_HOME/agentbus/setup. False if no home is known. */
bool setup_record_dir(char out[PATH_MAX]);

/* Reads the record of a file. False if there is none that can be read; *ret_why is NULL if there is none at all. */
bool setup_record_read(const char *cli, const char *path, struct setup_record *ret, const char **ret_why);

/* Writes it. False with *ret_why. */
bool setup_record_write(const char *cli, const char *path, const struct setup_record *r, const char **ret_why);

void setup_record_remove(const char *cli, const char *path);
void setup_record_finish(struct setup_record *r);

#endif
