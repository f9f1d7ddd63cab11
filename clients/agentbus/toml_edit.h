/*
 * Changes to a TOML text that leave all else in it as it is, byte for byte. Pure. A text must have passed toml_scan_whole() with
 * the same limits.
 */
#ifndef CLIENTS_AGENTBUS_TOML_EDIT_H
#define CLIENTS_AGENTBUS_TOML_EDIT_H

#include "edit_text.h"
#include "toml_scan.h"

enum { TOML_EDIT_DEPTH_MAX = 64 };

/* What a text has at a path, in whatever form: a key of its table, a dotted key, or within an inline table. */
struct toml_found {
	bool here;   /* a value, and this is it */
	bool below;  /* a table, in parts: by headers or dotted keys */
	bool in_way; /* what leads there is no table, or an array of tables */
	bool twice;  /* which makes the whole file invalid */
	struct edit_span value;
	size_t begin, end;       /* of its line, or of its pair in an inline table */
	bool inlined;            /* in an inline table */
	struct edit_span around; /* that table */
};

/* Looks for a path of one to EDIT_PATH_MAX keys. */
struct toml_found toml_find(const struct toml_text *in, const struct edit_path *path);

/*
 * Makes the change (EDIT_SET alone), and fills old, inside and created of it. The path has one or two keys, or is there. False if
 * something is in the way, or without memory (text->failed).
 */
bool toml_edit_apply(struct edit_text *text, struct edit_change *c);

/* As json_edit_revert(). */
bool toml_edit_revert(struct edit_text *text, const struct edit_change *c);

#endif
