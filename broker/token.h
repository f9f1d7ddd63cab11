/* The bearer token that requests must give, out of a file. */
#ifndef AGENTBUS_TOKEN_H
#define AGENTBUS_TOKEN_H

#include "log.h"

#include <stdbool.h>

#define TOKEN_LEN_MIN 16
#define TOKEN_LEN_MAX 512
#define TOKEN_MAX     (TOKEN_LEN_MAX + 1) /* with its NUL */

/*
 * Reads the first line of a file, without the space around it: TOKEN_LEN_MIN to TOKEN_LEN_MAX printable ASCII bytes. The file
 * must be a regular one that is closed to group and others. False after logging why not, without a byte of what the file holds;
 * out is untouched then.
 */
bool token_read(const char *path, char out[TOKEN_MAX], const struct log *log);

/* The same for a secret of somebody else's making: 1 to TOKEN_LEN_MAX printable ASCII bytes, spaces among them. */
bool token_read_secret(const char *path, char out[TOKEN_MAX], const struct log *log);

#endif
