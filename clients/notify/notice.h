/* What a person may be told of. */
#ifndef CLIENTS_NOTIFY_NOTICE_H
#define CLIENTS_NOTIFY_NOTICE_H

enum notice {
	NOTICE_COMPLETED = 0,    /* a turn is over */
	NOTICE_FAILED = 1,       /* a turn is over and failed */
	NOTICE_WAITING = 2,      /* blocked on its person */
	NOTICE_BUDGET_WARN = 3,  /* spending has come to a level that was set for a day or a month */
	NOTICE_BUDGET_LIMIT = 4, /* and to the other one */
	NOTICE_COUNT = 5
};

#endif
