#include "budget.h"

#include <string.h>

#define MONTH_LEN 7 /* of "2026-11" */

static const char *const period_names[BUDGET_PERIODS] = { [BUDGET_DAY] = "day", [BUDGET_MONTH] = "month" };
static const char *const level_names[BUDGET_LEVELS] = { [BUDGET_WARN] = "warn", [BUDGET_LIMIT] = "limit" };

const char *
budget_period_name(enum budget_period p)
{
	return period_names[p];
}

const char *
budget_level_name(enum budget_level l)
{
	return level_names[l];
}

static bool
period_wanted(const struct budget *b, enum budget_period p)
{
	for (enum budget_level l = 0; l < BUDGET_LEVELS; l++)
		if (b->settings.amounts[p][l] > 0)
			return true;
	return false;
}

bool
budget_wanted(const struct budget *b)
{
	for (enum budget_period p = 0; p < BUDGET_PERIODS; p++)
		if (period_wanted(b, p))
			return true;
	return false;
}

/* --- accounts --- */

static void
key_of(const char *day, enum budget_period p, char key[BUDGET_KEY_SIZE])
{
	const size_t len = strnlen(day, p == BUDGET_MONTH ? MONTH_LEN : BUDGET_KEY_SIZE - 1);

	memcpy(key, day, len);
	key[len] = '\0';
}

static bool
is_untold(const struct budget_account *a)
{
	for (enum budget_level l = 0; l < BUDGET_LEVELS; l++)
		if (a->untold[l])
			return true;
	return false;
}

/* Room for one more: that of the one used longest ago, if possible one that holds nothing which is not kept. */
static struct budget_account *
make_room(struct budget *b)
{
	struct budget_account *oldest = &b->accounts[0];

	if (b->count < BUDGET_ACCOUNTS)
		return &b->accounts[b->count++];
	for (size_t i = 1; i < b->count; i++) {
		struct budget_account *a = &b->accounts[i];

		if (is_untold(a) == is_untold(oldest) ? a->used < oldest->used : is_untold(oldest))
			oldest = a;
	}
	return oldest;
}

/* NULL: its sums cannot be read. */
static struct budget_account *
account_of(struct budget *b, const char *day, enum budget_period p)
{
	struct budget_account fresh = { .used = ++b->uses }, *room;

	key_of(day, p, fresh.key);
	for (size_t i = 0; i < b->count; i++) {
		if (strcmp(b->accounts[i].key, fresh.key) == 0) {
			b->accounts[i].used = fresh.used;
			return &b->accounts[i];
		}
	}
	if (!b->source.read || !b->source.read(b->source.ctx, &fresh))
		return NULL;
	room = make_room(b);
	*room = fresh;
	return room;
}

/* --- spending --- */

static struct budget_alarm
alarm_of(const struct budget *b, const struct budget_account *a, enum budget_period p, enum budget_level l)
{
	struct budget_alarm alarm = {
		.period = p, .level = l, .amount = b->settings.amounts[p][l], .spent = a->spent, .estimated = a->estimated
	};

	memcpy(alarm.key, a->key, sizeof(alarm.key));
	return alarm;
}

static size_t
look_at_levels(struct budget *b, struct budget_account *a, enum budget_period p, struct budget_alarm *alarms)
{
	size_t n = 0;

	for (enum budget_level l = 0; l < BUDGET_LEVELS; l++) {
		const int64_t amount = b->settings.amounts[p][l];

		if (amount <= 0 || a->spent < amount || a->told[l] == amount)
			continue;
		a->told[l] = amount;
		a->untold[l] = true;
		alarms[n++] = alarm_of(b, a, p, l);
	}
	return n;
}

size_t
budget_spend(struct budget *b, const char *day, int64_t pico, bool estimated, struct budget_alarm alarms[BUDGET_ALARMS_MAX])
{
	size_t n = 0;

	for (enum budget_period p = 0; p < BUDGET_PERIODS; p++) {
		struct budget_account *a = period_wanted(b, p) ? account_of(b, day, p) : NULL;

		if (!a)
			continue;
		if (__builtin_add_overflow(a->spent, pico, &a->spent))
			a->spent = pico < 0 ? -INT64_MAX : INT64_MAX;
		a->estimated |= estimated;
		n += look_at_levels(b, a, p, alarms + n);
	}
	return n;
}

size_t
budget_standings(struct budget *b, const char *day, struct budget_alarm ret[BUDGET_ALARMS_MAX])
{
	size_t n = 0;

	for (enum budget_period p = 0; p < BUDGET_PERIODS; p++) {
		const struct budget_account *a = period_wanted(b, p) ? account_of(b, day, p) : NULL;

		for (enum budget_level l = 0; a && l < BUDGET_LEVELS; l++)
			if (b->settings.amounts[p][l] > 0)
				ret[n++] = alarm_of(b, a, p, l);
	}
	return n;
}

/* --- what was told --- */

bool
budget_has_untold(const struct budget *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (is_untold(&b->accounts[i]))
			return true;
	return false;
}

bool
budget_take_told(struct budget *b, bool (*fn)(void *ctx, const char *key, enum budget_level level, int64_t amount), void *ctx)
{
	for (size_t i = 0; i < b->count; i++) {
		struct budget_account *a = &b->accounts[i];

		for (enum budget_level l = 0; l < BUDGET_LEVELS; l++) {
			if (a->untold[l] && !fn(ctx, a->key, l, a->told[l]))
				return false;
			a->untold[l] = false;
		}
	}
	return true;
}

void
budget_forget(struct budget *b)
{
	b->count = 0;
}
