#include "budget.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Who keeps the sums: a few periods. */
struct books {
	struct budget_account accounts[16];
	size_t count;
	unsigned reads;
	bool broken;
};

static struct books books;
static struct budget budget;
static struct budget_alarm alarms[BUDGET_ALARMS_MAX];

static struct budget_account *
find(const char *key)
{
	for (size_t i = 0; i < books.count; i++)
		if (strcmp(books.accounts[i].key, key) == 0)
			return &books.accounts[i];
	return NULL;
}

static bool
read_books(void *ctx, struct budget_account *ret)
{
	const struct budget_account *a = find(ret->key);

	cr_assert_eq(ctx, &books);
	books.reads++;
	if (books.broken)
		return false;
	ret->spent = a ? a->spent : 0;
	ret->estimated = a && a->estimated;
	for (int l = 0; a && l < BUDGET_LEVELS; l++)
		ret->told[l] = a->told[l];
	return true;
}

static void
begin(int64_t day_warn, int64_t day_limit, int64_t month_warn, int64_t month_limit)
{
	books = (struct books){ 0 };
	budget = (struct budget){ .settings = { .amounts = { { day_warn, day_limit }, { month_warn, month_limit } } },
				  .source = { read_books, &books } };
}

static void
keep(const char *key, int64_t spent, int64_t warned)
{
	struct budget_account *a = &books.accounts[books.count++];

	*a = (struct budget_account){ .spent = spent, .told = { warned, 0 } };
	strcpy(a->key, key);
}

static size_t
spend(const char *day, int64_t pico)
{
	return budget_spend(&budget, day, pico, false, alarms);
}

Test(budget, without_levels_nothing_is_looked_at)
{
	begin(0, 0, 0, 0);
	cr_assert_not(budget_wanted(&budget));
	cr_assert_eq(spend("2026-11-26", INT64_MAX), 0);
	cr_assert_eq(budget_standings(&budget, "2026-11-26", alarms), 0);
	cr_assert_eq(books.reads, 0);
}

Test(budget, each_level_is_told_once_a_period)
{
	begin(10, 20, 0, 35);
	cr_assert(budget_wanted(&budget));
	cr_assert_eq(spend("2026-11-26", 9), 0);
	cr_assert_eq(spend("2026-11-26", 1), 1, "what is reached is told, too");
	cr_assert_eq(alarms[0].period, BUDGET_DAY);
	cr_assert_eq(alarms[0].level, BUDGET_WARN);
	cr_assert_str_eq(alarms[0].key, "2026-11-26");
	cr_assert_eq(alarms[0].amount, 10);
	cr_assert_eq(alarms[0].spent, 10);
	cr_assert_eq(spend("2026-11-26", 9), 0);
	cr_assert_eq(spend("2026-11-26", 5), 1);
	cr_assert_eq(alarms[0].level, BUDGET_LIMIT);
	cr_assert_eq(alarms[0].spent, 24);
	cr_assert_eq(spend("2026-11-26", 5), 0);
	cr_assert_eq(spend("2026-11-27", 9), 1, "the month");
	cr_assert_str_eq(alarms[0].key, "2026-11");
	cr_assert_eq(alarms[0].period, BUDGET_MONTH);
	cr_assert_eq(alarms[0].spent, 38);
	cr_assert_eq(spend("2026-11-27", 1), 1);
	cr_assert_str_eq(alarms[0].key, "2026-11-27");
	cr_assert_eq(spend("2026-12-01", 9), 0);
	cr_assert_eq(books.reads, 5, "three days, two months");
}

Test(budget, one_request_may_reach_all_levels)
{
	begin(1, 2, 3, 4);
	cr_assert_eq(spend("2026-11-26", 4), 4);
	cr_assert_eq(alarms[0].level, BUDGET_WARN);
	cr_assert_eq(alarms[1].level, BUDGET_LIMIT);
	cr_assert_eq(alarms[2].period, BUDGET_MONTH);
	cr_assert_eq(alarms[3].level, BUDGET_LIMIT);
	cr_assert_eq(spend("2026-11-26", INT64_MAX), 0);
}

Test(budget, what_was_spent_and_told_before_counts)
{
	begin(10, 20, 0, 0);
	keep("2026-11-26", 15, 10);
	cr_assert_eq(spend("2026-11-26", 1), 0, "told already");
	cr_assert_eq(spend("2026-11-26", 4), 1);
	cr_assert_eq(alarms[0].level, BUDGET_LIMIT);
	cr_assert_eq(alarms[0].spent, 20);
}

Test(budget, another_amount_is_another_level)
{
	begin(10, 0, 0, 0);
	keep("2026-11-26", 15, 0);
	cr_assert_eq(spend("2026-11-26", 0), 1, "reached before anybody set it");
	cr_assert_eq(spend("2026-11-26", 0), 0);
	budget.settings.amounts[BUDGET_DAY][BUDGET_WARN] = 5;
	cr_assert_eq(spend("2026-11-26", 0), 1);
	cr_assert_eq(alarms[0].amount, 5);
	cr_assert_eq(spend("2026-11-26", 1), 0);
	budget.settings.amounts[BUDGET_DAY][BUDGET_WARN] = 17;
	cr_assert_eq(spend("2026-11-26", 0), 0);
	cr_assert_eq(spend("2026-11-26", 1), 1);
}

