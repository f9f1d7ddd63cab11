#include "emit_scan.h"

#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t
skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && is_space(text[at]))
		at++;
	return at;
}

/* The place after the string that begins at `at`; len if it does not end. */
static size_t
skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < len ? at + 1 : len;
}

/* The place after the value at `at`, which ends with its brackets, or before a comma or bracket of the object's. */
static size_t
skip_value(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	while (at < len) {
		const char c = text[at];

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return at;
		if (c == '"') {
			at = skip_string(text, len, at);
			continue;
		}
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		at++;
	}
	return len;
}

bool
emit_scan(const char *text, size_t len, size_t *at, struct emit_member *ret)
{
	size_t p = skip_space(text, len, *at), key, value, end;

	if (p >= len || text[p] != (*at == 0 ? '{' : ','))
		return false;
	key = skip_space(text, len, p + 1);
	if (key >= len || text[key] != '"')
		return false;
	p = skip_string(text, len, key);
	end = p;
	p = skip_space(text, len, p);
	if (p >= len || text[p] != ':')
		return false;
	value = skip_space(text, len, p + 1);
	p = skip_value(text, len, value);
	if (p >= len || p == value) /* cut, or nothing */
		return false;
	*at = p;
	while (p > value && is_space(text[p - 1]))
		p--;
	*ret = (struct emit_member){ text + key + 1, text + value, end - key - 2, p - value };
	return true;
}

bool
emit_begins(const struct emit_member *m, const char *start)
{
	size_t at = m->value_len && m->value[0] == '[' ? skip_space(m->value, m->value_len, 1) : 0;
	const size_t len = strlen(start);

	return at < m->value_len && m->value[at] == '"' && m->value_len - at - 1 >= len &&
	       memcmp(m->value + at + 1, start, len) == 0;
}
