/*
 * TOML 1.0 as a text: what stands where. Pure; every function takes any bytes, reads none beyond len, and returns spans of the
 * text. What a file means as a whole is not checked: that a key or a table is there twice shows only to who looks for it.
 */
#ifndef CLIENTS_AGENTBUS_TOML_SCAN_H
#define CLIENTS_AGENTBUS_TOML_SCAN_H

#include "edit_text.h"

enum { TOML_KEY_MAX = 16 };

struct toml_text {
	const char *text;
	size_t len;
	size_t max_depth; /* of arrays and inline tables within each other */
};

/* A dotted key: its parts, quotes included. */
struct toml_key {
	struct edit_span part[TOML_KEY_MAX];
	size_t count;
};

enum toml_kind {
	TOML_PAIR,       /* key = value */
	TOML_TABLE,      /* [key] */
	TOML_ARRAY_TABLE /* [[key]] */
};

struct toml_line {
	enum toml_kind kind;
	struct toml_key key;
	struct edit_span value; /* of a pair */
	size_t begin, end;      /* without the blanks before it and the line break behind it, but with its comment */
	size_t comma;           /* of a pair in an inline table: where the comma behind it is, or the closing brace */
};

struct toml_walk {
	const struct toml_text *in;
	size_t at;
	struct edit_fault fault; /* its what is NULL while all is well */
};

void toml_walk_begin(struct toml_walk *w, const struct toml_text *in);

/* The next line that is a pair or begins a table. False at the end, or at what is not TOML: then w->fault tells. */
bool toml_walk_next(struct toml_walk *w, struct toml_line *ret_line);

/* The pairs of the inline table at `at`; false if none begins there. */
bool toml_inline_begin(struct toml_walk *w, const struct toml_text *in, size_t at);
bool toml_inline_next(struct toml_walk *w, struct toml_line *ret_pair);

/* Checks the whole text. */
bool toml_scan_whole(const struct toml_text *in, struct edit_fault *ret_fault);

/* Whether a part of a key, or a string on one line, means these characters. */
bool toml_string_is(const char *raw, size_t len, const char *want);

/* Writes what it means, ended by NUL. False if it does not fit into size bytes, or cannot be read. */
bool toml_string_read(const char *raw, size_t len, char *out, size_t size);

#endif
