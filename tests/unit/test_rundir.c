#include "rundir.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct log quiet = { .level = LEVEL_ERROR };

struct place {
	char base[64], dir[128];
};

static struct place
make_place(void)
{
	struct place p = { .base = "/tmp/agentbus-test-XXXXXX" };

	cr_assert_not_null(mkdtemp(p.base));
	snprintf(p.dir, sizeof(p.dir), "%s/a/b", p.base);
	return p;
}

static void
remove_place(const struct place *p)
{
	char path[160];
	static const char *const left[] = { "a/b/lock", "a/b/events", "a/b", "a", "" };

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->base, left[i]);
		remove(path);
	}
}

Test(rundir, is_made_closed_to_others)
{
	struct place p = make_place();
	struct rundir r;
	struct stat st;

	cr_assert(rundir_open(&r, p.dir, &quiet));
	cr_assert_eq(stat(p.dir, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	rundir_close(&r);
	cr_assert_eq(chmod(p.dir, 0755), 0);
	cr_assert(rundir_open(&r, p.dir, &quiet));
	cr_assert_eq(stat(p.dir, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	rundir_close(&r);
	remove_place(&p);
}

Test(rundir, serves_one_broker)
{
	struct place p = make_place();
	struct rundir first, second;

	cr_assert(rundir_open(&first, p.dir, &quiet));
	cr_assert_not(rundir_open(&second, p.dir, &quiet));
	cr_assert_eq(second.fd, -1);
	rundir_close(&first);
	cr_assert(rundir_open(&second, p.dir, &quiet));
	rundir_close(&second);
	remove_place(&p);
}

Test(rundir, refuses_what_cannot_hold_sockets)
{
	struct place p = make_place();
	struct rundir r;
	char path[300];

	cr_assert_not(rundir_open(&r, "", &quiet));
	snprintf(path, sizeof(path), "%s/%0120d", p.base, 0);
	cr_assert_not(rundir_open(&r, path, &quiet));
	rmdir(path);
	snprintf(path, sizeof(path), "%s/file", p.base);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	cr_assert_not(rundir_open(&r, path, &quiet));
	unlink(path);
	remove_place(&p);
}

Test(rundir, keeps_files_that_are_no_sockets)
{
	struct place p = make_place();
	char url[RUNDIR_PATH_MAX + 8], expected[160];
	struct rundir r;

	cr_assert(rundir_open(&r, p.dir, &quiet));
	cr_assert(rundir_socket(&r, "events", url, &quiet));
	snprintf(expected, sizeof(expected), "ipc://%s/events", p.dir);
	cr_assert_str_eq(url, expected);
	close(openat(r.fd, "events", O_CREAT | O_WRONLY, 0600));
	cr_assert_not(rundir_socket(&r, "events", url, &quiet));
	rundir_close(&r);
	remove_place(&p);
}
