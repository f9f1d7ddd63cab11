/*
 * gzip and zlib bodies. Pure: bytes in, bytes out.
 */
#ifndef AGENTBUS_INFLATE_H
#define AGENTBUS_INFLATE_H

#include "arena.h"
#include "verdict.h"

#include <stdint.h>

/*
 * Inflates len bytes of gzip (or zlib) data, several members included, into the arena; the result is at most max bytes.
 * Needs at most three times max of the arena, and where gzip tells its size truly just that size.
 * Returns VERDICT_OK and sets *ret and *ret_len, or BAD_ENCODING (damaged or truncated), TOO_LARGE, NO_MEMORY.
 */
enum verdict inflate_body(const uint8_t *bytes, size_t len, size_t max, struct arena *a, uint8_t **ret, size_t *ret_len);

#endif
