#include "json_scan.h"

#include <string.h>

struct scan {
	const struct json_text *in;
	size_t at;
	struct edit_fault fault;
};

static bool skip_value(struct scan *s, size_t depth);

static bool
fail(struct scan *s, size_t at, const char *what)
{
	s->fault = (struct edit_fault){ at, what };
	return false;
}

/* The byte at the place, or -1 at the end. */
static int
peek(const struct scan *s)
{
	return s->at < s->in->len ? (unsigned char)s->in->text[s->at] : -1;
}

static int
peek_next(const struct scan *s)
{
	return s->in->len - s->at > 1 ? (unsigned char)s->in->text[s->at + 1] : -1;
}

static bool
skip_comment(struct scan *s)
{
	const size_t begin = s->at;
	const bool line = peek_next(s) == '/';

	if (!line && peek_next(s) != '*')
		return fail(s, begin, "a value is missing before \"/\"");
	if (!s->in->relaxed)
		return fail(s, begin, "a comment, which this file cannot have");
	for (s->at += 2; s->at < s->in->len; s->at++) {
		if (line && peek(s) == '\n')
			return true;
		if (peek(s) == '\0')
			return fail(s, s->at, "a NUL byte");
		if (!line && peek(s) == '*' && peek_next(s) == '/') {
			s->at += 2;
			return true;
		}
	}
	return line || fail(s, begin, "a comment has no end");
}

static bool
skip_blank(struct scan *s)
{
	for (;;) {
		while (peek(s) == ' ' || peek(s) == '\t' || peek(s) == '\n' || peek(s) == '\r')
			s->at++;
		if (peek(s) != '/')
			return true;
		if (!skip_comment(s))
			return false;
	}
}

static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
skip_escape(struct scan *s)
{
	const int c = peek_next(s);
	const size_t digits = c == 'u' ? 4 : 0;

	if (c <= 0 || !strchr("\"\\/bfnrtu", c))
		return fail(s, s->at, "an unknown escape in a string");
	for (size_t i = 0; i < digits; i++)
		if (s->in->len - s->at <= 2 + i || hex_digit((unsigned char)s->in->text[s->at + 2 + i]) < 0)
			return fail(s, s->at, "an unknown escape in a string");
	s->at += 2 + digits;
	return true;
}

static bool
skip_string(struct scan *s)
{
	const size_t begin = s->at;

	if (peek(s) != '"')
		return fail(s, s->at, "a key in double quotes is missing");
	s->at++;
	while (peek(s) != '"') {
		if (peek(s) < 0)
			return fail(s, begin, "a string has no end");
		if (peek(s) < 0x20)
			return fail(s, s->at, "a string goes over the end of its line, or has another control character");
		if (peek(s) != '\\')
			s->at++;
		else if (!skip_escape(s))
			return false;
	}
	s->at++;
	return true;
}

static size_t
skip_digits(struct scan *s)
{
	const size_t begin = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - begin;
}

static bool
skip_number(struct scan *s)
{
	const size_t begin = s->at;

	s->at += peek(s) == '-';
	const bool zero = peek(s) == '0';
	const size_t digits = skip_digits(s);
	bool ok = digits > 0 && !(zero && digits > 1);

	if (ok && peek(s) == '.') {
		s->at++;
		ok = skip_digits(s) > 0;
	}
	if (ok && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		s->at += peek(s) == '+' || peek(s) == '-';
		ok = skip_digits(s) > 0;
	}
	return ok || fail(s, begin, "no value that JSON knows");
}

static bool
skip_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const size_t len = strlen(words[i]);

		if (s->in->len - s->at >= len && memcmp(s->in->text + s->at, words[i], len) == 0) {
			s->at += len;
			return true;
		}
	}
	return fail(s, s->at, peek(s) < 0 ? "the file ends where a value should be" : "no value that JSON knows");
}

/* A key with its colon, and the value. */
static bool
skip_child(struct scan *s, bool keyed, size_t depth, struct json_child *ret)
{
	if (keyed) {
		ret->key.at = s->at;
		if (!skip_string(s))
			return false;
		ret->key.len = s->at - ret->key.at;
		if (!skip_blank(s))
			return false;
		if (peek(s) != ':')
			return fail(s, s->at, "a colon is missing behind a key");
		s->at++;
		if (!skip_blank(s))
			return false;
	}
	ret->value.at = s->at;
	if (!skip_value(s, depth))
		return false;
	ret->value.len = s->at - ret->value.at;
	return true;
}

/*
 * The next child of a container whose end is `close`, from behind its bracket or behind the last child and its comma. *ret_more
 * is false at its end, which is passed over then.
 */
static bool
skip_next(struct scan *s, char close, bool first, size_t depth, struct json_child *ret, bool *ret_more)
{
	*ret = (struct json_child){ .comma = JSON_NO_COMMA };
	*ret_more = false;
	if (!skip_blank(s))
		return false;
	if (peek(s) == close) {
		if (!first && !s->in->relaxed)
			return fail(s, s->at, "a comma with nothing behind it");
		s->at++;
		return true;
	}
	if (!skip_child(s, close == '}', depth, ret) || !skip_blank(s))
		return false;
	if (peek(s) == ',')
		ret->comma = s->at++;
	else if (peek(s) != close)
		return fail(s, s->at, peek(s) < 0 ? "a bracket has no end" : "a comma is missing");
	*ret_more = true;
	return true;
}

