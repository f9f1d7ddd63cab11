/*
 * Configuration files of other programs: read whole, and replaced in one step. A symbolic link is followed, and stays one.
 * Blocks on the file system.
 */
#ifndef CLIENTS_AGENTBUS_SETUP_FILE_H
#define CLIENTS_AGENTBUS_SETUP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SETUP_FILE_MAX = 4 << 20 };

struct setup_disk {
	char *path; /* without symbolic links */
	char *text; /* ends in NUL */
	size_t len;
	bool there;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/* A file that is not there is read as an empty one. False with *ret_why, a static text or one of the C library's. */
bool setup_disk_read(const char *path, struct setup_disk *ret, const char **ret_why);
void setup_disk_finish(struct setup_disk *d);

/*
 * Puts another text in its place: all of it or nothing, with the mode and the owner that it has; a new one is for its owner
 * alone, and so are directories that are made for it. False with *ret_why, and nothing is changed: it cannot be written, or is no
 * longer as it was read.
 */
bool setup_disk_write(const struct setup_disk *d, const char *text, size_t len, const char **ret_why);

/* Removes it, unless it is no longer as it was read; and its directory, if told to and nothing else is in it. */
bool setup_disk_remove(const struct setup_disk *d, bool directory, const char **ret_why);

/* Makes a directory, and those above it, for its owner alone. False with errno set. */
bool setup_make_dir(const char *path);

#endif
