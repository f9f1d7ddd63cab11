/* What agentbus doctor finds out, and how it is told. */
#ifndef CLIENTS_AGENTBUS_DOCTOR_H
#define CLIENTS_AGENTBUS_DOCTOR_H

#include "agentbus.h"
#include "setup_plan.h"

#include <limits.h>
#include <stdint.h>

enum { DOCTOR_KINDS = 4, DOCTOR_TEXT_SIZE = 256, DOCTOR_OVERRIDES_MAX = 8 };

/* "logs", "traces", "metrics", "hooks" */
extern const char *const doctor_kinds[DOCTOR_KINDS];

struct doctor_broker {
	bool running;
	bool old; /* it runs, but does not know what has come */
	char dir[PATH_MAX];
	char version[32];
	char addresses[512];
	char program[PATH_MAX]; /* agentbus, as hooks find it; "" if they do not */
};

/* A variable of the environment that counts more than the files, and is wrong. */
struct doctor_override {
	const char *name;
	char value[DOCTOR_TEXT_SIZE];
};

struct doctor_cli {
	const struct setup_cli *cli;
	char program[PATH_MAX]; /* "": not in PATH */
	char version[32];       /* "": cannot be told without running it */
	bool there;             /* it, or its configuration */
	struct setup_plan *plans[SETUP_FILES_MAX];
	char paths[SETUP_FILES_MAX][PATH_MAX];
	char faults[SETUP_FILES_MAX][DOCTOR_TEXT_SIZE]; /* why a file cannot be used; "": it can */
	unsigned telemetry_wanted, telemetry_there, hooks_wanted, hooks_there;
	size_t conflicts;
	bool by_environment; /* its telemetry is switched on there */
	struct doctor_override overrides[DOCTOR_OVERRIDES_MAX];
	size_t override_count;
	uint64_t counts[DOCTOR_KINDS], last[DOCTOR_KINDS];
	size_t sessions;
	bool telemetry_reaches; /* some of it goes to the broker */
	bool connected;         /* that, or hooks; or nobody can tell, since a file is not valid */
	bool well;              /* what is configured is whole, and nothing is in its way */
	bool complete;          /* and there is nothing more to configure */
};

struct doctor {
	struct doctor_broker broker;
	struct doctor_cli clis[SETUP_CLIS];
	char http[DOCTOR_TEXT_SIZE], grpc[DOCTOR_TEXT_SIZE]; /* where the CLIs should send to */
	bool usual;                                          /* these are the default ones */
	bool well;
};

/* Looks at everything, and asks the broker of runtime_dir for timeout_ms at most. False without memory. */
bool doctor_look(struct doctor *d, const char *runtime_dir, int timeout_ms);
void doctor_finish(struct doctor *d);

/* The command that mends what is wrong with a CLI, or adds what it lacks; "" if nothing is, or it is not there. */
const char *doctor_mend(const struct doctor *d, const struct doctor_cli *c, char out[DOCTOR_TEXT_SIZE * 2]);

/* Prints it for people, or as JSON. False if that cannot be written. */
bool doctor_print(const struct doctor *d);
bool doctor_print_json(const struct doctor *d);

#endif
