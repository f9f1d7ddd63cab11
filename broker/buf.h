/* Bytes that grow at the end. Zeroed is empty and valid. */
#ifndef AGENTBUS_BUF_H
#define AGENTBUS_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *bytes;
	size_t len, size;
};

/* Makes room for `more` bytes after the last one. False without memory; the buffer is unchanged then. */
bool buf_reserve(struct buf *b, size_t more);

/* Appends a copy. False without memory; the buffer is unchanged then. */
bool buf_append(struct buf *b, const void *bytes, size_t len);

/* Forgets the bytes and gives back all memory above `keep` bytes. */
void buf_clear(struct buf *b, size_t keep);

/* Gives all memory back; empty and usable again. */
void buf_finish(struct buf *b);

#endif
