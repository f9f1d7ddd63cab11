#include "notify/desktop.h"

#include "notify/body.h"
#include "notify/busloop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER_RULE                                                                                                               \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"             \
	"member='NameOwnerChanged',arg0='" SERVICE "'"
#define CLOSED_RULE    "type='signal',path='" OBJECT "',interface='" SERVICE "',member='NotificationClosed'"
#define SERVICE        "org.freedesktop.Notifications"
#define OBJECT         "/org/freedesktop/Notifications"
#define APP_NAME       "agentbus"
#define KEY_SIZE       256
#define NAME_SIZE      256  /* the longest bus name is 255 */
#define POPUPS_MAX     256  /* above: the oldest one is left to itself */
#define SERVER_DEFAULT (-1) /* how long the daemon shows it */

enum server {
	SERVER_UNKNOWN, /* no daemon has answered */
	SERVER_ASKED,   /* for its capabilities */
	SERVER_READY
};

/* One key's notification: what is wanted, and what the daemon has. */
struct popup {
	struct desktop *d;
	struct popup *next; /* an older one */
	char key[KEY_SIZE];
	char summary[BODY_SUMMARY_SIZE], body[BODY_TEXT_SIZE];
	const char *icon, *category;
	enum desktop_urgency urgency;
	double keep, since;
	bool unshown;      /* the daemon has not been told of this text */
	bool closing;      /* to be taken from the screen as soon as the daemon has said its id */
	uint32_t id;       /* the daemon's, 0 if it shows none */
	sd_bus_slot *call; /* Notify, while its answer is awaited: only one at a time, so that the newest text comes last */
	unsigned epoch;    /* d->epoch at the call */
};

struct desktop {
	struct busloop busloop;
	struct popup *popups; /* newest first */
	size_t count;
	enum server server;
	char owner[NAME_SIZE]; /* the daemon, by its unique name; "" if none is known */
	unsigned epoch;        /* how many daemons have appeared: a call that failed was for an earlier one if this has changed */
	unsigned ask_epoch;
	bool markup; /* the body is markup */
	bool complained;
	sd_bus_slot *owner_match, *closed_match, *ask;
};

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void sync_popup(struct popup *p);
static int on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

static void
free_popup(struct popup *p)
{
	struct popup **at = &p->d->popups;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->d->count--;
	sd_bus_slot_unref(p->call);
	free(p);
}

/* Frees p if nothing is left to do or to remember. */
static void
settle(struct popup *p)
{
	if (!p->unshown && !p->call && p->id == 0)
		free_popup(p);
}

static bool
is_stale(const struct popup *p)
{
	return p->keep > 0 && ev_now(p->d->busloop.loop) - p->since > p->keep;
}

static struct popup *
find_popup(struct desktop *d, const char *key)
{
	struct popup *p = d->popups;

	while (p && strcmp(p->key, key) != 0)
		p = p->next;
	return p;
}

static void
forget_stale(struct desktop *d)
{
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		if (p->unshown && is_stale(p)) {
			p->unshown = false;
			settle(p);
		}
	}
}

/* An answer that no daemon gave: there is none, or it went. */
static bool
means_no_daemon(const sd_bus_error *e)
{
	static const char *const names[] = {
		SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY,
		SD_BUS_ERROR_TIMEOUT,         SD_BUS_ERROR_DISCONNECTED,      "org.freedesktop.DBus.Error.TimedOut",
	};
	static const char spawn[] = "org.freedesktop.DBus.Error.Spawn.";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sd_bus_error_has_name(e, names[i]))
			return true;
	return e->name && strncmp(e->name, spawn, sizeof(spawn) - 1) == 0;
}

static void
complain(struct desktop *d, const sd_bus_error *e)
{
	if (!d->complained)
		fprintf(stderr, "notify-subscriber: the notification daemon does not answer: %s\n",
			e->message ? e->message : e->name);
	d->complained = true;
}

static void
sync_all(struct desktop *d)
{
	forget_stale(d);
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		sync_popup(p);
	}
}

/* --- the daemon --- */

