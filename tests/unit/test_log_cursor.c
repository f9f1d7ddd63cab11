#include "log/cursor.h"
#include "log/line.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BOOT "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

/* Whose every text tries to look like the keys that a cursor is read from. */
#define LURE "\",\"seq\":9,\"boot_id\":\"evil\" seq=9 boot_id=evil gap_last_seq=9"

static const struct agentbus_session session = {
	.id = LURE,
	.provider = LURE,
	.service_name = LURE,
	.model = LURE,
	.reason = LURE,
	.title = LURE,
	.project = LURE,
	.project_dir = LURE,
	.tty = "",
	.tmux_pane = "",
	.window = "",
	.parent_id = LURE,
	.tool = LURE,
	.last_error = { .type = LURE, .message = LURE },
};

static const struct agentbus_event prompt = {
	.seq = 1234567890123456789u, .boot_id = BOOT, .kind = AGENTBUS_PROMPT, .reason = LURE, .session = &session
};
static const struct agentbus_event gap = { .kind = AGENTBUS_GAP, .boot_id = "", .reason = LURE, .gap = { 58, 99, BOOT } };
static const struct agentbus_event open_gap = { .kind = AGENTBUS_GAP, .boot_id = "", .reason = LURE, .gap = { 58, 0, BOOT } };

static struct buffer
line_of(enum line_format format, const struct agentbus_event *e)
{
	struct buffer b = { 0 };

	cr_assert(line_append(&b, format, e, 1));
	return b;
}

static void
check_reads(const struct agentbus_event *e, uint64_t seq, bool open)
{
	for (enum line_format f = LINE_JSON; f <= LINE_LOGFMT; f++) {
		struct buffer b = line_of(f, e);
		struct cursor from_line = { 0 }, advanced = { 0 };

		cr_assert(cursor_from_line(b.ptr, b.len - 1, &from_line), "%.*s", (int)b.len, b.ptr);
		cr_assert_str_eq(from_line.boot_id, BOOT);
		cr_assert_eq(from_line.seq, seq);
		cr_assert(from_line.open_gap == open);

		cursor_advance(&advanced, e);
		cr_assert(memcmp(&advanced, &from_line, sizeof(advanced)) == 0, "a line says what the event said");
		buffer_finish(&b);
	}
}

Test(log_cursor, reads_its_own_lines)
{
	check_reads(&prompt, 1234567890123456789u, false);
	check_reads(&gap, 99, false);
	check_reads(&open_gap, 57, true);
}

Test(log_cursor, no_prefix_of_a_json_line_is_a_line)
{
	struct buffer b = line_of(LINE_JSON, &prompt);

	for (size_t len = 0; len < b.len - 1; len++) {
		char *torn = malloc(len + 1); /* of the exact size, so that a sanitizer sees a read past it */
		struct cursor c;

		memcpy(torn, b.ptr, len);
		cr_assert(!cursor_from_line(torn, len, &c), "%zu bytes", len);
		cr_assert(cursor_is_torn_line(torn, len));
		free(torn);
	}
	buffer_finish(&b);
}

Test(log_cursor, prefixes_of_a_logfmt_line_are_torn_lines)
{
	struct buffer b = line_of(LINE_LOGFMT, &open_gap);

	for (size_t len = 0; len < b.len - 1; len++) {
		char *torn = malloc(len ? len : 1);
		struct cursor c;

		memcpy(torn, b.ptr, len);
		cursor_from_line(torn, len, &c);
		cr_assert(cursor_is_torn_line(torn, len));
		free(torn);
	}
	buffer_finish(&b);
}

Test(log_cursor, foreign_text_is_no_line)
{
	static const char *const foreign[] = { "",
					       "hello",
					       "{}",
					       "{\"seq\":5,\"boot_id\":\"x\"}",
					       "seq=5 boot_id=x",
					       "{\"time\":\"t\",\"seq\":5}",
					       "time=t seq=5",
					       "time=t seq=x boot_id=b",
					       "time=t seq=5 boot_id=",
					       "{\"time\":\"t\",\"seq\":99999999999999999999,\"boot_id\":\"x\"}",
					       "{\"time\":\"t\",\"seq\":5,\"boot_id\":\"a b\"}" };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct cursor c = { .seq = 77 };

		cr_assert(!cursor_from_line(foreign[i], strlen(foreign[i]), &c), "%s", foreign[i]);
		cr_assert_eq(c.seq, 77, "untouched");
	}
	cr_assert(!cursor_is_torn_line("root:x:0:0", 10));
	cr_assert(!cursor_is_torn_line("\0\0x", 3));
	cr_assert(cursor_is_torn_line("\0\0\0", 3), "what a crash of the machine leaves");
	cr_assert(cursor_is_torn_line("{\"ti", 4));
}

Test(log_cursor, library_events_do_not_move_it)
{
	struct cursor c = { .boot_id = BOOT, .seq = 5 };

	cursor_advance(&c, &(struct agentbus_event){ .kind = AGENTBUS_CONNECTED, .boot_id = "other" });
	cr_assert_str_eq(c.boot_id, BOOT);
	cr_assert_eq(c.seq, 5);
}

Test(log_cursor, an_open_gap_is_known_again)
{
	struct cursor c = { 0 };
	struct agentbus_event other = open_gap;

	cr_assert(!cursor_has(&c, &open_gap));
	cursor_advance(&c, &open_gap);
	cr_assert(cursor_has(&c, &open_gap));
	cr_assert(!cursor_has(&c, &gap));
	other.gap.boot_id = "another";
	cr_assert(!cursor_has(&c, &other));
	other = open_gap;
	other.gap.first_seq = 57;
	cr_assert(!cursor_has(&c, &other));
	cursor_advance(&c, &prompt);
	cr_assert(!cursor_has(&c, &open_gap));
}

Test(log_cursor, records_come_back_and_anything_else_does_not)
{
	static const struct cursor cursors[] = { { BOOT, 0, false },
						 { BOOT, UINT64_MAX, true },
						 { "123456789012345678901234567890123456789012345678901234567890123", 1,
						   false } };

	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		char record[CURSOR_RECORD_SIZE];
		struct cursor back = { 0 };

		cursor_to_record(&cursors[i], record);
		cr_assert(record[CURSOR_RECORD_SIZE - 1] == '\n');
		cr_assert(cursor_from_record(record, &back));
		cr_assert_str_eq(back.boot_id, cursors[i].boot_id);
		cr_assert_eq(back.seq, cursors[i].seq);
		cr_assert(back.open_gap == cursors[i].open_gap);
		for (size_t at = 0; at < CURSOR_RECORD_SIZE; at++) {
			char damaged[CURSOR_RECORD_SIZE];
			struct cursor c = { .seq = 77 };

			memcpy(damaged, record, sizeof(damaged));
			damaged[at] = '\0';
			cr_assert(!cursor_from_record(damaged, &c), "byte %zu", at);
			cr_assert_eq(c.seq, 77);
		}
	}
}
