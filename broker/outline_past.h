/*
 * What an outline remembers of earlier requests: which spans were dropped and which were forwarded, and which ones a
 * forwarded span names as its parent though they have not come yet. Two tables of a fixed size, in sets: where a set is
 * full, a new entry takes the place of the one that has been of no use for the longest time. Pure.
 */
#ifndef AGENTBUS_OUTLINE_PAST_H
#define AGENTBUS_OUTLINE_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTLINE_PAST_SET   8
#define OUTLINE_PAST_SPANS 65536
#define OUTLINE_PAST_NAMES 4096

/* A span's ids, as their bytes lie in memory. A span id of 0 is none. */
struct span_key {
	uint64_t trace[2];
	uint64_t span;
};

enum past_state { PAST_NONE, PAST_DROPPED, PAST_FORWARDED };

struct past_span {
	struct span_key key;
	uint64_t parent; /* of a dropped span: an ancestor with nothing but dropped spans between; 0: it has none */
	uint32_t stamp;
	uint8_t state; /* enum past_state */
	bool inner;    /* it has children: it may get more of them, late, and is kept longer */
};

struct past_name {
	struct span_key key; /* a span of 0: the place is free */
	uint32_t stamp;
};

struct outline_past {
	struct past_span *spans; /* OUTLINE_PAST_SPANS of them; NULL before outline_past_prepare() */
	uint32_t span_stamp, name_stamp;
	size_t name_count;
	uint64_t changes; /* counts what was added to and taken from the names */
	struct past_name names[OUTLINE_PAST_NAMES];
};

/* Allocates the table of spans unless it is there. Returns false without memory. */
bool outline_past_prepare(struct outline_past *p);

void outline_past_finish(struct outline_past *p);

/* NULL if it is not remembered. The pointer is good until the next outline_past_add(). Needs outline_past_prepare(). */
struct past_span *outline_past_find(struct outline_past *p, const struct span_key *key);

/* Remembers a span, or what is new about it. Needs outline_past_prepare(). */
void outline_past_add(struct outline_past *p, const struct past_span *span);

/* A forwarded span names this one as its parent. */
void outline_past_name(struct outline_past *p, const struct span_key *key);

/* Takes a name away, for the span has come; returns whether it was there. */
bool outline_past_unname(struct outline_past *p, const struct span_key *key);

#endif
