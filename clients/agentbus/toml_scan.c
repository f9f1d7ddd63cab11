#include "toml_scan.h"
#include "toml_value.h"

#include <string.h>

struct scan {
	const struct toml_text *in;
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

static int
peek_at(const struct scan *s, size_t ahead)
{
	return s->in->len - s->at > ahead ? (unsigned char)s->in->text[s->at + ahead] : -1;
}

static int
peek(const struct scan *s)
{
	return peek_at(s, 0);
}

static void
skip_blanks(struct scan *s)
{
	while (peek(s) == ' ' || peek(s) == '\t')
		s->at++;
}

static bool
at_break(const struct scan *s)
{
	return peek(s) == '\n' || (peek(s) == '\r' && peek_at(s, 1) == '\n');
}

static void
skip_break(struct scan *s)
{
	s->at += peek(s) == '\r';
	s->at++;
}

static bool
is_control(int c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static bool
skip_comment(struct scan *s)
{
	if (peek(s) != '#')
		return true;
	while (s->at < s->in->len && !at_break(s)) {
		if (is_control(peek(s)))
			return fail(s, s->at, "a control character in a comment");
		s->at++;
	}
	return true;
}

/* Blanks, comments and ends of lines. */
static bool
skip_lines(struct scan *s)
{
	for (;;) {
		skip_blanks(s);
		if (!skip_comment(s))
			return false;
		if (!at_break(s))
			return true;
		skip_break(s);
	}
}

/* --- strings --- */

static bool
is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool
skip_escape(struct scan *s, bool multi)
{
	const int c = peek_at(s, 1);
	const size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0, begin = s->at;

	if (c > 0 && strchr("btnfr\"\\uU", c)) {
		for (size_t i = 0; i < digits; i++)
			if (!is_hex(peek_at(s, 2 + i)))
				return fail(s, begin, "an unknown escape in a string");
		s->at += 2 + digits;
		return true;
	}
	/* At the end of a line it takes away the line break, and the blanks behind. */
	s->at++;
	skip_blanks(s);
	return (multi && at_break(s)) || fail(s, begin, "an unknown escape in a string");
}

static bool
at_quotes(const struct scan *s, int quote)
{
	return peek(s) == quote && peek_at(s, 1) == quote && peek_at(s, 2) == quote;
}

static bool
skip_string(struct scan *s)
{
	const size_t begin = s->at;
	const int quote = peek(s);
	const bool multi = at_quotes(s, quote);

	s->at += multi ? 3 : 1;
	while (multi ? !at_quotes(s, quote) : peek(s) != quote) {
		const int c = peek(s);

		if (c < 0 || (!multi && at_break(s)))
			return fail(s, begin, "a string has no end");
		if (is_control(c) && !(multi && at_break(s)))
			return fail(s, s->at, "a control character in a string");
		if (c == '\\' && quote == '"') {
			if (!skip_escape(s, multi))
				return false;
		} else if (at_break(s)) {
			skip_break(s);
		} else {
			s->at++;
		}
	}
	s->at += multi ? 3 : 1;
	/* Up to two quotes may stand before the three that end it. */
	for (int i = 0; multi && i < 2 && peek(s) == quote; i++)
		s->at++;
	return true;
}

/* --- keys --- */

static bool
is_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool
skip_part(struct scan *s, struct edit_span *ret)
{
	const size_t begin = s->at;

	const bool quoted = peek(s) == '"' || peek(s) == '\'';

	if (quoted && at_quotes(s, peek(s)))
		return fail(s, begin, "a key over several lines");
	if (quoted && !skip_string(s))
		return false;
	while (!quoted && is_bare(peek(s)))
		s->at++;
	if (s->at == begin)
		return fail(s, begin, "a key is missing");
	*ret = (struct edit_span){ begin, s->at - begin };
	return true;
}

static bool
skip_key(struct scan *s, struct toml_key *ret)
{
	ret->count = 0;
	for (;;) {
		if (ret->count == TOML_KEY_MAX)
			return fail(s, s->at, "a key of too many parts");
		if (!skip_part(s, &ret->part[ret->count++]))
			return false;
		skip_blanks(s);
		if (peek(s) != '.')
			return true;
		s->at++;
		skip_blanks(s);
	}
}

/* --- values --- */

static bool
skip_word(struct scan *s)
{
	const size_t begin = s->at;

	while (peek(s) > 0 && (is_bare(peek(s)) || strchr("+.:", peek(s))))
		s->at++;
	/* "1979-05-27 07:32:00" has a blank in the middle. */
	if (s->at - begin == 10 && peek(s) == ' ' && peek_at(s, 1) >= '0' && peek_at(s, 1) <= '9' &&
	    s->in->text[begin + 4] == '-') {
		s->at++;
		while (peek(s) > 0 && (is_bare(peek(s)) || strchr("+.:", peek(s))))
			s->at++;
	}
	if (!toml_word_ok(s->in->text + begin, s->at - begin))
		return fail(s, begin, s->at == begin ? "a value is missing" : "no value that TOML knows");
	return true;
}

static bool
skip_array(struct scan *s, size_t depth)
{
	const size_t begin = s->at++;

	for (;;) {
		if (!skip_lines(s))
			return false;
		if (peek(s) == ']')
			break;
		if (peek(s) >= 0 && (!skip_value(s, depth) || !skip_lines(s)))
			return false;
		if (peek(s) == ']')
			break;
		if (peek(s) < 0)
			return fail(s, begin, "an array has no end");
		if (peek(s) != ',')
			return fail(s, s->at, "a comma is missing in an array");
		s->at++;
	}
	s->at++;
	return true;
}

static bool
skip_pair(struct scan *s, size_t depth, struct toml_line *ret)
{
	ret->kind = TOML_PAIR;
	ret->begin = s->at;
	if (!skip_key(s, &ret->key))
		return false;
	if (peek(s) != '=')
		return fail(s, s->at, "\"=\" is missing behind a key");
	s->at++;
	skip_blanks(s);
	ret->value.at = s->at;
	if (!skip_value(s, depth))
		return false;
	ret->value.len = s->at - ret->value.at;
	ret->end = s->at;
	return true;
}

/* The next pair of an inline table, from behind its brace or a comma. */
static bool
skip_inline_pair(struct scan *s, size_t depth, struct toml_line *ret)
{
	skip_blanks(s);
	if (!skip_pair(s, depth, ret))
		return false;
	skip_blanks(s);
	if (peek(s) != ',' && peek(s) != '}')
		return fail(s, s->at, "an inline table has no end on its line");
	ret->comma = s->at++;
	return true;
}

static bool
skip_table(struct scan *s, size_t depth)
{
	struct toml_line pair;

	s->at++;
	skip_blanks(s);
	if (peek(s) == '}') {
		s->at++;
		return true;
	}
	do {
		if (!skip_inline_pair(s, depth, &pair))
			return false;
	} while (s->in->text[pair.comma] == ',');
	return true;
}

static bool
skip_value(struct scan *s, size_t depth)
{
	const int c = peek(s);

	if (c == '"' || c == '\'')
		return skip_string(s);
	if (c != '[' && c != '{')
		return skip_word(s);
	if (depth == 0)
		return fail(s, s->at, "nested too deeply");
	return c == '[' ? skip_array(s, depth - 1) : skip_table(s, depth - 1);
}

/* --- lines --- */

static bool
skip_header(struct scan *s, struct toml_line *ret)
{
	const bool array = peek_at(s, 1) == '[';

	ret->kind = array ? TOML_ARRAY_TABLE : TOML_TABLE;
	ret->begin = s->at;
	s->at += array ? 2 : 1;
	skip_blanks(s);
	if (!skip_key(s, &ret->key))
		return false;
	if (peek(s) != ']' || (array && peek_at(s, 1) != ']'))
		return fail(s, s->at, "\"]\" is missing behind the name of a table");
	s->at += array ? 2 : 1;
	return true;
}

static bool
skip_line(struct scan *s, struct toml_line *ret, bool *ret_more)
{
	*ret = (struct toml_line){ 0 };
	if (!skip_lines(s))
		return false;
	*ret_more = s->at < s->in->len;
	if (!*ret_more)
		return true;
	if (!(peek(s) == '[' ? skip_header(s, ret) : skip_pair(s, s->in->max_depth, ret)))
		return false;
	ret->end = s->at;
	skip_blanks(s);
	if (peek(s) == '#') {
		if (!skip_comment(s))
			return false;
		ret->end = s->at;
	}
	if (s->at < s->in->len && !at_break(s))
		return fail(s, s->at, "more on a line than belongs there");
	return true;
}

void
toml_walk_begin(struct toml_walk *w, const struct toml_text *in)
{
	*w = (struct toml_walk){ .in = in, .at = edit_mark(in->text, in->len) };
}

bool
toml_walk_next(struct toml_walk *w, struct toml_line *ret_line)
{
	struct scan s = { .in = w->in, .at = w->at };
	struct toml_line line;
	bool more = false;

	if (!w->fault.what && !skip_line(&s, &line, &more))
		w->fault = s.fault;
	if (w->fault.what || !more)
		return false;
	w->at = s.at;
	*ret_line = line;
	return true;
}

bool
toml_inline_begin(struct toml_walk *w, const struct toml_text *in, size_t at)
{
	if (at >= in->len || in->text[at] != '{')
		return false;
	*w = (struct toml_walk){ .in = in, .at = at };
	return true;
}

bool
toml_inline_next(struct toml_walk *w, struct toml_line *ret_pair)
{
	struct scan s = { .in = w->in, .at = w->at + 1 };
	struct toml_line pair = { 0 };

	/* w->at is the brace, or the comma behind the last pair. */
	if (w->at >= w->in->len || (w->in->text[w->at] != '{' && w->in->text[w->at] != ','))
		return false;
	skip_blanks(&s);
	if (peek(&s) == '}')
		return false;
	if (!skip_inline_pair(&s, w->in->max_depth, &pair)) {
		w->fault = s.fault;
		return false;
	}
	w->at = pair.comma;
	*ret_pair = pair;
	return true;
}

bool
toml_scan_whole(const struct toml_text *in, struct edit_fault *ret_fault)
{
	struct toml_walk w;
	struct toml_line line;

	toml_walk_begin(&w, in);
	while (toml_walk_next(&w, &line))
		;
	if (w.fault.what)
		*ret_fault = w.fault;
	return !w.fault.what;
}

/* --- what strings mean --- */

bool
toml_string_read(const char *raw, size_t len, char *out, size_t size)
{
	static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
	const char quote = len > 0 && (raw[0] == '"' || raw[0] == '\'') ? raw[0] : '\0';
	size_t used = 0;

	if (quote) {
		if (len < 2 || raw[len - 1] != quote || (len >= 6 && raw[1] == quote))
			return false;
		raw++;
		len -= 2;
	}
	for (size_t at = 0; at < len; at++) {
		char c = raw[at];

		if (c == '\\' && quote == '"') {
			const char *letter = at + 1 < len && raw[at + 1] ? strchr(letters, raw[at + 1]) : NULL;

			if (!letter)
				return false;
			c = meanings[letter - letters];
			at++;
		}
		if (used + 1 >= size || c == '\0')
			return false;
		out[used++] = c;
	}
	if (size == 0)
		return false;
	out[used] = '\0';
	return true;
}

bool
toml_string_is(const char *raw, size_t len, const char *want)
{
	char text[256];

	return toml_string_read(raw, len, text, sizeof(text)) && strcmp(text, want) == 0;
}
