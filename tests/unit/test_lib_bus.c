/*
 * The whole library against a broker that loses things. What a subscriber sees is written down as text, one word per event:
 * a number is the seq of a broker's event, the library's own go by their names.
 */
#include "agentbus.h"
#include "fake_broker.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#define IDLE    AGENTBUS__V1__STATE__STATE_IDLE
#define WORKING AGENTBUS__V1__STATE__STATE_WORKING
#define WAITING AGENTBUS__V1__STATE__STATE_WAITING
#define ENDED   AGENTBUS__V1__STATE__STATE_ENDED

static char dir[64];

struct subscriber {
	struct agentbus *bus;
	char seen[1 << 16];
	size_t len;
	uint64_t events, lost; /* of the broker; those that gaps tell of */
};

static void
make_dir(void)
{
	strcpy(dir, "/tmp/agentbus-lib-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void
remove_dir(void)
{
	rmdir(dir);
}

TestSuite(lib_bus, .init = make_dir, .fini = remove_dir, .timeout = 60);

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
subscribe(struct subscriber *s, const char *topic, const char *after_boot_id, uint64_t after_seq)
{
	*s = (struct subscriber){ 0 };
	cr_assert_eq(agentbus_open(
			 &(struct agentbus_options){
			     .runtime_dir = dir, .topic = topic, .after_boot_id = after_boot_id, .after_seq = after_seq },
			 &s->bus),
		     0);
}

static void
write_down(struct subscriber *s, const struct agentbus_event *e)
{
	char *to = s->seen + s->len;
	size_t room = sizeof(s->seen) - s->len;

	if (e->kind == AGENTBUS_GAP)
		s->len += (size_t)snprintf(to, room, "gap:%s:%llu-%llu ", e->gap.boot_id, (unsigned long long)e->gap.first_seq,
					   (unsigned long long)e->gap.last_seq);
	else if (e->kind >= AGENTBUS_GAP)
		s->len += (size_t)snprintf(to, room, "%s ", agentbus_kind_name(e->kind));
	else
		s->len += (size_t)snprintf(to, room, "%llu ", (unsigned long long)e->seq);
	if (s->len > sizeof(s->seen) / 2) {
		/* Of a long run, the beginning and the end are of interest. */
		memmove(s->seen + 4096, s->seen + s->len - 4096, 4097);
		s->len = 2 * 4096;
	}
}

/* What holds of every event: whatever it is, it agrees with the rest of the interface. */
static void
check(const struct subscriber *s, const struct agentbus_event *e)
{
	if (e->kind >= AGENTBUS_GAP) {
		cr_assert_null(e->session);
		cr_assert_eq(e->seq, 0);
		return;
	}
	cr_assert_eq(e->seq, agentbus_seq(s->bus));
	cr_assert_str_eq(e->boot_id, agentbus_boot_id(s->bus));
	cr_assert_eq(agentbus_session_find(s->bus, e->session->provider, e->session->id), e->session);
	cr_assert_eq(e->session->state, e->state_change.to);
}

/* Takes all there is. False if there was nothing. */
static bool
take(struct subscriber *s)
{
	const struct agentbus_event *e;
	bool any = false;
	int n;

	while ((n = agentbus_next(s->bus, &e)) > 0) {
		any = true;
		check(s, e);
		s->events += e->kind < AGENTBUS_GAP;
		s->lost += e->kind == AGENTBUS_GAP && e->gap.last_seq ? e->gap.last_seq - e->gap.first_seq + 1 : 0;
		write_down(s, e);
	}
	cr_assert_eq(n, 0, "%s", agentbus_strerror(n));
	return any;
}

static bool
ends_with(const struct subscriber *s, const char *end)
{
	size_t len = strlen(end);

	return s->len >= len && strcmp(s->seen + s->len - len, end) == 0;
}

/* Waits for the events that end with these words, then takes note of no more than them. */
static void
await(struct subscriber *s, const char *end)
{
	int64_t until = now_ms() + 15000;

	while (!ends_with(s, end)) {
		int64_t left = until - now_ms();
		cr_assert_gt(left, 0, "waited for \"%s\", saw \"%.2000s\"", end, s->seen);
		if (poll(&(struct pollfd){ agentbus_fd(s->bus), POLLIN, 0 }, 1, (int)left) > 0)
			take(s);
	}
}

/* Waits for exactly these words since the last time. */
static void
expect(struct subscriber *s, const char *words)
{
	await(s, words);
	cr_assert_str_eq(s->seen, words);
	s->len = 0;
	*s->seen = '\0';
}

static int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The table as "id=state" in order of id. */
static void
expect_table(const struct subscriber *s, const char *words)
{
	char *entries[64], text[4096] = "";
	size_t count = agentbus_session_count(s->bus);

	cr_assert_leq(count, 64);
	for (size_t i = 0; i < count; i++) {
		const struct agentbus_session *session = agentbus_session_at(s->bus, i);
		cr_assert_gt(asprintf(&entries[i], "%s=%s ", session->id, agentbus_state_name(session->state)), 0);
	}
	qsort(entries, count, sizeof(*entries), compare_words);
	for (size_t i = 0; i < count; i++) {
		strcat(text, entries[i]);
		free(entries[i]);
	}
	cr_assert_str_eq(text, words);
	cr_assert_null(agentbus_session_at(s->bus, count));
}

/* Nothing makes the descriptor readable for so long. */
static void
expect_silence(struct subscriber *s, int ms)
{
	int64_t until = now_ms() + ms;
	int64_t left;

	while ((left = until - now_ms()) > 0) {
		if (poll(&(struct pollfd){ agentbus_fd(s->bus), POLLIN, 0 }, 1, (int)left) > 0)
			cr_assert_fail("the descriptor is readable, though there is nothing to do");
	}
}

/* Lets pass whatever comes shortly after activity, then demands that nothing more does. */
static void
expect_idle(struct subscriber *s)
{
	int64_t until = now_ms() + 700;
	int64_t left;
	int wakes = 0;

	while ((left = until - now_ms()) > 0) {
		if (poll(&(struct pollfd){ agentbus_fd(s->bus), POLLIN, 0 }, 1, (int)left) > 0) {
			cr_assert_not(take(s), "unexpected: %s", s->seen);
			cr_assert_lt(++wakes, 12, "it wakes up again and again");
		}
	}
	expect_silence(s, 700);
}

Test(lib_bus, snapshot_then_live_events)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	fake_publish(f, "codex", "a", WORKING);
	fake_publish(f, "codex", "b", IDLE);
	subscribe(&s, NULL, NULL, 0);
	cr_assert_not(agentbus_connected(s.bus));
	cr_assert_str_eq(agentbus_boot_id(s.bus), "");
	expect(&s, "connected ");
	cr_assert(agentbus_connected(s.bus));
	cr_assert_eq(agentbus_seq(s.bus), 2);
	cr_assert_str_eq(agentbus_boot_id(s.bus), "one");
	expect_table(&s, "a=working b=idle ");

	fake_publish(f, "codex", "a", WAITING);
	fake_drop(f, "codex", "c", WORKING);
	fake_drop(f, "codex", "c", ENDED);
	fake_send(f, 4, 5);
	expect(&s, "3 4 5 ");
	expect_table(&s, "a=waiting b=idle c=ended ");
	expect_idle(&s);
	/* A message that is sent before the broker's side of the new connection is ready is lost, and asked for. */
	cr_assert_leq(fake_count(f, &f->replays), 1);
	cr_assert_eq(fake_count(f, &f->snapshots), 1);
	cr_assert_leq(fake_count(f, &f->positions), 2);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, one_event_per_wake_up_suffices)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;
	const struct agentbus_event *e;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	for (int i = 0; i < 60; i++)
		fake_drop(f, "codex", "a", WORKING);
	fake_send(f, 1, 60);
	for (uint64_t seq = 1; seq <= 60;) {
		cr_assert_eq(poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 5000), 1, "seq %d", (int)seq);
		if (agentbus_next(s.bus, &e) > 0)
			cr_assert_eq(e->seq, seq++);
	}
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, table_is_the_brokers_at_each_event)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;
	const struct agentbus_event *e;
	int n = 0;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_drop(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "a", WAITING);
	fake_drop(f, "codex", "a", IDLE);
	fake_send(f, 3, 3);
	while (n < 3) {
		cr_assert_eq(poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 5000), 1);
		if (agentbus_next(s.bus, &e) > 0)
			expect_table(&s, (const char *const[]){ "a=working ", "a=waiting ", "a=idle " }[n++]);
	}
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, hole_is_filled_from_the_journal)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "a", WAITING);
	fake_drop(f, "codex", "b", WORKING);
	fake_publish(f, "codex", "a", IDLE);
	fake_publish(f, "codex", "c", IDLE);
	expect(&s, "1 2 3 4 5 ");
	expect_table(&s, "a=idle b=working c=idle ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, journal_answers_in_parts)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	f->replay_max = 3;
	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	for (int i = 0; i < 10; i++)
		fake_drop(f, "codex", "a", WORKING);
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "1 2 3 4 5 6 7 8 9 10 11 ");
	cr_assert_eq(fake_count(f, &f->replays), 4);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, hole_that_the_journal_has_lost_is_a_gap)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	expect(&s, "1 ");
	for (int i = 0; i < 3; i++)
		fake_drop(f, "codex", "b", WAITING);
	fake_drop(f, "codex", "c", IDLE);
	fake_forget(f, 4);
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "gap:one:2-4 5 6 reset ");
	expect_table(&s, "a=idle b=waiting c=idle ");
	cr_assert(agentbus_connected(s.bus));
	fake_publish(f, "codex", "a", WAITING);
	expect(&s, "7 ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, held_event_survives_a_journal_that_has_lost_it)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_drop(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "a", WAITING);
	fake_drop(f, "codex", "b", WORKING);
	fake_drop(f, "codex", "b", IDLE);
	fake_forget(f, 4);
	fake_send(f, 3, 3);
	fake_send(f, 4, 4);
	expect(&s, "gap:one:1-2 3 4 reset ");
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, event_that_the_journal_spoils_is_a_gap)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	f->hidden = 2;
	for (int i = 0; i < 4; i++)
		fake_publish(f, "codex", "a", WORKING);
	expect(&s, "1 gap:one:2-2 3 4 reset ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, lost_last_message_is_noticed)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	expect_idle(&s);
	fake_publish(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "a", IDLE);
	fake_drop(f, "codex", "b", IDLE);
	expect(&s, "1 2 3 ");
	expect_table(&s, "a=idle b=idle ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, malformed_messages_count_as_lost)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;
	static const char *const bad[] = { "", "v1/", "v2/codex/a", "v1/codex/a\0\xff\xff", "v1/codex/a\0\x0a\x7f" };
	static const size_t sizes[] = { 0, 3, 11, 13, 13 };

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_drop(f, "codex", "a", WORKING);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fake_send_raw(f, bad[i], sizes[i]);
	expect(&s, "1 ");
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "2 ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, reconnection_delivers_what_was_missed)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	fake_publish(f, "codex", "z", IDLE);
	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	expect(&s, "2 ");
	fake_stop(f);
	expect(&s, "disconnected ");
	cr_assert_not(agentbus_connected(s.bus));
	expect_table(&s, "a=working z=idle ");
	expect_idle(&s);

	f = fake_create("one");
	fake_drop(f, "codex", "z", IDLE);
	fake_drop(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "a", WAITING);
	fake_drop(f, "codex", "b", IDLE);
	fake_evict(f, "codex", "z");
	fake_listen(f, dir);
	expect(&s, "3 4 connected ");
	expect_table(&s, "a=waiting b=idle ");
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "5 ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, new_broker_is_followed_from_its_first_event)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	fake_publish(f, "codex", "b", WORKING);
	expect(&s, "1 2 ");
	fake_stop(f);
	f = fake_create("two");
	for (int i = 0; i < 5; i++)
		fake_drop(f, "codex", "a", IDLE);
	fake_forget(f, 2);
	fake_listen(f, dir);
	expect(&s, "disconnected gap:one:3-0 gap:two:1-2 3 4 5 connected ");
	expect_table(&s, "a=idle ");
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, what_arrived_before_the_broker_went_is_delivered)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;
	struct timespec pause = { .tv_nsec = 300000000 };

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	expect_idle(&s);
	for (int i = 0; i < 5; i++)
		fake_publish(f, "codex", "a", WORKING);
	/* Nothing tells that nng's threads have it all; they take microseconds. */
	nanosleep(&pause, NULL);
	fake_stop(f);
	nanosleep(&pause, NULL);
	expect(&s, "1 2 3 4 5 disconnected ");
	agentbus_close(s.bus);
}

