/* The whole library against a broker that comes and goes. */
#include "lib_bus_bed.h"

TestSuite(lib_bus, .init = make_dir, .fini = remove_dir, .timeout = 60);

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
