/*
 * JSON as a text: what stands where. Pure; every function takes any bytes, reads none beyond len, and returns spans of the text.
 *
 * A relaxed text may have comments of both forms, and a comma after the last member. A byte order mark is passed over.
 */
#ifndef CLIENTS_AGENTBUS_JSON_SCAN_H
#define CLIENTS_AGENTBUS_JSON_SCAN_H

#include "edit_text.h"

#define JSON_NO_COMMA ((size_t)-1)

struct json_text {
	const char *text;
	size_t len;
	size_t max_depth; /* of arrays and objects within each other */
	bool relaxed;
};

/* A member of an object, or an element of an array. */
struct json_child {
	struct edit_span key; /* with its quotes; len 0 in an array */
	struct edit_span value;
	size_t comma; /* where the comma behind it is, or JSON_NO_COMMA */
};

struct json_walk {
	const struct json_text *in;
	size_t at;
	char close;
	bool over;
};

/* Checks the whole text, which holds one value, *ret_value. False with *ret_fault, if it is not JSON or nested too deeply. */
bool json_scan_whole(const struct json_text *in, struct edit_span *ret_value, struct edit_fault *ret_fault);

/* Whether nothing but blanks, comments and a byte order mark is in it. */
bool json_is_blank(const struct json_text *in);

/* The first place at or after `at` that is neither blank nor comment; in->len if there is none. */
size_t json_skip_blank(const struct json_text *in, size_t at);

/* Begins with the children of the object or array at `at`; false if none begins there. */
bool json_walk_begin(struct json_walk *w, const struct json_text *in, size_t at);

/* The next child. False after the last one, or at what is not JSON. */
bool json_walk_next(struct json_walk *w, struct json_child *ret_child);

/* Whether the string at this place, with its quotes, means these characters. */
bool json_string_is(const char *raw, size_t len, const char *want);

/* Writes what the string means, ended by NUL. False if it is no string, or does not fit into size bytes. */
bool json_string_read(const char *raw, size_t len, char *out, size_t size);

#endif
