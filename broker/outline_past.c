#include "outline_past.h"

#include <stdlib.h>
#include <string.h>

/* A span without children gets some later only by chance: its place is taken as if it were so many times as old. */
#define CHILDLESS_AGES 8

_Static_assert(sizeof(struct past_span) == 40, "65,536 of them are 2.5 MiB");

/* The first place of a key's set. Ids are random: whoever picks them with care only makes us forget some of them. */
static size_t
set_of(const struct span_key *key, size_t places)
{
	uint64_t h = key->trace[0] ^ key->trace[1] * 0x9e3779b97f4a7c15u ^ key->span * 0xc2b2ae3d27d4eb4fu;

	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return (size_t)(h % (places / OUTLINE_PAST_SET)) * OUTLINE_PAST_SET;
}

static bool
same_key(const struct span_key *a, const struct span_key *b)
{
	return a->span == b->span && a->trace[0] == b->trace[0] && a->trace[1] == b->trace[1];
}

bool
outline_past_prepare(struct outline_past *p)
{
	if (!p->spans)
		p->spans = calloc(OUTLINE_PAST_SPANS, sizeof(*p->spans));
	return p->spans;
}

void
outline_past_finish(struct outline_past *p)
{
	free(p->spans);
	p->spans = NULL;
}

/* --- spans --- */

struct past_span *
outline_past_find(struct outline_past *p, const struct span_key *key)
{
	struct past_span *set = &p->spans[set_of(key, OUTLINE_PAST_SPANS)];

	for (size_t i = 0; i < OUTLINE_PAST_SET; i++)
		if (set[i].state != PAST_NONE && same_key(&set[i].key, key))
			return &set[i];
	return NULL;
}

static uint64_t
age_of(const struct outline_past *p, const struct past_span *s)
{
	uint64_t age = (uint64_t)(uint32_t)(p->span_stamp - s->stamp);

	return s->state == PAST_NONE ? UINT64_MAX : s->inner ? age : age * CHILDLESS_AGES;
}

void
outline_past_add(struct outline_past *p, const struct past_span *span)
{
	struct past_span *place = outline_past_find(p, &span->key);
	bool inner = span->inner || (place && place->inner);

	if (!place) {
		place = &p->spans[set_of(&span->key, OUTLINE_PAST_SPANS)];
		for (struct past_span *s = place + 1, *end = place + OUTLINE_PAST_SET; s < end; s++)
			if (age_of(p, s) > age_of(p, place))
				place = s;
	}
	*place = *span;
	place->inner = inner;
	place->stamp = ++p->span_stamp;
}

/* --- names --- */

static struct past_name *
find_name(struct outline_past *p, const struct span_key *key)
{
	struct past_name *set = &p->names[set_of(key, OUTLINE_PAST_NAMES)];

	for (size_t i = 0; i < OUTLINE_PAST_SET; i++)
		if (same_key(&set[i].key, key))
			return &set[i];
	return NULL;
}

/* A free place of the key's set, or that of the name that was given or repeated before all others. */
static struct past_name *
place_of_name(struct outline_past *p, const struct span_key *key)
{
	struct past_name *place = &p->names[set_of(key, OUTLINE_PAST_NAMES)];

	for (struct past_name *n = place + 1, *end = place + OUTLINE_PAST_SET; n < end && place->key.span; n++)
		if (!n->key.span || (uint32_t)(p->name_stamp - n->stamp) > (uint32_t)(p->name_stamp - place->stamp))
			place = n;
	return place;
}

void
outline_past_name(struct outline_past *p, const struct span_key *key)
{
	struct past_name *n = find_name(p, key);

	if (!n) {
		n = place_of_name(p, key);
		p->name_count += n->key.span == 0;
		p->changes++;
		n->key = *key;
	}
	n->stamp = ++p->name_stamp;
}

bool
outline_past_unname(struct outline_past *p, const struct span_key *key)
{
	struct past_name *n = p->name_count ? find_name(p, key) : NULL;

	if (!n)
		return false;
	memset(n, 0, sizeof(*n));
	p->name_count--;
	p->changes++;
	return true;
}