/* Asks what the daemon can do. That also has the bus start one, where it knows how to. */
static void
ask_server(struct desktop *d)
{
	if (d->server != SERVER_UNKNOWN || !d->busloop.bus)
		return;
	d->ask_epoch = d->epoch;
	if (sd_bus_call_method_async(d->busloop.bus, &d->ask, SERVICE, OBJECT, SERVICE, "GetCapabilities", on_capabilities, d,
				     NULL) >= 0)
		d->server = SERVER_ASKED;
}

static bool
read_capabilities(struct desktop *d, sd_bus_message *m)
{
	const char *capability;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	d->markup = false;
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &capability)) > 0)
		if (strcmp(capability, "body-markup") == 0)
			d->markup = true;
	return r >= 0;
}

static bool
set_owner(struct desktop *d, const char *name)
{
	if (!name || strlen(name) >= sizeof(d->owner))
		return false;
	memcpy(d->owner, name, strlen(name) + 1);
	return true;
}

static bool
is_owner(const struct desktop *d, sd_bus_message *m)
{
	const char *sender = sd_bus_message_get_sender(m);

	return sender && strcmp(sender, d->owner) == 0;
}

static int
on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct desktop *d = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(m);

	(void)ret_error;
	d->ask = sd_bus_slot_unref(d->ask);
	d->server = SERVER_UNKNOWN;
	if (error)
		complain(d, error);
	if (error && d->epoch != d->ask_epoch)
		ask_server(d);
	if (error || !set_owner(d, sd_bus_message_get_sender(m)) || !read_capabilities(d, m))
		return 0;
	d->server = SERVER_READY;
	d->complained = false;
	sync_all(d);
	return 0;
}

/* The daemon's notifications went with it. Those that stay until they are closed are wanted from the next one. */
static void
lose_server(struct desktop *d)
{
	if (d->server == SERVER_READY)
		d->server = SERVER_UNKNOWN;
	d->owner[0] = '\0';
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		p->unshown = !p->closing && (p->unshown || (p->id != 0 && p->keep <= 0));
		p->id = 0;
		settle(p);
	}
}

static bool
has_unshown(const struct desktop *d)
{
	const struct popup *p = d->popups;

	while (p && !p->unshown)
		p = p->next;
	return p != NULL;
}

static int
on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct desktop *d = userdata;
	const char *name, *before, *after;

	(void)ret_error;
	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
		return 0;
	lose_server(d);
	if (!after[0] || !set_owner(d, after))
		return 0;
	d->epoch++;
	forget_stale(d);
	if (has_unshown(d))
		ask_server(d);
	return 0;
}

/* The person, or time, has closed it: the next one of its session is a new one. */
static int
on_closed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct desktop *d = userdata;
	struct popup *p = d->popups;
	uint32_t id, reason;

	(void)ret_error;
	if (!is_owner(d, m) || sd_bus_message_read(m, "uu", &id, &reason) < 0 || id == 0)
		return 0;
	while (p && p->id != id)
		p = p->next;
	if (p) {
		p->id = 0;
		settle(p);
	}
	return 0;
}

/* --- one notification --- */

static int
on_notified(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct popup *p = userdata;
	struct desktop *d = p->d;
	const sd_bus_error *error = sd_bus_message_get_error(m);
	bool unheard = error && means_no_daemon(error);
	uint32_t id;

	(void)ret_error;
	p->call = sd_bus_slot_unref(p->call);
	if (error)
		complain(d, error);
	else if (is_owner(d, m) && sd_bus_message_read(m, "u", &id) >= 0)
		p->id = id;
	if (unheard)
		p->unshown = !p->closing;
	/* A daemon that leaves a call without an answer is not asked again until something changes. */
	if (unheard && p->epoch == d->epoch && d->server == SERVER_READY)
		d->server = SERVER_UNKNOWN;
	if (!unheard || p->closing || p->epoch != d->epoch)
		sync_popup(p);
	return 0;
}

