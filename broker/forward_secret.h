/* Headers of destinations with their secrets in place: ${env:NAME} and ${file:PATH}. */
#ifndef AGENTBUS_FORWARD_SECRET_H
#define AGENTBUS_FORWARD_SECRET_H

#include "destination.h"
#include "log.h"

/*
 * Calls fn with each of the destination's headers as it is to be sent; the text is wiped afterwards. A file must be closed to
 * group and others, as token_read_secret() has it. False after logging why not, without a byte of a secret, or if fn returns
 * false.
 */
bool forward_secret_headers(const struct destination *d, bool (*fn)(void *ctx, const char *header), void *ctx,
			    const struct log *log);

/* Whether all headers of all destinations can be had. Logs why not. */
bool forward_secret_check(const struct destinations *to, const struct log *log);

#endif
