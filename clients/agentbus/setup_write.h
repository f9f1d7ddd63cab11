/* Plans written into files, with a record of it, and taken back by that. Blocks on the file system. */
#ifndef CLIENTS_AGENTBUS_SETUP_WRITE_H
#define CLIENTS_AGENTBUS_SETUP_WRITE_H

#include "setup_file.h"
#include "setup_plan.h"

/* What became of taking back. */
enum setup_undone {
	SETUP_UNDONE_NOTHING,  /* nothing of ours is in it */
	SETUP_UNDONE_RESTORED, /* it is again what it was */
	SETUP_UNDONE_REMOVED,  /* it was made for us, and is gone */
	SETUP_UNDONE_PARTLY,   /* ours is out of it, and what was changed since is still there */
	SETUP_UNDONE_FAILED
};

/* Writes the plan's text, after a record of what the file was and what has changed. False with *ret_why. */
bool setup_write(const struct setup_cli *cli, const struct setup_file *f, const struct setup_disk *d, struct setup_plan *p,
		 const char **ret_why);

/* Takes back all that was written into the file at this path. *ret_left: changes that cannot be, since others came after them. */
enum setup_undone setup_undo(const struct setup_cli *cli, const struct setup_file *f, const char *path, size_t *ret_left,
			     const char **ret_why);

#endif
