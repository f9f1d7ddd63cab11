/*
 * The message of an error as it may be shown: one line, what the API said and not the JSON around it, without keys. Pure.
 */
#ifndef AGENTBUS_ERROR_TEXT_H
#define AGENTBUS_ERROR_TEXT_H

#include "str.h"

/* What becomes of a message in events and sessions, its NUL included. */
#define ERROR_TEXT_SIZE 200

/*
 * Puts the message into dst of the given size (not 0), always terminated, and returns its length. JSON within it that has a
 * message of its own ({"error": {"message": …}} and the like, also as text within such a message) gives way to that message;
 * other JSON stays. Whatever looks like a key, a token or a password becomes "***". Blanks and control characters become one
 * blank each run; what is no UTF-8 becomes U+FFFD. Only the first 8 KiB are looked at, and only the first
 * 1 KiB of what they say is put.
 */
size_t error_text(struct str message, char *dst, size_t size);

#endif
