/* What a person may be told of. */
#ifndef CLIENTS_NOTIFY_NOTICE_H
#define CLIENTS_NOTIFY_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

enum notice {
	NOTICE_COMPLETED = 0,    /* a turn is over */
	NOTICE_FAILED = 1,       /* a turn is over and failed */
	NOTICE_WAITING = 2,      /* blocked on its person */
	NOTICE_BUDGET_WARN = 3,  /* spending has come to a level that was set for a day or a month */
	NOTICE_BUDGET_LIMIT = 4, /* and to the other one */
	NOTICE_COUNT = 5
};

enum { NOTICE_KEY_SIZE = 256 }; /* of a notice's name, "provider/id" or "budget/2026-11" */

/* The turn that is over. */
struct notice_turn {
	uint64_t duration_ms; /* 0 if unknown */
	int64_t cost;         /* pico-dollars, its sub-agents included; valid if cost_known */
	bool cost_known;
	bool cost_estimated;
	bool cost_partial; /* it was over before its last request was heard of */
};

#endif
