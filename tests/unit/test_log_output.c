/* The log file and its end: what a kill may leave, what a full disk does, and what is not ours. */
#include "log/line.h"
#include "log/output.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

static const struct agentbus_session session = {
	.id = "s",
	.provider = "codex",
	.service_name = "",
	.model = "",
	.reason = "",
	.title = "",
	.project = "shop",
	.project_dir = "",
	.tty = "",
	.tmux_pane = "",
	.window = "",
	.parent_id = "",
	.tool = "",
	.last_error = { .type = "", .message = "" },
};

struct scratch {
	char dir[64], path[96];
};

static struct scratch
scratch_make(void)
{
	struct scratch s = { .dir = "/tmp/ab-output-XXXXXX" };

	cr_assert(mkdtemp(s.dir) != NULL);
	snprintf(s.path, sizeof(s.path), "%s/log", s.dir);
	return s;
}

static void
scratch_remove(const struct scratch *s)
{
	unlink(s->path);
	cr_assert_eq(rmdir(s->dir), 0);
}

static void
put_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert(f && fwrite(text, 1, len, f) == len && fclose(f) == 0);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_size;
}

static void
add_line(struct buffer *b, uint64_t seq)
{
	struct agentbus_event e = { .seq = seq, .boot_id = BOOT, .kind = AGENTBUS_PROMPT, .reason = "", .session = &session };

	cr_assert(line_append(b, LINE_JSON, &e, 1));
}

/* A file that was cut anywhere is continued after its last whole line. */
Test(log_output, every_torn_end_is_cut_off)
{
	struct scratch s = scratch_make();
	struct buffer b = { 0 };
	size_t first;

	add_line(&b, 1);
	first = b.len;
	add_line(&b, 2);
	for (size_t len = 0; len <= b.len; len++) {
		struct output o;
		struct cursor c = { 0 };
		uint64_t whole = len == b.len ? 2 : len >= first ? 1 : 0;

		put_file(s.path, b.ptr, len);
		output_init(&o);
		enum tail tail = output_open(&o, s.path, &c);
		cr_assert_eq(tail, whole ? TAIL_FOUND : TAIL_EMPTY, "%zu bytes", len);
		cr_assert_eq(c.seq, whole, "%zu bytes", len);
		cr_assert_eq(size_of(s.path), (off_t)(whole == 2 ? b.len : whole ? first : 0), "%zu bytes", len);
		output_finish(&o);
	}
	buffer_finish(&b);
	scratch_remove(&s);
}

Test(log_output, zeros_after_a_crash_are_cut_off)
{
	struct scratch s = scratch_make();
	struct buffer b = { 0 };
	struct output o;
	struct cursor c;

	add_line(&b, 7);
	size_t whole = b.len;
	cr_assert(buffer_put(&b, "\0\0\0\0\0\0\0\0", 8));
	put_file(s.path, b.ptr, b.len);
	output_init(&o);
	cr_assert_eq(output_open(&o, s.path, &c), TAIL_FOUND);
	cr_assert_eq(c.seq, 7);
	cr_assert_eq(size_of(s.path), (off_t)whole);
	output_finish(&o);
	buffer_finish(&b);
	scratch_remove(&s);
}

Test(log_output, foreign_files_are_left_alone)
{
	static const char *const foreign[] = { "root:x:0:0:root:/root:/bin/sh\n", "no newline", "\n",
					       "{\"time\":\"x\",\"seq\":1,\"boot_id\":\"b\"}\nand more" };

	struct scratch s = scratch_make();
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct output o;
		struct cursor c = { .seq = 77 };

		put_file(s.path, foreign[i], strlen(foreign[i]));
		output_init(&o);
		cr_assert_eq(output_open(&o, s.path, &c), TAIL_FOREIGN, "%s", foreign[i]);
		cr_assert_eq(size_of(s.path), (off_t)strlen(foreign[i]));
		cr_assert_eq(c.seq, 77);
		cr_assert(o.path == NULL, "as it was");
		output_finish(&o);
	}
	scratch_remove(&s);
}

Test(log_output, a_file_without_a_line_in_sight_is_foreign)
{
	struct scratch s = scratch_make();
	size_t len = 300 * 1024;
	char *text = malloc(len);
	struct output o;
	struct cursor c;

	memset(text, 'x', len);
	memcpy(text, "{\"time\":\"", 9);
	put_file(s.path, text, len);
	output_init(&o);
	cr_assert_eq(output_open(&o, s.path, &c), TAIL_FOREIGN);
	cr_assert_eq(size_of(s.path), (off_t)len);
	output_finish(&o);
	free(text);
	scratch_remove(&s);
}

