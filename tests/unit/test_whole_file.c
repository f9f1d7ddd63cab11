#include "agentbus/whole_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96];

static void
setup(void)
{
	strcpy(dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void
teardown(void)
{
	unlink(path);
	cr_assert_eq(rmdir(dir), 0, "something is left");
}

TestSuite(whole_file, .init = setup, .fini = teardown);

static bool
fill(FILE *out, void *ctx)
{
	return fputs(ctx, out) >= 0;
}

static bool
fill_and_fail(FILE *out, void *ctx)
{
	fputs(ctx, out);
	errno = ENOSPC;
	return false;
}

Test(whole_file, is_written_and_read)
{
	char *text, *large = calloc(1, 300001);
	struct stat s;
	size_t len;

	umask(022);
	memset(large, 'x', 300000);
	cr_assert(whole_file_write(path, fill, large));
	cr_assert_eq(stat(path, &s), 0);
	cr_assert_eq(s.st_mode & 0777, 0644);
	cr_assert(whole_file_read(path, 300000, &text, &len));
	cr_assert_eq(len, 300000);
	cr_assert_str_eq(text, large);
	free(text);
	cr_assert_not(whole_file_read(path, 299999, &text, &len));
	cr_assert_eq(errno, EFBIG);
	free(large);
}

Test(whole_file, what_fails_leaves_the_old_one)
{
	char *text;
	size_t len;

	cr_assert(whole_file_write(path, fill, (void *)"old"));
	cr_assert_not(whole_file_write(path, fill_and_fail, (void *)"new"));
	cr_assert_eq(errno, ENOSPC);
	cr_assert(whole_file_read(path, 100, &text, &len));
	cr_assert_str_eq(text, "old");
	free(text);
	cr_assert(whole_file_write(path, fill, (void *)""));
	cr_assert(whole_file_read(path, 0, &text, &len));
	cr_assert_eq(len, 0);
	free(text);
}

Test(whole_file, says_why_not)
{
	char *text;
	size_t len;

	cr_assert_not(whole_file_read(path, 100, &text, &len));
	cr_assert_eq(errno, ENOENT);
	cr_assert_not(whole_file_read(dir, 100, &text, &len));
	cr_assert_eq(errno, EISDIR);
	cr_assert_not(whole_file_write("/nowhere/at/all", fill, (void *)""));
	cr_assert_eq(errno, ENOENT);
}
