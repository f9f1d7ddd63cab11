/* What a person may be told of a session. */
#ifndef CLIENTS_NOTIFY_NOTICE_H
#define CLIENTS_NOTIFY_NOTICE_H

enum notice {
	NOTICE_COMPLETED = 0, /* a turn is over */
	NOTICE_FAILED = 1,    /* a turn is over and failed */
	NOTICE_WAITING = 2,   /* blocked on its person */
	NOTICE_COUNT = 3
};

#endif
