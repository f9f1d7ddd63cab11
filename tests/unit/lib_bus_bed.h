/* The whole library against a broker that loses things. What a subscriber sees is written down as text, one word per event: a
 * number is the seq of a broker's event, the library's own go by their names. For test_lib_bus*.c. */
#ifndef AGENTBUS_TEST_LIB_BUS_BED_H
#define AGENTBUS_TEST_LIB_BUS_BED_H

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

static inline void
make_dir(void)
{
	strcpy(dir, "/tmp/agentbus-lib-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static inline void
remove_dir(void)
{
	rmdir(dir);
}

static inline int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void
subscribe(struct subscriber *s, const char *topic, const char *after_boot_id, uint64_t after_seq)
{
	*s = (struct subscriber){ 0 };
	cr_assert_eq(agentbus_open(
			 &(struct agentbus_options){
			     .runtime_dir = dir, .topic = topic, .after_boot_id = after_boot_id, .after_seq = after_seq },
			 &s->bus),
		     0);
}

static inline void
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
static inline void
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
static inline bool
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

static inline bool
ends_with(const struct subscriber *s, const char *end)
{
	size_t len = strlen(end);

	return s->len >= len && strcmp(s->seen + s->len - len, end) == 0;
}

/* Waits for the events that end with these words, then takes note of no more than them. */
static inline void
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
static inline void
expect(struct subscriber *s, const char *words)
{
	await(s, words);
	cr_assert_str_eq(s->seen, words);
	s->len = 0;
	*s->seen = '\0';
}

static inline int
compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The table as "id=state" in order of id. */
static inline void
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
static inline void
expect_silence(struct subscriber *s, int ms)
{
	int64_t until = now_ms() + ms;
	int64_t left;

	while ((left = until - now_ms()) > 0) {
		if (poll(&(struct pollfd){ agentbus_fd(s->bus), POLLIN, 0 }, 1, (int)left) > 0)
			cr_assert_fail("the descriptor is readable, though there is nothing to do");
	}
}

/*
 * Lets pass whatever comes shortly after activity, however slow the machine is, then demands that nothing more does: after a few
 * wake-ups that bring nothing, silence for longer than any check takes to come.
 */
static inline void
expect_idle(struct subscriber *s)
{
	int wakes = 0;

	while (poll(&(struct pollfd){ agentbus_fd(s->bus), POLLIN, 0 }, 1, 1000) != 0) {
		cr_assert_not(take(s), "unexpected: %s", s->seen);
		cr_assert_lt(++wakes, 12, "it wakes up again and again");
	}
}

#endif
