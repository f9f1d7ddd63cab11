#include "process_text.h"

#include <stdio.h>
#include <stdlib.h>

#define PTS_MAJOR  136
#define PTS_MAJORS 8
#define TTY_MAJOR  4
#define TTYS       64

/* Places of the fields after the name, from 0. */
#define STATE_AT  0
#define PARENT_AT 1
#define TTY_AT    4
#define START_AT  19

/* --- stat --- */

static const char *
last_of(struct str text, char c)
{
	return text.len ? memrchr(text.ptr, c, text.len) : NULL;
}

static bool
read_number(struct str field, uint64_t *ret)
{
	uint64_t n = 0;

	if (field.len == 0 || field.len > 19)
		return false;
	for (size_t i = 0; i < field.len; i++) {
		if (field.ptr[i] < '0' || field.ptr[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(field.ptr[i] - '0');
	}
	*ret = n;
	return true;
}

/* Takes a field off the front; it counts only if something follows, or it may be cut off. */
static bool
next_field(struct str *rest, struct str *ret)
{
	const char *end = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;

	if (!end)
		return false;
	*ret = (struct str){ rest->ptr, (size_t)(end - rest->ptr) };
	*rest = (struct str){ end + 1, rest->len - ret->len - 1 };
	return true;
}

bool
process_text_stat(struct str text, struct process_stat *ret)
{
	/* The name may hold anything, brackets too: it ends at the last one. */
	const char *open = text.len ? memchr(text.ptr, '(', text.len) : NULL, *close = last_of(text, ')');
	struct process_stat s = { 0 };
	struct str rest, field;
	uint64_t tty = 0, parent = 0;

	if (!open || !close || close < open || (size_t)(close + 2 - text.ptr) > text.len)
		return false;
	str_copy(s.name, sizeof(s.name), (struct str){ open + 1, (size_t)(close - open - 1) });
	rest = (struct str){ close + 2, text.len - (size_t)(close + 2 - text.ptr) };
	for (unsigned i = 0; i <= START_AT; i++) {
		if (!next_field(&rest, &field))
			return false;
		if (i == STATE_AT)
			s.dead = field.len == 1 && (field.ptr[0] == 'Z' || field.ptr[0] == 'X');
		if (i == PARENT_AT && !read_number(field, &parent))
			return false;
		if (i == TTY_AT && !read_number(field, &tty))
			tty = 0;
		if (i == START_AT && !read_number(field, &s.start))
			return false;
	}
	s.parent = (uint32_t)parent;
	s.tty = (uint32_t)tty;
	*ret = s;
	return true;
}

void
process_text_tty(uint32_t device, char ret[PROCESS_TTY_MAX])
{
	const unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);

	ret[0] = '\0';
	if (major >= PTS_MAJOR && major < PTS_MAJOR + PTS_MAJORS)
		snprintf(ret, PROCESS_TTY_MAX, "/dev/pts/%u", (major - PTS_MAJOR) * 256 + minor);
	else if (major == TTY_MAJOR && minor < TTYS)
		snprintf(ret, PROCESS_TTY_MAX, "/dev/tty%u", minor);
}

/* --- names --- */

bool
process_text_socket(struct str link, uint32_t *ret)
{
	const struct str head = STR("socket:[");
	uint64_t n;

	if (!str_starts(link, head) || link.ptr[link.len - 1] != ']')
		return false;
	if (!read_number((struct str){ link.ptr + head.len, link.len - head.len - 1 }, &n) || n == 0 || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

bool
process_text_number(const char *name, uint32_t *ret)
{
	uint64_t n;

	if (!read_number(str_from(name), &n) || n > INT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* --- environ --- */

static void
end_entry(struct process_environ *e)
{
	const char *equals = e->held ? memchr(e->entry, '=', e->held) : NULL;
	size_t i;

	if (equals && !e->passed_over) {
		const size_t name_len = (size_t)(equals - e->entry), len = e->held - name_len - 1;

		i = hint_index((struct str){ e->entry, name_len });
		if (i < HINT_COUNT && len < HINT_VALUE_MAX) {
			memcpy(e->values[i], equals + 1, len);
			e->values[i][len] = '\0';
		}
	}
	explicit_bzero(e->entry, sizeof(e->entry));
	e->held = 0;
	e->passed_over = false;
}

void
process_environ_feed(struct process_environ *e, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\0')
			end_entry(e);
		else if (e->held == sizeof(e->entry))
			e->passed_over = true;
		else
			e->entry[e->held++] = bytes[i];
	}
}

void
process_environ_values(const struct process_environ *e, struct str ret[HINT_COUNT])
{
	for (size_t i = 0; i < HINT_COUNT; i++)
		ret[i] = str_from(e->values[i]);
}
