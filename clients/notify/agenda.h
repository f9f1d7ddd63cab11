/*
 * When to show what the policy wants shown. Pure: time is an argument.
 *
 * A notice is held
 * - for the waiting delay, if a session waits: most dialogs that a rule answers are over by then;
 * - the end of a turn, until the cooldown is over that one which was shown has begun, for its session alone;
 * - until quiet hours end, unless they allow it;
 * - and, of a session that waits, once for some seconds more if its window has the focus.
 * It is dropped when it is no longer true (agenda_cancel()), when a newer one of the same key comes, and when it is no news
 * any more. So a session that waits is told of late, but told of, as long as it does.
 */
#ifndef CLIENTS_NOTIFY_AGENDA_H
#define CLIENTS_NOTIFY_AGENDA_H

#include "notify/body.h"
#include "notify/notice.h"
#include "notify/quiet.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct agenda_time {
	uint64_t ms; /* of a clock that is never set */
	time_t wall;
};

struct agenda_settings {
	uint64_t waiting_delay_ms, cooldown_ms, look_again_ms;
	uint64_t keep_ms[NOTICE_COUNT]; /* how long it is news; 0: as long as it is true */
	bool allowed[NOTICE_COUNT];     /* in quiet hours */
	struct quiet quiet;
};

/* A notice whose time has come. */
struct agenda_item {
	uint64_t serial; /* names this very one */
	char key[NOTICE_KEY_SIZE];
	enum notice notice;
	struct body body;
};

struct agenda;

/* Returns NULL without memory. */
struct agenda *agenda_create(const struct agenda_settings *settings);
void agenda_destroy(struct agenda *a);

/* It is to be shown, in the place of any other of the key. Without memory it is lost. */
void agenda_offer(struct agenda *a, const char *key, enum notice notice, const struct body *body, const struct agenda_time *now);

/* It is no longer true. */
void agenda_cancel(struct agenda *a, const char *key);

/* Whether one of the key is still to be shown. */
bool agenda_holds(struct agenda *a, const char *key);

/*
 * The next notice whose time has come, oldest first, or NULL; valid until the next call. The caller finds out whether the
 * session's window has the focus, and says so, at once or later.
 */
const struct agenda_item *agenda_take(struct agenda *a, const struct agenda_time *now);

/* The answer. Returns what is to be shown now, valid until the next call; NULL if nothing is, or if it was cancelled meanwhile.
 */
const struct agenda_item *agenda_answer(struct agenda *a, uint64_t serial, bool focused, const struct agenda_time *now);

/*
 * When to call agenda_take() again, if nothing happens before: after *ret_after_ms (UINT64_MAX: no need), and at *ret_wall
 * (0: no need).
 */
void agenda_next(const struct agenda *a, const struct agenda_time *now, uint64_t *ret_after_ms, time_t *ret_wall);

#endif
