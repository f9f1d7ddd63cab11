#include "tally.h"

#include "session_usage.h"

static bool
tells_usage(const struct event *e)
{
	if (e->kind == EVENT_UNPUBLISHED)
		return e->cost != NULL;
	return e->observation &&
	       (e->kind == EVENT_API_REQUEST || (e->kind == EVENT_API_ERROR && e->observation->means == MEANS_ERROR));
}

/* The row with this key; NULL if there is none and no room for it. */
static struct tally_row *
find_row(struct tally *t, const struct tally_row *key)
{
	for (size_t i = 0; i < t->count; i++) {
		struct tally_row *row = &t->rows[i];

		if (row->provider == key->provider && strcmp(row->session, key->session) == 0 &&
		    strcmp(row->model, key->model) == 0 && strcmp(row->project, key->project) == 0 &&
		    strcmp(row->day, key->day) == 0)
			return row;
	}
	if (t->count == TALLY_ROWS)
		return NULL;
	t->rows[t->count] = *key;
	return &t->rows[t->count++];
}

/* The model of the request; that of the session where there was none. */
static struct str
model_of(const struct event *e)
{
	const struct str model = e->kind == EVENT_UNPUBLISHED ? str_from(e->session->model) : e->observation->model;

	return model.len ? model : STR("unknown");
}

bool
tally_add(struct tally *t, const char *day, const struct event *e)
{
	struct tally_row key = { 0 };

	if (!tells_usage(e))
		return true;
	key.provider = e->session->provider;
	str_copy(key.day, sizeof(key.day), str_from(day));
	str_copy(key.model, sizeof(key.model), model_of(e));
	str_copy(key.project, sizeof(key.project), str_from(e->session->project_name));
	str_copy(key.session, sizeof(key.session), str_from(e->session->id));
	struct tally_row *row = find_row(t, &key);
	if (!row)
		return false;
	if (e->kind == EVENT_API_ERROR) {
		row->api_errors++;
		return true;
	}
	if (e->kind == EVENT_API_REQUEST) {
		row->requests++;
		usage_add_tokens(&row->tokens, &e->observation->tokens);
	}
	if (e->cost)
		usage_add_cost(&row->cost, e->cost);
	return true;
}

void
tally_clear(struct tally *t)
{
	t->count = 0;
}
