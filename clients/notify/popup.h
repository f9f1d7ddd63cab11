/* The parts of the desktop, for desktop.c, daemon.c and popup.c alone. */
#ifndef CLIENTS_NOTIFY_POPUP_H
#define CLIENTS_NOTIFY_POPUP_H

#include "notify/body.h"
#include "notify/busloop.h"
#include "notify/desktop.h"
#include "notify/notice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define DESKTOP_SERVICE "org.freedesktop.Notifications"
#define DESKTOP_OBJECT  "/org/freedesktop/Notifications"

enum {
	DESKTOP_NAME_SIZE = 256, /* the longest bus name is 255 */
	DESKTOP_TOKEN_SIZE = 256
};

/* What a daemon can do, by the names it uses. */
enum capability {
	CAN_ACTIONS = 1 << 0,
	CAN_BODY = 1 << 1,
	CAN_MARKUP = 1 << 2,  /* and so takes the body for markup */
	CAN_PERSIST = 1 << 3, /* keeps a list of what was not looked at */
	CAN_TAGS = 1 << 4     /* dunst and its like, which draw icons as they are: one in a dark colour would be lost on them */
};

enum daemon_state {
	DAEMON_UNKNOWN, /* none has answered */
	DAEMON_ASKED,   /* for its capabilities */
	DAEMON_READY
};

/* One key's notification: what is wanted, and what the daemon has. */
struct popup {
	struct desktop *d;
	struct popup *next; /* an older one */
	char key[NOTICE_KEY_SIZE];
	char summary[BODY_SUMMARY_SIZE], body[BODY_TEXT_SIZE];
	struct desktop_note note; /* its summary and body are those above */
	double since;
	bool unshown;      /* the daemon has not been told of this text */
	bool closing;      /* to be taken from the screen as soon as the daemon has said its id */
	uint32_t id;       /* the daemon's, 0 if it shows none */
	sd_bus_slot *call; /* Notify, while its answer is awaited: one at a time, so that the newest text comes last */
	unsigned epoch;    /* d->epoch at the call */
	char token[DESKTOP_TOKEN_SIZE]; /* for the action that follows, "" for none */
};

struct desktop {
	struct busloop busloop;
	struct desktop_user *user;
	struct popup *popups; /* newest first */
	size_t count;
	enum daemon_state daemon;
	unsigned can;                  /* enum capability; valid if DAEMON_READY */
	char owner[DESKTOP_NAME_SIZE]; /* the daemon, by its unique name; "" if none is known */
	unsigned epoch; /* how many daemons have appeared: a call that failed was for an earlier one if this has changed */
	unsigned ask_epoch;
	bool complained;
	sd_bus_slot *owner_match, *signal_match, *ask;
};

/* popup.c: one notification. */

/* Does the next thing that brings the screen nearer to what is wanted. May free p. */
void popup_sync(struct popup *p);

/* Frees p if nothing is left to do or to remember. */
void popup_settle(struct popup *p);

void popup_free(struct popup *p);

/* It has waited for too long to be news. */
bool popup_is_stale(const struct popup *p);

/* Forgets what is stale. */
void popup_forget_stale(struct desktop *d);

bool popup_any_unshown(const struct desktop *d);

/* daemon.c: the notification daemon. */

/* Watches the bus for the daemon. Returns 0 or -errno. */
int daemon_up(struct desktop *d);

/* The connection is gone, and the daemon with it. */
void daemon_down(struct desktop *d);

/* Asks what the daemon can do, if that is not known. That also has the bus start one, where it knows how to. */
void daemon_ask(struct desktop *d);

/* An answer that no daemon gave: there is none, or it went. */
bool daemon_is_missing(const sd_bus_error *e);

/* Says so, once. */
void daemon_complain(struct desktop *d, const sd_bus_error *e);

/* Whether the daemon that we know of has sent the message. */
bool daemon_sent(const struct desktop *d, sd_bus_message *m);

#endif
