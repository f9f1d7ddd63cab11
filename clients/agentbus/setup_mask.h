/* Which parts of a configuration file are secrets, as far as one can tell: JSON, with or without comments, and TOML. Pure. */
#ifndef CLIENTS_AGENTBUS_SETUP_MASK_H
#define CLIENTS_AGENTBUS_SETUP_MASK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A byte for each byte of the text: 1 where a secret is. Whatever belongs to a key whose name sounds like one is taken for such,
 * and so are words that begin as tokens do. The caller frees it; NULL without memory.
 */
unsigned char *setup_mask(const char *text, size_t len);

/*
 * The character that the len bytes begin with: how many of them it has, at least 1, and whether it may be shown: it commands no
 * terminal, turns no direction and is none of what does not belong into UTF-8.
 */
size_t setup_mask_rune(const char *text, size_t len, bool *ret_shown);

/* Writes len bytes of a text as they may be shown, with "***" for secrets and "?" for other characters. Ends out in NUL. */
void setup_mask_show(const char *text, const unsigned char *mask, size_t len, char *out, size_t size);

/* The same for the value of a key alone, on one line. */
void setup_mask_value(const char *key, const char *value, size_t len, char *out, size_t size);

#endif
