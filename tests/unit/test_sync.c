/*
 * The state machine alone: first the steps of each story, then a broker and a network made of dice, against which the
 * promises are checked: every event once, in order, or told of in a gap.
 */
#include "lib/sync.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint64_t start = 1000000 * SYNC_MS;

static void
expect_ask(struct sync *s, enum sync_query query, uint64_t now)
{
	cr_assert_eq(sync_next(s, now), SYNC_ASK);
	cr_assert_eq(s->query, query);
	sync_asked(s, true, now);
}

static void
expect_note(struct sync *s, unsigned kind, uint64_t now)
{
	cr_assert_eq(sync_next(s, now), SYNC_TELL);
	cr_assert_eq(s->note.kind, kind);
	sync_told(s);
}

static void
expect_gap(struct sync *s, const char *boot_id, uint64_t first, uint64_t last, uint64_t now)
{
	cr_assert_eq(sync_next(s, now), SYNC_TELL);
	cr_assert_eq(s->note.kind, AGENTBUS_GAP);
	cr_assert_str_eq(s->note.boot_id, boot_id);
	cr_assert_eq(s->note.first_seq, first);
	cr_assert_eq(s->note.last_seq, last);
	sync_told(s);
}

static void
expect_adoption(struct sync *s, unsigned kind, uint64_t now)
{
	cr_assert_eq(sync_next(s, now), SYNC_ADOPT);
	sync_adopted(s);
	expect_note(s, kind, now);
}

static void
take(struct sync *s, enum sync_action source, uint64_t seq, uint64_t now)
{
	cr_assert_eq(sync_next(s, now), source);
	if (source == SYNC_TAKE_LIVE)
		sync_activity(s, now);
	cr_assert_eq(sync_offer(s, "one", seq, now), SYNC_TAKEN);
}

/* A subscriber of broker "one" that is in step at seq 10. */
static void
begin(struct sync *s)
{
	cr_assert(sync_init(s, NULL, 0));
	cr_assert_eq(sync_next(s, start), SYNC_WAIT);
	cr_assert_eq(sync_deadline(s), 0);
	sync_link(s, true, start);
	expect_ask(s, SYNC_ASK_SNAPSHOT, start);
	cr_assert_eq(sync_next(s, start), SYNC_WAIT);
	sync_snapshot(s, "one", 10, start);
	expect_adoption(s, AGENTBUS_CONNECTED, start);
	cr_assert_eq(sync_next(s, start), SYNC_TAKE_LIVE);
}

Test(sync, first_connection_starts_at_the_snapshot)
{
	struct sync s;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 9, start), SYNC_DROPPED);
	cr_assert_eq(sync_offer(&s, "one", 10, start), SYNC_DROPPED);
	cr_assert_eq(sync_offer(&s, "two", 11, start), SYNC_DROPPED);
	take(&s, SYNC_TAKE_LIVE, 11, start);
	cr_assert_not(sync_live_empty(&s, start));
}

Test(sync, one_check_after_activity_then_silence)
{
	struct sync s;
	uint64_t now = start;

	begin(&s);
	take(&s, SYNC_TAKE_LIVE, 11, now);
	cr_assert_eq(sync_deadline(&s), now + SYNC_CHECK_AFTER);
	now += SYNC_CHECK_AFTER;
	expect_ask(&s, SYNC_ASK_POSITION, now);
	cr_assert_eq(sync_next(&s, now), SYNC_TAKE_LIVE, "live events are taken meanwhile");
	sync_position(&s, "one", 11, now);
	cr_assert_eq(sync_deadline(&s), 0);
	cr_assert_eq(sync_next(&s, now + 1000 * SYNC_CHECK_AFTER), SYNC_TAKE_LIVE);
}

