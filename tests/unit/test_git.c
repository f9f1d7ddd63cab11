#include "git.h"

#include "guard.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static const char head[] = "ref: refs/heads/feature/x\n";

static bool
read_head(const char *text, char name[64])
{
	strcpy(name, "unchanged");
	return git_head(str_from(text), name, 64);
}

Test(git, branches)
{
	char name[64];

	cr_assert(read_head(head, name));
	cr_expect_str_eq(name, "feature/x");
	cr_assert(read_head("ref: refs/remotes/origin/main\n", name));
	cr_expect_str_eq(name, "remotes/origin/main");
	cr_assert(read_head(COMMIT "\n", name));
	cr_expect_str_eq(name, "0123456");
	cr_assert(read_head(COMMIT "0123456789abcdef01234567\n", name));
	cr_expect_str_eq(name, "0123456");
}

Test(git, what_is_no_head)
{
	static const char *const others[] = { "",
					      "\n",
					      "ref: refs/heads/\n",
					      "ref: refs/heads/.invalid\n",
					      "ref: x\n",
					      COMMIT,
					      "0123\n",
					      "g123456789abcdef0123456789abcdef01234567\n",
					      "ref: refs/heads/main" };
	char name[64];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cr_expect_not(read_head(others[i], name), "%s", others[i]);
		cr_expect_str_eq(name, "unchanged");
	}
}

Test(git, every_prefix)
{
	static const char *const texts[] = { head, COMMIT "\n", "gitdir: /x/.git/worktrees/a\n", "../..\n" };
	struct guard g = guard_create(256);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t len = 0; len <= strlen(texts[i]); len++) {
			const struct str text = { guard_put(&g, texts[i], len), len };
			const bool whole = len == strlen(texts[i]);
			char name[64];
			struct str path;

			cr_expect_eq(git_head(text, name, sizeof(name)), whole && i < 2);
			cr_expect_eq(git_link(text, &path), whole && i == 2);
			cr_expect_eq(git_common(text, &path), whole);
		}
	guard_destroy(&g);
}

Test(git, links)
{
	struct str path;

	cr_assert(git_link(STR("gitdir: ../.git/modules/sub\n"), &path));
	cr_expect(str_eq(path, STR("../.git/modules/sub")));
	cr_expect_not(git_link(STR("gitdir: \n"), &path));
	cr_expect_not(git_link(STR("gitdir: a\0b\n"), &path));
	cr_expect_not(git_common(STR("\n"), &path));
}

Test(git, joined_paths)
{
	static const struct {
		const char *base, *path, *want;
	} cases[] = {
		{ "/a/b", "c", "/a/b/c" },     { "/a/b", "../c", "/a/c" }, { "/a/b", "../../../..", "/" },
		{ "/a/b", "/c/./d/", "/c/d" }, { "/", ".git", "/.git" },   { "/a//b/.", "", "/a/b" },
		{ "x", "/c", "/c" },
	};
	char path[GIT_PATH_MAX], far[2 * GIT_PATH_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(git_join(cases[i].base, str_from(cases[i].path), path), "%s", cases[i].path);
		cr_expect_str_eq(path, cases[i].want);
	}
	cr_expect_not(git_join("a", STR("b"), path));
	memset(far, 'x', sizeof(far));
	for (size_t len = GIT_PATH_MAX - 4; len < GIT_PATH_MAX + 4; len++)
		cr_expect_eq(git_join("/", (struct str){ far, len }, path), len < GIT_PATH_MAX - 1, "%zu", len);
}

Test(git, names)
{
	static const struct {
		const char *dir, *want;
	} cases[] = {
		{ "/x/shop/.git", "shop" },  { "/x/shop.git", "shop" },
		{ "/x/shop/.bare", "shop" }, { "/x/shop/.git/modules/lib", "lib" },
		{ "/shop", "shop" },
	};
	char name[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(git_name(cases[i].dir, name, sizeof(name)), "%s", cases[i].dir);
		cr_expect_str_eq(name, cases[i].want);
	}
	cr_expect_not(git_name("/.git", name, sizeof(name)));
	cr_expect_not(git_name("/", name, sizeof(name)));
	cr_expect_not(git_name("", name, sizeof(name)));
}
