#include "held.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct held held;

/* A store that writes down what it is told, and fails at the n-th call if that is not 0. */
struct fake_store {
	struct held_store store;
	char text[512];
	unsigned calls, fails_at;
};

static struct fake_store fake;

static bool
told(struct fake_store *f, char what, uint64_t id)
{
	const size_t used = strlen(f->text);

	if (++f->calls == f->fails_at)
		return false;
	snprintf(f->text + used, sizeof(f->text) - used, "%c%llu ", what, (unsigned long long)id);
	return true;
}

static bool
put(void *ctx, const struct held_item *item)
{
	return told(ctx, '+', item->id);
}

static bool
drop(void *ctx, uint64_t id)
{
	return told(ctx, '-', id);
}

static void
setup(void)
{
	held = (struct held){ 0 };
	fake = (struct fake_store){ .store = { put, drop, &fake } };
}

static void
teardown(void)
{
	held_finish(&held);
	cr_expect_eq(held.count, 0);
	cr_expect_eq(held.bytes, 0);
}

TestSuite(held, .init = setup, .fini = teardown);

static struct wants
wants_of(uint64_t hash)
{
	struct wants w = { 0 };

	if (hash)
		wants_add(&w, hash);
	return w;
}

static bool
add_sized(uint64_t id, uint64_t due_ns, uint64_t hash, size_t len)
{
	const struct wants w = wants_of(hash);
	uint8_t *bytes = malloc(len ? len : 1);

	cr_assert(bytes);
	memset(bytes, 'x', len);
	if (held_add(&held, id, due_ns, 7, &w, bytes, len))
		return true;
	free(bytes);
	return false;
}

static void
add(uint64_t id, uint64_t due_ns, uint64_t hash)
{
	cr_assert(add_sized(id, due_ns, hash, 4));
}

static void
release(size_t i)
{
	held_release(&held, held.items[i]);
}

/* The ids, and whether they are released. */
static const char *
state(void)
{
	static char text[512];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < held.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%llu%s ", (unsigned long long)held.items[i]->id,
					 held.items[i]->released ? "r" : "");
	return text;
}

static void
keep(bool works, const char *expected)
{
	fake.text[0] = '\0';
	cr_expect_eq(held_keep(&held, &fake.store), works);
	cr_expect_str_eq(fake.text, expected);
}

/* --- wants --- */

Test(held, wants_meet_if_they_have_one_in_common)
{
	struct wants a = wants_of(1), b = wants_of(2), none = { 0 };

	cr_expect_not(wants_meet(&a, &b));
	cr_expect_not(wants_meet(&a, &none));
	cr_expect_not(wants_meet(&none, &none));
	wants_add(&b, 1);
	cr_expect(wants_meet(&a, &b));
	cr_expect(wants_meet(&b, &a));
}

Test(held, the_same_want_is_one)
{
	struct wants w = { 0 };

	for (int i = 0; i < 100; i++)
		wants_add(&w, 5);
	cr_expect_eq(w.count, 1);
	cr_expect_not(w.more);
}

Test(held, more_wants_than_fit_are_met_by_anything)
{
	struct wants full = { 0 }, over, other = wants_of(999), none = { 0 };

	for (uint64_t i = 0; i < HELD_WANTS_MAX; i++)
		wants_add(&full, i);
	wants_add(&full, 3);
	cr_expect_not(full.more);
	cr_expect_not(wants_meet(&full, &other));
	over = full;
	wants_add(&over, 1000);
	cr_expect(over.more);
	cr_expect_eq(over.count, HELD_WANTS_MAX);
	cr_expect(wants_meet(&over, &other));
	cr_expect(wants_meet(&other, &over));
	cr_expect_not(wants_meet(&over, &none), "nothing has come");
	cr_expect_not(wants_meet(&none, &over), "nothing is waited for");
}

/* --- what is next --- */

Test(held, next_are_those_that_are_due_or_meet)
{
	const struct wants news = wants_of(2), none = { 0 };
	size_t i = 0;

	add(0, 100, 1);
	add(0, 300, 2);
	add(0, 200, 3);
	cr_expect_eq(held_deadline(&held), 100);
	cr_expect_null(held_next(&held, &i, &none, 99));
	i = 0;
	cr_expect_eq(held_next(&held, &i, &none, 100), held.items[0]);
	cr_expect_null(held_next(&held, &i, &none, 100));
	i = 0;
	cr_expect_eq(held_next(&held, &i, &news, 0), held.items[1]);
	cr_expect_eq(i, 2);
	release(0);
	cr_expect_eq(held_deadline(&held), 200);
	i = 0;
	cr_expect_eq(held_next(&held, &i, &news, 1000), held.items[1], "what is released waits no longer");
	cr_expect_eq(held_next(&held, &i, &news, 1000), held.items[2]);
	release(1);
	release(2);
	cr_expect_eq(held_deadline(&held), UINT64_MAX);
}

Test(held, what_is_added_on_the_way_is_found)
{
	const struct wants none = { 0 };
	size_t i = 0;

	add(0, 1, 1);
	cr_expect_eq(held_next(&held, &i, &none, 5), held.items[0]);
	add(0, 2, 1);
	cr_expect_eq(held_next(&held, &i, &none, 5), held.items[1]);
	cr_expect_null(held_next(&held, &i, &none, 5));
}

