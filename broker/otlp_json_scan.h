/*
 * A first look at JSON text, before anything is built from it. Part of otlp_json, and for hooks.
 */
#ifndef AGENTBUS_OTLP_JSON_SCAN_H
#define AGENTBUS_OTLP_JSON_SCAN_H

#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>

struct json_outline {
	size_t values;        /* at most so many values are in the text */
	bool lone_surrogates; /* some \uXXXX is half a character; json_repair() makes it whole */
};

/*
 * Looks through len bytes of text for one object and nothing after it, brackets and strings closed, brackets at most
 * max_brackets deep. Returns VERDICT_OK and sets *ret, or TOO_DEEP, MALFORMED. Says nothing of grammar otherwise.
 */
enum verdict json_scan(const char *text, size_t len, unsigned max_brackets, struct json_outline *ret);

/* Replaces each escaped half of a surrogate pair by \ufffd, in place and of the same length. */
void json_repair(char *text, size_t len);

#endif
