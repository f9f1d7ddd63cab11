/*
 * Text that is edited in place, and what the editors of its languages (json_edit, toml_edit) tell about it. No I/O.
 */
#ifndef CLIENTS_AGENTBUS_EDIT_TEXT_H
#define CLIENTS_AGENTBUS_EDIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty text. data ends in NUL, or is NULL while nothing was written. */
struct edit_text {
	char *data;
	size_t len, size;
	bool failed; /* no memory: the text is not what it should be, and must not be used */
};

/* A part of a text. */
struct edit_span {
	size_t at, len;
};

/* What is wrong with a text, and where. */
struct edit_fault {
	size_t at;
	const char *what; /* static */
};

enum { EDIT_PATH_MAX = 4 };

/* Where a value is: the keys that lead to it. */
struct edit_path {
	const char *key[EDIT_PATH_MAX];
	size_t depth;
};

enum edit_kind {
	EDIT_SET,   /* the value of a key */
	EDIT_APPEND /* an element of an array */
};

/* One change, with all that is needed to take it back. Its texts are its own. */
struct edit_change {
	enum edit_kind kind;
	char *key[EDIT_PATH_MAX];
	size_t depth;
	char *value;  /* what was written, in the language of the file */
	char *old;    /* what it replaced; NULL: nothing */
	char *inside; /* JSON: what stood in a container that was empty; TOML: what was put before or after it. NULL: nothing */
	unsigned created; /* how many containers were made for it, from the innermost on */
};

/* Puts len bytes in the place of cut bytes. False without memory, or beyond the text. */
bool edit_text_splice(struct edit_text *t, size_t at, size_t cut, const char *text, size_t len);

/* At its end. */
bool edit_text_add(struct edit_text *t, const char *text, size_t len);
bool edit_text_puts(struct edit_text *t, const char *text);

void edit_text_finish(struct edit_text *t);

/* A copy that ends in NUL; NULL without memory. */
char *edit_copy(const char *text, size_t len);

/* The number of the line, from 1. */
size_t edit_line(const char *text, size_t len, size_t at);

/* "\r\n" if the first line of the text ends so, else "\n". */
const char *edit_newline(const char *text, size_t len);

/* How many bytes a byte order mark takes at the beginning. */
size_t edit_mark(const char *text, size_t len);

/* Where the blanks begin that stand directly before `at`; and whether only blanks stand between there and the line's beginning.
 */
size_t edit_blanks_before(const char *text, size_t at);
bool edit_begins_line(const char *text, size_t at);

/* Where the line break begins that ends the line before the one of `at`, of which only blanks may precede `at`. */
size_t edit_break_before(const char *text, size_t at);

/* The blanks at the beginning of the line of `at`. */
struct edit_span edit_indent(const char *text, size_t at);

/* Copies path and value. False without memory; then it is finished already. */
bool edit_change_init(struct edit_change *c, enum edit_kind kind, const struct edit_path *path, const char *value);
void edit_change_finish(struct edit_change *c);

#endif
