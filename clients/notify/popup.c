#include "notify/popup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APP_NAME       "agentbus"
#define SERVER_DEFAULT (-1) /* how long the daemon shows it */
#define TAG_SIZE       32
#define ONE_LINE_SIZE  (BODY_SUMMARY_SIZE + BODY_TEXT_SIZE)

void
popup_free(struct popup *p)
{
	struct popup **at = &p->d->popups;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	p->d->count--;
	sd_bus_slot_unref(p->call);
	free(p);
}

void
popup_settle(struct popup *p)
{
	if (!p->unshown && !p->call && p->id == 0)
		popup_free(p);
}

bool
popup_is_stale(const struct popup *p)
{
	return p->note.keep > 0 && ev_now(p->d->busloop.loop) - p->since > p->note.keep;
}

void
popup_forget_stale(struct desktop *d)
{
	for (struct popup *p = d->popups, *next; p; p = next) {
		next = p->next;
		if (p->unshown && popup_is_stale(p)) {
			p->unshown = false;
			popup_settle(p);
		}
	}
}

bool
popup_any_unshown(const struct desktop *d)
{
	const struct popup *p = d->popups;

	while (p && !p->unshown)
		p = p->next;
	return p != NULL;
}

static int
on_notified(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	struct popup *p = userdata;
	struct desktop *d = p->d;
	const sd_bus_error *error = sd_bus_message_get_error(m);
	bool unheard = error && daemon_is_missing(error);
	uint32_t id;

	(void)ret_error;
	p->call = sd_bus_slot_unref(p->call);
	if (error)
		daemon_complain(d, error);
	else if (daemon_sent(d, m) && sd_bus_message_read(m, "u", &id) >= 0)
		p->id = id;
	if (unheard)
		p->unshown = !p->closing;
	/* A daemon that leaves a call without an answer is not asked again until something changes. */
	if (unheard && p->epoch == d->epoch && d->daemon == DAEMON_READY)
		d->daemon = DAEMON_UNKNOWN;
	if (!unheard || p->closing || p->epoch != d->epoch)
		popup_sync(p);
	return 0;
}

/* A name for the key's notification that is the same in each run, and valid whatever is in the key. */
static const char *
tag_of(const char *key, char out[TAG_SIZE])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *p = key; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	snprintf(out, TAG_SIZE, APP_NAME "-%016" PRIx64, hash);
	return out;
}

static int
append_hint(sd_bus_message *m, const char *name, const char *type, const void *value)
{
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', type);
	if (r >= 0)
		r = sd_bus_message_append_basic(m, type[0], value);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/*
 * The tags have a daemon replace the key's notification even if it does not know the id: after a restart of ours or of its
 * own. What is not urgent is not worth a place in its list of what was not looked at.
 */
static int
append_hints(const struct popup *p, sd_bus_message *m)
{
	char room[TAG_SIZE];
	const char *tag = tag_of(p->key, room);
	const uint8_t urgency = (uint8_t)p->note.urgency;
	const int transient = p->note.urgency == DESKTOP_LOW && p->d->can & CAN_PERSIST;
	const struct {
		const char *name, *type;
		const void *value; /* NULL: left out */
	} hints[] = {
		{ "urgency", "y", &urgency },
		{ "category", "s", p->note.category },
		{ "desktop-entry", "s", APP_NAME },
		{ "x-canonical-private-synchronous", "s", tag },
		{ "x-dunst-stack-tag", "s", tag },
		{ "sound-name", "s", p->note.sound },
		{ "transient", "b", transient ? &transient : NULL },
	};
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (size_t i = 0; r >= 0 && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].value)
			r = append_hint(m, hints[i].name, hints[i].type, hints[i].value);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

static int
append_actions(const struct popup *p, sd_bus_message *m)
{
	const struct desktop_action *a = p->d->can & CAN_ACTIONS ? p->note.actions : NULL;
	int r = sd_bus_message_open_container(m, 'a', "s");

	for (; r >= 0 && a && a->id; a++)
		r = sd_bus_message_append(m, "ss", a->id, a->label);
	return r >= 0 ? sd_bus_message_close_container(m) : r;
}

/* A daemon without bodies shows the first line of it beside the summary. */
static int
append_text(const struct popup *p, sd_bus_message *m)
{
	char markup[BODY_MARKUP_SIZE], line[ONE_LINE_SIZE];
	const int first = (int)strcspn(p->body, "\n");

	if (p->d->can & CAN_BODY)
		return sd_bus_message_append(m, "ss", p->summary,
					     p->d->can & CAN_MARKUP ? body_escape(p->body, markup, sizeof(markup)) : p->body);
	snprintf(line, sizeof(line), first > 0 ? "%s: %.*s" : "%s", p->summary, first, p->body);
	return sd_bus_message_append(m, "ss", line, "");
}

static int
call_notify(struct popup *p)
{
	sd_bus *bus = p->d->busloop.bus;
	sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, DESKTOP_SERVICE, DESKTOP_OBJECT, DESKTOP_SERVICE, "Notify");

	if (r >= 0)
		r = sd_bus_message_append(m, "sus", APP_NAME, p->id, p->d->can & CAN_TAGS ? p->note.plain_icon : p->note.icon);
	if (r >= 0)
		r = append_text(p, m);
	if (r >= 0)
		r = append_actions(p, m);
	if (r >= 0)
		r = append_hints(p, m);
	if (r >= 0)
		r = sd_bus_message_append(m, "i", SERVER_DEFAULT);
	if (r >= 0)
		r = sd_bus_call_async(bus, &p->call, m, on_notified, p, 0);
	sd_bus_message_unref(m);
	return r;
}

static void
send_popup(struct popup *p)
{
	int r = call_notify(p);

	p->epoch = p->d->epoch;
	p->token[0] = '\0';
	/* Text that the bus refuses would be refused again. Any other failure is the connection's, which is about to be noticed.
	 */
	if (r >= 0 || r == -EINVAL)
		p->unshown = false;
}

static void
withdraw_popup(struct popup *p)
{
	if (p->id != 0 && p->d->busloop.bus)
		sd_bus_call_method_async(p->d->busloop.bus, NULL, DESKTOP_SERVICE, DESKTOP_OBJECT, DESKTOP_SERVICE,
					 "CloseNotification", NULL, NULL, "u", p->id);
	popup_free(p);
}

void
popup_sync(struct popup *p)
{
	if (p->call)
		return;
	if (p->closing) {
		withdraw_popup(p);
	} else if (!p->unshown) {
		popup_settle(p);
	} else if (p->d->daemon == DAEMON_READY) {
		send_popup(p);
	} else {
		daemon_ask(p->d);
		busloop_want(&p->d->busloop);
	}
}
