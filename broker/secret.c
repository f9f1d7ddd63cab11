#include "secret.h"

#define MASK "***"

#define KEY_MIN  8  /* with letters and digits, so many look like a key */
#define KEY_LONG 20 /* and so many do whatever they are */

/* How keys begin, and how much must follow; less if it is crossed out, or the text is cut there. */
static const struct {
	const char *prefix;
	size_t min;
} beginnings[] = {
	{ "sk-", 8 },  { "AIza", 10 },       { "AQ.", 16 },   { "xai-", 8 },  { "gsk_", 8 }, { "ghp_", 8 },
	{ "gho_", 8 }, { "github_pat_", 8 }, { "glpat-", 8 }, { "ya29.", 8 }, { "eyJ", 16 }, { "hf_", 16 },
	{ "ghs_", 8 }, { "AKIA", 12 },       { "sess-", 16 }, { "xoxb-", 8 }, { "pk-", 16 },
};

/* Names that a value follows, behind ':' or '='; in small letters, a blank for '-' and '_'. */
static const struct {
	const char *name;
	bool always; /* else only if the value looks like a key */
} names[] = {
	{ "x api key", true },     { "x goog api key", true }, { "authorization", true }, { "access token", true },
	{ "refresh token", true }, { "id token", true },       { "session token", true }, { "secret", true },
	{ "password", true },      { "passwd", true },         { "cookie", true },        { "key", false },
	{ "apikey", false },       { "key provided", false },  { "token", false },
};

static const char *const schemes[] = { "bearer", "basic" };

/* What is said of bearers rather than borne. */
static const char *const plain[] = { "token", "tokens", "auth", "authentication", "authorization", "scheme", "error", "realm" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A secret: so much to keep before it, and its length. */
struct secret {
	size_t keep, len;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_any(char c, const char *of)
{
	return c && strchr(of, c);
}

static struct str
from(struct str s, size_t i)
{
	return (struct str){ s.ptr + i, s.len - i };
}

/* How many bytes of a key s begins with: letters, digits, what keys join them with, and what crosses them out. */
static size_t
key_length(struct str s)
{
	size_t n = 0;

	while (n < s.len) {
		if (is_letter(s.ptr[n]) || is_digit(s.ptr[n]) || is_any(s.ptr[n], "-_.~+/=*%"))
			n++;
		else if (str_starts(from(s, n), STR("\xe2\x80\xa6")) || str_starts(from(s, n), STR("\xe2\x80\xa2")))
			n += 3;
		else
			break;
	}
	while (n > 0 && s.ptr[n - 1] == '.')
		n--;
	return n;
}

static bool
is_crossed_out(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '*' || s.ptr[i] == '\xe2' || str_starts(from(s, i), STR("...")))
			return true;
	return false;
}

static bool
looks_like_key(struct str s)
{
	bool letter = false, digit = false;

	for (size_t i = 0; i < s.len; i++) {
		letter |= is_letter(s.ptr[i]);
		digit |= is_digit(s.ptr[i]);
	}
	return s.len >= KEY_LONG || (s.len >= KEY_MIN && letter && digit) || is_crossed_out(s);
}

/* Whether s begins with the name as a whole word, however it is written. */
static bool
names_at(struct str s, const char *name)
{
	size_t n = strlen(name);

	if (s.len < n || (s.len > n && (is_letter(s.ptr[n]) || is_digit(s.ptr[n]))))
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((is_any(c, "-_") ? ' ' : c) != name[i])
			return false;
	}
	return true;
}

/* Whether a word is this one, or a parameter of that name. */
static bool
says(struct str word, const char *name)
{
	size_t n = strlen(name);

	return names_at(word, name) && (word.len == n || word.ptr[n] == '=');
}

static size_t
skip(struct str s, size_t i, const char *set)
{
	while (i < s.len && is_any(s.ptr[i], set))
		i++;
	return i;
}

/* --- what secrets look like --- */

static bool
begins_like_key(struct str s, struct secret *ret)
{
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		size_t prefix = strlen(beginnings[i].prefix), n;

		if (!str_starts(s, str_from(beginnings[i].prefix)))
			continue;
		n = key_length(s);
		if (n <= prefix || (n - prefix < beginnings[i].min && n < s.len && !is_crossed_out((struct str){ s.ptr, n })))
			continue;
		*ret = (struct secret){ 0, n };
		return true;
	}
	return false;
}

