#include "str.h"

#include <stdint.h>

#define REPLACEMENT  "\xef\xbf\xbd"                        /* U+FFFD */
#define EACH_BYTE(b) ((uint64_t)0x0101010101010101u * (b)) /* of a word */

/* The well-formed sequences of Unicode's table 3-7: by first byte, the bounds of the second and the whole length. */
static const struct utf8_form {
	uint8_t first, last, second_min, second_max, length;
} forms[] = {
	{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Length of the character that s begins with, 0 if it is not valid UTF-8. s is not empty. */
static size_t
utf8_length(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct utf8_form *f = &forms[i];

		if (p[0] < f->first || p[0] > f->last)
			continue;
		if (f->length > s.len || (f->length > 1 && (p[1] < f->second_min || p[1] > f->second_max)))
			return 0;
		for (size_t k = 2; k < f->length; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return f->length;
	}
	return 0;
}

/* C0, DEL and C1: they move cursors and start escape sequences. */
static bool
is_control(const char *p, size_t length)
{
	uint8_t a = (uint8_t)p[0];

	return (length == 1 && (a < 0x20 || a == 0x7f)) || (length == 2 && a == 0xc2 && (uint8_t)p[1] < 0xa0);
}

/* Whether each of eight bytes is ASCII: none has its highest bit. */
static bool
is_ascii(uint64_t word)
{
	return (word & EACH_BYTE(0x80)) == 0;
}

/* Whether each is ASCII and no control character: adding to it reaches the highest bit from 0x20 on, and not before 0x7f. */
static bool
is_plain(uint64_t word)
{
	return is_ascii(word) && is_ascii(word + EACH_BYTE(0x01)) &&
	       ((word + EACH_BYTE(0x60)) & EACH_BYTE(0x80)) == EACH_BYTE(0x80);
}

/* How many bytes s begins with that need no second look; nearly all text is nothing else. */
static size_t
plain_length(struct str s)
{
	size_t n = 0;

	for (uint64_t word; s.len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, s.ptr + n, sizeof(word));
		if (!is_plain(word))
			break;
	}
	while (n < s.len && s.ptr[n] >= 0x20 && s.ptr[n] < 0x7f)
		n++;
	return n;
}

void
str_copy(char *dst, size_t size, struct str s)
{
	size_t used = plain_length(s.len < size ? s : (struct str){ s.ptr, size - 1 });

	if (used) {
		memcpy(dst, s.ptr, used);
		s.ptr += used;
		s.len -= used;
	}
	while (s.len > 0) {
		const char *from = s.ptr;
		size_t length = utf8_length(s), out = length;

		if (length == 0) {
			from = REPLACEMENT;
			length = 1;
			out = sizeof(REPLACEMENT) - 1;
		} else if (is_control(s.ptr, length)) {
			from = " ";
			out = 1;
		}
		if (out >= size - used)
			break;
		memcpy(dst + used, from, out);
		used += out;
		s.ptr += length;
		s.len -= length;
	}
	dst[used] = '\0';
}

/* Length of what s begins with that is ASCII; nearly all text is nothing else. */
static size_t
ascii_length(struct str s)
{
	size_t n = 0;

	for (uint64_t word; s.len - n >= sizeof(word); n += sizeof(word)) {
		memcpy(&word, s.ptr + n, sizeof(word));
		if (!is_ascii(word))
			break;
	}
	while (n < s.len && (uint8_t)s.ptr[n] < 0x80)
		n++;
	return n;
}

size_t
str_valid(struct str s)
{
	size_t n = ascii_length(s);

	while (n < s.len) {
		const size_t length = utf8_length((struct str){ s.ptr + n, s.len - n });

		if (length == 0)
			break;
		n += length;
		n += ascii_length((struct str){ s.ptr + n, s.len - n });
	}
	return n;
}

size_t
str_mend(char *dst, struct str s)
{
	const size_t size = sizeof(REPLACEMENT) - 1;
	size_t used = 0;

	while (s.len > 0) {
		const size_t length = str_valid(s);

		if (dst && length)
			memcpy(dst + used, s.ptr, length);
		used += length;
		s.ptr += length;
		s.len -= length;
		if (s.len == 0)
			break;
		if (dst)
			memcpy(dst + used, REPLACEMENT, size);
		used += size;
		s.ptr++;
		s.len--;
	}
	return used;
}