Test(log_output, a_log_has_one_writer_and_is_a_file)
{
	struct scratch s = scratch_make();
	struct output first, second;
	struct cursor c;

	output_init(&first);
	output_init(&second);
	cr_assert_eq(output_open(&first, s.path, &c), TAIL_EMPTY);
	cr_assert_eq(output_open(&second, s.path, &c), TAIL_ERROR);
	cr_assert_eq(errno, EWOULDBLOCK);
	output_finish(&first);
	cr_assert_eq(output_open(&second, s.path, &c), TAIL_EMPTY);
	output_finish(&second);
	unlink(s.path);
	cr_assert_eq(mkfifo(s.path, 0600), 0);
	cr_assert_eq(output_open(&second, s.path, &c), TAIL_ERROR);
	scratch_remove(&s);
}

Test(log_output, reopening_goes_on_with_the_file_that_has_the_name_now)
{
	struct scratch s = scratch_make();
	char old[112];
	struct output o;
	struct cursor c;

	snprintf(old, sizeof(old), "%s.1", s.path);
	output_init(&o);
	cr_assert_eq(output_open(&o, s.path, &c), TAIL_EMPTY);
	add_line(&o.pending, 1);
	cr_assert_eq(output_flush(&o), OUTPUT_DONE);
	cr_assert_eq(output_open(&o, s.path, &c), TAIL_FOUND, "nothing was renamed");
	cr_assert_eq(c.seq, 1);

	cr_assert_eq(rename(s.path, old), 0);
	cr_assert_eq(output_open(&o, s.path, &c), TAIL_EMPTY);
	add_line(&o.pending, 2);
	cr_assert_eq(output_flush(&o), OUTPUT_DONE);
	cr_assert_eq(size_of(s.path), size_of(old));
	output_finish(&o);
	unlink(old);
	scratch_remove(&s);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file at its size limit behaves as a full disk: whatever fits, then nothing. */
Test(log_output, a_full_disk_leaves_whole_lines_and_loses_none)
{
	struct scratch s = scratch_make();
	struct buffer all = { 0 };
	struct output o;
	struct cursor c;

	signal(SIGXFSZ, SIG_IGN);
	add_line(&all, 1);
	size_t line = all.len;
	add_line(&all, 2);
	add_line(&all, 3);
	for (size_t room = 1; room < all.len; room++) {
		unlink(s.path);
		output_init(&o);
		cr_assert_eq(output_open(&o, s.path, &c), TAIL_EMPTY);
		cr_assert(buffer_put(&o.pending, all.ptr, all.len));
		limit_files((rlim_t)room);
		cr_assert_eq(output_flush(&o), OUTPUT_RETRY, "room for %zu", room);
		cr_assert_eq(output_flush(&o), OUTPUT_RETRY);
		cr_assert_eq(size_of(s.path), (off_t)(room / line * line), "whole lines only, room for %zu", room);
		limit_files(RLIM_INFINITY);
		cr_assert_eq(output_flush(&o), OUTPUT_DONE);
		output_finish(&o);

		char *text = malloc(all.len);
		int fd = open(s.path, O_RDONLY);
		cr_assert_eq(size_of(s.path), (off_t)all.len);
		cr_assert_eq(read(fd, text, all.len), (ssize_t)all.len);
		cr_assert_eq(memcmp(text, all.ptr, all.len), 0);
		close(fd);
		free(text);
	}
	buffer_finish(&all);
	scratch_remove(&s);
}

/* Standard output is a pipe that nobody reads, then one whose reader is gone. */
Test(log_output, a_full_pipe_does_not_block)
{
	struct output o;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(ends), 0);
	output_init(&o);
	o.fd = ends[1];
	for (uint64_t seq = 1; seq <= 1000; seq++)
		add_line(&o.pending, seq);
	size_t all = o.pending.len;
	cr_assert_eq(output_flush(&o), OUTPUT_BUSY);
	cr_assert(o.pending.len > 0 && o.pending.len < all);

	char drained[8192];
	cr_assert(read(ends[0], drained, sizeof(drained)) > 0);
	size_t before = o.pending.len;
	cr_assert_eq(output_flush(&o), OUTPUT_BUSY);
	cr_assert(o.pending.len < before);
	close(ends[0]);
	cr_assert_eq(output_flush(&o), OUTPUT_CLOSED);
	close(ends[1]);
	output_finish(&o);
}
