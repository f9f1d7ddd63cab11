/* Refused requests in the log: the first of a kind at once, then a line a minute that counts the others. */
#ifndef AGENTBUS_REFUSAL_H
#define AGENTBUS_REFUSAL_H

#include "log.h"
#include "verdict.h"

#include <stdint.h>

struct refusals {
	const struct log *log;
	struct {
		uint64_t logged_ns; /* 0: never */
		unsigned silent;    /* since */
	} of[VERDICT_COUNT];
};

void refusals_init(struct refusals *r, const struct log *log);

/* `what` is what was refused: "/v1/logs", "a connection". Never a peer's own words. */
void refusals_note(struct refusals *r, enum verdict v, const char *what, uint64_t now_ns);

#endif
