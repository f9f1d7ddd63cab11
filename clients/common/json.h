/*
 * Writes JSON into a buffer that grows: in the order of the calls, integers of 64 bits exactly, money exactly, on one line.
 *
 *	struct json j = { 0 };
 *	json_object(&j, NULL);
 *	json_uint(&j, "seq", 7);
 *	json_array(&j, "models");
 *	json_string(&j, NULL, "a");
 *	json_end(&j);
 *	json_end(&j);
 *	if (json_text(&j))
 *		puts(json_text(&j)); // {"seq":7,"models":["a"]}
 *	json_finish(&j);
 *
 * key names a member of an object, and is NULL in an array and for the outermost value. When memory runs out, the rest
 * is dropped and json_text() gives NULL.
 */
#ifndef CLIENTS_COMMON_JSON_H
#define CLIENTS_COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 32 };

/* All zero is an empty buffer. */
struct json {
	char *data;
	size_t len, size;
	char closers[JSON_DEPTH]; /* '}' or ']' of what is open */
	unsigned depth;
	bool comma; /* the next value follows another one */
	bool failed;
};

void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);

/* Closes the innermost object or array. */
void json_end(struct json *j);

/* Bytes that are not UTF-8 become U+FFFD: the output always parses. */
void json_string(struct json *j, const char *key, const char *text);

/* null for NULL and "". */
void json_string_or_null(struct json *j, const char *key, const char *text);

void json_uint(struct json *j, const char *key, uint64_t n);
void json_bool(struct json *j, const char *key, bool b);
void json_null(struct json *j, const char *key);

/* Pico-dollars as a number of dollars: 1500000000 is 0.0015. */
void json_usd(struct json *j, const char *key, int64_t pico_dollars);

/* Bytes as a string of lower-case hexadecimal digits. */
void json_hex(struct json *j, const char *key, const uint8_t *bytes, size_t len);

/* A time as text_rfc3339() writes it; null for 0. */
void json_time(struct json *j, const char *key, uint64_t ns);

/* Text as it is, for a line that is no JSON. */
void json_plain(struct json *j, const char *text);

/* Ends a line, after the outermost value is closed; another value may follow. */
void json_newline(struct json *j);

/* What was written, ended by NUL; NULL if memory ran out. Valid until the next call. */
const char *json_text(const struct json *j);

/* Writes it to a stream. False if memory ran out, or it could not be written. */
bool json_print(const struct json *j, FILE *out);

/* Empties the buffer and keeps its memory. */
void json_clear(struct json *j);

/* Frees the buffer and leaves an empty one. */
void json_finish(struct json *j);

#endif