Test(lib_bus, broker_that_comes_late)
{
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect_silence(&s, 1500);
	struct fake_broker *f = fake_start(dir, "one");
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	expect(&s, "1 ");
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, topic_filters_delivery_but_not_the_table)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, "v1/codex/a", NULL, 0);
	expect(&s, "connected ");
	fake_publish(f, "codex", "a", WORKING);
	fake_publish(f, "codex", "b", WORKING);
	fake_publish(f, "codexx", "a", WORKING);
	fake_drop(f, "codex", "ab", WAITING);
	fake_drop(f, "gemini-cli", "a", WAITING);
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "1 4 6 ");
	expect_table(&s, "a=idle a=waiting a=working ab=waiting b=working ");
	for (int i = 0; i < 3000; i++)
		fake_publish(f, "codex", "b", IDLE);
	fake_publish(f, "codex", "a", WAITING);
	expect(&s, "3007 ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, continues_after_a_stored_event)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	for (int i = 0; i < 4; i++)
		fake_publish(f, "codex", "a", WORKING);
	fake_publish(f, "codex", "b", IDLE);

	subscribe(&s, NULL, "one", 2);
	expect(&s, "3 4 5 connected ");
	expect_table(&s, "a=working b=idle ");
	agentbus_close(s.bus);

	subscribe(&s, NULL, "one", 5);
	expect(&s, "connected ");
	agentbus_close(s.bus);

	fake_forget(f, 3);
	subscribe(&s, NULL, "one", 1);
	expect(&s, "gap:one:2-3 4 5 connected ");
	agentbus_close(s.bus);

	subscribe(&s, NULL, "zero", 77);
	expect(&s, "gap:zero:78-0 gap:one:1-3 4 5 connected ");
	agentbus_close(s.bus);

	subscribe(&s, NULL, "one", 99);
	expect(&s, "connected ");
	cr_assert_eq(agentbus_seq(s.bus), 5);
	agentbus_close(s.bus);

	subscribe(&s, NULL, "", 3);
	expect(&s, "connected ");
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, useless_answers_are_asked_for_again)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	fake_set_mood(f, FAKE_GARBLED);
	subscribe(&s, NULL, NULL, 0);
	while (fake_count(f, &f->snapshots) < 2)
		if (poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 100) > 0)
			cr_assert_not(take(&s));
	fake_set_mood(f, FAKE_MUTE);
	while (fake_count(f, &f->snapshots) < 4)
		if (poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 100) > 0)
			cr_assert_not(take(&s));
	fake_set_mood(f, FAKE_WELL);
	expect(&s, "connected ");

	/* A journal that only refuses has lost what it was asked for. */
	fake_set_mood(f, FAKE_REFUSING);
	fake_publish(f, "codex", "a", WORKING);
	fake_drop(f, "codex", "b", WORKING);
	fake_publish(f, "codex", "a", IDLE);
	expect(&s, "1 gap:one:2-2 ");
	fake_set_mood(f, FAKE_WELL);
	expect(&s, "3 reset ");
	expect_table(&s, "a=idle b=working ");
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, table_of_forgotten_sessions_does_not_grow_for_ever)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;
	char id[24];

	subscribe(&s, "v1/none/", NULL, 0);
	expect(&s, "connected ");
	for (int i = 0; i < 1025; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		fake_drop(f, "codex", id, ENDED);
		fake_send(f, (uint64_t)i + 1, (uint64_t)i + 1);
		if (i < 1020)
			fake_evict(f, "codex", id);
	}
	expect(&s, "reset ");
	cr_assert_eq(agentbus_session_count(s.bus), 5);
	expect_idle(&s);
	agentbus_close(s.bus);
	fake_stop(f);
}

