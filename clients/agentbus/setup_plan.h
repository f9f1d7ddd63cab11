/*
 * What a configuration file has, what it lacks, and how it would look. Pure.
 *
 *	struct setup_plan plan;
 *	setup_plan(&plan, cli, file, &wish, bytes, len);
 *	... plan.after is the new text, unless plan.fault.what ...
 *	setup_plan_finish(&plan);
 */
#ifndef CLIENTS_AGENTBUS_SETUP_PLAN_H
#define CLIENTS_AGENTBUS_SETUP_PLAN_H

#include "setup_value.h"

enum { SETUP_CHANGES_MAX = 96, SETUP_CONFLICTS_MAX = 32, SETUP_SHOWN_SIZE = 160 };

/* A value of the person's that keeps ours out. */
struct setup_conflict {
	char what[SETUP_SHOWN_SIZE];  /* its path */
	char found[SETUP_SHOWN_SIZE]; /* its value, without secrets; "" if that has another form */
	const char *advice;
};

struct setup_plan {
	struct edit_text after;
	struct edit_change changes[SETUP_CHANGES_MAX];
	size_t change_count;
	struct setup_conflict conflicts[SETUP_CONFLICTS_MAX]; /* those that --force has not settled */
	size_t conflict_count;
	unsigned telemetry_wanted, telemetry_there; /* rows */
	unsigned hooks_wanted, hooks_there;         /* events */
	bool telemetry_reaches;                     /* some of it goes to the broker */
	bool notify_there;
	bool held;               /* because of a conflict no telemetry is changed: it would go to that other address */
	struct edit_fault fault; /* its what is not NULL: the file is not valid, or there was no memory; nothing else is known */
};

void setup_plan(struct setup_plan *p, const struct setup_cli *cli, const struct setup_file *f, const struct setup_wish *w,
		const char *text, size_t len);
void setup_plan_finish(struct setup_plan *p);

/* Whether the text is valid in the file's language; *ret_fault if it is not. An empty one is. */
bool setup_valid(const struct setup_file *f, const char *text, size_t len, struct edit_fault *ret_fault);

/*
 * Takes changes back, the last one first. Returns how many could not be, since what they wrote has been changed since. False in
 * *ret_ok without memory, or if the text is not valid.
 */
size_t setup_revert(const struct setup_file *f, struct edit_text *text, const struct edit_change *changes, size_t count,
		    bool *ret_ok);

#endif
