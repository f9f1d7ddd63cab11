/*
 * Budgets: what may be spent in a local day and in a month before somebody is told. Pure: spending goes in, alarms come out.
 *
 * A level is told once for each period: what was told is remembered with the amount, so that another amount is another level.
 * Sums and what was told come from whoever keeps them, when a period is looked at for the first time.
 */
#ifndef AGENTBUS_BUDGET_H
#define AGENTBUS_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_KEY_SIZE 11 /* "2026-11-26" */
#define BUDGET_ACCOUNTS 8  /* days and months that are kept in mind: late telemetry may be of other ones than today's */

enum budget_period { BUDGET_DAY, BUDGET_MONTH, BUDGET_PERIODS };
enum budget_level { BUDGET_WARN, BUDGET_LIMIT, BUDGET_LEVELS };

#define BUDGET_ALARMS_MAX (BUDGET_PERIODS * BUDGET_LEVELS)

/* "day", "month"; "warn", "limit". Static. */
const char *budget_period_name(enum budget_period p);
const char *budget_level_name(enum budget_level l);

/* In pico-dollars; 0: no such level. */
struct budget_settings {
	int64_t amounts[BUDGET_PERIODS][BUDGET_LEVELS];
};

/* A level, and what was spent against it. */
struct budget_alarm {
	enum budget_period period;
	enum budget_level level;
	char key[BUDGET_KEY_SIZE]; /* "2026-11-26", "2026-11" */
	int64_t amount, spent;     /* pico-dollars */
	bool estimated;            /* some price within spent was a guess */
};

/* One day or month. */
struct budget_account {
	char key[BUDGET_KEY_SIZE];
	int64_t spent;
	bool estimated;
	int64_t told[BUDGET_LEVELS]; /* the amount at which the level was told; 0: it was not */
	bool untold[BUDGET_LEVELS];  /* told[] is not kept yet: budget_take_told() */
	uint64_t used;               /* the newest are kept */
};

/* Who keeps the sums. */
struct budget_source {
	/* Sets spent, estimated and told of the period that ret->key names. False: they cannot be read. */
	bool (*read)(void *ctx, struct budget_account *ret);
	void *ctx;
};

struct budget {
	struct budget_settings settings;
	struct budget_source source;
	struct budget_account accounts[BUDGET_ACCOUNTS];
	size_t count;
	uint64_t uses;
};

/* Whether any level is set. */
bool budget_wanted(const struct budget *b);

/*
 * Something was spent on a day, "2026-11-26"; below 0 takes back. To be called before the source counts it. Writes the levels
 * that are reached now and were not told before, and returns how many. One whose sums cannot be read is passed over.
 */
size_t budget_spend(struct budget *b, const char *day, int64_t pico, bool estimated,
		    struct budget_alarm alarms[BUDGET_ALARMS_MAX]);

/* Where all levels stand on this day and in its month. Returns how many there are. */
size_t budget_standings(struct budget *b, const char *day, struct budget_alarm ret[BUDGET_ALARMS_MAX]);

/* Calls fn for what was told and not taken before, until it returns false; what it took is kept. Returns whether all was. */
bool budget_take_told(struct budget *b, bool (*fn)(void *ctx, const char *key, enum budget_level level, int64_t amount),
		      void *ctx);
bool budget_has_untold(const struct budget *b);

/* Forgets all sums: the source knows better. */
void budget_forget(struct budget *b);

#endif
