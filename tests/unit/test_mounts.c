#include "mounts.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char table[] = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
			    "23 22 0:20 / /proc rw - proc proc rw\n"
			    "40 22 0:40 / /net rw,relatime shared:5 master:1 - autofs systemd-1 rw,fd=50\n"
			    "41 22 0:41 / /home/dev/my\\040files rw - fuse.sshfs host:/x rw\n"
			    "42 22 0:42 / /srv rw - nfs4 host:/srv rw\n"
			    "43 42 0:43 / /srv/local rw - tmpfs tmpfs rw\n";

static struct mounts
read_table(const char *text, size_t len, bool want)
{
	struct mounts m;

	mounts_init(&m);
	m.fd = open("/dev/null", 0);
	cr_assert_eq(mounts_read(&m, text, len), want, "%zu", len);
	return m;
}

Test(mounts, what_may_wait_is_not_looked_at)
{
	static const struct {
		const char *path;
		bool may;
	} cases[] = {
		{ "/", true },
		{ "/home/dev", true },
		{ "/net", false },
		{ "/net/host/x", false },
		{ "/network", true },
		{ "/home/dev/my files/x", false },
		{ "/srv/a", false },
		{ "/srv/local/x", false },
		{ "/home/dev/my", true },
	};
	struct mounts m = read_table(table, sizeof(table) - 1, true);

	/* A descriptor that never tells of a change: the table stays as it was read. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(mounts_may_look(&m, cases[i].path), cases[i].may, "%s", cases[i].path);
	mounts_finish(&m);
}

Test(mounts, where_all_of_it_may_wait_nothing_is_looked_at)
{
	static const char root[] = "22 1 8:1 / / rw - nfs host:/ rw\n";
	struct mounts m = read_table(root, sizeof(root) - 1, true);

	cr_expect_not(mounts_may_look(&m, "/"));
	cr_expect_not(mounts_may_look(&m, "/home"));
	mounts_finish(&m);
}

Test(mounts, a_table_that_is_cut_off_tells_nothing)
{
	for (size_t len = 0; len < sizeof(table) - 1; len++) {
		struct mounts m = read_table(table, len, len == 0 || table[len - 1] == '\n');

		if (len && table[len - 1] != '\n')
			cr_expect_not(mounts_may_look(&m, "/home/dev"));
		mounts_finish(&m);
	}
	for (size_t i = 0; i < 2; i++) {
		const char *text = i ? "1 2 3\n" : "1 2 3 4 5 6 - \n";
		struct mounts m = read_table(text, strlen(text), false);
		mounts_finish(&m);
	}
}

Test(mounts, more_than_are_remembered)
{
	static const char line[] = "42 22 0:42 / /srv/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa rw - nfs4 host:/srv rw\n";
	char *text = calloc(1000, sizeof(line));

	for (size_t i = 0; i < 1000; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
	struct mounts m = read_table(text, 1000 * (sizeof(line) - 1), false);
	cr_expect_not(mounts_may_look(&m, "/home/dev"));
	mounts_finish(&m);
	free(text);
}

Test(mounts, those_of_this_machine)
{
	struct mounts m;

	mounts_init(&m);
	cr_expect_not(mounts_may_look(&m, "/") && !m.known);
	cr_expect_geq(m.fd, 0);
	mounts_finish(&m);
}