Test(sync, newer_position_is_fetched)
{
	struct sync s;
	uint64_t now = start + SYNC_CHECK_AFTER;

	begin(&s);
	expect_ask(&s, SYNC_ASK_POSITION, now);
	sync_position(&s, "one", 12, now);
	expect_ask(&s, SYNC_ASK_REPLAY, now);
	cr_assert(sync_replay(&s, "one", 0, false, now));
	take(&s, SYNC_TAKE_REPLAY, 11, now);
	take(&s, SYNC_TAKE_REPLAY, 12, now);
	cr_assert_eq(sync_next(&s, now), SYNC_TAKE_REPLAY);
	sync_replay_end(&s, now);
	cr_assert_eq(sync_next(&s, now), SYNC_TAKE_LIVE);
}

Test(sync, position_from_before_an_event_means_nothing)
{
	struct sync s;
	uint64_t now = start + SYNC_CHECK_AFTER;

	begin(&s);
	expect_ask(&s, SYNC_ASK_POSITION, now);
	take(&s, SYNC_TAKE_LIVE, 11, now);
	sync_position(&s, "one", 13, now);
	cr_assert_eq(sync_next(&s, now), SYNC_TAKE_LIVE);
	cr_assert_eq(sync_deadline(&s), now + SYNC_CHECK_AFTER);
}

Test(sync, hole_holds_the_event_until_the_journal_has_filled_it)
{
	struct sync s;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 14, start), SYNC_HELD);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert_eq(s.seq, 10);
	cr_assert(sync_replay(&s, "one", 0, true, start));
	take(&s, SYNC_TAKE_REPLAY, 11, start);
	sync_replay_end(&s, start);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert_eq(s.seq, 11);
	cr_assert(sync_replay(&s, "one", 0, true, start));
	for (uint64_t seq = 12; seq <= 15; seq++)
		take(&s, SYNC_TAKE_REPLAY, seq, start);
	sync_replay_end(&s, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
	cr_assert_eq(sync_offer(&s, "one", 14, start), SYNC_DROPPED);
	cr_assert_eq(sync_offer(&s, "one", 15, start), SYNC_DROPPED);
	take(&s, SYNC_TAKE_LIVE, 16, start);
}

Test(sync, what_the_journal_lost_is_a_gap_and_then_a_reset)
{
	struct sync s;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 20, start), SYNC_HELD);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "one", 15, false, start));
	expect_gap(&s, "one", 11, 15, start);
	for (uint64_t seq = 16; seq <= 19; seq++)
		take(&s, SYNC_TAKE_REPLAY, seq, start);
	sync_replay_end(&s, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	cr_assert_eq(sync_next(&s, start), SYNC_WAIT, "no live event may overtake the snapshot");
	sync_snapshot(&s, "one", 21, start);
	take(&s, SYNC_TAKE_LIVE, 20, start);
	take(&s, SYNC_TAKE_LIVE, 21, start);
	expect_adoption(&s, AGENTBUS_RESET, start);
	take(&s, SYNC_TAKE_LIVE, 22, start);
}

Test(sync, gap_ends_where_the_live_socket_may_go_on)
{
	struct sync s;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 14, start), SYNC_HELD);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "one", 30, false, start));
	expect_gap(&s, "one", 11, 13, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_REPLAY);
	cr_assert_eq(sync_offer(&s, "one", 31, start), SYNC_ENOUGH);
	sync_replay_end(&s, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_snapshot(&s, "one", 31, start);
	take(&s, SYNC_TAKE_LIVE, 14, start);
}

Test(sync, hole_within_the_journal_is_a_gap)
{
	struct sync s;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 14, start), SYNC_HELD);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "one", 0, false, start));
	take(&s, SYNC_TAKE_REPLAY, 11, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_REPLAY);
	cr_assert_eq(sync_offer(&s, "one", 13, start), SYNC_HELD);
	expect_gap(&s, "one", 12, 12, start);
	take(&s, SYNC_TAKE_REPLAY, 13, start);
}

