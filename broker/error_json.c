#include "error_json.h"

#include <stdint.h>

#define DEPTH_MAX 32

struct level {
	bool object;
	bool tells; /* an error's message may be in it */
};

struct scan {
	const char *at, *end;
	struct level levels[DEPTH_MAX];
	size_t depth;
	struct str key; /* of the member that is read, in an object */
	struct str message;
	size_t rank; /* of message, lower is better; 0: none yet */
};

/* Members that an error may be in, and members that say what it is, the best ones first. */
static const char *const containers[] = { "error", "errors", "response" };
static const char *const sayings[] = { "message", "error_description", "detail", "error" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Which of them s is, counted from 1; 0: none. */
static size_t
which(struct str s, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(s, str_from(names[i])))
			return i + 1;
	return 0;
}

static void
skip_blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

/* Takes the character c if it is next, behind blanks. */
static bool
take(struct scan *s, char c)
{
	skip_blanks(s);
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* The rest of a string whose first quote is taken. */
static bool
take_string(struct scan *s, struct str *ret)
{
	const char *begin = s->at;

	for (; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\' && ++s->at == s->end)
			return false;
	if (s->at == s->end)
		return false;
	*ret = (struct str){ begin, (size_t)(s->at++ - begin) };
	return true;
}

/* A number, true, false, null: nobody asks which. */
static bool
take_scalar(struct scan *s)
{
	const char *begin = s->at;

	while (s->at < s->end && ((*s->at >= '0' && *s->at <= '9') || (*s->at >= 'a' && *s->at <= 'z') || *s->at == '-' ||
				  *s->at == '+' || *s->at == '.' || *s->at == 'E'))
		s->at++;
	return s->at > begin;
}

static bool
take_key(struct scan *s)
{
	return take(s, '"') && take_string(s, &s->key) && take(s, ':');
}

static struct level *
innermost(struct scan *s)
{
	return &s->levels[s->depth - 1];
}

/* Enters an object or an array: outermost, within an array, or a member that may tell. */
static bool
enter(struct scan *s, bool object)
{
	bool tells = s->depth == 0;

	if (s->depth == DEPTH_MAX)
		return false;
	if (s->depth > 0)
		tells = innermost(s)->tells && (!innermost(s)->object || which(s->key, containers, COUNT(containers)));
	s->levels[s->depth++] = (struct level){ .object = object, .tells = tells };
	return true;
}

static void
consider(struct scan *s, struct str text)
{
	const struct level *l = innermost(s);
	size_t saying = l->object && l->tells && text.len > 0 ? which(s->key, sayings, COUNT(sayings)) : 0;
	size_t rank = saying * DEPTH_MAX + s->depth;

	if (saying == 0 || (s->rank && s->rank <= rank))
		return;
	s->rank = rank;
	s->message = text;
}

/* A value, or its beginning if it has parts: then *ret_open is set. */
static bool
take_value(struct scan *s, bool *ret_open)
{
	struct str text;

	*ret_open = true;
	if (take(s, '{'))
		return enter(s, true);
	if (take(s, '['))
		return enter(s, false);
	*ret_open = false;
	if (s->depth == 0)
		return false;
	if (!take(s, '"'))
		return take_scalar(s);
	if (!take_string(s, &text))
		return false;
	consider(s, text);
	return true;
}

/* Goes on to the next value behind one; leaves what ends before it. false at the end of the document, and where it is broken. */
static bool
next_value(struct scan *s, bool opened)
{
	while (s->depth > 0) {
		const struct level *l = innermost(s);

		if (take(s, l->object ? '}' : ']'))
			s->depth--;
		else
			return (opened || take(s, ',')) && (!l->object || take_key(s));
		opened = false;
	}
	return false;
}

size_t
error_json_scan(struct str text, struct str *ret_message)
{
	struct scan s = { .at = text.ptr, .end = text.ptr + text.len };
	bool opened = false, whole = true;

	do
		whole = take_value(&s, &opened);
	while (whole && next_value(&s, opened));
	*ret_message = whole && s.depth == 0 ? s.message : (struct str){ 0 };
	return (size_t)(s.at - text.ptr);
}

/* --- escapes --- */

#define REPLACEMENT 0xfffdu

static const char hex_digits[] = "0123456789abcdefABCDEF";

/* Four hexadecimal digits at s.ptr + i; REPLACEMENT if they are none. */
static uint32_t
hex4(struct str s, size_t i)
{
	uint32_t code = 0;

	if (s.len < 4 || i > s.len - 4)
		return REPLACEMENT;
	for (size_t k = i; k < i + 4; k++) {
		const char *digit = s.ptr[k] ? strchr(hex_digits, s.ptr[k]) : NULL;
		size_t value = digit ? (size_t)(digit - hex_digits) : 0;

		if (!digit)
			return REPLACEMENT;
		code = code << 4 | (uint32_t)(value > 15 ? value - 6 : value);
	}
	return code;
}

/* The character of \uXXXX, or of two of them, whose first digit is at *i; moves *i behind it. */
static uint32_t
take_escaped(struct str s, size_t *i)
{
	uint32_t code = hex4(s, *i), low;

	if (code == REPLACEMENT)
		return code;
	*i += 4;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || *i + 2 > s.len || s.ptr[*i] != '\\' || s.ptr[*i + 1] != 'u')
		return REPLACEMENT;
	low = hex4(s, *i + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	*i += 6;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static size_t
put_utf8(uint32_t code, char *dst)
{
	if (code < 0x80) {
		dst[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		dst[0] = (char)(0xc0 | code >> 6);
		dst[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		dst[0] = (char)(0xe0 | code >> 12);
		dst[1] = (char)(0x80 | (code >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | code >> 18);
	dst[1] = (char)(0x80 | (code >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (code >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

size_t
error_json_unescape(struct str s, char *dst, size_t size)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	size_t n = 0, i = 0;

	while (i < s.len && n + 4 <= size) {
		const char *known;
		char c = s.ptr[i++];

		if (c != '\\' || i == s.len) {
			dst[n++] = c;
			continue;
		}
		c = s.ptr[i++];
		known = c ? strchr(from, c) : NULL;
		if (c == 'u')
			n += put_utf8(take_escaped(s, &i), dst + n);
		else
			dst[n++] = known ? to[known - from] : c;
	}
	return n;
}
