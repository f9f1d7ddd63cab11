/* agentbus focus: brings a session's window to the front, or says whether it is there. */
#include "common/options.h"
#include "common/pick.h"
#include "focus_job.h"
#include "follow.h"
#include "verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
	struct options options;
	bool check, print, next, verbose;
	double timeout;
};

static const struct option_row rows[] = {
	{
	    .name = "next",
	    .letter = 'n',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, next),
	    .help = "the session that waits longest, else the one that was completed first",
	},
	{
	    .name = "check",
	    .letter = 'c',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, check),
	    .help = "only tell by the exit status: 0 it has the focus, 1 it has not, 2 nobody knows",
	},
	{
	    .name = "print",
	    .letter = 'p',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, print),
	    .help = "only say what would be done",
	},
	{
	    .name = "verbose",
	    .letter = 'v',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, verbose),
	    .help = "say what is done, and why not",
	},
	VERB_TIMEOUT(struct settings),
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "focus",
	.section = VERB_SECTION,
	.summary =
	    "Brings the window of a session to the front. ID is what `status` prints of its id, a unique beginning of it, or\n"
	    "the whole id.",
	.operands = "ID",
	.rows = rows,
	.max_operands = 1,
};

enum { STATUS_DONE = 0, STATUS_ELSEWHERE = 1, STATUS_NO_SESSION = 1, STATUS_UNKNOWN = 2, STATUS_USAGE = 2 };

static const int statuses[] = {
	[FOCUS_DONE] = STATUS_DONE,
	[FOCUS_ELSEWHERE] = STATUS_ELSEWHERE,
	[FOCUS_UNKNOWN] = STATUS_UNKNOWN,
	[FOCUS_NOT_MINE] = STATUS_UNKNOWN,
};

/* The session that is meant; NULL after having said why not. */
static const struct agentbus_session *
find(const struct settings *s, const struct agentbus *bus, const char *text)
{
	const size_t count = agentbus_session_count(bus);
	const struct agentbus_session **sessions = calloc(count + 1, sizeof(*sessions)), *found = NULL;
	char why[PICK_TEXT_SIZE] = "no session waits, and none is completed";

	for (size_t i = 0; sessions && i < count; i++)
		sessions[i] = agentbus_session_at(bus, i);
	if (sessions && text) {
		const struct pick p = pick_session(sessions, count, text);

		found = p.session;
		if (!found)
			pick_explain(&p, text, why);
	} else if (sessions) {
		found = pick_next(sessions, count);
	}
	free(sessions);
	if (!found && (!s->check || s->verbose))
		verb_complain("%s", why);
	return found;
}

static int
run(const struct settings *s, const char *text)
{
	struct focus_job job = { .act = s->check   ? ACT_CHECK
					: s->print ? ACT_PRINT
						   : ACT_RAISE,
				 .verbose = s->verbose || s->print,
				 .proc = "/proc" };
	int status = s->check ? STATUS_UNKNOWN : STATUS_NO_SESSION;
	const struct agentbus_session *x;
	struct agentbus *bus = NULL;

	if (!follow_connect(s->options.runtime_dir, s->timeout, &bus))
		return status;
	x = find(s, bus, text);
	if (x) {
		const enum focus_verdict v = focus_job_run(&job, x);

		status = statuses[v];
		if (v == FOCUS_UNKNOWN && (!s->check || s->verbose))
			verb_complain("focus: %s", job.why);
		if (v == FOCUS_DONE && s->check)
			focus_job_say(&job, "it has the focus");
	}
	agentbus_close(bus);
	return fflush(stdout) == 0 ? status : STATUS_UNKNOWN;
}

int
verb_focus(int argc, char **argv)
{
	struct settings s = { .timeout = 2 };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status)) {
		status = STATUS_USAGE;
		if (s.next == (*operands != NULL))
			verb_complain("focus: which session? an ID, or --next (see agentbus focus --help)");
		else if (s.check && s.print)
			verb_complain("focus: --check does nothing that --print could say");
		else
			status = run(&s, *operands);
	}
	options_finish(&s.options);
	return status;
}