Test(sync, snapshot_that_a_gap_runs_past_is_not_adopted)
{
	struct sync s;

	cr_assert(sync_init(&s, "one", 5));
	sync_link(&s, true, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_snapshot(&s, "one", 10, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
	cr_assert_eq(sync_offer(&s, "one", 20, start), SYNC_HELD);
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "one", 15, false, start));
	expect_gap(&s, "one", 6, 15, start);
	for (uint64_t seq = 16; seq <= 19; seq++)
		take(&s, SYNC_TAKE_REPLAY, seq, start);
	sync_replay_end(&s, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_snapshot(&s, "one", 20, start);
	take(&s, SYNC_TAKE_LIVE, 20, start);
	expect_adoption(&s, AGENTBUS_CONNECTED, start);
}

Test(sync, missed_events_come_before_connected)
{
	struct sync s;

	begin(&s);
	sync_link(&s, false, start);
	take(&s, SYNC_TAKE_LIVE, 11, start);
	cr_assert(sync_live_empty(&s, start));
	expect_note(&s, AGENTBUS_DISCONNECTED, start);
	cr_assert_eq(sync_next(&s, start), SYNC_WAIT);
	cr_assert_eq(sync_deadline(&s), 0, "no timer while the broker is away");
	sync_link(&s, true, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_snapshot(&s, "one", 13, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
	cr_assert(sync_live_empty(&s, start));
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "one", 0, false, start));
	take(&s, SYNC_TAKE_REPLAY, 12, start);
	take(&s, SYNC_TAKE_REPLAY, 13, start);
	expect_adoption(&s, AGENTBUS_CONNECTED, start);
	take(&s, SYNC_TAKE_REPLAY, 14, start);
	sync_replay_end(&s, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
}

Test(sync, another_broker_is_followed_from_its_first_event)
{
	struct sync s;

	begin(&s);
	sync_link(&s, true, start);
	cr_assert(sync_live_empty(&s, start));
	expect_note(&s, AGENTBUS_DISCONNECTED, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_snapshot(&s, "two", 3, start);
	expect_gap(&s, "one", 11, 0, start);
	cr_assert_str_eq(s.boot_id, "two");
	cr_assert_eq(s.seq, 0);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
	cr_assert_eq(sync_offer(&s, "one", 11, start), SYNC_DROPPED);
	cr_assert(sync_live_empty(&s, start));
	expect_ask(&s, SYNC_ASK_REPLAY, start);
	cr_assert(sync_replay(&s, "two", 2, false, start));
	expect_gap(&s, "two", 1, 2, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_REPLAY);
	cr_assert_eq(sync_offer(&s, "two", 3, start), SYNC_TAKEN);
	expect_adoption(&s, AGENTBUS_CONNECTED, start);
}

Test(sync, questions_are_repeated_ever_more_patiently)
{
	struct sync s;
	uint64_t now = start, waited = SYNC_PATIENCE;

	cr_assert(sync_init(&s, NULL, 0));
	sync_link(&s, true, now);
	for (int i = 0; i < 8; i++) {
		expect_ask(&s, SYNC_ASK_SNAPSHOT, now);
		cr_assert_eq(sync_deadline(&s), now + waited);
		cr_assert_eq(sync_next(&s, now + waited - 1), SYNC_WAIT);
		now += waited;
		waited = 2 * waited < SYNC_WAIT_MAX ? 2 * waited : SYNC_WAIT_MAX;
	}
	cr_assert_eq(waited, SYNC_WAIT_MAX);
	cr_assert_eq(sync_next(&s, now), SYNC_ASK);
	sync_asked(&s, false, now);
	cr_assert_gt(sync_deadline(&s), now);
}

Test(sync, journal_that_never_makes_sense_has_lost_it_all)
{
	struct sync s;
	uint64_t now = start;

	begin(&s);
	cr_assert_eq(sync_offer(&s, "one", 14, now), SYNC_HELD);
	for (int i = 0; i < SYNC_REPLAYS_MAX; i++) {
		expect_ask(&s, SYNC_ASK_REPLAY, now);
		if (i % 2) {
			sync_useless_answer(&s, now);
		} else {
			cr_assert(sync_replay(&s, "one", 0, i == 0, now));
			sync_replay_end(&s, now);
		}
		now += SYNC_WAIT_MAX;
	}
	expect_gap(&s, "one", 11, 13, now);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, now);
}

Test(sync, refresh_replaces_the_table)
{
	struct sync s;

	begin(&s);
	sync_refresh(&s, start);
	expect_ask(&s, SYNC_ASK_SNAPSHOT, start);
	sync_refresh(&s, start);
	sync_snapshot(&s, "one", 10, start);
	expect_adoption(&s, AGENTBUS_RESET, start);
	cr_assert_eq(sync_next(&s, start), SYNC_TAKE_LIVE);
}

Test(sync, boot_id_of_any_length)
{
	char id[DECODE_BOOT_ID_MAX + 2];
	struct sync s;

	memset(id, 'x', sizeof(id));
	id[DECODE_BOOT_ID_MAX + 1] = '\0';
	cr_assert_not(sync_init(&s, id, 1));
	id[DECODE_BOOT_ID_MAX] = '\0';
	cr_assert(sync_init(&s, id, 1));
	cr_assert_str_eq(s.boot_id, id);
}

/* --- a world of dice --- */

#define QUEUE_MAX 16

struct world {
	struct sync s;
	uint64_t dice, now;
	unsigned boot;
	uint64_t newest, forgotten; /* the broker's seq and what its journal has lost */
	uint64_t queue[QUEUE_MAX];  /* what the live socket holds */
	unsigned queued;
	uint64_t answer, answer_end; /* events of an answer not taken yet: answer + 1 .. answer_end */
	unsigned answer_boot, snapshot_boot;
	unsigned followed; /* the boot whose events are delivered */
	uint64_t delivered, snapshot;
	bool lost_link; /* which the subscriber does not know yet */
	bool calm;      /* nothing is lost any more */
};

static unsigned
roll(struct world *w, unsigned sides)
{
	w->dice = w->dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(w->dice >> 33) % sides;
}

static const char *
boot_name(unsigned boot)
{
	static const char *const names[] = { "zero", "one", "two", "three", "four", "five", "six", "seven" };

	return names[boot % 8];
}

static void
publish(struct world *w)
{
	w->newest++;
	if (!w->calm && roll(w, 4) == 0)
		return;
	if (w->queued == QUEUE_MAX)
		memmove(w->queue, w->queue + 1, --w->queued * sizeof(w->queue[0]));
	w->queue[w->queued++] = w->newest;
}

static void
restart(struct world *w)
{
	w->lost_link = true;
	if (roll(w, 2)) {
		w->boot++;
		w->newest = roll(w, 10);
		w->forgotten = w->newest ? roll(w, (unsigned)w->newest) : 0;
		w->queued = 0;
	}
}

/* What else happens in the world. */
static void
happen(struct world *w)
{
	unsigned what = roll(w, 100);

	if (what < 60)
		publish(w);
	else if (what < 65 && w->forgotten < w->newest)
		w->forgotten += 1 + roll(w, (unsigned)(w->newest - w->forgotten));
	else if (what < 68 && !w->calm)
		restart(w);
	w->now += roll(w, 3) * 200 * SYNC_MS;
}

static void
tell(struct world *w)
{
	const struct sync_note *n = &w->s.note;

	if (n->kind == AGENTBUS_GAP && n->last_seq == 0) {
		cr_assert_str_eq(n->boot_id, boot_name(w->followed));
		cr_assert_eq(n->first_seq, w->delivered + 1);
		w->followed = w->snapshot_boot;
		w->delivered = 0;
	} else if (n->kind == AGENTBUS_GAP) {
		cr_assert_eq(n->first_seq, w->delivered + 1);
		cr_assert_geq(n->last_seq, n->first_seq);
		cr_assert(w->followed != w->boot || n->last_seq <= w->newest);
		w->delivered = n->last_seq;
	}
	sync_told(&w->s);
}

static void
deliver(struct world *w, unsigned boot, uint64_t seq)
{
	cr_assert_eq(w->followed, boot);
	cr_assert_eq(seq, w->delivered + 1, "%llu after %llu", (unsigned long long)seq, (unsigned long long)w->delivered);
	cr_assert_eq(w->s.seq, seq);
	w->delivered = seq;
}

static void
answer(struct world *w)
{
	const char *boot = boot_name(w->boot);

	if (!w->calm && roll(w, 5) == 0) {
		sync_useless_answer(&w->s, w->now);
	} else if (w->s.query == SYNC_ASK_SNAPSHOT) {
		w->snapshot = w->newest;
		w->snapshot_boot = w->boot;
		if (!w->s.known) {
			w->delivered = w->newest;
			w->followed = w->boot;
		}
		sync_snapshot(&w->s, boot, w->newest, w->now);
	} else if (w->s.query == SYNC_ASK_POSITION) {
		sync_position(&w->s, boot, w->newest, w->now);
	} else {
		uint64_t from = w->s.seq > w->forgotten ? w->s.seq : w->forgotten;
		uint64_t count = w->newest - from < 4 ? w->newest - from : 4;
		if (sync_replay(&w->s, boot, w->forgotten, from + count < w->newest, w->now)) {
			w->answer_boot = w->boot;
			w->answer = from;
			w->answer_end = from + count;
		}
	}
}

static void
take_replayed(struct world *w)
{
	if (w->answer >= w->answer_end) {
		sync_replay_end(&w->s, w->now);
		return;
	}
	enum sync_verdict v = sync_offer(&w->s, boot_name(w->answer_boot), w->answer + 1, w->now);
	if (v == SYNC_TAKEN)
		deliver(w, w->answer_boot, w->answer + 1);
	if (v == SYNC_ENOUGH)
		w->answer = w->answer_end;
	else if (v != SYNC_HELD)
		w->answer++;
}

/* Returns false when there is nothing to do. */
static bool
take_live(struct world *w)
{
	if (!w->queued)
		return sync_live_empty(&w->s, w->now);
	sync_activity(&w->s, w->now);
	uint64_t seq = w->queue[0];
	enum sync_verdict v = sync_offer(&w->s, boot_name(w->boot), seq, w->now);
	cr_assert_neq(v, SYNC_ENOUGH);
	if (v == SYNC_TAKEN)
		deliver(w, w->boot, seq);
	if (v != SYNC_HELD)
		memmove(w->queue, w->queue + 1, --w->queued * sizeof(w->queue[0]));
	return true;
}

static bool
step(struct world *w)
{
	enum sync_action next = sync_next(&w->s, w->now);

	if (w->lost_link && (next == SYNC_WAIT || next == SYNC_TAKE_LIVE)) {
		w->lost_link = false;
		sync_link(&w->s, false, w->now);
		return true;
	}
	switch (next) {
	case SYNC_TELL:
		tell(w);
		return true;
	case SYNC_ADOPT:
		cr_assert_eq(w->s.seq, w->snapshot, "a snapshot is adopted at its own seq");
		sync_adopted(&w->s);
		return true;
	case SYNC_ASK:
		sync_asked(&w->s, w->calm || roll(w, 8), w->now);
		return true;
	case SYNC_TAKE_REPLAY:
		take_replayed(w);
		return true;
	case SYNC_TAKE_LIVE:
		if (take_live(w))
			return true;
		break;
	case SYNC_WAIT:
		break;
	}
	if (!w->s.linked) {
		sync_link(&w->s, true, w->now);
		return true;
	}
	if (w->s.asked && (w->calm || roll(w, 6))) {
		answer(w);
		return true;
	}
	uint64_t deadline = sync_deadline(&w->s);
	if (deadline > w->now)
		w->now = deadline;
	return deadline != 0;
}

Test(sync, keeps_its_promises_whatever_happens)
{
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		struct world w = { .dice = seed, .now = start, .newest = seed % 7 };
		sync_init(&w.s, NULL, 0);
		for (int i = 0; i < 300; i++) {
			happen(&w);
			for (unsigned n = roll(&w, 6); n > 0; n--)
				step(&w);
		}
		w.calm = true;
		publish(&w);
		int steps = 0;
		while (step(&w))
			cr_assert_lt(++steps, 100000, "seed %d never comes to rest", (int)seed);
		cr_assert_eq(w.s.phase, SYNC_LIVE);
		cr_assert(w.s.connected);
		cr_assert_eq(w.delivered, w.newest, "seed %d", (int)seed);
		cr_assert_not(w.s.lost, "the table is right in the end");
	}
}
