#include "notify/popup.h"

#include <stdio.h>
#include <string.h>

#define OWNER_RULE                                                                                                               \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"             \
	"member='NameOwnerChanged',arg0='" DESKTOP_SERVICE "'"
#define SIGNAL_RULE "type='signal',path='" DESKTOP_OBJECT "',interface='" DESKTOP_SERVICE "'"

static int on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

bool
daemon_is_missing(const sd_bus_error *e)
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

void
daemon_complain(struct desktop *d, const sd_bus_error *e)
{
	if (!d->complained)
		fprintf(stderr, "notify-subscriber: the notification daemon does not answer: %s\n",
			e->message ? e->message : e->name);
	d->complained = true;
}

/* --- what it can do --- */

static void
sync_all(struct desktop *d)
{
	popup_forget_stale(d);
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		popup_sync(p);
	}
}

void
daemon_ask(struct desktop *d)
{
	if (d->daemon != DAEMON_UNKNOWN || !d->busloop.bus)
		return;
	d->ask_epoch = d->epoch;
	if (sd_bus_call_method_async(d->busloop.bus, &d->ask, DESKTOP_SERVICE, DESKTOP_OBJECT, DESKTOP_SERVICE, "GetCapabilities",
				     on_capabilities, d, NULL) >= 0)
		d->daemon = DAEMON_ASKED;
}

static bool
read_capabilities(struct desktop *d, sd_bus_message *m)
{
	static const struct {
		const char *name;
		enum capability capability;
	} known[] = {
		{ "actions", CAN_ACTIONS },        { "body", CAN_BODY },
		{ "body-markup", CAN_MARKUP },     { "persistence", CAN_PERSIST },
		{ "x-dunst-stack-tag", CAN_TAGS },
	};
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "s");

	d->can = 0;
	while (r >= 0 && (r = sd_bus_message_read_basic(m, 's', &name)) > 0)
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strcmp(name, known[i].name) == 0)
				d->can |= known[i].capability;
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

bool
daemon_sent(const struct desktop *d, sd_bus_message *m)
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
	d->daemon = DAEMON_UNKNOWN;
	if (error)
		daemon_complain(d, error);
	if (error && d->epoch != d->ask_epoch)
		daemon_ask(d);
	if (error || !set_owner(d, sd_bus_message_get_sender(m)) || !read_capabilities(d, m))
		return 0;
	d->daemon = DAEMON_READY;
	d->complained = false;
	sync_all(d);
	return 0;
}

/* --- its coming and going --- */

/* The daemon's notifications went with it. Those that stay until they are closed are wanted from the next one. */
static void
lose_daemon(struct desktop *d)
{
	if (d->daemon == DAEMON_READY)
		d->daemon = DAEMON_UNKNOWN;
	d->owner[0] = '\0';
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		p->unshown = !p->closing && (p->unshown || (p->id != 0 && p->note.keep <= 0));
		p->id = 0;
		popup_settle(p);
	}
}

static int
on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct desktop *d = userdata;
	const char *name, *before, *after;

	(void)ret_error;
	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
		return 0;
	lose_daemon(d);
	if (!after[0] || !set_owner(d, after))
		return 0;
	d->epoch++;
	popup_forget_stale(d);
	if (popup_any_unshown(d))
		daemon_ask(d);
	return 0;
}

/* --- what the person does --- */

static struct popup *
find_id(struct desktop *d, uint32_t id)
{
	struct popup *p = id != 0 ? d->popups : NULL;

	while (p && p->id != id)
		p = p->next;
	return p;
}

/* The person, or time, has closed it: the next one of its session is a new one. */
static void
on_closed(struct desktop *d, sd_bus_message *m)
{
	struct popup *p;
	uint32_t id, reason;

	if (sd_bus_message_read(m, "uu", &id, &reason) < 0 || !(p = find_id(d, id)))
		return;
	p->id = 0;
	popup_settle(p);
}

/* It comes just before the action that it is for. */
static void
on_token(struct desktop *d, sd_bus_message *m)
{
	struct popup *p;
	const char *token;
	uint32_t id;

	if (sd_bus_message_read(m, "us", &id, &token) < 0 || !(p = find_id(d, id)) || strlen(token) >= sizeof(p->token))
		return;
	memcpy(p->token, token, strlen(token) + 1);
}

static void
on_action(struct desktop *d, sd_bus_message *m)
{
	struct popup *p;
	char key[NOTICE_KEY_SIZE], token[DESKTOP_TOKEN_SIZE];
	const char *action;
	uint32_t id;

	if (sd_bus_message_read(m, "us", &id, &action) < 0 || !(p = find_id(d, id)))
		return;
	/* Copied, since what the user does may free it. */
	memcpy(key, p->key, sizeof(key));
	memcpy(token, p->token, sizeof(token));
	p->token[0] = '\0';
	d->user->acted(d->user, key, action, token);
}

static int
on_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	static const struct {
		const char *member;
		void (*take)(struct desktop *d, sd_bus_message *m);
	} signals[] = {
		{ "NotificationClosed", on_closed },
		{ "ActivationToken", on_token },
		{ "ActionInvoked", on_action },
	};
	struct desktop *d = userdata;

	(void)ret_error;
	if (!daemon_sent(d, m))
		return 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sd_bus_message_is_signal(m, DESKTOP_SERVICE, signals[i].member))
			signals[i].take(d, m);
	return 0;
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

int
daemon_up(struct desktop *d)
{
	int r = sd_bus_add_match_async(d->busloop.bus, &d->owner_match, OWNER_RULE, on_owner_changed, on_match_installed, d);

	if (r >= 0)
		r = sd_bus_add_match_async(d->busloop.bus, &d->signal_match, SIGNAL_RULE, on_signal, on_match_installed, d);
	if (r >= 0 && popup_any_unshown(d))
		daemon_ask(d);
	return r;
}

void
daemon_down(struct desktop *d)
{
	d->owner_match = sd_bus_slot_unref(d->owner_match);
	d->signal_match = sd_bus_slot_unref(d->signal_match);
	d->ask = sd_bus_slot_unref(d->ask);
	d->daemon = DAEMON_UNKNOWN;
	lose_daemon(d);
}
