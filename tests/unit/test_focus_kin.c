/* Descent, on a /proc of our own making and on the real one. */
#include "agentbus/focus_kin.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char root[64];

static void
setup(void)
{
	strcpy(root, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	cr_assert_eq(system(command), 0);
}

TestSuite(focus_kin, .init = setup, .fini = teardown);

static void
put_file(unsigned pid, const char *name, const char *bytes, size_t len)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%u", root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%u/%s", root, pid, name);
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void
put_process(unsigned pid, unsigned parent, const char *name, int tty, uint64_t ticks)
{
	char text[256];
	const int n = snprintf(text, sizeof(text), "%u (%s) S %u 1 1 %d 1 4194304 9 0 0 0 1 1 0 0 20 0 1 0 %llu 99 9\n", pid,
			       name, parent, tty, (unsigned long long)ticks);

	put_file(pid, "stat", text, (size_t)n);
}

Test(focus_kin, a_shell_in_a_terminal)
{
	put_process(40, 30, "claude", 0x8803, 777);
	put_process(30, 20, "od) d (sh", 0x8803, 5);
	put_process(20, 10, "foot", 0, 4);
	put_process(10, 1, "sway", 0, 3);
	put_process(1, 0, "systemd", 0, 0);
	const struct focus_kin kin = focus_kin_of(root, 40);

	cr_assert_eq(kin.count, 4, "%zu: init shows nothing", kin.count);
	cr_expect_eq(kin.pids[0], 40);
	cr_expect_eq(kin.pids[1], 30);
	cr_expect_eq(kin.pids[2], 20);
	cr_expect_eq(kin.pids[3], 10);
	cr_expect_str_eq(kin.tty, "/dev/pts/3");
	cr_expect_eq(kin.ticks, 777);
}

Test(focus_kin, what_is_no_process)
{
	put_file(50, "stat", "", 0);
	put_file(51, "stat", "51 (cut", 7);
	cr_expect_eq(focus_kin_of(root, 0).count, 0);
	cr_expect_eq(focus_kin_of(root, 1).count, 0);
	cr_expect_eq(focus_kin_of(root, 7).count, 0);
	cr_expect_eq(focus_kin_of(root, 50).count, 0);
	cr_expect_eq(focus_kin_of(root, 51).count, 0);
	put_process(60, 7, "orphan", 0, 1);
	cr_expect_eq(focus_kin_of(root, 60).count, 1, "its parent has gone");
}

Test(focus_kin, every_prefix_of_a_line)
{
	static const char line[] = "40 (a (b) c) S 1 1 1 34819 1 4194304 9 0 0 0 1 1 0 0 20 0 1 0 777 99 9\n";

	for (size_t n = 0; n < sizeof(line); n++) {
		put_file(40, "stat", line, n);
		cr_expect_leq(focus_kin_of(root, 40).count, 1);
	}
	cr_expect_eq(focus_kin_of(root, 40).ticks, 777);
}

Test(focus_kin, a_circle_ends)
{
	put_process(40, 41, "a", 0, 1);
	put_process(41, 40, "b", 0, 1);
	cr_expect_eq(focus_kin_of(root, 40).count, FOCUS_KIN_MAX);
}

Test(focus_kin, environment)
{
	static const char environment[] = "TMUX=/tmp/t,1,0\0TMUX_PANE=%7";
	struct focus_hints h;

	put_file(40, "environ", environment, sizeof(environment));
	cr_assert(focus_kin_hints(root, 40, &h));
	cr_expect_str_eq(h.value[HINT_TMUX], "/tmp/t");
	cr_expect_str_eq(h.tmux_pane, "%7");
	cr_expect_not(focus_kin_hints(root, 41, &h));
}

Test(focus_kin, a_number_that_was_given_to_another_process)
{
	const struct focus_kin kin = focus_kin_of("/proc", (uint32_t)getpid());
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	const uint64_t ns = (uint64_t)now.tv_sec * 1000000000u;

	cr_assert_gt(kin.count, 0);
	cr_expect_eq(kin.pids[0], (uint32_t)getpid());
	cr_expect(focus_kin_older_than(&kin, ns));
	cr_expect_not(focus_kin_older_than(&kin, ns - 60 * UINT64_C(1000000000)), "this test has not run for a minute");
	cr_expect_not(focus_kin_older_than(&kin, 0));
}
