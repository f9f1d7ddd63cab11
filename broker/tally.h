/* Usage by day, CLI, model, project and session, as events tell of it, until it is stored. Pure. */
#ifndef AGENTBUS_TALLY_H
#define AGENTBUS_TALLY_H

#include "session.h"

#define TALLY_ROWS     32
#define TALLY_DAY_SIZE 11 /* "2026-11-26" */

struct tally_row {
	char day[TALLY_DAY_SIZE];
	const char *provider; /* static */
	char model[64];
	char project[128];
	char session[SESSION_ID_MAX];
	uint64_t requests, api_errors;
	struct tokens tokens;
	struct cost cost;
};

struct tally {
	struct tally_row rows[TALLY_ROWS];
	size_t count;
};

/* Counts an answer, a failed request, or what a turn cost; other events say nothing of usage. False: all rows are taken by
 * others. */
bool tally_add(struct tally *t, const char *day, const struct event *e);

void tally_clear(struct tally *t);

#endif
