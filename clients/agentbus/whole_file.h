/* Files read and written as a whole. Blocks on the file system. */
#ifndef CLIENTS_AGENTBUS_WHOLE_FILE_H
#define CLIENTS_AGENTBUS_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Reads a file of at most max bytes. Returns false with errno set (EFBIG above max). The caller frees *ret_text, which ends in
 * NUL. */
bool whole_file_read(const char *path, size_t max, char **ret_text, size_t *ret_len);

/*
 * Writes a file in one step: whoever opens the path finds what was there before, or all of the new. fill writes into the stream.
 * Returns false with errno set, and leaves nothing behind.
 */
bool whole_file_write(const char *path, bool (*fill)(FILE *out, void *ctx), void *ctx);

#endif
