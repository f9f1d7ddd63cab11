/* Files read as a whole. Blocks on the file system. */
#ifndef AGENTBUS_FILE_H
#define AGENTBUS_FILE_H

#include "buf.h"

/* Appends what the file holds to *ret. False with errno, EFBIG if that is more than max bytes; *ret may have grown then. */
bool file_read(const char *path, size_t max, struct buf *ret);

#endif
