#include "log/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RECORD_MAGIC "agentbus-cursor-1"

/* The keys that a line begins with, as each format spells them. Text chosen by a CLI comes after them only. */
struct spelling {
	const char *start, *seq, *boot_id, *gap_first, *gap_last;
	char text_end, line_end; /* what ends the boot id; what ends the line, 0 for anything */
};

static const struct spelling spellings[] = {
	{ .start = "{\"time\":\"",
	  .seq = ",\"seq\":",
	  .boot_id = ",\"boot_id\":\"",
	  .gap_first = ",\"gap_first_seq\":",
	  .gap_last = ",\"gap_last_seq\":",
	  .text_end = '"',
	  .line_end = '}' },
	{ .start = "time=",
	  .seq = " seq=",
	  .boot_id = " boot_id=",
	  .gap_first = " gap_first_seq=",
	  .gap_last = " gap_last_seq=",
	  .text_end = ' ' },
};

static bool
boot_id_valid(const char *boot_id, size_t len)
{
	if (len == 0 || len >= CURSOR_BOOT_ID_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (boot_id[i] <= ' ' || boot_id[i] > '~')
			return false;
	return true;
}

static void
place(struct cursor *c, const char *boot_id, size_t len, uint64_t seq, bool open_gap)
{
	*c = (struct cursor){ .seq = seq, .open_gap = open_gap };
	memcpy(c->boot_id, boot_id, len);
}

bool
cursor_set(struct cursor *c, const char *boot_id, uint64_t seq)
{
	size_t len = strlen(boot_id);

	if (!boot_id_valid(boot_id, len))
		return false;
	place(c, boot_id, len, seq, false);
	return true;
}

/* A gap stands at its end, or just before its beginning if it has no end. */
static uint64_t
gap_seq(uint64_t first, uint64_t last)
{
	return last ? last : first ? first - 1 : 0;
}

void
cursor_advance(struct cursor *c, const struct agentbus_event *e)
{
	bool gap = e->kind == AGENTBUS_GAP;
	const char *boot_id = gap ? e->gap.boot_id : e->boot_id;
	uint64_t seq = gap ? gap_seq(e->gap.first_seq, e->gap.last_seq) : e->seq;

	if ((gap || e->seq) && boot_id_valid(boot_id, strlen(boot_id)))
		place(c, boot_id, strlen(boot_id), seq, gap && e->gap.last_seq == 0);
}

bool
cursor_has(const struct cursor *c, const struct agentbus_event *e)
{
	return c->open_gap && e->kind == AGENTBUS_GAP && e->gap.last_seq == 0 && strcmp(e->gap.boot_id, c->boot_id) == 0 &&
	       gap_seq(e->gap.first_seq, 0) == c->seq;
}

static bool
read_number(const char *text, const char *end, uint64_t *ret)
{
	uint64_t number = 0;

	if (text == end || *text < '0' || *text > '9')
		return false;
	for (; text < end && *text >= '0' && *text <= '9'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = number;
	return true;
}

/* The text after the first key in [line, end), or NULL. */
static const char *
after_key(const char *line, const char *end, const char *key)
{
	const char *found = memmem(line, (size_t)(end - line), key, strlen(key));

	return found ? found + strlen(key) : NULL;
}

static bool
key_number(const char *line, const char *end, const char *key, uint64_t *ret)
{
	const char *text = after_key(line, end, key);

	return text && read_number(text, end, ret);
}

static bool
read_line(const struct spelling *sp, const char *line, size_t len, struct cursor *ret)
{
	const char *end = line + len;
	const char *boot_id = after_key(line, end, sp->boot_id);
	uint64_t seq, first, last = 0;

	if (len < strlen(sp->start) || memcmp(line, sp->start, strlen(sp->start)) != 0 || !boot_id)
		return false;
	if (sp->line_end && end[-1] != sp->line_end)
		return false;
	const char *boot_end = memchr(boot_id, sp->text_end, (size_t)(end - boot_id));
	size_t boot_len = (size_t)((boot_end ? boot_end : end) - boot_id);
	if (!boot_id_valid(boot_id, boot_len))
		return false;

	/* seq stands before boot_id, and what a gap says stands right after it. */
	if (key_number(line, boot_id, sp->seq, &seq)) {
		place(ret, boot_id, boot_len, seq, false);
		return true;
	}
	if (!key_number(boot_id, end, sp->gap_first, &first))
		return false;
	key_number(boot_id, end, sp->gap_last, &last);
	place(ret, boot_id, boot_len, gap_seq(first, last), last == 0);
	return true;
}

bool
cursor_from_line(const char *line, size_t len, struct cursor *ret)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (read_line(&spellings[i], line, len, ret))
			return true;
	return false;
}

bool
cursor_is_torn_line(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t start = strlen(spellings[i].start);

		if (memcmp(text, spellings[i].start, len < start ? len : start) == 0)
			return true;
	}
	/* Zeros are what a crash of the machine may leave of the newest writes. */
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\0')
			return false;
	return true;
}

void
cursor_to_record(const struct cursor *c, char record[CURSOR_RECORD_SIZE])
{
	int len = snprintf(record, CURSOR_RECORD_SIZE, RECORD_MAGIC " %s %" PRIu64 " %s", c->boot_id, c->seq,
			   c->open_gap ? "gap" : "event");

	memset(record + len, ' ', CURSOR_RECORD_SIZE - 1 - (size_t)len);
	record[CURSOR_RECORD_SIZE - 1] = '\n';
}

bool
cursor_from_record(const char record[CURSOR_RECORD_SIZE], struct cursor *ret)
{
	char text[CURSOR_RECORD_SIZE], boot_id[CURSOR_BOOT_ID_SIZE], what[6], again[CURSOR_RECORD_SIZE];
	struct cursor c;

	if (record[CURSOR_RECORD_SIZE - 1] != '\n')
		return false;
	memcpy(text, record, CURSOR_RECORD_SIZE - 1);
	text[CURSOR_RECORD_SIZE - 1] = '\0';
	if (sscanf(text, RECORD_MAGIC " %63s %" SCNu64 " %5s", boot_id, &c.seq, what) != 3 ||
	    !boot_id_valid(boot_id, strlen(boot_id)))
		return false;
	place(&c, boot_id, strlen(boot_id), c.seq, strcmp(what, "gap") == 0);

	/* Only what cursor_to_record() writes is a record. */
	cursor_to_record(&c, again);
	if (memcmp(again, record, CURSOR_RECORD_SIZE) != 0)
		return false;
	*ret = c;
	return true;
}
