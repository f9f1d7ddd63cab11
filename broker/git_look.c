#include "git_look.h"

#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX 64 /* directories above each other */

/* What the name of something is. */
enum kind { KIND_NONE, KIND_FILE, KIND_DIRECTORY };

/* A place in the file system, and the table that says where one may go. */
struct walk {
	struct mounts *mounts;
	char path[GIT_PATH_MAX];
};

/* Through no symbolic link: so the path tells on which file system it is. */
static int
open_plain(const char *path, uint64_t flags)
{
	const struct open_how how = { .flags = flags | O_CLOEXEC | O_NOFOLLOW,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* Opens nothing that could be more than looked at: an O_PATH descriptor wakes no device and no pipe. */
static enum kind
kind_of(const char *path)
{
	const int fd = open_plain(path, O_PATH);
	enum kind kind = KIND_NONE;
	struct stat st;

	if (fd < 0)
		return kind;
	if (fstat(fd, &st) == 0)
		kind = S_ISREG(st.st_mode) ? KIND_FILE : S_ISDIR(st.st_mode) ? KIND_DIRECTORY : KIND_NONE;
	close(fd);
	return kind;
}

/* Reads a small regular file. */
static bool
read_small(const struct walk *w, const char *path, char text[GIT_TEXT_MAX], struct str *ret)
{
	bool ok = false;
	int fd;
	ssize_t n;

	if (!mounts_may_look(w->mounts, path) || kind_of(path) != KIND_FILE)
		return false;
	fd = open_plain(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	n = read(fd, text, GIT_TEXT_MAX);
	if (n > 0 && n < GIT_TEXT_MAX) {
		*ret = (struct str){ text, (size_t)n };
		ok = true;
	}
	close(fd);
	return ok;
}

/* The same for a file by its directory. */
static bool
read_in(const struct walk *w, const char *dir, const char *name, char text[GIT_TEXT_MAX], struct str *ret)
{
	char path[GIT_PATH_MAX];

	return git_join(dir, str_from(name), path) && read_small(w, path, text, ret);
}

static bool
is_in(const char *dir, const char *name, enum kind kind)
{
	char path[GIT_PATH_MAX];

	return git_join(dir, str_from(name), path) && kind_of(path) == kind;
}

/* The git directory of a work tree, or that this directory is itself. */
static bool
find_git_dir(const struct walk *w, char ret[GIT_PATH_MAX])
{
	char text[GIT_TEXT_MAX], path[GIT_PATH_MAX];
	struct str file, link;

	if (!git_join(w->path, STR(".git"), path))
		return false;
	switch (kind_of(path)) {
	case KIND_DIRECTORY:
		memcpy(ret, path, sizeof(path));
		return true;
	case KIND_FILE:
		return read_small(w, path, text, &file) && git_link(file, &link) && git_join(w->path, link, ret);
	case KIND_NONE:
		break;
	}
	if (!is_in(w->path, "HEAD", KIND_FILE) || !is_in(w->path, "objects", KIND_DIRECTORY) ||
	    !is_in(w->path, "refs", KIND_DIRECTORY))
		return false;
	memcpy(ret, w->path, sizeof(w->path));
	return true;
}

/* A submodule has its git directory in that of another repository: its name is that of the place where it is checked out. */
static bool
name_of(const struct walk *w, const char *git_dir, const char *common, bool linked, char *ret, size_t size)
{
	const bool elsewhere = !linked && !str_starts(str_from(git_dir), str_from(w->path));

	return git_name(elsewhere ? w->path : common, ret, size);
}

static bool
describe(const struct walk *w, const char *git_dir, struct repository *ret)
{
	char text[GIT_TEXT_MAX], common[GIT_PATH_MAX];
	struct repository r = { 0 };
	struct str file, path;
	bool linked;

	if (!read_in(w, git_dir, "HEAD", text, &file))
		return false;
	git_head(file, r.branch, sizeof(r.branch));
	linked = read_in(w, git_dir, "commondir", text, &file) && git_common(file, &path) && git_join(git_dir, path, common);
	if (linked)
		git_name(git_dir, r.worktree, sizeof(r.worktree));
	if (!name_of(w, git_dir, linked ? common : git_dir, linked, r.name, sizeof(r.name)))
		return false;
	*ret = r;
	return true;
}

/* Goes to the directory above. False at the root, or where a person's directories end. */
static bool
go_up(struct walk *w, const char *home)
{
	char *slash = strrchr(w->path, '/');

	if (!slash || slash[1] == '\0')
		return false;
	slash[slash == w->path] = '\0';
	return !home || strcmp(w->path, home) != 0;
}

bool
git_look(struct mounts *m, const char *path, const char *home, struct repository *ret)
{
	struct walk w = { .mounts = m };
	char git_dir[GIT_PATH_MAX];

	if (path[0] != '/' || !git_join("/", str_from(path), w.path) || !mounts_may_look(m, w.path))
		return false;
	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		if (find_git_dir(&w, git_dir))
			return describe(&w, git_dir, ret);
		if (!go_up(&w, home))
			break;
	}
	return false;
}