/* More than any buffer holds, while nobody takes anything: the newest come from the socket, the rest from the journal. */
Test(lib_bus, stalled_subscriber_gets_every_event)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	for (int i = 0; i < 100000; i++)
		fake_publish(f, "codex", i % 3 ? "a" : "b", i % 2 ? WORKING : IDLE);
	await(&s, " 100000 ");
	cr_assert_eq(s.events, 100000);
	cr_assert_eq(s.seen[0], '1');
	cr_assert_null(strstr(s.seen, "gap"));
	expect_table(&s, "a=idle b=working ");
	agentbus_close(s.bus);
	fake_stop(f);
}

Test(lib_bus, stalled_subscriber_of_a_short_journal_gets_a_gap)
{
	struct fake_broker *f = fake_start(dir, "one");
	struct subscriber s;

	subscribe(&s, NULL, NULL, 0);
	expect(&s, "connected ");
	for (int i = 0; i < 50000; i++)
		fake_publish(f, "codex", i % 3 ? "a" : "b", i % 2 ? WORKING : IDLE);
	fake_forget(f, 49000);
	while (agentbus_seq(s.bus) < 50000 || !ends_with(&s, "reset "))
		if (poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 15000) > 0)
			take(&s);
	cr_assert_gt(s.lost, 0);
	cr_assert_eq(s.events + s.lost, 50000, "%d events, %d lost", (int)s.events, (int)s.lost);
	expect_table(&s, "a=working b=idle ");
	agentbus_close(s.bus);
	fake_stop(f);
}

