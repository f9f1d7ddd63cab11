/* agentbus status: the sessions as a table, once or live, or as JSON. */
#include "common/json.h"
#include "common/options.h"
#include "common/roster.h"
#include "common/session_json.h"
#include "common/table.h"
#include "common/text.h"
#include "follow.h"
#include "forward.h"
#include "live.h"
#include "terminal.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct settings {
	struct options options;
	bool json, all, watch, forward;
	double timeout;
};

static const struct option_row rows[] = {
	{
	    .name = "json",
	    .letter = 'j',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, json),
	    .help = "print one JSON object, {\"sessions\": [...]}",
	},
	{
	    .name = "all",
	    .letter = 'a',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, all),
	    .help = "ended sessions and sub-agents too",
	},
	{
	    .name = "watch",
	    .letter = 'w',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, watch),
	    .help = "keep the table up to date until Ctrl-C",
	},
	{
	    .name = "forward",
	    .letter = 'f',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, forward),
	    .help = "how passing telemetry on to other backends goes",
	},
	VERB_TIMEOUT(struct settings),
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "status",
	.section = VERB_SECTION,
	.summary = "Prints the sessions of AI coding CLIs.",
	.rows = rows,
};

static enum roster_scope
scope_of(const struct settings *s)
{
	return s->all ? ROSTER_ALL : ROSTER_SHOWN;
}

static bool
print_json(const struct roster *r)
{
	struct json j = { 0 };
	bool ok;

	json_object(&j, NULL);
	json_array(&j, "sessions");
	for (size_t i = 0; i < r->count; i++)
		session_json(&j, NULL, r->rows[i].session);
	json_end(&j);
	json_end(&j);
	json_newline(&j);
	ok = json_print(&j, stdout);
	json_finish(&j);
	return ok;
}

static bool
print_table(const struct roster *r)
{
	struct table_style style = { .now = text_now(), .colour = terminal_coloured() };
	struct terminal_size size;

	if (terminal_measure(&size))
		style.width = size.width;
	if (r->count == 0)
		return puts("No sessions.") >= 0;
	return table_print(stdout, r, &style) > 0;
}

static int
print_once(struct agentbus *bus, const struct settings *s)
{
	struct roster roster = { 0 };
	bool ok = roster_of_bus(&roster, bus, scope_of(s)) && (s->json ? print_json(&roster) : print_table(&roster));

	roster_finish(&roster);
	if (!ok || fflush(stdout) != 0) {
		if (errno == EPIPE)
			return 0;
		verb_complain("cannot print: %s", strerror(errno));
		return 1;
	}
	return 0;
}

int
verb_status(int argc, char **argv)
{
	struct settings s = { .timeout = 2 };
	struct agentbus *bus = NULL;
	char **operands;
	int status;

	if (!options_parse(&program, &s.options, argc, argv, &operands, &status))
		goto out;
	status = 2;
	if (s.json && s.watch) {
		verb_complain("status: --json prints once; for changes as JSON see agentbus watch --json");
		goto out;
	}
	if (s.forward && (s.watch || s.all)) {
		verb_complain("status: --forward goes with --json only");
		goto out;
	}
	if (s.forward) {
		status = forward_print(s.options.runtime_dir, s.timeout, s.json);
		goto out;
	}
	status = 1;
	if (follow_connect(s.options.runtime_dir, s.timeout, &bus))
		status = s.watch ? live_run(bus, scope_of(&s)) : print_once(bus, &s);
	agentbus_close(bus);
out:
	options_finish(&s.options);
	return status;
}
