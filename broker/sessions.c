/* The sessions as their users see them: made, looked at, and asked what has changed. */
#include "session.h"

#include "session_table.h"

#include <stdlib.h>

struct sessions *
sessions_create(const struct session_settings *settings, struct event_sink *sink)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->settings = *settings;
	s->sink = sink;
	if (!table_init(s)) {
		sessions_destroy(s);
		return NULL;
	}
	return s;
}

void
sessions_destroy(struct sessions *s)
{
	if (!s)
		return;
	table_finish(s);
	free(s);
}

void
sessions_set_settings(struct sessions *s, const struct session_settings *settings)
{
	s->settings = *settings;
}

void
sessions_set_prices(struct sessions *s, const struct price_table *prices)
{
	s->prices = prices;
}

void
sessions_set_host(struct sessions *s, struct session_host *host)
{
	s->host = host;
}

void
sessions_each(const struct sessions *s, void (*fn)(const struct session *, void *ctx), void *ctx)
{
	for (const struct session *x = s->oldest; x; x = x->track->newer)
		if (x->shown)
			fn(x, ctx);
}

size_t
sessions_count(const struct sessions *s)
{
	return s->count;
}

const struct session *
sessions_find(const struct sessions *s, const char *provider, const char *id)
{
	for (const struct session *x = s->oldest; x; x = x->track->newer)
		if (strcmp(x->provider, provider) == 0 && strcmp(x->id, id) == 0)
			return x;
	return NULL;
}

void
sessions_take_changed(struct sessions *s, bool (*fn)(const struct session *, void *ctx), void *ctx)
{
	while (s->changed && (!fn || fn(s->changed, ctx)))
		table_unchange(s, s->changed);
}

bool
sessions_changed(const struct sessions *s)
{
	return s->changed != NULL;
}

void
sessions_touch_all(struct sessions *s)
{
	for (struct session *x = s->oldest; x; x = x->track->newer)
		table_change(s, x);
}

void
sessions_clear(struct sessions *s)
{
	table_clear(s);
}
