#include "log/buffer.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST_STEP 1024

void
buffer_finish(struct buffer *b)
{
	free(b->ptr);
	*b = (struct buffer){ 0 };
}

bool
buffer_put(struct buffer *b, const char *bytes, size_t len)
{
	if (b->size - b->len < len) {
		size_t size = b->size * 2 + len + SMALLEST_STEP;
		char *ptr = realloc(b->ptr, size);

		if (!ptr)
			return false;
		b->ptr = ptr;
		b->size = size;
	}
	if (len > 0) /* an empty buffer has no ptr to copy nothing to */
		memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	return true;
}

bool
buffer_text(struct buffer *b, const char *text)
{
	return buffer_put(b, text, strlen(text));
}

void
buffer_drop(struct buffer *b, size_t len)
{
	if (b->len > len)
		memmove(b->ptr, b->ptr + len, b->len - len);
	b->len -= len;
}
