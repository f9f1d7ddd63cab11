/* agentbus cost: what was used, and where budgets stand. */
#include "common/options.h"
#include "cost_print.h"
#include "follow.h"
#include "period.h"
#include "terminal.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MS_PER_S = 1000 };

struct settings {
	struct options options;
	const char *since;
	unsigned by;
	bool json, csv;
	double timeout;
};

static const struct option_row rows[] = {
	{
	    .name = "since",
	    .letter = 's',
	    .type = OPTION_STRING,
	    .no_file = true,
	    .offset = offsetof(struct settings, since),
	    .value = "WHEN",
	    .help = "today, yesterday, week, month (default), year, all, 7d or a date",
	},
	{
	    .name = "by",
	    .letter = 'b',
	    .type = OPTION_CHOICE,
	    .no_file = true,
	    .offset = offsetof(struct settings, by),
	    .choices = cost_groups,
	    .value = "WHAT",
	    .help = "a row for each day (default), model, provider, project or session",
	},
	{
	    .name = "json",
	    .letter = 'j',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, json),
	    .help = "print one JSON object",
	},
	{
	    .name = "csv",
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, csv),
	    .help = "print comma-separated values, with a heading",
	},
	VERB_TIMEOUT(struct settings),
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "cost",
	.section = VERB_SECTION,
	.summary = "Prints what AI coding CLIs have used: requests, tokens, cost; and where budgets stand.",
	.rows = rows,
};

static void
complain_of(int error, const struct settings *s)
{
	char path[FOLLOW_PATH_SIZE];

	if (error == AGENTBUS_ETIMEOUT)
		verb_complain("no broker at %s (start agentbusd)", follow_runtime_dir(s->options.runtime_dir, path));
	else if (error == AGENTBUS_EREFUSED)
		verb_complain("the broker cannot tell what was used: it is of an older version, or cannot read its database");
	else
		verb_complain("%s", agentbus_strerror(error));
}

static bool
print(const struct agentbus_usage *u, const struct settings *s, enum agentbus_usage_group group, const struct period *p)
{
	struct cost_style style = { .colour = terminal_coloured() };
	struct terminal_size size;

	if (terminal_measure(&size))
		style.width = size.width;
	errno = ENOMEM;
	if (s->json)
		return cost_print_json(stdout, u, group, p);
	if (s->csv)
		return cost_print_csv(stdout, u, group);
	return cost_print_table(stdout, u, group, p, &style);
}

static int
tell(const struct settings *s, const struct period *p)
{
	const enum agentbus_usage_group group = (enum agentbus_usage_group)(s->by + AGENTBUS_USAGE_BY_DAY);
	struct agentbus_usage *usage;
	const int error = agentbus_usage(&(struct agentbus_usage_query){ .runtime_dir = s->options.runtime_dir,
									 .since = p->since,
									 .until = p->until,
									 .group = group,
									 .timeout_ms = (unsigned)(s->timeout * MS_PER_S) },
					 &usage);

	if (error < 0) {
		complain_of(error, s);
		return 1;
	}
	const bool ok = print(usage, s, group, p) && fflush(stdout) == 0;
	agentbus_usage_free(usage);
	if (ok || errno == EPIPE)
		return 0;
	verb_complain("cannot print: %s", strerror(errno));
	return 1;
}

int
verb_cost(int argc, char **argv)
{
	struct settings s = { .since = "month", .timeout = 2 };
	const time_t now = time(NULL);
	struct period period;
	struct tm today;
	char **operands;
	int status;

	if (!options_parse(&program, &s.options, argc, argv, &operands, &status))
		goto out;
	status = 2;
	if (s.json && s.csv)
		verb_complain("cost: --json and --csv are two forms: ask for one");
	else if (!localtime_r(&now, &today) || !period_parse(s.since, &today, &period))
		verb_complain("--since: '%s' is none of " PERIOD_WORDS, s.since);
	else
		status = tell(&s, &period);
out:
	options_finish(&s.options);
	return status;
}
