#include "sessions.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One allocation holds a session and all that it points to. */
struct sessions_entry {
	struct agentbus_session session;
	size_t room; /* bytes of data */
	_Alignas(max_align_t) unsigned char data[];
};

/* Every text of a session. */
static const size_t texts[] = {
	offsetof(struct agentbus_session, id),
	offsetof(struct agentbus_session, provider),
	offsetof(struct agentbus_session, service_name),
	offsetof(struct agentbus_session, model),
	offsetof(struct agentbus_session, reason),
	offsetof(struct agentbus_session, title),
	offsetof(struct agentbus_session, project),
	offsetof(struct agentbus_session, project_dir),
	offsetof(struct agentbus_session, branch),
	offsetof(struct agentbus_session, worktree),
	offsetof(struct agentbus_session, tty),
	offsetof(struct agentbus_session, tmux_pane),
	offsetof(struct agentbus_session, window),
	offsetof(struct agentbus_session, parent_id),
	offsetof(struct agentbus_session, last_error.type),
	offsetof(struct agentbus_session, last_error.message),
	offsetof(struct agentbus_session, tool),
};

static const char **
text_of(struct agentbus_session *s, size_t i)
{
	return (const char **)((char *)s + texts[i]);
}

void
sessions_init(struct sessions *t)
{
	*t = (struct sessions){ 0 };
}

void
sessions_finish(struct sessions *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->entries[i]);
	free(t->entries);
	free(t->index);
	sessions_init(t);
}

/* FNV-1a, over both names and what lies between them. */
static size_t
hash(const char *provider, const char *id)
{
	uint64_t h = 0xcbf29ce484222325;

	for (const char *p = provider; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	h = (h ^ '/') * 0x100000001b3;
	for (const char *p = id; *p; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

/* The slot that holds that session, or the free one where it belongs. The index is never full. */
static uint32_t *
slot_of(const struct sessions *t, const char *provider, const char *id)
{
	for (size_t i = hash(provider, id);; i++) {
		uint32_t *slot = &t->index[i & (t->index_size - 1)];
		if (!*slot)
			return slot;
		const struct agentbus_session *s = &t->entries[*slot - 1]->session;
		if (strcmp(s->id, id) == 0 && strcmp(s->provider, provider) == 0)
			return slot;
	}
}

/* Makes room for one more session. At most half of the index is in use. */
static bool
reserve(struct sessions *t)
{
	if (t->count < t->capacity)
		return true;

	size_t capacity = t->capacity ? 2 * t->capacity : 16;
	struct sessions_entry **entries = realloc(t->entries, capacity * sizeof(struct sessions_entry *));
	if (!entries)
		return false;
	t->entries = entries;
	uint32_t *index = calloc(2 * capacity, sizeof(*index));
	if (!index)
		return false;
	free(t->index);
	t->index = index;
	t->index_size = 2 * capacity;
	t->capacity = capacity;
	for (size_t i = 0; i < t->count; i++)
		*slot_of(t, entries[i]->session.provider, entries[i]->session.id) = (uint32_t)(i + 1);
	return true;
}

static size_t
size_of(const struct agentbus_session *s)
{
	struct agentbus_session view = *s;
	size_t size = s->model_count * sizeof(*s->models) + s->error_type_count * sizeof(*s->errors_by_type);

	for (size_t i = 0; i < COUNT(texts); i++)
		size += strlen(*text_of(&view, i)) + 1;
	for (size_t i = 0; i < s->model_count; i++)
		size += strlen(s->models[i].model) + 1;
	for (size_t i = 0; i < s->error_type_count; i++)
		size += strlen(s->errors_by_type[i].type) + 1;
	return size;
}

static char *
copy_text(char *to, const char **text)
{
	size_t size = strlen(*text) + 1;

	memcpy(to, *text, size);
	*text = to;
	return to + size;
}

/* What is not text comes first in data, for its alignment. */
static void
fill(struct sessions_entry *e, const struct agentbus_session *s)
{
	struct agentbus_model_usage *models = (struct agentbus_model_usage *)(void *)e->data;
	struct agentbus_error_count *errors = (struct agentbus_error_count *)(void *)(models + s->model_count);
	char *to = (char *)(errors + s->error_type_count);

	e->session = *s;
	e->session.models = models;
	e->session.errors_by_type = errors;
	for (size_t i = 0; i < COUNT(texts); i++)
		to = copy_text(to, text_of(&e->session, i));
	for (size_t i = 0; i < s->model_count; i++) {
		models[i] = s->models[i];
		to = copy_text(to, &models[i].model);
	}
	for (size_t i = 0; i < s->error_type_count; i++) {
		errors[i] = s->errors_by_type[i];
		to = copy_text(to, &errors[i].type);
	}
}

const struct agentbus_session *
sessions_put(struct sessions *t, const struct agentbus_session *s)
{
	if (!reserve(t))
		return NULL;

	uint32_t *slot = slot_of(t, s->provider, s->id);
	struct sessions_entry *e = *slot ? t->entries[*slot - 1] : NULL;
	size_t size = size_of(s);
	if (!e || e->room < size) {
		/* A little more than now, for titles and counts of models change. */
		size_t room = size + size / 4;
		struct sessions_entry *larger = malloc(sizeof(*larger) + room);
		if (!larger)
			return NULL;
		larger->room = room;
		if (!*slot)
			*slot = (uint32_t)++t->count;
		t->entries[*slot - 1] = larger;
		free(e);
		e = larger;
	}
	fill(e, s);
	return &e->session;
}

const struct agentbus_session *
sessions_at(const struct sessions *t, size_t i)
{
	return i < t->count ? &t->entries[i]->session : NULL;
}

const struct agentbus_session *
sessions_get(const struct sessions *t, const char *provider, const char *id)
{
	if (!t->count)
		return NULL;
	uint32_t slot = *slot_of(t, provider, id);
	return slot ? &t->entries[slot - 1]->session : NULL;
}
