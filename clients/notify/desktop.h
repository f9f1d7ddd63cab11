/*
 * What is to be on the screen, and the notification daemon that is to show it (org.freedesktop.Notifications 1.2).
 *
 * The caller says what is wanted, under a key that it chooses. Never blocks, never fails: without a bus or a daemon, what is
 * wanted is kept until there is one or until it is no news any more. A key has one notification, and a newer one takes the
 * place of the older. What the person or the daemon has closed does not come back by itself.
 */
#ifndef CLIENTS_NOTIFY_DESKTOP_H
#define CLIENTS_NOTIFY_DESKTOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

enum desktop_urgency { DESKTOP_LOW = 0, DESKTOP_NORMAL = 1, DESKTOP_CRITICAL = 2 };

/* What a notification offers. id "default" is a click on it. */
struct desktop_action {
	const char *id, *label;
};

/* Text is plain UTF-8; summary and body are copied, all other text is static. */
struct desktop_note {
	const char *summary, *body;
	const char *icon;       /* name of an icon in one colour, for daemons that give it theirs */
	const char *plain_icon; /* for those that show it as it is */
	const char *category;
	const char *sound;                    /* name of a sound, NULL for none */
	const struct desktop_action *actions; /* static, ended by a NULL id; NULL for none */
	enum desktop_urgency urgency;
	double keep; /* seconds for which it is news; 0: until it is closed, and a daemon that starts anew shows it again */
};

struct desktop;

/* Whom to tell what the person does. */
struct desktop_user {
	/*
	 * An action of the key's notification. token is for the activation of a window (XDG_ACTIVATION_TOKEN), "" if the daemon
	 * gave none. Most daemons close the notification then, some do not.
	 */
	void (*acted)(struct desktop_user *user, const char *key, const char *action, const char *token);
};

/* Returns NULL without memory. user must outlive it. */
struct desktop *desktop_create(struct ev_loop *loop, struct desktop_user *user);

/* Leaves on the screen what is there. */
void desktop_destroy(struct desktop *d);

void desktop_show(struct desktop *d, const char *key, const struct desktop_note *note);

/* Takes it from the screen, or does not show it if that has not happened yet. */
void desktop_close(struct desktop *d, const char *key);

#endif
