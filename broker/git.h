/*
 * The few files of a git repository that tell its name and what is checked out, read without git. Pure: text in, text out; what
 * is cut off, too long or something else is no answer.
 */
#ifndef AGENTBUS_GIT_H
#define AGENTBUS_GIT_H

#include "str.h"

#define GIT_PATH_MAX 1024
#define GIT_TEXT_MAX 4096 /* of HEAD and the like; longer ones are none of git's */

/* The branch in the text of HEAD, or the beginning of the commit where it is detached. */
bool git_head(struct str text, char *ret, size_t size);

/* The path in the file `.git` of a linked work tree or a submodule: "gitdir: …". */
bool git_link(struct str text, struct str *ret);

/* The path in the file `commondir` of a linked work tree's git directory. */
bool git_common(struct str text, struct str *ret);

/*
 * Where `path` leads from the directory `base`: absolute, without "." and ".." (by their names alone, for there are to be no
 * symbolic links). False if it is too long, or base is not absolute.
 */
bool git_join(const char *base, struct str path, char ret[GIT_PATH_MAX]);

/* The name of a repository by its git directory: "shop" for /x/shop/.git, /x/shop.git and /x/shop/.bare. False if it has none. */
bool git_name(const char *git_dir, char *ret, size_t size);

#endif
