#include "file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/ab-file-XXXXXX";

static void
make(size_t len)
{
	const int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	cr_assert_not_null(f);
	for (size_t i = 0; i < len; i++)
		fputc((int)(i * 7 % 251), f);
	fclose(f);
}

static void
end(void)
{
	unlink(path);
}

TestSuite(file, .fini = end);

Test(file, is_appended_as_a_whole)
{
	static const size_t sizes[] = { 0, 1, BUFSIZ - 1, BUFSIZ, BUFSIZ + 1, 5 * BUFSIZ };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf b = { 0 };

		make(sizes[i]);
		cr_assert(buf_append(&b, "x", 1));
		cr_assert(file_read(path, sizes[i], &b), "%zu", sizes[i]);
		cr_assert_eq(b.len, 1 + sizes[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			cr_assert_eq(b.bytes[1 + k], k * 7 % 251);
		buf_finish(&b);
		unlink(path);
		memset(path + sizeof(path) - 7, 'X', 6);
	}
}

Test(file, larger_than_allowed)
{
	struct buf b = { 0 };

	make(BUFSIZ + 1);
	cr_assert_not(file_read(path, BUFSIZ, &b));
	cr_assert_eq(errno, EFBIG);
	cr_assert_not(file_read(path, 0, &b));
	cr_assert_eq(errno, EFBIG);
	buf_finish(&b);
}

Test(file, that_cannot_be_read)
{
	struct buf b = { 0 };

	cr_assert_not(file_read("/nonexistent/file", 10, &b));
	cr_assert_eq(errno, ENOENT);
	cr_assert_not(file_read("/", 10, &b));
	cr_assert_eq(errno, EISDIR);
	buf_finish(&b);
}
