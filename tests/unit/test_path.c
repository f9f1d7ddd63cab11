#include "path.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct log quiet = { .level = LEVEL_ERROR };

Test(path, makes_what_is_missing_for_us_alone)
{
	char base[] = "/tmp/agentbus-test-XXXXXX", dir[64], longer[PATH_MAX + 2];
	struct stat st;

	cr_assert_not_null(mkdtemp(base));
	snprintf(dir, sizeof(dir), "%s//a/b/", base);
	umask(0);
	cr_assert(path_make_directories(dir));
	cr_assert(path_make_directories(dir), "again");
	cr_assert_eq(stat(dir, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_not(path_make_directories(longer));
	cr_expect_eq(errno, ENAMETOOLONG);
	cr_expect_eq(rmdir(dir), 0);
	snprintf(dir, sizeof(dir), "%s/a", base);
	cr_expect_eq(rmdir(dir), 0);
	cr_expect_eq(rmdir(base), 0);
}

Test(path, each_lock_is_taken_once)
{
	char base[] = "/tmp/agentbus-test-XXXXXX", name[64];
	int dir, first, other, again;
	struct stat st;

	cr_assert_not_null(mkdtemp(base));
	cr_assert_eq(chmod(base, 0755), 0);
	dir = path_open_own(base, "--dir", &quiet);
	cr_assert_geq(dir, 0);
	cr_assert_eq(fstat(dir, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	first = path_lock(dir, base, "one", &quiet);
	cr_expect_geq(first, 0);
	other = path_lock(dir, base, "two", &quiet);
	cr_expect_geq(other, 0);
	cr_expect_eq(path_lock(dir, base, "one", &quiet), -1);
	close(first);
	again = path_lock(dir, base, "one", &quiet);
	cr_expect_geq(again, 0);
	close(again);
	close(other);
	close(dir);
	snprintf(name, sizeof(name), "%s/one", base);
	cr_expect_eq(unlink(name), 0);
	cr_expect_eq(path_open_own(name, "--dir", &quiet), -1);
	snprintf(name, sizeof(name), "%s/two", base);
	cr_expect_eq(path_open_own(name, "--dir", &quiet), -1, "no directory");
	cr_expect_eq(unlink(name), 0);
	cr_expect_eq(rmdir(base), 0);
}
