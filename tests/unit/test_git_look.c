/* Repositories made by git itself, in a directory of their own. */
#include "git_look.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static struct mounts mounts;

/* Runs in the directory; the settings of whoever runs the tests do not count. */
static void
run(const char *commands)
{
	char line[4096];

	snprintf(line, sizeof(line),
		 "cd %s && export HOME=%s GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
		 "GIT_COMMITTER_EMAIL=a@b GIT_CEILING_DIRECTORIES=%s && { %s; } >/dev/null 2>&1",
		 root, root, root, commands);
	cr_assert_eq(system(line), 0, "%s", commands);
}

static void
setup(void)
{
	struct stat st;

	if (stat("/usr/bin/git", &st) != 0)
		cr_skip_test("no git on this machine");
	strcpy(root, "/tmp/agentbus-git-XXXXXX");
	cr_assert(mkdtemp(root));
	mounts_init(&mounts);
	run("git init -q -b main shop && cd shop && git commit -q --allow-empty -m one && mkdir -p src/deep");
}

static void
teardown(void)
{
	char line[128];

	mounts_finish(&mounts);
	snprintf(line, sizeof(line), "rm -rf %s", root);
	if (strncmp(root, "/tmp/agentbus-git-", 18) == 0)
		cr_assert_eq(system(line), 0);
}

TestSuite(git_look, .init = setup, .fini = teardown);

static bool
look(const char *below, const char *home, struct repository *ret)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, below);
	return git_look(&mounts, path, home, ret);
}

static void
expect(const char *below, const char *name, const char *branch, const char *worktree)
{
	struct repository r;

	cr_assert(look(below, NULL, &r), "%s", below);
	cr_expect_str_eq(r.name, name);
	cr_expect_str_eq(r.branch, branch);
	cr_expect_str_eq(r.worktree, worktree);
}

static void
expect_none(const char *below)
{
	struct repository r;

	cr_expect_not(look(below, root, &r), "%s: %s", below, r.name);
}

Test(git_look, a_repository_from_anywhere_within)
{
	expect("shop", "shop", "main", "");
	expect("shop/", "shop", "main", "");
	expect("shop/src/deep", "shop", "main", "");
	expect("shop/.git/refs", "shop", "main", "");
	expect("shop/src/not/there", "shop", "main", "");
}

Test(git_look, branches_come_and_go)
{
	struct repository r;

	run("cd shop && git checkout -q -b feature/x");
	expect("shop", "shop", "feature/x", "");
	run("cd shop && git checkout -q --detach");
	cr_assert(look("shop", NULL, &r));
	cr_expect_eq(strlen(r.branch), 7);
	cr_expect_eq(strspn(r.branch, "0123456789abcdef"), 7);
	run("cd shop && git pack-refs --all && git checkout -q main");
	expect("shop", "shop", "main", "");
	run("git init -q -b first empty");
	expect("empty", "empty", "first", "");
}

Test(git_look, linked_work_trees_are_of_their_repository)
{
	run("cd shop && git worktree add -q ../trees/fix -b fix && mkdir ../trees/fix/src");
	expect("trees/fix", "shop", "fix", "fix");
	expect("trees/fix/src", "shop", "fix", "fix");
	run("git clone -q --bare shop bare.git && cd bare.git && git worktree add -q ../trees/b -b b");
	expect("trees/b", "bare", "b", "b");
	expect("bare.git", "bare", "main", "");
	run("mkdir all && git clone -q --bare shop all/.bare && cd all && echo 'gitdir: ./.bare' >.git && git worktree add -q w "
	    "-b w");
	expect("all/w", "all", "w", "w");
	expect("all", "all", "main", "");
}

Test(git_look, a_submodule_is_a_repository_of_its_own)
{
	run("git init -q -b main lib && cd lib && git commit -q --allow-empty -m one && cd ../shop && "
	    "git -c protocol.file.allow=always submodule --quiet add ../lib vendor/lib");
	expect("shop/vendor/lib", "lib", "main", "");
	expect("shop", "shop", "main", "");
	run("git -C shop/vendor/lib worktree add -q ../../../trees/l -b l");
	expect("trees/l", "lib", "l", "l");
}

Test(git_look, where_there_is_none)
{
	run("mkdir -p plain/a shop2/.git && ln -s shop link && mkdir dotlink && ln -s ../shop/.git dotlink/.git");
	expect_none("plain/a");
	expect_none("shop2");
	expect_none("link/src");
	expect_none("dotlink");
}

Test(git_look, what_is_no_file_makes_nobody_wait)
{
	run("git init -q a && rm a/.git/HEAD && mkfifo a/.git/HEAD");
	expect_none("a");
	run("mkdir b && mkfifo b/.git");
	expect_none("b");
	run("mkdir c && echo gitdir: ../pipe >c/.git && mkfifo pipe");
	expect_none("c");
	run("git init -q d && head -c 100000 /dev/zero >d/.git/HEAD");
	expect_none("d");
	run("mkdir e && echo gitdir: . >e/.git");
	expect_none("e");
	run("git init -q f && ln -sf /dev/zero f/.git/HEAD");
	expect_none("f");
}

Test(git_look, a_home_under_git_is_no_project_of_what_lies_below)
{
	struct repository r;

	run("git init -q -b dots . && mkdir plain");
	expect_none("plain");
	cr_assert(look("", root, &r));
	cr_expect_str_eq(r.branch, "dots");
	cr_assert(look("plain", NULL, &r));
	cr_expect_str_eq(r.branch, "dots");
}

Test(git_look, paths_that_lead_nowhere)
{
	struct repository r;
	char deep[4096] = "/";

	cr_expect_not(git_look(&mounts, "relative", NULL, &r));
	cr_expect_not(git_look(&mounts, "", NULL, &r));
	for (size_t i = 1; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? 'x' : '/';
	cr_expect_not(git_look(&mounts, deep, NULL, &r));
	deep[900] = '\0';
	cr_expect_not(git_look(&mounts, deep, NULL, &r));
}

Test(git_look, file_systems_that_may_wait_are_left_alone)
{
	char line[256];
	struct repository r;
	const int n = snprintf(line, sizeof(line), "42 22 0:42 / %s/shop/.git rw - fuse.slow x rw\n", root);

	cr_assert(look("shop", NULL, &r));
	cr_assert(mounts_read(&mounts, line, (size_t)n));
	cr_expect_not(look("shop/src", root, &r));
}
