#include "common/pick.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { ID_COLUMNS = 40, TEXT_COLUMNS = 60 };

/* What follows "provider/" in the text, if that is whose session it is; else NULL. */
static const char *
within_provider(const struct agentbus_session *s, const char *text)
{
	const size_t len = strlen(s->provider);

	return len > 0 && strncmp(text, s->provider, len) == 0 && text[len] == '/' ? text + len + 1 : NULL;
}

static bool
is_id(const struct agentbus_session *s, const char *text)
{
	const char *id = within_provider(s, text);

	return strcmp(s->id, text) == 0 || (id && strcmp(s->id, id) == 0);
}

static bool
is_part(const struct agentbus_session *s, const char *text)
{
	const char *id = within_provider(s, text);

	if (!id)
		id = text;
	return *id && (strcmp(text_short_id(s->id), id) == 0 || strncmp(s->id, id, strlen(id)) == 0);
}

static bool
is_part_of_living(const struct agentbus_session *s, const char *text)
{
	return s->state != AGENTBUS_ENDED && is_part(s, text);
}

/* Those that a CLI runs beside the conversation begin alike where ids begin with the time. */
static bool
is_part_of_own(const struct agentbus_session *s, const char *text)
{
	return !s->auxiliary && is_part_of_living(s, text);
}

/* Surest first: the first row by which any session is meant is the only one that counts. */
static bool (*const means[])(const struct agentbus_session *s, const char *text) = { is_id, is_part_of_own, is_part_of_living,
										     is_part };

struct pick
pick_session(const struct agentbus_session *const *sessions, size_t count, const char *text)
{
	struct pick p = { 0 };

	for (size_t row = 0; *text && row < COUNT(means) && p.count == 0; row++)
		for (size_t i = 0; i < count; i++) {
			if (!means[row](sessions[i], text))
				continue;
			if (p.count < PICK_NAMED)
				p.named[p.count] = sessions[i];
			p.count++;
		}
	p.session = p.count == 1 ? p.named[0] : NULL;
	return p;
}

const struct agentbus_session *
pick_next(const struct agentbus_session *const *sessions, size_t count)
{
	static const enum agentbus_state wanted[] = { AGENTBUS_WAITING, AGENTBUS_COMPLETED };
	const struct agentbus_session *best = NULL;

	for (size_t k = 0; k < COUNT(wanted) && !best; k++)
		for (size_t i = 0; i < count; i++) {
			const struct agentbus_session *s = sessions[i];

			if (s->state == wanted[k] && !s->auxiliary && (!best || agentbus_session_compare(s, best) < 0))
				best = s;
		}
	return best;
}

const char *
pick_explain(const struct pick *p, const char *text, char *out)
{
	char shown[4 * TEXT_COLUMNS], provider[4 * ID_COLUMNS], id[4 * ID_COLUMNS];
	const size_t named = p->count < PICK_NAMED ? p->count : PICK_NAMED;
	size_t len;

	text_clip(text, TEXT_COLUMNS, shown, sizeof(shown));
	len = (size_t)snprintf(out, PICK_TEXT_SIZE, p->count ? "'%s' may be" : "no session '%s'", shown);
	for (size_t i = 0; i < named && len < PICK_TEXT_SIZE; i++)
		len += (size_t)snprintf(out + len, PICK_TEXT_SIZE - len, "%s %s/%s", i ? "," : "",
					text_clip(p->named[i]->provider, ID_COLUMNS, provider, sizeof(provider)),
					text_clip(p->named[i]->id, ID_COLUMNS, id, sizeof(id)));
	if (p->count > named && len < PICK_TEXT_SIZE)
		snprintf(out + len, PICK_TEXT_SIZE - len, " and %zu more", p->count - named);
	return out;
}
