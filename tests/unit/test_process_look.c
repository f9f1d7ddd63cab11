/* Processes and sockets of this very test, and of children of it. */
#include "process_look.h"
#include "process_scan.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint32_t
inode_of(int fd)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

static int
any_socket(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

/* A child that waits until it is killed; it has a socket of its own, and closes `not_mine` first. Its own one's inode is told. */
static pid_t
child(int not_mine, uint32_t *ret_inode)
{
	int told[2];
	pid_t pid;

	cr_assert_eq(pipe(told), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where an assertion ends us */
		struct stat st = { 0 };

		if (not_mine >= 0)
			close(not_mine);
		fstat(socket(AF_INET, SOCK_STREAM, 0), &st);
		const uint32_t inode = (uint32_t)st.st_ino;
		(void)!write(told[1], &inode, sizeof(inode));
		pause();
		_exit(0);
	}
	cr_assert_eq(read(told[0], ret_inode, sizeof(*ret_inode)), (ssize_t)sizeof(*ret_inode));
	close(told[0]);
	close(told[1]);
	return pid;
}

static void
end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(process_look, knows_us)
{
	const uint64_t boot = process_look_boot();
	struct process p, again;
	char dir[256];
	uint64_t birth;
	double age_s;

	cr_assert(getcwd(dir, sizeof(dir)));
	cr_assert(process_look((uint32_t)getpid(), boot, &p));
	cr_assert(process_look((uint32_t)getpid(), boot, &again));
	cr_expect_eq(p.pid, (uint32_t)getpid());
	cr_expect_neq(p.birth, 0);
	cr_expect_eq(p.birth, again.birth);
	cr_expect_not(p.watched);
	cr_expect_str_eq(p.dir, dir);
	cr_assert(process_look_birth((uint32_t)getpid(), boot, &birth, &age_s));
	cr_expect_eq(birth, p.birth);
	cr_expect(age_s > -0.1 && age_s < 600, "%f", age_s);
	cr_assert(process_look_birth((uint32_t)getpid(), boot + 1, &birth, &age_s));
	cr_expect_neq(birth, p.birth, "of another boot");
}

Test(process_look, variables_of_the_environment)
{
	struct process p = { 0 };
	pid_t pid;
	char *const argv[] = { "sleep", "100", NULL };
	char *const env[] = { "SECRET=canary", "TMUX_PANE=%5", "TMUX=/tmp/t,1,2", "WINDOWID=9", NULL };

	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where an assertion ends us */
		execve("/bin/sleep", argv, env);
		_exit(1);
	}
	for (int i = 0; i < 1000 && p.window[0] == '\0'; i++) {
		usleep(1000); /* until it has become another program */
		cr_assert(process_look((uint32_t)pid, 0, &p));
	}
	cr_expect_str_eq(p.tmux_pane, "%5");
	cr_expect_str_eq(p.window, "x11:9,tmux:/tmp/t");
	cr_expect_null(memmem(&p, sizeof(p), "canary", 6));
	end_child(pid);
}

Test(process_look, carriers_and_the_dead_are_nobody)
{
	struct process p;
	uint64_t birth;
	double age_s;
	uint32_t inode;
	uid_t uid;
	const pid_t pid = child(-1, &inode);

	cr_assert(process_look((uint32_t)pid, 0, &p));
	cr_assert_eq(prctl(PR_SET_NAME, "otelcol-contrib"), 0);
	cr_expect_not(process_look((uint32_t)getpid(), 0, &p));
	cr_expect_not(process_look(0x7fffffff, 0, &p));
	cr_expect_not(process_look_owner(0x7fffffff, &uid));
	kill(pid, SIGKILL);
	siginfo_t info;
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_expect_not(process_look_birth((uint32_t)pid, 0, &birth, &age_s), "a zombie");
	waitpid(pid, NULL, 0);
	cr_expect_not(process_look((uint32_t)pid, 0, &p));
}

Test(process_look, holders_of_sockets)
{
	struct process_sockets *s = calloc(1, sizeof(*s));
	const int fd = any_socket();
	const uint32_t inode = inode_of(fd), own = (uint32_t)getpid();
	uint32_t other;
	const pid_t pid = child(fd, &other);

	cr_expect_eq(process_look_holder(s, inode), 0);
	cr_expect_not(process_look_sockets((uint32_t)pid, inode, s));
	cr_expect_eq(process_look_holder(s, other), (uint32_t)pid);
	cr_expect(process_look_sockets(own, inode, s));
	cr_expect_eq(process_look_holder(s, inode), own);
	close(fd);
	cr_expect_eq(process_look_holder(s, inode), 0, "no more");
	end_child(pid);
	cr_expect_eq(process_look_holder(s, other), 0);
	free(s);
}