Test(held, bound_moves_only_what_is_later)
{
	add(1, 100, 1);
	add(2, 500, 1);
	add(3, 500, 1);
	held.items[2]->made = 1;
	held_bound(&held, 200, 400);
	cr_expect_eq(held.items[0]->due_ns, 100);
	cr_expect_eq(held.items[1]->due_ns, 200);
	cr_expect_eq(held.items[2]->due_ns, 400);
}

Test(held, what_was_made_is_forgotten)
{
	const struct wants none = { 0 };
	size_t i = 0;

	add(1, 100, 1);
	add(2, 100, 1);
	held.items[0]->made = 7;
	held.items[1]->made = 8;
	cr_expect_not(held_changed(&held));
	held_forget(&held, 7);
	held_forget(&held, 9);
	cr_expect(held_changed(&held));
	cr_expect_eq(held_next(&held, &i, &none, 100), held.items[1]);
	held_kept(&held);
	cr_expect_eq(held.count, 1);
}

/* --- limits --- */

Test(held, no_more_items_than_fit)
{
	for (size_t i = 0; i < HELD_ITEMS_MAX; i++)
		add(0, 1, 0);
	cr_expect_not(add_sized(0, 1, 0, 4));
	release(3);
	cr_expect_not(add_sized(0, 1, 0, 4), "its place is free when that is kept");
	held_kept(&held);
	cr_expect(add_sized(0, 1, 0, 4));
	cr_expect_eq(held.count, HELD_ITEMS_MAX);
}

Test(held, no_more_bytes_than_fit)
{
	cr_expect_not(add_sized(0, 1, 0, HELD_BYTES_MAX + 1));
	cr_assert(add_sized(0, 1, 0, HELD_BYTES_MAX - 4));
	cr_expect_not(add_sized(0, 1, 0, 5));
	cr_expect(add_sized(0, 1, 0, 4));
	cr_expect(add_sized(0, 1, 0, 0));
	cr_expect_not(add_sized(0, 1, 0, 1));
	release(0);
	held_kept(&held);
	cr_expect_eq(held.bytes, 4);
	cr_expect(add_sized(0, 1, 0, HELD_BYTES_MAX - 4));
}

/* --- keeping --- */

Test(held, new_ones_are_put_once)
{
	cr_expect_not(held_changed(&held));
	add(0, 1, 0);
	add(0, 1, 0);
	cr_expect(held_changed(&held));
	keep(true, "+1 +2 ");
	cr_expect_str_eq(state(), "0 0 ", "not before it is kept");
	held_kept(&held);
	cr_expect_str_eq(state(), "1 2 ");
	cr_expect_not(held_changed(&held));
	keep(true, "");
}

Test(held, every_combination_of_new_and_released)
{
	add(0, 1, 0);
	add(0, 1, 0);
	keep(true, "+1 +2 ");
	held_kept(&held);
	add(0, 1, 0);
	add(0, 1, 0);
	release(1); /* kept, released */
	release(2); /* new, released: the store never hears of it */
	keep(true, "-2 +3 ");
	cr_expect_str_eq(state(), "1 2r 0r 0 ");
	held_kept(&held);
	cr_expect_str_eq(state(), "1 3 ");
	cr_expect_eq(held.bytes, 8);
}

Test(held, rewind_forgets_new_ones_and_takes_back_released_ones)
{
	add(0, 1, 0);
	add(0, 1, 0);
	held_kept(&held);
	add(0, 1, 0);
	add(0, 1, 0);
	release(0);
	release(3);
	keep(true, "-1 +3 ");
	held_rewind(&held);
	cr_expect_str_eq(state(), "1 2 ");
	cr_expect_not(held_changed(&held));
	add(0, 1, 0);
	keep(true, "+3 ");
	held_kept(&held);
	cr_expect_str_eq(state(), "1 2 3 ");
}

Test(held, a_store_that_fails_changes_nothing)
{
	add(0, 1, 0);
	add(0, 1, 0);
	held_kept(&held);
	release(0);
	release(1);
	add(0, 1, 0);
	add(0, 1, 0);
	for (unsigned at = 1; at <= 4; at++) {
		static const char *const before[] = { "", "-1 ", "-1 -2 ", "-1 -2 +3 " };

		fake.calls = 0;
		fake.fails_at = at;
		keep(false, before[at - 1]);
		cr_expect_str_eq(state(), "1r 2r 0 0 ");
	}
	fake.fails_at = 0;
	keep(true, "-1 -2 +3 +4 ");
	held_kept(&held);
	cr_expect_str_eq(state(), "3 4 ");
}

Test(held, ids_go_on_after_what_was_stored)
{
	add(41, 1, 0);
	add(17, 1, 0);
	cr_expect_not(held_changed(&held));
	add(0, 1, 0);
	keep(true, "+42 ");
	held_kept(&held);
	cr_expect_str_eq(state(), "41 17 42 ");
	release(2);
	keep(true, "-42 ");
	held_kept(&held);
	add(0, 1, 0);
	keep(true, "+43 ");
}
