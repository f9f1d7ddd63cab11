#include "sync.h"

#include <string.h>

bool
sync_init(struct sync *s, const char *boot_id, uint64_t seq)
{
	*s = (struct sync){ .phase = SYNC_AWAY };
	if (!boot_id || !*boot_id)
		return true;
	size_t len = strlen(boot_id);
	if (len > DECODE_BOOT_ID_MAX)
		return false;
	memcpy(s->boot_id, boot_id, len + 1);
	s->seq = seq;
	s->known = true;
	return true;
}

static void
note(struct sync *s, enum agentbus_kind kind)
{
	s->note = (struct sync_note){ .kind = kind };
}

/* Steps over events that nobody can give back. */
static void
note_gap(struct sync *s, uint64_t last_seq)
{
	note(s, AGENTBUS_GAP);
	s->note.first_seq = s->seq + 1;
	s->note.last_seq = last_seq;
	memcpy(s->note.boot_id, s->boot_id, sizeof(s->note.boot_id));
	s->seq = last_seq;
	s->lost = true;
	if (s->seq > s->aside_seq)
		s->aside = false; /* that snapshot knows nothing of some of the lost ones */
}

static bool
is_ours(const struct sync *s, const char *boot_id)
{
	return strcmp(s->boot_id, boot_id) == 0;
}

/* base doubled n times, within bounds. */
static uint64_t
doubled(uint64_t base, unsigned n)
{
	return n < 16 && base << n < SYNC_WAIT_MAX ? base << n : SYNC_WAIT_MAX;
}

static void
want(struct sync *s, enum sync_query query, uint64_t now)
{
	s->query = query;
	s->asked = false;
	s->due = now;
	s->timeouts = 0;
	s->useless = 0;
}

static void
want_nothing(struct sync *s)
{
	want(s, SYNC_ASK_NOTHING, 0);
}

static void
begin_snapshot(struct sync *s, uint64_t now)
{
	s->phase = SYNC_SNAPSHOT;
	want(s, SYNC_ASK_SNAPSHOT, now);
}

static void
begin_catch_up(struct sync *s, uint64_t goal, uint64_t now)
{
	s->phase = SYNC_CATCH_UP;
	s->goal = goal;
	s->answered = false;
	want(s, SYNC_ASK_REPLAY, now);
}

/* Also checks once, for a message sent before the broker's side of a new connection was ready is lost without a trace. */
static void
begin_live(struct sync *s, uint64_t now)
{
	s->phase = SYNC_LIVE;
	s->check_at = now + SYNC_CHECK_AFTER;
	want_nothing(s);
}

static void
go_away(struct sync *s, uint64_t now)
{
	s->phase = SYNC_AWAY;
	s->leaving = s->aside = s->answered = false;
	s->check_at = 0;
	want_nothing(s);
	if (s->connected) {
		s->connected = false;
		note(s, AGENTBUS_DISCONNECTED);
	}
	if (s->linked)
		begin_snapshot(s, now);
}

void
sync_link(struct sync *s, bool linked, uint64_t now)
{
	s->linked = linked;
	if (s->phase == SYNC_LIVE) {
		s->leaving = true;
		want_nothing(s);
	} else {
		go_away(s, now);
	}
}

/* The goal is reached. */
static void
settle(struct sync *s, uint64_t now)
{
	if (s->lost && !s->aside)
		begin_snapshot(s, now);
	else
		begin_live(s, now);
}

static bool
is_overdue(const struct sync *s, uint64_t now)
{
	return s->query != SYNC_ASK_NOTHING && now >= s->due;
}

enum sync_action
sync_next(struct sync *s, uint64_t now)
{
	if (s->note.kind)
		return SYNC_TELL;
	if (s->aside && s->seq == s->aside_seq)
		return SYNC_ADOPT;
	if (s->phase == SYNC_LIVE && s->query == SYNC_ASK_NOTHING && s->check_at && now >= s->check_at && !s->leaving) {
		s->check_at = 0;
		want(s, SYNC_ASK_POSITION, now);
	}
	if (is_overdue(s, now)) {
		if (s->asked)
			s->timeouts++;
		s->asked = false;
		return SYNC_ASK;
	}
	if (s->answered)
		return SYNC_TAKE_REPLAY;
	return s->phase == SYNC_LIVE ? SYNC_TAKE_LIVE : SYNC_WAIT;
}

uint64_t
sync_deadline(const struct sync *s)
{
	if (s->query != SYNC_ASK_NOTHING)
		return s->due;
	return s->phase == SYNC_LIVE && !s->leaving ? s->check_at : 0;
}