Test(process_look, what_a_child_has_inherited_is_its_parents)
{
	struct process_sockets *s = calloc(1, sizeof(*s));
	const int fd = any_socket();
	const uint32_t inode = inode_of(fd), own = (uint32_t)getpid();
	uint32_t other;
	const pid_t pid = child(-1, &other);

	cr_assert(process_look_sockets((uint32_t)pid, inode, s));
	cr_expect_eq(process_look_eldest((uint32_t)pid, inode, s), own);
	cr_expect_eq(process_look_eldest((uint32_t)pid, other, s), (uint32_t)pid);
	end_child(pid);
	close(fd);
	free(s);
}

/* --- passes --- */

static size_t
pass(struct process_scan *s, struct process_want *found, uint32_t *pids, size_t max)
{
	size_t n = 0;

	do {
		struct process_want w;
		uint32_t pid;

		while (process_scan_step(s, &w, &pid)) {
			cr_assert_lt(n, max);
			found[n] = w;
			pids[n++] = pid;
		}
	} while (s->running);
	return n;
}

Test(process_scan, one_pass_finds_all_that_are_wanted)
{
	struct process_sockets *sockets = calloc(1, sizeof(*sockets));
	struct process_scan s;
	struct process_want found[4];
	uint32_t pids[4], inodes[3];
	pid_t children[3];

	process_scan_init(&s, sockets);
	for (unsigned i = 0; i < 3; i++) {
		children[i] = child(-1, &inodes[i]);
		cr_assert(process_scan_want(&s, &(struct process_want){ i + 1, inodes[i], getuid(), false }));
	}
	cr_expect_not(process_scan_want(&s, &(struct process_want){ 1, inodes[0], getuid(), false }), "wanted already");
	cr_assert(process_scan_want(&s, &(struct process_want){ 9, 1, getuid(), false }), "nobody holds it");
	cr_assert_eq(pass(&s, found, pids, 4), 3);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(pids[i], (uint32_t)children[found[i].peer - 1]);
	cr_expect_eq(s.want_count, 0, "what nobody holds is forgotten");
	cr_expect_null(s.pids);
	for (unsigned i = 0; i < 3; i++)
		end_child(children[i]);
	process_scan_finish(&s);
	free(sockets);
}

Test(process_scan, processes_of_others_are_not_looked_at)
{
	struct process_sockets *sockets = calloc(1, sizeof(*sockets));
	struct process_scan s;
	struct process_want found[1];
	uint32_t pid, inode;
	const pid_t c = child(-1, &inode);

	process_scan_init(&s, sockets);
	cr_assert(process_scan_want(&s, &(struct process_want){ 1, inode, getuid() + 1, false }));
	cr_expect_eq(pass(&s, found, &pid, 1), 0);
	end_child(c);
	process_scan_finish(&s);
	free(sockets);
}

Test(process_scan, what_comes_in_the_middle_of_a_pass_has_the_next_one)
{
	struct process_sockets *sockets = calloc(1, sizeof(*sockets));
	struct process_scan s;
	struct process_want found[2];
	uint32_t pid, inode;
	pid_t c;

	process_scan_init(&s, sockets);
	cr_assert(process_scan_want(&s, &(struct process_want){ 1, 1, getuid(), false }));
	process_scan_step(&s, &found[0], &pid);
	c = child(-1, &inode);
	s.left = 0; /* all others have been looked at */
	s.running = true;
	cr_assert(process_scan_want(&s, &(struct process_want){ 2, inode, getuid(), false }));
	cr_assert_not(process_scan_step(&s, &found[0], &pid));
	cr_assert_eq(s.want_count, 1);
	cr_assert_eq(pass(&s, found, &pid, 1), 1);
	cr_expect_eq(pid, (uint32_t)c);
	end_child(c);
	process_scan_finish(&s);
	free(sockets);
}

Test(process_scan, wants_are_bounded)
{
	struct process_sockets *sockets = calloc(1, sizeof(*sockets));
	struct process_scan s;

	process_scan_init(&s, sockets);
	for (unsigned i = 0; i < PROCESS_WANTS_MAX; i++)
		cr_assert(process_scan_want(&s, &(struct process_want){ i + 1, i + 1, getuid(), false }));
	cr_expect_not(process_scan_want(&s, &(struct process_want){ 1000, 1, getuid(), false }));
	process_scan_finish(&s);
	cr_expect_eq(s.want_count, 0);
	free(sockets);
}
