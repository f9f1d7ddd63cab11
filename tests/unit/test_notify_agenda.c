#include "notify/agenda.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S        UINT64_C(1000)
#define DELAY    UINT64_C(300)
#define COOLDOWN (5 * S)
#define AGAIN    (10 * S)
#define KEEP     (300 * S)

struct bench {
	struct agenda *agenda;
	struct agenda_time now;
	uint64_t serial; /* of what was taken last */
};

static struct bench
bench_of(const char *quiet)
{
	struct agenda_settings settings = { .waiting_delay_ms = DELAY, .cooldown_ms = COOLDOWN, .look_again_ms = AGAIN };
	/* 2026-11-27 12:00:00 UTC. */
	struct bench b = { .now = { .ms = 1000 * S, .wall = 1795780800 } };

	setenv("TZ", "UTC", 1);
	settings.keep_ms[NOTICE_COMPLETED] = settings.keep_ms[NOTICE_FAILED] = KEEP;
	settings.allowed[NOTICE_BUDGET_LIMIT] = true;
	cr_assert(quiet_parse(quiet, &settings.quiet));
	b.agenda = agenda_create(&settings);
	return b;
}

static void
pass(struct bench *b, uint64_t ms)
{
	b->now.ms += ms;
	b->now.wall += (time_t)(ms / S);
}

static void
offer(struct bench *b, const char *key, enum notice notice)
{
	struct body body = { .text = "t" };

	snprintf(body.summary, sizeof(body.summary), "%s", key);
	agenda_offer(b->agenda, key, notice, &body, &b->now);
}

/* The key of what is due and looked for now, "" if nothing is. */
static const char *
take(struct bench *b)
{
	const struct agenda_item *item = agenda_take(b->agenda, &b->now);

	if (item)
		b->serial = item->serial;
	cr_assert(!item || strcmp(item->key, item->body.summary) == 0);
	return item ? item->key : "";
}

static bool
shown(struct bench *b, bool focused)
{
	return agenda_answer(b->agenda, b->serial, focused, &b->now);
}

static uint64_t
after(const struct bench *b)
{
	uint64_t ms;
	time_t wall;

	agenda_next(b->agenda, &b->now, &ms, &wall);
	cr_assert_eq(wall, 0);
	return ms;
}

Test(notify_agenda, the_end_of_a_turn_is_shown_at_once)
{
	struct bench b = bench_of("");

	cr_assert_eq(after(&b), UINT64_MAX);
	offer(&b, "a", NOTICE_COMPLETED);
	cr_assert_eq(after(&b), 0);
	cr_assert(agenda_holds(b.agenda, "a"));
	cr_assert_str_eq(take(&b), "a");
	cr_assert_str_eq(take(&b), "", "taken");
	cr_assert_eq(after(&b), UINT64_MAX);
	cr_assert(shown(&b, false));
	cr_assert_not(shown(&b, false), "only once");
	cr_assert_not(agenda_holds(b.agenda, "a"));
	agenda_destroy(b.agenda);
}

Test(notify_agenda, a_dialog_that_is_answered_at_once_is_not_shown)
{
	struct bench b = bench_of("");

	offer(&b, "a", NOTICE_WAITING);
	cr_assert_str_eq(take(&b), "");
	cr_assert_eq(after(&b), DELAY);
	pass(&b, 250);
	cr_assert_eq(after(&b), DELAY - 250);
	agenda_cancel(b.agenda, "a");
	cr_assert_eq(after(&b), UINT64_MAX);
	pass(&b, 100);
	cr_assert_str_eq(take(&b), "");

	offer(&b, "a", NOTICE_WAITING);
	pass(&b, DELAY);
	cr_assert_str_eq(take(&b), "a");
	cr_assert(shown(&b, false));
	agenda_destroy(b.agenda);
}

Test(notify_agenda, cooldown)
{
	struct bench b = bench_of("");

	offer(&b, "a", NOTICE_COMPLETED);
	take(&b);
	cr_assert(shown(&b, false));
	pass(&b, 1 * S);
	offer(&b, "b", NOTICE_COMPLETED);
	cr_assert_str_eq(take(&b), "b", "the others have their own");
	cr_assert(shown(&b, false));

	/* A session that waits is not held back, nor does it begin a cooldown. */
	for (int i = 0; i < 2; i++) {
		offer(&b, "a", NOTICE_WAITING);
		pass(&b, DELAY);
		cr_assert_str_eq(take(&b), "a");
		cr_assert(shown(&b, false));
	}

	/* The end of another turn comes afterwards. */
	offer(&b, "a", NOTICE_COMPLETED);
	pass(&b, 4 * S - 2 * DELAY - 100);
	cr_assert_str_eq(take(&b), "");
	cr_assert_eq(after(&b), 100);
	pass(&b, 100);
	cr_assert_str_eq(take(&b), "a");
	cr_assert(shown(&b, false));
	agenda_destroy(b.agenda);
}