static void
send_popup(struct popup *p)
{
	char markup[BODY_MARKUP_SIZE];
	const char *body = p->d->markup ? body_escape(p->body, markup, sizeof(markup)) : p->body;
	int r = sd_bus_call_method_async(p->d->busloop.bus, &p->call, SERVICE, OBJECT, SERVICE, "Notify", on_notified, p,
					 "susssasa{sv}i", APP_NAME, p->id, p->icon, p->summary, body, 0, 3, "urgency", "y",
					 (int)p->urgency, "category", "s", p->category, "desktop-entry", "s", APP_NAME,
					 SERVER_DEFAULT);

	p->epoch = p->d->epoch;
	/* Text that the bus refuses would be refused again. Any other failure is the connection's, which is about to be noticed.
	 */
	if (r >= 0 || r == -EINVAL)
		p->unshown = false;
}

static void
withdraw_popup(struct popup *p)
{
	if (p->id != 0 && p->d->busloop.bus)
		sd_bus_call_method_async(p->d->busloop.bus, NULL, SERVICE, OBJECT, SERVICE, "CloseNotification", NULL, NULL, "u",
					 p->id);
	free_popup(p);
}

/* Does the next thing that brings the screen nearer to what is wanted. May free p. */
static void
sync_popup(struct popup *p)
{
	if (p->call)
		return;
	if (p->closing) {
		withdraw_popup(p);
	} else if (!p->unshown) {
		settle(p);
	} else if (p->d->server == SERVER_READY) {
		send_popup(p);
	} else {
		ask_server(p->d);
		busloop_want(&p->d->busloop);
	}
}

/* --- the bus --- */

static int
on_match_installed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct desktop *d = userdata;

	(void)ret_error;
	if (!sd_bus_message_is_method_error(m, NULL))
		busloop_proven(&d->busloop);
	return 0;
}

static int
bus_up(struct busloop *b)
{
	struct desktop *d = container_of(b, struct desktop, busloop);
	int r = sd_bus_add_match_async(b->bus, &d->owner_match, OWNER_RULE, on_owner_changed, on_match_installed, d);

	if (r >= 0)
		r = sd_bus_add_match_async(b->bus, &d->closed_match, CLOSED_RULE, on_closed, on_match_installed, d);
	if (r >= 0 && has_unshown(d))
		ask_server(d);
	return r;
}

static void
bus_down(struct busloop *b)
{
	struct desktop *d = container_of(b, struct desktop, busloop);

	d->owner_match = sd_bus_slot_unref(d->owner_match);
	d->closed_match = sd_bus_slot_unref(d->closed_match);
	d->ask = sd_bus_slot_unref(d->ask);
	d->server = SERVER_UNKNOWN;
	for (struct popup *p = d->popups; p; p = p->next) {
		p->unshown = p->unshown || p->call;
		p->call = sd_bus_slot_unref(p->call);
	}
	lose_server(d);
}

static bool
bus_wanted(struct busloop *b)
{
	struct desktop *d = container_of(b, struct desktop, busloop);

	forget_stale(d);
	return has_unshown(d);
}

/* --- what the caller wants --- */

struct desktop *
desktop_create(struct ev_loop *loop)
{
	static const struct busloop_user user = { .up = bus_up, .down = bus_down, .wanted = bus_wanted };
	struct desktop *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	busloop_init(&d->busloop, loop, &user);
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
		free_popup(d->popups);
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
		free_popup(oldest);
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
	p->icon = note->icon;
	p->category = note->category;
	p->urgency = note->urgency;
	p->keep = note->keep;
	p->since = ev_now(d->busloop.loop);
	p->unshown = true;
	p->closing = false;
	sync_popup(p);
}

void
desktop_close(struct desktop *d, const char *key)
{
	struct popup *p = find_popup(d, key);

	if (!p)
		return;
	p->unshown = false;
	p->closing = true;
	sync_popup(p);
}

void
desktop_drop(struct desktop *d, const char *key)
{
	struct popup *p = find_popup(d, key);

	if (!p || !p->unshown)
		return;
	p->unshown = false;
	settle(p);
}
