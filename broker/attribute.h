/*
 * Writing attributes into a decoded tree. Pure; all memory is the arena's. An attribute that came without a value, as some
 * exporters send for "undefined", or with an empty text, counts as missing.
 */
#ifndef AGENTBUS_ATTRIBUTE_H
#define AGENTBUS_ATTRIBUTE_H

#include "otlp.h"
#include "str.h"

/* A list of attributes that is being added to. */
struct attributes {
	OtlpKeyValue **list;
	size_t count, room;
	struct arena *arena;
	bool failed; /* for want of memory: nothing more is added */
};

/* Begins with a list of a message, which stays as it is, and room for so many more. */
struct attributes attributes_of(OtlpKeyValue **list, size_t count, size_t more, struct arena *a);

/*
 * Sets an attribute unless it has a value already, or, with `force`, whatever it has. Keys are static. Text is copied; an
 * empty one sets nothing. False where the attribute had a value and kept it.
 */
bool attributes_text(struct attributes *a, const char *key, struct str text, bool force);
bool attributes_int(struct attributes *a, const char *key, int64_t n, bool force);
bool attributes_double(struct attributes *a, const char *key, double d, bool force);
bool attributes_bool(struct attributes *a, const char *key, bool truth, bool force);

/* The text of an attribute; empty if it is not there, or no text. */
struct str attributes_get_text(const struct attributes *a, const char *key);

#endif
