#include "toml_value.h"

#include <string.h>

struct word {
	const char *text;
	size_t len, at;
};

static int
peek(const struct word *w)
{
	return w->at < w->len ? (unsigned char)w->text[w->at] : -1;
}

static bool
take(struct word *w, const char *any)
{
	const int c = peek(w);

	if (c <= 0 || !strchr(any, c))
		return false;
	w->at++;
	return true;
}

/* Digits of that kind; one underscore may stand between two. Returns how many digits. */
static size_t
take_digits(struct word *w, const char *digits)
{
	size_t count = 0;

	while (take(w, digits)) {
		count++;
		if (peek(w) == '_') {
			w->at++;
			if (peek(w) <= 0 || !strchr(digits, peek(w)))
				return 0;
		}
	}
	return count;
}

static bool
is_number(const char *text, size_t len)
{
	static const char decimal[] = "0123456789";
	static const struct {
		const char *prefix, *digits;
	} bases[] = { { "0x", "0123456789abcdefABCDEF" }, { "0o", "01234567" }, { "0b", "01" } };
	struct word w = { text, len, 0 };

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (len > 2 && memcmp(text, bases[i].prefix, 2) == 0) {
			w.at = 2;
			return take_digits(&w, bases[i].digits) > 0 && w.at == len;
		}
	}
	take(&w, "+-");
	if (len - w.at == 3 && (memcmp(text + w.at, "inf", 3) == 0 || memcmp(text + w.at, "nan", 3) == 0))
		return true;
	const bool zero = peek(&w) == '0';
	const size_t digits = take_digits(&w, decimal);

	if (digits == 0 || (zero && digits > 1))
		return false;
	if (take(&w, ".") && take_digits(&w, decimal) == 0)
		return false;
	if (take(&w, "eE")) {
		take(&w, "+-");
		if (take_digits(&w, decimal) == 0)
			return false;
	}
	return w.at == len;
}

/* Takes what has this shape: 'd' is a digit, all else itself. */
static bool
take_shape(struct word *w, const char *shape)
{
	const size_t len = strlen(shape);

	if (w->len - w->at < len)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = w->text[w->at + i];

		if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
			return false;
	}
	w->at += len;
	return true;
}

static bool
take_time(struct word *w)
{
	if (!take_shape(w, "dd:dd:dd"))
		return false;
	return !take(w, ".") || take_digits(w, "0123456789") > 0;
}

static bool
is_date(const char *text, size_t len)
{
	struct word w = { text, len, 0 };

	if (!take_shape(&w, "dddd-dd-dd"))
		return take_time(&w) && w.at == len;
	if (w.at == len)
		return true;
	if (!take(&w, "Tt ") || !take_time(&w))
		return false;
	if (!take(&w, "Zz") && take(&w, "+-") && !take_shape(&w, "dd:dd"))
		return false;
	return w.at == len;
}

bool
toml_word_ok(const char *text, size_t len)
{
	return (len == 4 && memcmp(text, "true", 4) == 0) || (len == 5 && memcmp(text, "false", 5) == 0) ||
	       is_number(text, len) || is_date(text, len);
}
