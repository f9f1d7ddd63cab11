#include "session_table.h"

#include <stdlib.h>

/* FNV-1a, finished with a mixer so that the low bits are as good as the high ones. */
uint64_t
hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const uint8_t *b = p;
	uint64_t h = 0xcbf29ce484222325ull ^ seed;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	return h ^ h >> 33;
}

uint64_t
hash_str(struct str s)
{
	return s.len ? hash_bytes(s.ptr, s.len, 0) | 1 : 0;
}

/* Providers are static names, so that their address is part of the key. */
static uint64_t
hash_key(const char *provider, const char *id)
{
	return hash_bytes(id, strlen(id), (uint64_t)(uintptr_t)provider);
}

/* --- changes --- */

void
table_change(struct sessions *s, struct session *x)
{
	struct session_track *t = x->track;

	if (t->changed)
		return;
	t->changed = true;
	t->changed_previous = NULL;
	t->changed_next = s->changed;
	if (s->changed)
		s->changed->track->changed_previous = x;
	s->changed = x;
}

void
table_unchange(struct sessions *s, struct session *x)
{
	struct session_track *t = x->track;

	if (!t->changed)
		return;
	t->changed = false;
	*(t->changed_previous ? &t->changed_previous->track->changed_next : &s->changed) = t->changed_next;
	if (t->changed_next)
		t->changed_next->track->changed_previous = t->changed_previous;
}

/* --- heap --- */

static void
heap_place(struct sessions *s, size_t i, struct session *x)
{
	s->heap[i] = x;
	x->track->heap_index = i;
}

static void
heap_up(struct sessions *s, size_t i)
{
	struct session *x = s->heap[i];

	for (; i > 0 && s->heap[(i - 1) / 2]->track->due_ns > x->track->due_ns; i = (i - 1) / 2)
		heap_place(s, i, s->heap[(i - 1) / 2]);
	heap_place(s, i, x);
}

static void
heap_down(struct sessions *s, size_t i)
{
	struct session *x = s->heap[i];

	for (size_t child; (child = 2 * i + 1) < s->heap_size; i = child) {
		if (child + 1 < s->heap_size && s->heap[child + 1]->track->due_ns < s->heap[child]->track->due_ns)
			child++;
		if (s->heap[child]->track->due_ns >= x->track->due_ns)
			break;
		heap_place(s, i, s->heap[child]);
	}
	heap_place(s, i, x);
}

static void
heap_remove(struct sessions *s, struct session *x)
{
	size_t i = x->track->heap_index;
	struct session *last = s->heap[--s->heap_size];

	if (last == x)
		return;
	heap_place(s, i, last);
	heap_up(s, i);
	heap_down(s, last->track->heap_index);
}

void
table_schedule(struct sessions *s, struct session *x, uint64_t due_ns)
{
	x->track->due_ns = due_ns;
	table_change(s, x);
	heap_up(s, x->track->heap_index);
	heap_down(s, x->track->heap_index);
}

/* --- by age --- */

static void
list_unlink(struct sessions *s, struct session *x)
{
	struct session_track *t = x->track;

	*(t->newer ? &t->newer->track->older : &s->newest) = t->older;
	*(t->older ? &t->older->track->newer : &s->oldest) = t->newer;
	t->newer = t->older = NULL;
}

static void
list_push(struct sessions *s, struct session *x)
{
	x->track->older = s->newest;
	x->track->newer = NULL;
	*(s->newest ? &s->newest->track->newer : &s->oldest) = x;
	s->newest = x;
}

void
table_touch(struct sessions *s, struct session *x, uint64_t now_ns)
{
	x->track->heard_ns = now_ns;
	table_change(s, x);
	if (s->newest == x)
		return;
	list_unlink(s, x);
	list_push(s, x);
}

void
table_place(struct sessions *s, struct session *x, uint64_t heard_ns)
{
	struct session *newer = NULL, *older;

	list_unlink(s, x);
	x->track->heard_ns = heard_ns;
	for (older = s->newest; older && older->track->heard_ns > heard_ns; older = older->track->older)
		newer = older;
	x->track->newer = newer;
	x->track->older = older;
	*(newer ? &newer->track->older : &s->newest) = x;
	*(older ? &older->track->newer : &s->oldest) = x;
}

/* --- by provider and id --- */

struct session *
table_find(const struct sessions *s, const char *provider, struct str id)
{
	char key[SESSION_ID_MAX];
	uint64_t hash;

	if (id.len == 0)
		return NULL;
	str_copy(key, sizeof(key), id);
	hash = hash_key(provider, key);
	for (struct session *x = s->buckets[hash & (s->bucket_count - 1)]; x; x = x->track->chain)
		if (x->track->hash == hash && x->provider == provider && strcmp(x->id, key) == 0)
			return x;
	return NULL;
}

