/*
 * What is to be on the screen, and the notification daemon that is to show it (org.freedesktop.Notifications 1.2).
 *
 * The caller says what is wanted, under a key that it chooses. Never blocks, never fails: without a bus or a daemon, what is
 * wanted is kept until there is one or until it is no news any more. A key has one notification, and a newer one takes the
 * place of the older.
 */
#ifndef CLIENTS_NOTIFY_DESKTOP_H
#define CLIENTS_NOTIFY_DESKTOP_H

#include <ev.h>
#include <stdint.h>

enum desktop_urgency { DESKTOP_LOW = 0, DESKTOP_NORMAL = 1, DESKTOP_CRITICAL = 2 };

/* Text is plain UTF-8; it is copied. */
struct desktop_note {
	const char *summary, *body;
	const char *icon, *category; /* static */
	enum desktop_urgency urgency;
	double keep; /* seconds for which it is news; 0: until it is closed, and a daemon that starts anew shows it again */
};

struct desktop;

/* Returns NULL without memory. */
struct desktop *desktop_create(struct ev_loop *loop);

/* Leaves on the screen what is there. */
void desktop_destroy(struct desktop *d);

void desktop_show(struct desktop *d, const char *key, const struct desktop_note *note);

/* Takes it from the screen. */
void desktop_close(struct desktop *d, const char *key);

/* Does not show it if that has not happened yet. */
void desktop_drop(struct desktop *d, const char *key);

#endif
