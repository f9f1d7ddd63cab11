#include "ledger.h"

#include <stdio.h>
#include <time.h>

#define DAY_STEP_NS (900 * NS_PER_S) /* all offsets of time zones are multiples of 15 minutes */

/* The local day of a time. */
static const char *
day_of(struct ledger *l, uint64_t time_ns)
{
	const uint64_t key = time_ns / DAY_STEP_NS + 1;
	const time_t s = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	if (key == l->day_key)
		return l->day;
	if (!localtime_r(&s, &tm) || strftime(l->day, sizeof(l->day), "%Y-%m-%d", &tm) == 0)
		str_copy(l->day, sizeof(l->day), STR("1970-01-01"));
	l->day_key = key;
	return l->day;
}

/* --- budgets --- */

static void
add_spent(struct budget_account *a, int64_t reported, int64_t unreported, bool estimated)
{
	if (__builtin_add_overflow(a->spent, reported, &a->spent) || __builtin_add_overflow(a->spent, unreported, &a->spent))
		a->spent = INT64_MAX;
	a->estimated |= estimated;
}

static bool
add_stored(void *ctx, const struct store_usage *sum)
{
	add_spent(ctx, sum->reported_cost, sum->unreported_cost, sum->estimated);
	return true;
}

/* A day begins with the key of its month, and with its own. */
static void
add_tallied(const struct tally *t, struct budget_account *a)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_starts(str_from(t->rows[i].day), str_from(a->key)))
			add_spent(a, t->rows[i].cost.reported, t->rows[i].cost.unreported, t->rows[i].cost.estimated);
}

static bool
read_account(void *ctx, struct budget_account *ret)
{
	const struct ledger *l = ctx;
	char last[BUDGET_KEY_SIZE + 4];

	snprintf(last, sizeof(last), "%s%s", ret->key, strlen(ret->key) < BUDGET_KEY_SIZE - 1 ? "-31" : "");
	add_tallied(&l->tally, ret);
	if (!l->store)
		return true;
	if (!store_each_usage(l->store, STORE_USAGE_TOTAL, (struct store_days){ ret->key, last }, add_stored, ret))
		return false;
	for (enum budget_level v = 0; v < BUDGET_LEVELS; v++)
		if (!store_budget_told(l->store, ret->key, budget_level_name(v), &ret->told[v]))
			return false;
	return true;
}

static bool
keep_told(void *ctx, const char *key, enum budget_level level, int64_t amount)
{
	return store_tell_budget(ctx, key, budget_level_name(level), amount);
}

void
ledger_set_budget(struct ledger *l, const struct budget_settings *settings)
{
	l->budget.settings = *settings;
}

size_t
ledger_standings(struct ledger *l, struct budget_alarm ret[BUDGET_ALARMS_MAX])
{
	if (!budget_wanted(&l->budget))
		return 0;
	return budget_standings(&l->budget, day_of(l, clock_now(l->clock)), ret);
}

/* --- counting --- */

static bool
write_tally(struct ledger *l)
{
	for (size_t i = 0; i < l->tally.count; i++) {
		const struct tally_row *r = &l->tally.rows[i];
		const struct store_usage u = { .day = r->day,
					       .provider = r->provider,
					       .model = r->model,
					       .project = r->project,
					       .session = r->session,
					       .requests = r->requests,
					       .api_errors = r->api_errors,
					       .input = r->tokens.input,
					       .cache_read = r->tokens.cache_read,
					       .cache_write = r->tokens.cache_write,
					       .output = r->tokens.output,
					       .reasoning = r->tokens.reasoning,
					       .reported_cost = r->cost.reported,
					       .computed_cost = r->cost.computed,
					       .unreported_cost = r->cost.unreported,
					       .estimated = r->cost.estimated };

		if (!store_add_usage(l->store, &u))
			return false;
	}
	tally_clear(&l->tally);
	return true;
}

size_t
ledger_count(struct ledger *l, const struct event *e, bool writable, struct budget_alarm alarms[BUDGET_ALARMS_MAX])
{
	const char *day = day_of(l, e->time_ns);
	int64_t pico = 0;
	size_t count = 0;

	/* First: a period that is looked at for the first time is read with all that was counted before. */
	if (e->cost && __builtin_add_overflow(e->cost->reported, e->cost->unreported, &pico))
		pico = e->cost->reported < 0 ? -INT64_MAX : INT64_MAX;
	if (e->cost && budget_wanted(&l->budget))
		count = budget_spend(&l->budget, day, pico, e->cost->estimated, alarms);
	if (!tally_add(&l->tally, day, e)) {
		if (l->store && writable)
			write_tally(l);
		tally_add(&l->tally, day, e);
	}
	return count;
}

bool
ledger_dirty(const struct ledger *l)
{
	return l->tally.count > 0 || budget_has_untold(&l->budget);
}

bool
ledger_write(struct ledger *l)
{
	return write_tally(l) && budget_take_told(&l->budget, keep_told, l->store);
}

void
ledger_settle_memory(struct ledger *l)
{
	if (l->memory && ledger_dirty(l) && !(ledger_write(l) && store_commit(l->memory, clock_now(l->clock))))
		store_rollback(l->memory);
}

void
ledger_rewind(struct ledger *l)
{
	tally_clear(&l->tally);
	budget_forget(&l->budget);
}

bool
ledger_each(const struct ledger *l, enum store_usage_by by, struct store_days days,
	    bool (*fn)(void *ctx, const struct store_usage *sum), void *ctx)
{
	return l->store && store_each_usage(l->store, by, days, fn, ctx);
}

/* --- open and close --- */

void
ledger_init(struct ledger *l, const struct clock *clock)
{
	*l = (struct ledger){ .clock = clock, .budget.source = { read_account, l } };
}

bool
ledger_open_memory(struct ledger *l, const struct log *log)
{
	l->store = l->memory = store_open_memory(log);
	return l->memory != NULL;
}

void
ledger_use(struct ledger *l, struct store *st)
{
	l->store = st;
}

void
ledger_finish(struct ledger *l)
{
	store_close(l->memory);
	l->store = l->memory = NULL;
}
