#include "ledger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY_NS (86400 * NS_PER_S)
#define NOON   (20000 * DAY_NS + DAY_NS / 2)

static const struct log quiet = { .level = LEVEL_ERROR };
static struct clock clock_;
static struct ledger ledger;
static struct budget_alarm alarms[BUDGET_ALARMS_MAX];

static void
begin(int64_t day_warn, int64_t month_warn)
{
	const struct budget_settings settings = { .amounts = { { day_warn, 0 }, { month_warn, 0 } } };

	setenv("TZ", "UTC", 1);
	tzset();
	clock_init(&clock_);
	ledger_init(&ledger, &clock_);
	ledger_set_budget(&ledger, &settings);
}

static size_t
use(uint64_t time_ns, const char *id, int64_t pico)
{
	static struct session session = { .provider = "codex" };
	const struct cost cost = { .computed = pico, .unreported = pico, .has_computed = true };
	const struct observation o = { .means = MEANS_RESPONSE, .model = STR("gpt") };

	str_copy(session.id, sizeof(session.id), str_from(id));
	return ledger_count(
	    &ledger,
	    &(struct event){
		.kind = EVENT_API_REQUEST, .time_ns = time_ns, .session = &session, .observation = &o, .cost = &cost },
	    true, alarms);
}

static bool
add(void *ctx, const struct store_usage *sum)
{
	*(int64_t *)ctx += sum->unreported_cost;
	return true;
}

static int64_t
stored(void)
{
	int64_t sum = 0;

	cr_assert(ledger_each(&ledger, STORE_USAGE_DAY, (struct store_days){ "", "" }, add, &sum));
	return sum;
}

Test(ledger, without_a_store_it_counts_and_tells_nothing_else)
{
	int64_t sum = 0;

	begin(10, 0);
	cr_assert_eq(use(NOON, "a", 9), 0);
	cr_assert_eq(use(NOON, "a", 9), 1);
	cr_assert(ledger_dirty(&ledger));
	cr_assert_not(ledger_each(&ledger, STORE_USAGE_DAY, (struct store_days){ "", "" }, add, &sum));
	ledger_rewind(&ledger);
	cr_assert_not(ledger_dirty(&ledger));
	ledger_finish(&ledger);
}

Test(ledger, in_memory_it_keeps_all_of_it)
{
	char id[16];

	begin(0, 0);
	cr_assert(ledger_open_memory(&ledger, &quiet));
	for (int i = 0; i < 3 * TALLY_ROWS; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		use(NOON + (uint64_t)i * DAY_NS, id, 1);
	}
	ledger_settle_memory(&ledger);
	cr_assert_not(ledger_dirty(&ledger));
	cr_assert_eq(stored(), 3 * TALLY_ROWS);
	ledger_settle_memory(&ledger);
	cr_assert_eq(stored(), 3 * TALLY_ROWS);
	ledger_finish(&ledger);
}

/* A budget that is set later knows what was spent, written or not. */
Test(ledger, budgets_are_of_what_is_written_and_what_is_not)
{
	begin(0, 0);
	cr_assert(ledger_open_memory(&ledger, &quiet));
	cr_assert_eq(use(NOON, "a", 4), 0);
	cr_assert_eq(use(NOON - DAY_NS, "a", 100), 0);
	ledger_settle_memory(&ledger);
	cr_assert_eq(use(NOON, "b", 4), 0);
	ledger_set_budget(&ledger, &(struct budget_settings){ .amounts = { { 9, 0 }, { 109, 0 } } });
	cr_assert_eq(use(NOON, "a", 1), 2);
	cr_assert_eq(alarms[0].spent, 9);
	cr_assert_eq(alarms[1].spent, 109);
	cr_assert_str_eq(alarms[0].key, "2024-10-04");
	cr_assert_str_eq(alarms[1].key, "2024-10");
	ledger_settle_memory(&ledger);
	budget_forget(&ledger.budget);
	cr_assert_eq(use(NOON, "a", 1), 0, "that it was told is kept");
	ledger_finish(&ledger);
}

Test(ledger, what_was_not_kept_is_told_again)
{
	begin(10, 0);
	cr_assert(ledger_open_memory(&ledger, &quiet));
	use(NOON, "a", 8);
	ledger_settle_memory(&ledger);
	cr_assert_eq(use(NOON, "a", 2), 1);
	cr_assert(ledger_write(&ledger));
	store_rollback(ledger.store);
	ledger_rewind(&ledger);
	cr_assert_eq(stored(), 8);
	cr_assert_eq(use(NOON, "a", 1), 0);
	cr_assert_eq(use(NOON, "a", 1), 1);
	ledger_finish(&ledger);
}

Test(ledger, budgets_stand_where_they_stand_today)
{
	begin(50, 0);
	cr_assert(ledger_open_memory(&ledger, &quiet));
	use(clock_now(&clock_), "a", 8);
	cr_assert_eq(ledger_standings(&ledger, alarms), 1);
	cr_assert_eq(alarms[0].amount, 50);
	ledger_set_budget(&ledger, &(struct budget_settings){ 0 });
	cr_assert_eq(ledger_standings(&ledger, alarms), 0);
	ledger_finish(&ledger);
}

/* The day is the one of the wall clock where the broker runs. */
Test(ledger, days_are_local)
{
	struct budget_alarm early;

	begin(1, 0);
	setenv("TZ", "Asia/Kolkata", 1);
	tzset();
	cr_assert_eq(use(20000 * DAY_NS + 18 * 3600 * NS_PER_S, "a", 1), 1);
	early = alarms[0];
	cr_assert_eq(use(20000 * DAY_NS + 19 * 3600 * NS_PER_S, "a", 1), 1);
	cr_assert_str_eq(early.key, "2024-10-04");
	cr_assert_str_eq(alarms[0].key, "2024-10-05");
	ledger_finish(&ledger);
}
