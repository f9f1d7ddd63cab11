/* Bytes that grow. */
#ifndef CLIENTS_LOG_BUFFER_H
#define CLIENTS_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* Begins as all zeros. */
struct buffer {
	char *ptr;
	size_t len, size;
};

void buffer_finish(struct buffer *b);

/* Append; return false, with b as it was, without memory. */
bool buffer_put(struct buffer *b, const char *bytes, size_t len);
bool buffer_text(struct buffer *b, const char *text);

/* Removes the first len bytes, which must be there. */
void buffer_drop(struct buffer *b, size_t len);

#endif
