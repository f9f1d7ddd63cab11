/*
 * Numbers, times and foreign text as people and terminals like them.
 *
 * Functions with an out write at most size bytes there, its NUL included, and return it.
 */
#ifndef CLIENTS_COMMON_TEXT_H
#define CLIENTS_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for every text that has no text in it. */
enum { TEXT_SIZE = 48 };

/* Now, in nanoseconds since the epoch. */
uint64_t text_now(void);

/* "2026-11-23T02:30:00.123456789Z": RFC 3339 in UTC, always nine digits; "" for 0. */
const char *text_rfc3339(uint64_t ns, char *out, size_t size);

/* "02:30:00" in local time; "" for 0. */
const char *text_clock(uint64_t ns, char *out, size_t size);

/* "850ms" (below a second), "12s", "3m 12s", "1h 05m", "2d 4h". */
const char *text_duration(uint64_t ns, char *out, size_t size);

/* "950", "52.2k", "1.3M", "412G": at most six characters below 1e18. */
const char *text_count(uint64_t n, char *out, size_t size);

/* "$0.00", "$0.0042", "$1.24", "$312" from pico-dollars. */
const char *text_usd(int64_t pico_dollars, char *out, size_t size);

/* The same as a plain number, exact and no longer than needed: "0.0015". */
const char *text_usd_exact(int64_t pico_dollars, char *out, size_t size);

/* The part of an id that tells sessions apart at a glance: its last eight characters (UUIDs of version 7 begin alike). */
const char *text_short_id(const char *id);

/*
 * The text in at most this many columns of a terminal, "…" in place of what is cut. Control characters, which could
 * command the terminal, and bytes that are not UTF-8 become "?". Needs setlocale(LC_CTYPE, "") to know wide characters.
 */
const char *text_clip(const char *text, size_t columns, char *out, size_t size);

/* How many columns a terminal needs for the text, as text_clip() would write it. */
size_t text_columns(const char *text);

/*
 * Takes one character of UTF-8. Returns how many bytes it has and sets *ret_rune; 1 and U+FFFD for a byte that does not
 * belong there; 0 at the end of the text.
 */
size_t text_rune(const char *text, uint32_t *ret_rune);

/* Whether text_clip() keeps the character: it commands no terminal, turns no direction, and is not U+FFFD. */
bool text_shown(uint32_t rune);

#endif
