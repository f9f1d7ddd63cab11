#include "notify/desktop.h"

#include "common/container.h"
#include "notify/popup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POPUPS_MAX 256 /* above: the oldest one is left to itself */

static struct popup *
find_popup(struct desktop *d, const char *key)
{
	struct popup *p = d->popups;

	while (p && strcmp(p->key, key) != 0)
		p = p->next;
	return p;
}

static int
bus_up(struct busloop *b)
{
	return daemon_up(container_of(b, struct desktop, busloop));
}

static void
bus_down(struct busloop *b)
{
	struct desktop *d = container_of(b, struct desktop, busloop);

	for (struct popup *p = d->popups; p; p = p->next) {
		p->unshown = p->unshown || p->call;
		p->call = sd_bus_slot_unref(p->call);
	}
	daemon_down(d);
}

static bool
bus_wanted(struct busloop *b)
{
	struct desktop *d = container_of(b, struct desktop, busloop);

	popup_forget_stale(d);
	return popup_any_unshown(d);
}

struct desktop *
desktop_create(struct ev_loop *loop, struct desktop_user *user)
{
	static const struct busloop_user busloop_user = { .up = bus_up, .down = bus_down, .wanted = bus_wanted };
	struct desktop *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->user = user;
	busloop_init(&d->busloop, loop, &busloop_user);
	busloop_want(&d->busloop);
	return d;
}

void
desktop_destroy(struct desktop *d)
{
	if (!d)
		return;
	busloop_finish(&d->busloop);
	while (d->popups)
		popup_free(d->popups);
	free(d);
}

/* Makes room by leaving the oldest one to itself. */
static void
limit_popups(struct desktop *d)
{
	struct popup *oldest = NULL;

	if (d->count < POPUPS_MAX)
		return;
	for (struct popup *p = d->popups; p; p = p->next)
		if (!p->call)
			oldest = p;
	if (oldest)
		popup_free(oldest);
}

static struct popup *
add_popup(struct desktop *d, const char *key)
{
	struct popup *p;

	limit_popups(d);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->d = d;
	snprintf(p->key, sizeof(p->key), "%s", key);
	p->next = d->popups;
	d->popups = p;
	d->count++;
	return p;
}

void
desktop_show(struct desktop *d, const char *key, const struct desktop_note *note)
{
	struct popup *p = find_popup(d, key);

	if (!p)
		p = add_popup(d, key);
	if (!p)
		return;
	snprintf(p->summary, sizeof(p->summary), "%s", note->summary);
	snprintf(p->body, sizeof(p->body), "%s", note->body);
	p->note = *note;
	p->note.summary = p->summary;
	p->note.body = p->body;
	p->since = ev_now(d->busloop.loop);
	p->unshown = true;
	p->closing = false;
	popup_sync(p);
}

void
desktop_close(struct desktop *d, const char *key)
{
	struct popup *p = find_popup(d, key);

	if (!p)
		return;
	p->unshown = false;
	p->closing = true;
	popup_sync(p);
}
