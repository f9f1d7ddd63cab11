#include "journal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of event seq: their number and value both follow from seq, so that any mix-up shows. */
static size_t
make_event(uint64_t seq, uint8_t *bytes, size_t max)
{
	const size_t len = 1 + (size_t)(seq * 2654435761u >> 7) % max;

	memset(bytes, (int)(seq * 31 + 7), len);
	return len;
}

static void
check_event(const struct journal *j, uint64_t seq, size_t max)
{
	uint8_t expected[4096];
	const size_t expected_len = make_event(seq, expected, max);
	const uint8_t *bytes;
	size_t len;

	cr_assert(journal_read(j, seq, &bytes, &len), "event %lu", (unsigned long)seq);
	cr_assert_eq(len, expected_len);
	cr_assert_eq(memcmp(bytes, expected, len), 0, "event %lu", (unsigned long)seq);
}

Test(journal, begins_empty)
{
	struct journal j;
	const uint8_t *bytes = NULL;
	size_t len = 42;

	cr_assert(journal_init(&j, 1000));
	cr_assert_not(journal_read(&j, 0, &bytes, &len));
	cr_assert_not(journal_read(&j, 1, &bytes, &len));
	cr_assert_eq(journal_oldest(&j), 1);
	cr_assert_null(bytes);
	cr_assert_eq(len, 42);
	journal_finish(&j);
}

Test(journal, refuses_impossible_sizes)
{
	struct journal j;

	cr_assert_not(journal_init(&j, JOURNAL_SIZE_MIN - 1));
	cr_assert_not(journal_init(&j, JOURNAL_SIZE_MAX + 1));
}

/* Every ring size against every event size: each wrap-around there is. All that is kept must be whole and in order. */
Test(journal, keeps_the_newest_whole_through_every_wrap)
{
	for (size_t size = JOURNAL_SIZE_MIN; size < 900; size += 3) {
		for (size_t max = 1; max <= 240; max += 7) {
			struct journal j;
			uint8_t bytes[4096];
			uint64_t oldest = 1;

			cr_assert(journal_init(&j, size));
			for (uint64_t seq = 1; seq < 60; seq++) {
				cr_assert(journal_append(&j, seq, bytes, make_event(seq, bytes, max)));
				cr_assert_geq(journal_oldest(&j), oldest);
				oldest = journal_oldest(&j);
				cr_assert_leq(oldest, seq);
				for (uint64_t kept = oldest; kept <= seq; kept++)
					check_event(&j, kept, max);
			}
			journal_finish(&j);
		}
	}
}

/* It may waste the end of the ring, but no more than an event's length, and never drops what still fits. */
Test(journal, drops_no_more_than_needed)
{
	struct journal j;
	uint8_t bytes[200] = { 1 };

	cr_assert(journal_init(&j, 2120)); /* 2000 bytes of events */
	cr_assert_eq(j.size, 2000);
	for (uint64_t seq = 1; seq <= 10; seq++) {
		cr_assert(journal_append(&j, seq, bytes, sizeof(bytes)));
		cr_assert_eq(journal_oldest(&j), 1);
	}
	for (uint64_t seq = 11; seq <= 100; seq++) {
		cr_assert(journal_append(&j, seq, bytes, sizeof(bytes)));
		cr_assert_eq(journal_oldest(&j), seq - 9);
	}
	journal_finish(&j);
}

Test(journal, is_bounded_in_number_too)
{
	struct journal j;
	const uint8_t byte = 9;

	cr_assert(journal_init(&j, 13600));
	for (uint64_t seq = 1; seq <= 5000; seq++)
		cr_assert(journal_append(&j, seq, &byte, 1));
	cr_assert_eq(j.slot_count, 100);
	cr_assert_eq(journal_oldest(&j), 4901);
	journal_finish(&j);
}

Test(journal, an_event_too_large_empties_it)
{
	struct journal j;
	uint8_t bytes[JOURNAL_SIZE_MIN] = { 0 };
	const uint8_t *got;
	size_t len;

	cr_assert(journal_init(&j, JOURNAL_SIZE_MIN));
	cr_assert(journal_append(&j, 1, bytes, 10));
	cr_assert_not(journal_append(&j, 2, bytes, j.size + 1));
	cr_assert_eq(journal_oldest(&j), 3);
	cr_assert_not(journal_read(&j, 1, &got, &len));
	cr_assert_not(journal_read(&j, 2, &got, &len));
	cr_assert(journal_append(&j, 3, bytes, j.size));
	cr_assert(journal_read(&j, 3, &got, &len));
	cr_assert_eq(len, j.size);
	journal_finish(&j);
}

Test(journal, may_begin_anywhere)
{
	struct journal j;
	const uint8_t byte = 5;
	const uint8_t *got;
	size_t len;

	cr_assert(journal_init(&j, 1000));
	cr_assert(journal_append(&j, 1000, &byte, 1));
	cr_assert_eq(journal_oldest(&j), 1000);
	cr_assert(journal_read(&j, 1000, &got, &len));
	cr_assert_eq(*got, 5);
	cr_assert_not(journal_read(&j, 999, &got, &len));
	cr_assert_not(journal_read(&j, 1001, &got, &len));
	journal_finish(&j);
}

Test(journal, goes_back_and_on)
{
	uint8_t bytes[4096];
	struct journal j;

	cr_assert(journal_init(&j, 4096));
	for (uint64_t seq = 1; seq <= 200; seq++)
		journal_append(&j, seq, bytes, make_event(seq, bytes, 100));
	const uint64_t oldest = journal_oldest(&j);
	journal_rewind(&j, 190);
	journal_rewind(&j, 195); /* there is nothing above 190 any more */
	cr_assert_eq(journal_oldest(&j), oldest);
	check_event(&j, 190, 100);
	const uint8_t *event;
	size_t len;
	cr_assert_not(journal_read(&j, 191, &event, &len));
	for (uint64_t seq = 191; seq <= 400; seq++) {
		journal_append(&j, seq, bytes, make_event(seq, bytes, 100));
		for (uint64_t old = journal_oldest(&j); old <= seq; old++)
			check_event(&j, old, 100);
	}
	journal_rewind(&j, 3);
	cr_assert_eq(journal_oldest(&j), 4, "all of them are gone");
	cr_assert_not(journal_read(&j, 3, &event, &len));
	journal_append(&j, 4, bytes, make_event(4, bytes, 100));
	check_event(&j, 4, 100);
	journal_finish(&j);
}

Test(journal, begins_anywhere)
{
	uint8_t bytes[4096];
	struct journal j;

	cr_assert(journal_init(&j, 4096));
	journal_begin(&j, 1000);
	cr_assert_eq(journal_oldest(&j), 1001);
	journal_append(&j, 1001, bytes, make_event(1001, bytes, 100));
	check_event(&j, 1001, 100);
	cr_assert_eq(journal_oldest(&j), 1001);
	journal_finish(&j);
}