Test(notify_agenda, the_newest_within_a_cooldown_wins)
{
	struct bench b = bench_of("");
	const struct agenda_item *item;

	offer(&b, "a", NOTICE_COMPLETED);
	take(&b);
	shown(&b, false);
	pass(&b, 1 * S);
	offer(&b, "a", NOTICE_COMPLETED);
	pass(&b, 1 * S);
	agenda_cancel(b.agenda, "a");
	offer(&b, "a", NOTICE_FAILED);
	cr_assert_str_eq(take(&b), "", "a cancelled one leaves the cooldown");
	pass(&b, 3 * S);
	item = agenda_take(b.agenda, &b.now);
	cr_assert_eq(item->notice, NOTICE_FAILED);
	cr_assert(agenda_answer(b.agenda, item->serial, false, &b.now));
	agenda_destroy(b.agenda);
}

Test(notify_agenda, what_is_cancelled_or_replaced_while_somebody_looks_is_not_shown)
{
	struct bench b = bench_of("");

	offer(&b, "a", NOTICE_COMPLETED);
	take(&b);
	agenda_cancel(b.agenda, "a");
	cr_assert_not(shown(&b, false));

	offer(&b, "a", NOTICE_COMPLETED);
	take(&b);
	offer(&b, "a", NOTICE_FAILED);
	cr_assert_not(shown(&b, false));
	cr_assert_str_eq(take(&b), "a");
	cr_assert(shown(&b, false));
	agenda_destroy(b.agenda);
}

Test(notify_agenda, what_is_in_the_window_that_has_the_focus)
{
	struct bench b = bench_of("");

	offer(&b, "a", NOTICE_COMPLETED);
	take(&b);
	cr_assert_not(shown(&b, true));
	cr_assert_eq(after(&b), UINT64_MAX, "it was seen");
	offer(&b, "a", NOTICE_COMPLETED);
	cr_assert_str_eq(take(&b), "a", "and begins no cooldown");
	cr_assert(shown(&b, false));

	/* Who waits is looked for once more. */
	offer(&b, "w", NOTICE_WAITING);
	pass(&b, DELAY);
	take(&b);
	cr_assert_not(shown(&b, true));
	cr_assert_eq(after(&b), AGAIN);
	cr_assert(agenda_holds(b.agenda, "w"));
	pass(&b, AGAIN);
	cr_assert_str_eq(take(&b), "w");
	cr_assert_not(shown(&b, true));
	cr_assert_eq(after(&b), UINT64_MAX);

	offer(&b, "w", NOTICE_WAITING);
	pass(&b, DELAY);
	take(&b);
	cr_assert_not(shown(&b, true));
	pass(&b, AGAIN);
	cr_assert_str_eq(take(&b), "w");
	cr_assert(shown(&b, false), "the person has gone elsewhere");
	agenda_destroy(b.agenda);
}

Test(notify_agenda, quiet_hours)
{
	struct bench b = bench_of("12:00-13:00");
	uint64_t ms;
	time_t wall;

	offer(&b, "done", NOTICE_COMPLETED);
	offer(&b, "waits", NOTICE_WAITING);
	offer(&b, "answered", NOTICE_WAITING);
	offer(&b, "limit", NOTICE_BUDGET_LIMIT);
	cr_assert_str_eq(take(&b), "limit", "which is allowed");
	cr_assert(shown(&b, false));
	agenda_next(b.agenda, &b.now, &ms, &wall);
	cr_assert_eq(ms, DELAY);
	cr_assert_eq(wall, b.now.wall + 3600);
	pass(&b, 30 * 60 * S);
	cr_assert_str_eq(take(&b), "");
	agenda_cancel(b.agenda, "answered");
	agenda_next(b.agenda, &b.now, &ms, &wall);
	cr_assert_eq(ms, UINT64_MAX);
	cr_assert_eq(wall, b.now.wall + 1800);
	pass(&b, 30 * 60 * S);
	cr_assert_str_eq(take(&b), "waits");
	cr_assert(shown(&b, false));
	cr_assert_str_eq(take(&b), "", "the end of a turn of an hour ago is no news");
	cr_assert_eq(after(&b), UINT64_MAX);
	agenda_destroy(b.agenda);
}

/* Nothing is looked at again while nothing is held. */
Test(notify_agenda, no_timer_in_quiet_hours_without_notices)
{
	struct bench b = bench_of("12:00-13:00");

	cr_assert_eq(after(&b), UINT64_MAX);
	offer(&b, "w", NOTICE_WAITING);
	agenda_cancel(b.agenda, "w");
	cr_assert_eq(after(&b), UINT64_MAX);
	agenda_destroy(b.agenda);
}

/* The wall's clock was set while quiet hours were on: what is held comes at once, and not a day later. */
Test(notify_agenda, a_clock_that_was_set)
{
	struct bench b = bench_of("12:00-13:00");
	uint64_t ms;
	time_t wall;

	offer(&b, "w", NOTICE_WAITING);
	pass(&b, DELAY);
	cr_assert_str_eq(take(&b), "");
	b.now.wall += 7200;
	agenda_next(b.agenda, &b.now, &ms, &wall);
	cr_assert_eq(ms, 0);
	cr_assert_str_eq(take(&b), "w");
	agenda_destroy(b.agenda);
}

Test(notify_agenda, memory_is_bounded)
{
	struct bench b = bench_of("");
	char key[16];
	int count = 0;

	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		offer(&b, key, NOTICE_WAITING);
	}
	pass(&b, DELAY);
	while (take(&b)[0]) {
		cr_assert(shown(&b, false));
		count++;
	}
	cr_assert_eq(count, 1024);
	agenda_destroy(b.agenda);
}