/* "Bearer abc" */
static bool
follows_scheme(struct str s, struct secret *ret)
{
	for (size_t k = 0; k < COUNT(schemes); k++) {
		size_t i = strlen(schemes[k]), n;
		struct str word;

		if (!names_at(s, schemes[k]) || i == s.len || s.ptr[i] != ' ')
			continue;
		i = skip(s, i, " \"'<");
		n = key_length(from(s, i));
		word = (struct str){ s.ptr + i, n };
		for (size_t p = 0; p < COUNT(plain); p++)
			if (says(word, plain[p]))
				return false;
		if (n == 0 || (k > 0 && !looks_like_key(word)))
			return false;
		*ret = (struct secret){ i, n };
		return true;
	}
	return false;
}

/* "x-api-key: abc", "\"token\": \"abc\"", "key=abc", "authorization: Bearer abc" */
static bool
follows_name(struct str s, struct secret *ret)
{
	for (size_t k = 0; k < COUNT(names); k++) {
		size_t i = strlen(names[k].name), n;
		struct secret behind;

		if (!names_at(s, names[k].name))
			continue;
		i = skip(s, i, "\"'\\ ");
		if (i == s.len || !is_any(s.ptr[i], ":="))
			continue;
		i = skip(s, i, ":=\"'\\ ");
		n = key_length(from(s, i));
		if (names[k].always && follows_scheme(from(s, i), &behind)) {
			*ret = (struct secret){ i + behind.keep, behind.len };
			return true;
		}
		if (n == 0 || (!names[k].always && !looks_like_key((struct str){ s.ptr + i, n })))
			continue;
		*ret = (struct secret){ i, n };
		return true;
	}
	return false;
}

/* "ab12****yz" */
static bool
is_crossed_out_key(struct str s, struct secret *ret)
{
	size_t n = key_length(s);

	for (size_t i = 0; i + 3 <= n; i++) {
		if (!str_starts(from(s, i), STR(MASK)))
			continue;
		*ret = (struct secret){ 0, n };
		return true;
	}
	return false;
}

/* "://user:password@" */
static bool
is_user_of_url(struct str s, struct secret *ret)
{
	size_t i = 3;

	if (!str_starts(s, STR("://")))
		return false;
	while (i < s.len && !is_any(s.ptr[i], "/@ \"'?#"))
		i++;
	if (i == s.len || s.ptr[i] != '@' || i == 3)
		return false;
	*ret = (struct secret){ 3, i - 3 };
	return true;
}

static bool (*const kinds[])(struct str s, struct secret *ret) = {
	begins_like_key,
	follows_scheme,
	follows_name,
	is_crossed_out_key,
};

static bool
find(struct str text, size_t i, struct secret *ret)
{
	const struct str s = from(text, i);

	if (s.ptr[0] == ':')
		return is_user_of_url(s, ret);
	if (!(is_letter(s.ptr[0]) || is_digit(s.ptr[0])) || (i > 0 && (is_letter(text.ptr[i - 1]) || is_digit(text.ptr[i - 1]))))
		return false;
	for (size_t k = 0; k < COUNT(kinds); k++)
		if (kinds[k](s, ret))
			return true;
	return false;
}

static size_t
append(char *dst, size_t size, size_t used, struct str s)
{
	size_t n = s.len < size - used ? s.len : size - used;

	if (n)
		memcpy(dst + used, s.ptr, n);
	return used + n;
}

size_t
secret_mask(struct str text, char *dst, size_t size)
{
	size_t used = 0, i = 0;

	while (i < text.len) {
		struct secret secret = { 1, 0 };

		if (find(text, i, &secret)) {
			used = append(dst, size, used, (struct str){ text.ptr + i, secret.keep });
			used = append(dst, size, used, STR(MASK));
		} else {
			used = append(dst, size, used, (struct str){ text.ptr + i, 1 });
		}
		i += secret.keep + secret.len;
	}
	return used;
}
