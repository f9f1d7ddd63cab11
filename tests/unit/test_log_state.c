#include "log/state.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

struct place {
	char dir[40], sub[64], path[96];
};

static struct place
place_make(void)
{
	struct place p = { .dir = "/tmp/ab-state-XXXXXX" };

	cr_assert(mkdtemp(p.dir) != NULL);
	snprintf(p.sub, sizeof(p.sub), "%s/a", p.dir);
	snprintf(p.path, sizeof(p.path), "%s/state", p.sub);
	return p;
}

static void
place_remove(const struct place *p)
{
	unlink(p->path);
	rmdir(p->sub);
	cr_assert_eq(rmdir(p->dir), 0);
}

static struct cursor
reopened(const struct place *p, const char *log)
{
	struct state s;
	struct cursor c = { .seq = 77 };

	cr_assert(state_open(&s, p->path, log, &c), "%s", strerror(errno));
	state_close(&s);
	return c;
}

Test(log_state, remembers_for_its_log_only)
{
	struct place p = place_make();
	struct state s;
	struct cursor c;
	struct stat st;

	cr_assert(state_open(&s, p.path, "/var/log/a.log", &c));
	cr_assert(!cursor_known(&c));
	cr_assert(stat(p.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	cr_assert(stat(p.sub, &st) == 0 && (st.st_mode & 0777) == 0700);
	cr_assert(state_save(&s, &(struct cursor){ .boot_id = BOOT, .seq = 5 }));
	cr_assert(state_save(&s, &(struct cursor){ .boot_id = BOOT, .seq = 6, .open_gap = true }));
	state_close(&s);

	c = reopened(&p, "/var/log/a.log");
	cr_assert_str_eq(c.boot_id, BOOT);
	cr_assert_eq(c.seq, 6);
	cr_assert(c.open_gap);
	cr_assert_eq(reopened(&p, "/var/log/a.log").seq, 6, "reading does not change it");
	cr_assert(!cursor_known(&(struct cursor){ 0 }));
	c = reopened(&p, "/var/log/b.log");
	cr_assert(!cursor_known(&c));
	c = reopened(&p, "/var/log/a.log");
	cr_assert(!cursor_known(&c), "it belongs to b.log now");
	place_remove(&p);
}

Test(log_state, has_one_owner)
{
	struct place p = place_make();
	struct state first, second;
	struct cursor c;

	cr_assert(state_open(&first, p.path, "", &c));
	cr_assert(!state_open(&second, p.path, "", &c));
	cr_assert_eq(errno, EWOULDBLOCK);
	state_close(&first);
	cr_assert(state_open(&second, p.path, "", &c));
	state_close(&second);
	place_remove(&p);
}

/* Whatever is in the file, it is either the record that was written or nothing. */
Test(log_state, damage_is_forgotten)
{
	struct place p = place_make();
	char whole[1024];
	struct state s;
	struct cursor c;

	cr_assert(state_open(&s, p.path, "/l", &c));
	cr_assert(state_save(&s, &(struct cursor){ .boot_id = BOOT, .seq = 5 }));
	state_close(&s);
	FILE *f = fopen(p.path, "r");
	size_t len = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	for (size_t cut = 0; cut < len; cut++) {
		f = fopen(p.path, "w");
		cr_assert(fwrite(whole, 1, cut, f) == cut && fclose(f) == 0);
		c = reopened(&p, "/l");
		cr_assert(!cursor_known(&c), "%zu bytes", cut);
	}
	place_remove(&p);
}

Test(log_state, without_a_file_nothing_is_saved)
{
	cr_assert(state_save(&(struct state){ .fd = -1 }, &(struct cursor){ .boot_id = BOOT, .seq = 5 }));
}