static bool
skip_container(struct scan *s, size_t depth)
{
	const char close = peek(s) == '{' ? '}' : ']';
	struct json_child child;
	bool more, first = true;

	if (depth == 0)
		return fail(s, s->at, "nested too deeply");
	s->at++;
	do {
		if (!skip_next(s, close, first, depth - 1, &child, &more))
			return false;
		first = false;
		if (more && child.comma == JSON_NO_COMMA) {
			s->at++;
			more = false;
		}
	} while (more);
	return true;
}

static bool
skip_value(struct scan *s, size_t depth)
{
	const int c = peek(s);

	if (c == '{' || c == '[')
		return skip_container(s, depth);
	if (c == '"')
		return skip_string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return skip_number(s);
	return skip_word(s);
}

bool
json_scan_whole(const struct json_text *in, struct edit_span *ret_value, struct edit_fault *ret_fault)
{
	struct scan s = { .in = in, .at = edit_mark(in->text, in->len) };
	struct edit_span value = { 0 };
	bool ok = skip_blank(&s);

	value.at = s.at;
	ok = ok && skip_value(&s, in->max_depth);
	value.len = s.at - value.at;
	ok = ok && skip_blank(&s);
	if (ok && s.at < in->len)
		ok = fail(&s, s.at, "more behind the end of the value");
	if (ok)
		*ret_value = value;
	else
		*ret_fault = s.fault;
	return ok;
}

bool
json_is_blank(const struct json_text *in)
{
	return json_skip_blank(in, edit_mark(in->text, in->len)) == in->len;
}

size_t
json_skip_blank(const struct json_text *in, size_t at)
{
	struct scan s = { .in = in, .at = at };

	return skip_blank(&s) ? s.at : s.fault.at;
}

bool
json_walk_begin(struct json_walk *w, const struct json_text *in, size_t at)
{
	if (at >= in->len || (in->text[at] != '{' && in->text[at] != '['))
		return false;
	*w = (struct json_walk){ in, at + 1, in->text[at] == '{' ? '}' : ']', false };
	return true;
}

bool
json_walk_next(struct json_walk *w, struct json_child *ret_child)
{
	struct scan s = { .in = w->in, .at = w->at };
	struct json_child child;
	bool more = false;

	if (w->over || !skip_next(&s, w->close, true, w->in->max_depth, &child, &more) || !more) {
		w->over = true;
		return false;
	}
	w->at = s.at;
	w->over = child.comma == JSON_NO_COMMA;
	*ret_child = child;
	return true;
}

/* --- what strings mean --- */

static size_t
put_rune(unsigned long rune, char out[4])
{
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	const size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

	if (len == 1) {
		out[0] = (char)rune;
		return 1;
	}
	for (size_t i = len; i-- > 1; rune >>= 6)
		out[i] = (char)(0x80 | (rune & 0x3f));
	out[0] = (char)(first[len] | rune);
	return len;
}

/* The four digits of "\uXXXX" at raw; -1 if they are not there. */
static long
unit_at(const char *raw, size_t len)
{
	long unit = 0;

	if (len < 6 || raw[0] != '\\' || raw[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const int digit = hex_digit((unsigned char)raw[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* One character of a string that is no plain byte. Sets how many bytes it takes in the text; 0 if it is none. */
static size_t
read_escape(const char *raw, size_t len, char out[4], size_t *ret_taken)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *letter = len > 1 && raw[1] != '\0' ? strchr(letters, raw[1]) : NULL;
	long unit = unit_at(raw, len);

	*ret_taken = 0;
	if (letter) {
		*ret_taken = 2;
		out[0] = meanings[letter - letters];
		return 1;
	}
	if (unit < 0)
		return 0;
	*ret_taken = 6;
	const long low = unit >= 0xd800 && unit < 0xdc00 ? unit_at(raw + 6, len - 6) : -1;
	if (low >= 0xdc00 && low < 0xe000) {
		*ret_taken = 12;
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_rune((unsigned long)unit, out);
}

bool
json_string_read(const char *raw, size_t len, char *out, size_t size)
{
	size_t used = 0;

	if (len < 2 || raw[0] != '"' || raw[len - 1] != '"')
		return false;
	for (size_t at = 1, taken; at < len - 1; at += taken) {
		char rune[4] = { raw[at] };
		size_t n = 1;

		taken = 1;
		if (raw[at] == '\\')
			n = read_escape(raw + at, len - 1 - at, rune, &taken);
		if (taken == 0 || n >= size - used || memchr(rune, '\0', n))
			return false;
		memcpy(out + used, rune, n);
		used += n;
	}
	if (size == 0)
		return false;
	out[used] = '\0';
	return true;
}

bool
json_string_is(const char *raw, size_t len, const char *want)
{
	char text[256];

	return json_string_read(raw, len, text, sizeof(text)) && strcmp(text, want) == 0;
}
