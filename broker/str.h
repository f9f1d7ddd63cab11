/* A view of bytes that somebody else owns: pointer and length, no terminator. */
#ifndef AGENTBUS_STR_H
#define AGENTBUS_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

static inline struct str
str_from(const char *s)
{
	return (struct str){ s, s ? strlen(s) : 0 };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/*
 * Copies s into dst of the given size, cut at a UTF-8 boundary if too long, always terminated. size must not be 0.
 * What arrives in dst is fit for the bus and for a terminal: valid UTF-8 without control characters. Each control
 * character (C0, DEL, C1) becomes a space, each byte that is not UTF-8 becomes U+FFFD.
 */
void str_copy(char *dst, size_t size, struct str s);

/* How many bytes s begins with are whole characters of valid UTF-8. */
size_t str_valid(struct str s);

/*
 * Copies s with U+FFFD in the place of each byte that is not UTF-8; all else stays, control characters too. Not terminated.
 * Returns the length; with dst NULL it only tells that: three times that of s at most.
 */
size_t str_mend(char *dst, struct str s);

#endif
