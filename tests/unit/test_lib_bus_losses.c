/* The whole library against a broker that loses things: what is given back, and what is told as a gap. */
#include "lib_bus_bed.h"

TestSuite(lib_bus_losses, .init = make_dir, .fini = remove_dir, .timeout = 60);

Test(lib_bus_losses, hole_is_filled_from_the_journal)
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

Test(lib_bus_losses, journal_answers_in_parts)
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

Test(lib_bus_losses, hole_that_the_journal_has_lost_is_a_gap)
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

Test(lib_bus_losses, held_event_survives_a_journal_that_has_lost_it)
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

Test(lib_bus_losses, event_that_the_journal_spoils_is_a_gap)
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

Test(lib_bus_losses, lost_last_message_is_noticed)
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

Test(lib_bus_losses, malformed_messages_count_as_lost)
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

Test(lib_bus_losses, useless_answers_are_asked_for_again)
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

/* More than any buffer holds, while nobody takes anything: the newest come from the socket, the rest from the journal. */
Test(lib_bus_losses, stalled_subscriber_gets_every_event)
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

Test(lib_bus_losses, stalled_subscriber_of_a_short_journal_gets_a_gap)
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