Test(budget, a_figure_that_takes_back_is_no_alarm)
{
	begin(10, 0, 0, 0);
	cr_assert_eq(spend("2026-11-26", 9), 0);
	cr_assert_eq(spend("2026-11-26", -5), 0);
	cr_assert_eq(spend("2026-11-26", 5), 0);
	cr_assert_eq(spend("2026-11-26", 1), 1);
}

Test(budget, sums_stand_still_at_the_largest)
{
	begin(10, INT64_MAX, 0, 0);
	cr_assert_eq(spend("2026-11-26", INT64_MAX - 1), 1);
	cr_assert_eq(spend("2026-11-26", INT64_MAX), 1);
	cr_assert_eq(alarms[0].spent, INT64_MAX);
	cr_assert_eq(spend("2026-11-26", -INT64_MAX), 0);
}

Test(budget, a_guess_makes_the_sum_one)
{
	begin(10, 0, 0, 0);
	budget_spend(&budget, "2026-11-26", 1, true, alarms);
	cr_assert_eq(budget_spend(&budget, "2026-11-26", 9, false, alarms), 1);
	cr_assert(alarms[0].estimated);
}

Test(budget, what_cannot_be_read_is_passed_over)
{
	begin(10, 0, 0, 0);
	books.broken = true;
	cr_assert_eq(spend("2026-11-26", 100), 0);
	cr_assert_eq(budget_standings(&budget, "2026-11-26", alarms), 0);
	books.broken = false;
	cr_assert_eq(spend("2026-11-26", 100), 1);
}

static char taken[256];

static bool
take(void *ctx, const char *key, enum budget_level level, int64_t amount)
{
	const size_t len = strlen(taken);

	snprintf(taken + len, sizeof(taken) - len, "%s %s %lld; ", key, budget_level_name(level), (long long)amount);
	return *(bool *)ctx;
}

Test(budget, what_was_told_is_given_to_be_kept)
{
	bool works = false;

	begin(1, 2, 0, 3);
	cr_assert_not(budget_has_untold(&budget));
	spend("2026-11-26", 2);
	cr_assert(budget_has_untold(&budget));
	cr_assert_not(budget_take_told(&budget, take, &works));
	cr_assert(budget_has_untold(&budget), "it was not taken");
	*taken = '\0';
	works = true;
	cr_assert(budget_take_told(&budget, take, &works));
	cr_assert_str_eq(taken, "2026-11-26 warn 1; 2026-11-26 limit 2; ");
	cr_assert_not(budget_has_untold(&budget));
	spend("2026-11-26", 1);
	*taken = '\0';
	cr_assert(budget_take_told(&budget, take, &works));
	cr_assert_str_eq(taken, "2026-11 limit 3; ");
}

Test(budget, forgets_what_was_never_kept)
{
	begin(10, 0, 0, 0);
	keep("2026-11-26", 8, 0);
	cr_assert_eq(spend("2026-11-26", 5), 1);
	budget_forget(&budget);
	cr_assert_not(budget_has_untold(&budget));
	cr_assert_eq(spend("2026-11-26", 1), 0);
	cr_assert_eq(spend("2026-11-26", 1), 1);
}

/* More periods than are kept in mind, again and again: each is told once, as long as what was told is kept. */
Test(budget, late_telemetry_of_many_days)
{
	char day[BUDGET_KEY_SIZE];
	size_t told = 0;

	begin(10, 0, 0, 0);
	for (int round = 0; round < 4; round++) {
		for (int i = 1; i <= 12; i++) {
			snprintf(day, sizeof(day), "2026-11-%02u", (unsigned)i % 32);
			if (!find(day))
				keep(day, 0, 0);
			const size_t n = spend(day, 5);

			told += n;
			cr_assert_eq(n, round == 1);
			find(day)->spent += 5;
			if (n)
				find(day)->told[BUDGET_WARN] = 10;
		}
		bool works = true;
		budget_take_told(&budget, take, &works);
	}
	cr_assert_eq(told, 12);
	cr_assert_eq(budget.count, BUDGET_ACCOUNTS);
}

Test(budget, tells_where_all_levels_stand)
{
	begin(10, 0, 30, 40);
	keep("2026-11", 25, 0);
	spend("2026-11-26", 7);
	cr_assert_eq(budget_standings(&budget, "2026-11-26", alarms), 3);
	cr_assert_eq(alarms[0].spent, 7);
	cr_assert_eq(alarms[0].amount, 10);
	cr_assert_eq(alarms[1].period, BUDGET_MONTH);
	cr_assert_eq(alarms[1].level, BUDGET_WARN);
	cr_assert_eq(alarms[1].spent, 32);
	cr_assert_eq(alarms[2].amount, 40);
	cr_assert_eq(budget_standings(&budget, "2026-11-27", alarms), 3);
	cr_assert_eq(alarms[0].spent, 0);
	cr_assert_str_eq(budget_period_name(alarms[1].period), "month");
	cr_assert_str_eq(budget_level_name(alarms[1].level), "warn");
}