void
sync_told(struct sync *s)
{
	s->note.kind = 0;
}

void
sync_adopted(struct sync *s)
{
	note(s, s->connected ? AGENTBUS_RESET : AGENTBUS_CONNECTED);
	s->connected = true;
	s->aside = s->lost = false;
}

void
sync_asked(struct sync *s, bool sent, uint64_t now)
{
	s->asked = sent;
	s->due = now + (sent ? doubled(SYNC_PATIENCE, s->timeouts) : doubled(SYNC_RETRY, s->timeouts++));
}

void
sync_activity(struct sync *s, uint64_t now)
{
	s->check_at = now + SYNC_CHECK_AFTER;
}

static enum sync_verdict
offer_replayed(struct sync *s, uint64_t seq)
{
	if (seq == s->seq + 1) {
		s->seq = seq;
		return SYNC_TAKEN;
	}
	/* What lies beyond the goal may still come on the live socket. */
	if (s->seq >= s->goal)
		return SYNC_ENOUGH;
	note_gap(s, seq - 1 < s->goal ? seq - 1 : s->goal);
	return SYNC_HELD;
}

static enum sync_verdict
offer_live(struct sync *s, uint64_t seq, uint64_t now)
{
	if (seq == s->seq + 1) {
		s->seq = seq;
		return SYNC_TAKEN;
	}
	if (s->leaving)
		go_away(s, now);
	else
		begin_catch_up(s, seq - 1, now);
	return SYNC_HELD;
}

enum sync_verdict
sync_offer(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now)
{
	if (!is_ours(s, boot_id) || seq <= s->seq)
		return SYNC_DROPPED;
	return s->phase == SYNC_LIVE ? offer_live(s, seq, now) : offer_replayed(s, seq);
}

bool
sync_live_empty(struct sync *s, uint64_t now)
{
	if (s->phase != SYNC_LIVE)
		return false;
	if (s->leaving)
		go_away(s, now);
	else if (s->aside && s->seq < s->aside_seq)
		begin_catch_up(s, s->aside_seq, now);
	else
		return false;
	return true;
}

void
sync_snapshot(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now)
{
	size_t len = strlen(boot_id);

	if (s->known && !is_ours(s, boot_id)) {
		note_gap(s, 0);
	} else if (!s->known || s->seq > seq) {
		/* The first one; or a position that this broker never had, from whoever stored it. */
		s->seq = seq;
	}
	memcpy(s->boot_id, boot_id, len + 1);
	s->known = true;
	s->aside = true;
	s->aside_seq = seq;
	begin_live(s, now);
}

bool
sync_replay(struct sync *s, const char *boot_id, uint64_t lost_up_to, bool more, uint64_t now)
{
	if (!is_ours(s, boot_id)) {
		sync_useless_answer(s, now);
		return false;
	}
	s->begun_at = s->seq;
	s->answered = true;
	s->more = more;
	s->query = SYNC_ASK_NOTHING;
	if (lost_up_to > s->goal)
		lost_up_to = s->goal;
	if (lost_up_to > s->seq)
		note_gap(s, lost_up_to);
	return true;
}

void
sync_replay_end(struct sync *s, uint64_t now)
{
	unsigned useless = s->useless;

	s->answered = false;
	if (s->seq >= s->goal) {
		settle(s, now);
		return;
	}
	want(s, SYNC_ASK_REPLAY, now);
	if (s->more && s->seq > s->begun_at)
		return;
	/* An answer that stops short of what was announced: perhaps it was written before the journal was. */
	s->useless = useless;
	sync_useless_answer(s, now);
}

void
sync_position(struct sync *s, const char *boot_id, uint64_t seq, uint64_t now)
{
	want_nothing(s);
	/* With activity since the question, the answer is old, and another check is due anyhow. */
	if (!s->check_at && is_ours(s, boot_id) && seq > s->seq)
		begin_catch_up(s, seq, now);
}

void
sync_useless_answer(struct sync *s, uint64_t now)
{
	s->asked = false;
	s->due = now + doubled(SYNC_RETRY, s->useless++);
	if (s->query != SYNC_ASK_REPLAY || s->useless < SYNC_REPLAYS_MAX)
		return;
	note_gap(s, s->goal);
	settle(s, now);
}

void
sync_refresh(struct sync *s, uint64_t now)
{
	if (s->phase == SYNC_LIVE && !s->leaving)
		begin_snapshot(s, now);
}
