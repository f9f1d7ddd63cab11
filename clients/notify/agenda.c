#include "notify/agenda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 1024 /* above: the oldest one is dropped */

enum stage {
	STAGE_RESTING, /* nothing to show; its cooldown is remembered */
	STAGE_HELD,
	STAGE_TAKEN /* the answer is awaited */
};

struct entry {
	struct entry *next; /* a newer one */
	struct agenda_item item;
	enum stage stage;
	uint64_t since_ms, due_ms;
	uint64_t cool_ms; /* when the cooldown is over, 0: there was none */
	bool looked;      /* its window had the focus before */
};

struct agenda {
	struct agenda_settings settings;
	struct entry *entries; /* oldest offer first */
	size_t count;
	uint64_t serial;
	struct agenda_item shown;
};

struct agenda *
agenda_create(const struct agenda_settings *settings)
{
	struct agenda *a = calloc(1, sizeof(*a));

	if (a)
		a->settings = *settings;
	return a;
}

static struct entry *
unlink_entry(struct agenda *a, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	a->count--;
	return e;
}

void
agenda_destroy(struct agenda *a)
{
	if (!a)
		return;
	while (a->entries)
		free(unlink_entry(a, &a->entries));
	free(a);
}

static struct entry **
find_key(struct agenda *a, const char *key)
{
	struct entry **at = &a->entries;

	while (*at && strcmp((*at)->item.key, key) != 0)
		at = &(*at)->next;
	return at;
}

/* Forgets cooldowns that are over, and makes room. */
static void
tidy(struct agenda *a, uint64_t now_ms)
{
	for (struct entry **at = &a->entries; *at;) {
		if ((*at)->stage == STAGE_RESTING && (*at)->cool_ms <= now_ms)
			free(unlink_entry(a, at));
		else
			at = &(*at)->next;
	}
	if (a->entries && a->count >= ENTRIES_MAX)
		free(unlink_entry(a, &a->entries));
}

static void
append(struct agenda *a, struct entry *e)
{
	struct entry **at = &a->entries;

	while (*at)
		at = &(*at)->next;
	e->next = NULL;
	*at = e;
	a->count++;
}

/* There is nothing to show any more. May free it. */
static void
rest(struct agenda *a, struct entry *e)
{
	struct entry **at = &a->entries;

	e->stage = STAGE_RESTING;
	if (e->cool_ms)
		return;
	while (*at != e)
		at = &(*at)->next;
	free(unlink_entry(a, at));
}

void
agenda_offer(struct agenda *a, const char *key, enum notice notice, const struct body *body, const struct agenda_time *now)
{
	struct entry **at, *e;
	uint64_t cool_ms;

	tidy(a, now->ms);
	at = find_key(a, key);
	cool_ms = *at ? (*at)->cool_ms : 0;
	e = *at ? unlink_entry(a, at) : malloc(sizeof(*e));
	if (!e)
		return;
	*e = (struct entry){ .stage = STAGE_HELD, .since_ms = now->ms, .cool_ms = cool_ms };
	if (notice == NOTICE_WAITING)
		e->due_ms = now->ms + a->settings.waiting_delay_ms;
	else
		e->due_ms = now->ms > cool_ms ? now->ms : cool_ms;
	e->item.serial = ++a->serial;
	e->item.notice = notice;
	e->item.body = *body;
	snprintf(e->item.key, sizeof(e->item.key), "%s", key);
	append(a, e);
}

void
agenda_cancel(struct agenda *a, const char *key)
{
	struct entry *e = *find_key(a, key);

	if (e)
		rest(a, e);
}

bool
agenda_holds(struct agenda *a, const char *key)
{
	const struct entry *e = *find_key(a, key);

	return e && e->stage != STAGE_RESTING;
}

static bool
is_stale(const struct agenda *a, const struct entry *e, uint64_t now_ms)
{
	const uint64_t keep_ms = a->settings.keep_ms[e->item.notice];

	return keep_ms > 0 && now_ms - e->since_ms > keep_ms;
}

const struct agenda_item *
agenda_take(struct agenda *a, const struct agenda_time *now)
{
	time_t end;
	const bool quiet = quiet_at(&a->settings.quiet, now->wall, &end);

	for (struct entry *e = a->entries, *next; e; e = next) {
		next = e->next;
		if (e->stage != STAGE_HELD || e->due_ms > now->ms)
			continue;
		if (is_stale(a, e, now->ms)) {
			rest(a, e);
		} else if (!quiet || a->settings.allowed[e->item.notice]) {
			e->stage = STAGE_TAKEN;
			return &e->item;
		}
	}
	return NULL;
}

static struct entry *
find_taken(struct agenda *a, uint64_t serial)
{
	struct entry *e = a->entries;

	while (e && (e->stage != STAGE_TAKEN || e->item.serial != serial))
		e = e->next;
	return e;
}

const struct agenda_item *
agenda_answer(struct agenda *a, uint64_t serial, bool focused, const struct agenda_time *now)
{
	struct entry *e = find_taken(a, serial);

	if (!e)
		return NULL;
	if (focused && e->item.notice == NOTICE_WAITING && !e->looked) {
		e->looked = true;
		e->stage = STAGE_HELD;
		e->due_ms = now->ms + a->settings.look_again_ms;
		return NULL;
	}
	if (!focused && (e->item.notice == NOTICE_COMPLETED || e->item.notice == NOTICE_FAILED))
		e->cool_ms = now->ms + a->settings.cooldown_ms;
	a->shown = e->item;
	rest(a, e);
	return focused ? NULL : &a->shown;
}

void
agenda_next(const struct agenda *a, const struct agenda_time *now, uint64_t *ret_after_ms, time_t *ret_wall)
{
	bool held_by_quiet = false;

	*ret_after_ms = UINT64_MAX;
	*ret_wall = 0;
	for (const struct entry *e = a->entries; e; e = e->next) {
		if (e->stage != STAGE_HELD)
			continue;
		if (e->due_ms <= now->ms)
			held_by_quiet = true;
		else if (e->due_ms - now->ms < *ret_after_ms)
			*ret_after_ms = e->due_ms - now->ms;
	}
	if (held_by_quiet && !quiet_at(&a->settings.quiet, now->wall, ret_wall))
		*ret_after_ms = 0;
}
