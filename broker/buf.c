#include "buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

bool
buf_reserve(struct buf *b, size_t more)
{
	if (more <= b->size - b->len)
		return true;
	if (more > SIZE_MAX / 2 - b->len)
		return false;
	size_t size = b->size ? b->size : FIRST_SIZE;
	while (size - b->len < more)
		size *= 2;
	uint8_t *bytes = realloc(b->bytes, size);
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->size = size;
	return true;
}

bool
buf_append(struct buf *b, const void *bytes, size_t len)
{
	if (!buf_reserve(b, len))
		return false;
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
	return true;
}

void
buf_clear(struct buf *b, size_t keep)
{
	b->len = 0;
	if (b->size > keep)
		buf_finish(b);
}

void
buf_finish(struct buf *b)
{
	free(b->bytes);
	*b = (struct buf){ 0 };
}
