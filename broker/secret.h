/*
 * Keys, tokens and passwords in text that is to be shown: APIs echo them in their errors. Pure.
 */
#ifndef AGENTBUS_SECRET_H
#define AGENTBUS_SECRET_H

#include "str.h"

/*
 * Copies text to dst, "***" in the place of whatever looks like a secret; at most size bytes, not terminated. Returns how many.
 * What it knows are the beginnings of the keys of well-known APIs, "Bearer …", values behind the names of headers and
 * parameters that hold such ("x-api-key: …"), keys that are crossed out in part, and users with passwords in URLs.
 */
size_t secret_mask(struct str text, char *dst, size_t size);

#endif