static void
forget_traces(struct sessions *s, const struct session *x)
{
	for (size_t i = 0; i < TRACES_MAX; i++)
		if (s->traces[i].session == x)
			s->traces[i] = (struct trace_entry){ 0 };
}

void
table_remove(struct sessions *s, struct session *x)
{
	struct session **p = &s->buckets[x->track->hash & (s->bucket_count - 1)];

	if (s->sink->forget)
		s->sink->forget(s->sink, x);
	table_unchange(s, x);
	while (*p != x)
		p = &(*p)->track->chain;
	*p = x->track->chain;
	list_unlink(s, x);
	heap_remove(s, x);
	forget_traces(s, x);
	s->count--;
	free(x->models);
	free(x->track);
	free(x);
}

/* Ended sessions are wanted least, then idle ones; of the rest the one not heard of for longest. */
static void
make_room(struct sessions *s)
{
	static const enum session_state order[] = { SESSION_ENDED, SESSION_IDLE };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		for (struct session *x = s->oldest; x; x = x->track->newer)
			if (x->state == order[i]) {
				table_remove(s, x);
				return;
			}
	table_remove(s, s->oldest);
}

static bool
grow(struct sessions *s)
{
	size_t count = s->bucket_count ? s->bucket_count * 2 : 64;
	struct session **buckets = calloc(count, sizeof(struct session *));
	struct session **heap = realloc(s->heap, count * sizeof(struct session *));

	if (heap)
		s->heap = heap;
	if (!buckets || !heap) {
		free(buckets);
		return false;
	}
	for (size_t i = 0; i < s->bucket_count; i++)
		for (struct session *x = s->buckets[i], *next; x; x = next) {
			next = x->track->chain;
			x->track->chain = buckets[x->track->hash & (count - 1)];
			buckets[x->track->hash & (count - 1)] = x;
		}
	free(s->buckets);
	s->buckets = buckets;
	s->bucket_count = count;
	return true;
}

bool
table_init(struct sessions *s)
{
	s->traces = calloc(TRACES_MAX, sizeof(*s->traces));
	return s->traces && grow(s);
}

static void
free_sessions(struct sessions *s)
{
	for (struct session *x = s->oldest, *next; x; x = next) {
		next = x->track->newer;
		free(x->models);
		free(x->track);
		free(x);
	}
}

void
table_clear(struct sessions *s)
{
	free_sessions(s);
	memset(s->buckets, 0, s->bucket_count * sizeof(struct session *));
	memset(s->traces, 0, TRACES_MAX * sizeof(*s->traces));
	memset(s->asks, 0, sizeof(s->asks));
	s->newest = s->oldest = s->changed = NULL;
	s->count = s->heap_size = 0;
}

void
table_finish(struct sessions *s)
{
	free_sessions(s);
	free(s->buckets);
	free(s->heap);
	free(s->traces);
}

struct session *
table_add(struct sessions *s, const char *provider, struct str id, uint64_t now_ns)
{
	struct session *x;
	struct session **bucket;

	while (s->oldest && s->count >= s->settings.max_sessions)
		make_room(s);
	if (s->count >= s->bucket_count && !grow(s))
		return NULL;
	x = calloc(1, sizeof(*x));
	if (!x || !(x->track = calloc(1, sizeof(*x->track)))) {
		free(x);
		return NULL;
	}
	x->provider = provider;
	str_copy(x->id, sizeof(x->id), id);
	x->state = SESSION_IDLE;
	x->evidence = EVIDENCE_INFERRED;
	str_copy(x->reason, sizeof(x->reason), STR("start"));
	x->track->hash = hash_key(provider, x->id);
	x->track->ask_due_ns = x->track->fail_due_ns = x->track->due_ns = NEVER;
	x->track->heard_ns = x->track->entered_ns = now_ns;
	bucket = &s->buckets[x->track->hash & (s->bucket_count - 1)];
	x->track->chain = *bucket;
	*bucket = x;
	list_push(s, x);
	heap_place(s, s->heap_size++, x);
	s->count++;
	return x;
}

/* --- by trace --- */

struct session *
table_by_trace(const struct sessions *s, const uint8_t id[16])
{
	const struct trace_entry *e = &s->traces[hash_bytes(id, 16, 0) % TRACES_MAX];

	return e->session && memcmp(e->id, id, 16) == 0 ? e->session : NULL;
}

void
table_learn_trace(struct sessions *s, const uint8_t id[16], struct session *x, bool by_prompt)
{
	struct trace_entry *e = &s->traces[hash_bytes(id, 16, 0) % TRACES_MAX];

	if (e->session && memcmp(e->id, id, 16) == 0 && (e->by_prompt || !by_prompt))
		return;
	memcpy(e->id, id, 16);
	e->session = x;
	e->by_prompt = by_prompt;
}
