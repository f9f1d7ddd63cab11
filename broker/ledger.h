/*
 * The ledger: what was used, by local day, CLI, model, project and session, and which budgets that touches. It counts in memory,
 * and writes into a store when it is told to; a broker without a store has one in memory for this alone.
 */
#ifndef AGENTBUS_LEDGER_H
#define AGENTBUS_LEDGER_H

#include "budget.h"
#include "clock.h"
#include "store.h"
#include "tally.h"

struct ledger {
	struct store *store;  /* where sums are kept; NULL: nowhere at the moment */
	struct store *memory; /* the same, if it is our own */
	const struct clock *clock;
	struct tally tally; /* not written yet */
	struct budget budget;
	uint64_t day_key;
	char day[TALLY_DAY_SIZE];
};

/* Begins empty and without a store. The clock must outlive it. */
void ledger_init(struct ledger *l, const struct clock *clock);
void ledger_finish(struct ledger *l);

/* Keeps everything in memory. False after logging why it cannot. */
bool ledger_open_memory(struct ledger *l, const struct log *log);

/* Where sums are kept from now on; it belongs to the caller. */
void ledger_use(struct ledger *l, struct store *st);

void ledger_set_budget(struct ledger *l, const struct budget_settings *settings);

/*
 * Counts what an event tells of usage. `writable` is whether the store can take what there is no room for here; what neither has
 * room for is not counted by day. Writes the levels of budgets that this reaches, and returns how many.
 */
size_t ledger_count(struct ledger *l, const struct event *e, bool writable, struct budget_alarm alarms[BUDGET_ALARMS_MAX]);

/* Whether something waits for ledger_write(). */
bool ledger_dirty(const struct ledger *l);

/* Writes all of it within the store's transaction. */
bool ledger_write(struct ledger *l);

/* The same and a commit, for a ledger in memory. */
void ledger_settle_memory(struct ledger *l);

/* What was not written, or was written and then rolled back, has never been. */
void ledger_rewind(struct ledger *l);

/* store_each_usage(), of what is written. False also if there is no store. */
bool ledger_each(const struct ledger *l, enum store_usage_by by, struct store_days days,
		 bool (*fn)(void *ctx, const struct store_usage *sum), void *ctx);

/* Where the budgets stand today. Returns how many levels there are. */
size_t ledger_standings(struct ledger *l, struct budget_alarm ret[BUDGET_ALARMS_MAX]);

#endif
