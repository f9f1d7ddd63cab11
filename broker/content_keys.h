/*
 * Which attributes hold content: what a person wrote, a model answered, or a tool was given or gave back. Tables, and a
 * quick way to look into them. Pure.
 */
#ifndef AGENTBUS_CONTENT_KEYS_H
#define AGENTBUS_CONTENT_KEYS_H

#include "str.h"

#include <stdint.h>

enum content_kind {
	CONTENT_TEXT,    /* is content */
	CONTENT_ERROR,   /* what went wrong: of a request to a model it stays, shortened; else it may quote content */
	CONTENT_ADDRESS, /* a URL: what follows its path is content */
	CONTENT_STAYS,   /* is none, though the rest of its family is */
	CONTENT_OF_CALL, /* is none; what has it is about a request */
	CONTENT_OF_TOOL  /* is none; what has it is about a tool or a hook, whatever else it has */
};

enum content_flags {
	CONTENT_WORDS = 1,     /* only text and lists: numbers and truths of that name are counts and outcomes */
	CONTENT_NOT_POINTS = 2 /* a word out of few where metric points have it */
};

/* A key, and what it means. The lists are names of events, spans and metrics, end in NULL, and may be NULL. */
struct content_rule {
	const char *key; /* a '*' at the end: whatever begins so */
	enum content_kind kind;
	unsigned flags;
	const char *const *only;   /* nowhere but there */
	const char *const *except; /* everywhere but there */
	const char *value;         /* CONTENT_OF_*: only if that is its text */
};

/* Whole keys, sorted (strcmp order); and beginnings of keys likewise, none of which begins another. */
extern const struct content_rule content_keys[];
extern const size_t content_key_count;
extern const struct content_rule content_families[];
extern const size_t content_family_count;

/* What nearly all other keys are told by, without looking into the tables: first letters, and the lengths they occur with. */
struct content_index {
	uint64_t lengths[32]; /* by the low bits of a key's first byte: a bit per length of a whole key */
	uint32_t families;    /* a bit per first byte, likewise */
};

void content_index_init(struct content_index *ix);

/* The rule of a key, or NULL. */
const struct content_rule *content_rule_of(const struct content_index *ix, struct str key);

#endif