/* Closes after every number of steps through connecting, catching up, a hole and a gap. */
Test(lib_bus, closes_in_any_state)
{
	const struct agentbus_event *e;
	struct subscriber s;

	for (int steps = 0; steps < 24; steps++) {
		struct fake_broker *f = fake_start(dir, "one");
		for (int i = 0; i < 6; i++)
			fake_drop(f, "codex", "a", WORKING);
		fake_forget(f, 1);
		f->replay_max = 2;
		subscribe(&s, NULL, "one", 0);
		for (int i = 0; i < steps; i++) {
			if (i == 8)
				fake_send(f, 6, 6);
			if (i == 12) {
				fake_drop(f, "codex", "a", IDLE);
				fake_forget(f, 7);
				fake_publish(f, "codex", "b", IDLE);
			}
			poll(&(struct pollfd){ agentbus_fd(s.bus), POLLIN, 0 }, 1, 20);
			cr_assert_geq(agentbus_next(s.bus, &e), 0);
		}
		agentbus_close(s.bus);
		fake_stop(f);
	}
}

Test(lib_bus, refuses_what_makes_no_sense)
{
	struct agentbus *bus;
	char path[200];

	agentbus_close(NULL);
	cr_assert_eq(agentbus_open(NULL, NULL), AGENTBUS_EINVAL);
	cr_assert_eq(agentbus_open(&(struct agentbus_options){ .runtime_dir = dir, .topic = "codex" }, &bus), AGENTBUS_EINVAL);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[199] = '\0';
	cr_assert_eq(agentbus_open(&(struct agentbus_options){ .runtime_dir = path }, &bus), AGENTBUS_EPATH);
	cr_assert_eq(agentbus_open(&(struct agentbus_options){ .after_boot_id = path }, &bus), AGENTBUS_EINVAL);
	unsetenv("AGENTBUS_RUNTIME_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	cr_assert_eq(agentbus_open(NULL, &bus), AGENTBUS_EPATH);
	setenv("AGENTBUS_RUNTIME_DIR", dir, 1);
	cr_assert_eq(agentbus_open(NULL, &bus), 0);
	cr_assert_null(agentbus_session_find(bus, "codex", "a"));
	cr_assert_null(agentbus_session_find(bus, NULL, NULL));
	cr_assert_null(agentbus_session_at(bus, 0));
	agentbus_close(bus);
}
