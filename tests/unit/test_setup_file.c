/* Files of others: nothing is written over what came meanwhile, and what is written can be taken back. */
#include "agentbus/setup_file.h"

#include "agentbus/setup_record.h"
#include "agentbus/setup_write.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32], path[64];

static void
setup(void)
{
	strcpy(dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/c/settings.json", dir);
	setenv("XDG_STATE_HOME", dir, 1);
}

static void
teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(setup_file, .init = setup, .fini = teardown);

static void
put(const char *text)
{
	FILE *out = fopen(path, "w");

	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

static void
expect(const char *text)
{
	struct setup_disk d;
	const char *why;

	cr_assert(setup_disk_read(path, &d, &why), "%s", why);
	cr_expect_str_eq(d.text, text);
	setup_disk_finish(&d);
}

static void
make_dir(void)
{
	char parent[64];

	snprintf(parent, sizeof(parent), "%s/c", dir);
	cr_assert_eq(mkdir(parent, 0755), 0);
}

Test(setup_file, mode_is_kept)
{
	struct setup_disk d;
	struct stat st;
	const char *why;

	make_dir();
	put("old");
	cr_assert_eq(chmod(path, 0644), 0);
	cr_assert(setup_disk_read(path, &d, &why));
	cr_assert(setup_disk_write(&d, "new", 3, &why), "%s", why);
	expect("new");
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
	setup_disk_finish(&d);
}

Test(setup_file, what_came_meanwhile_stays)
{
	struct setup_disk d, none;
	const char *why = NULL;

	cr_assert(setup_disk_read(path, &none, &why));
	cr_expect_not(none.there);
	make_dir();
	put("old");
	cr_assert(setup_disk_read(path, &d, &why));
	put("theirs");
	cr_expect_not(setup_disk_write(&d, "new", 3, &why));
	cr_expect_not(setup_disk_remove(&d, true, &why));
	cr_expect_not(setup_disk_write(&none, "new", 3, &why));
	cr_expect(strstr(why, "changed meanwhile"));
	expect("theirs");
	cr_assert_eq(unlink(path), 0);
	cr_expect_not(setup_disk_write(&d, "new", 3, &why));
	cr_expect_neq(access(path, F_OK), 0);
	/* Nothing is left behind in the directory. */
	cr_expect(setup_disk_write(&none, "new", 3, &why), "%s", why);
	setup_disk_finish(&d);
	cr_assert(setup_disk_read(path, &d, &why));
	cr_expect(setup_disk_remove(&d, true, &why));
	*strrchr(path, '/') = '\0';
	cr_expect_neq(access(path, F_OK), 0);
	setup_disk_finish(&d);
	setup_disk_finish(&none);
}

Test(setup_file, a_file_above_the_limit)
{
	struct setup_disk d;
	const char *why = NULL;

	make_dir();
	put("x");
	cr_assert_eq(truncate(path, SETUP_FILE_MAX + 1), 0);
	cr_expect_not(setup_disk_read(path, &d, &why));
	cr_expect_not_null(why);
}

Test(setup_file, a_record_there_and_back)
{
	static const struct edit_path way = { { "a", "b" }, 2 };
	static struct setup_record r, back;
	const char *why = "x";

	cr_expect_not(setup_record_read("claude", path, &back, &why));
	cr_expect_null(why);
	r = (struct setup_record){ .existed = true, .change_count = 1 };
	cr_assert(edit_change_init(&r.changes[0], EDIT_APPEND, &way, "{\"x\": \"\\u0001\"}"));
	r.changes[0].old = edit_copy("\xff\"\n", 3);
	r.changes[0].inside = edit_copy(" ", 1);
	r.changes[0].created = 2;
	cr_assert(edit_text_add(&r.before, "a\r\n\xff", 4) && edit_text_add(&r.after, "b", 1));
	cr_assert(setup_record_write("claude", path, &r, &why), "%s", why);
	cr_assert(setup_record_read("claude", path, &back, &why), "%s", why);
	cr_expect(back.existed && !back.made_dir && back.change_count == 1);
	cr_expect(back.changes[0].kind == EDIT_APPEND && back.changes[0].depth == 2 && back.changes[0].created == 2);
	cr_expect_str_eq(back.changes[0].key[1], "b");
	cr_expect_str_eq(back.changes[0].value, r.changes[0].value);
	cr_expect_str_eq(back.changes[0].old, "\xff\"\n");
	cr_expect_str_eq(back.changes[0].inside, " ");
	cr_expect(back.before.len == 4 && memcmp(back.before.data, "a\r\n\xff", 4) == 0 && back.after.len == 1);
	setup_record_finish(&back);
	setup_record_remove("claude", path);
	cr_expect_not(setup_record_read("claude", path, &back, &why));
	setup_record_finish(&r);
}

Test(setup_file, a_record_that_is_damaged_undoes_nothing)
{
	static const char *const damages[] = {
		"", "[]", "{\"version\":1,\"changes\":[{}]}", "{\"version\":2,\"changes\":[]}",
		"{\"version\":1,\"changes\":[{\"kind\":\"set\",\"path\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"value\":\"1\"}]}"
	};
	static struct setup_record r;
	const struct setup_cli *cli = setup_cli_named("claude");
	char command[256];
	const char *why;
	size_t left;

	make_dir();
	put("{}");
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		r = (struct setup_record){ 0 };
		cr_assert(setup_record_write("claude", path, &r, &why));
		snprintf(command, sizeof(command), "for f in %s/agentbus/setup/*.json; do echo '%s' >$f; done", dir, damages[i]);
		cr_assert_eq(system(command), 0);
		cr_expect_eq(setup_undo(cli, &cli->files[0], path, &left, &why), SETUP_UNDONE_FAILED);
		expect("{}");
	}
}
