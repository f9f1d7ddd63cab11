/* agentbus ack: says that completed sessions were looked at. */
#include "common/options.h"
#include "common/pick.h"
#include "common/text.h"
#include "follow.h"
#include "verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS_PER_S = 1000, NAME_COLUMNS = 40, MOST_SESSIONS = 1000 };

struct settings {
	struct options options;
	bool all;
	double timeout;
};

static const struct option_row rows[] = {
	{
	    .name = "all",
	    .letter = 'a',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, all),
	    .help = "all sessions that are completed",
	},
	VERB_TIMEOUT(struct settings),
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "ack",
	.section = VERB_SECTION,
	.summary =
	    "Says that you have looked at sessions: those that are completed become idle. ID is what `status` prints of its\n"
	    "id, a unique beginning of it, the whole id, or the name of a provider for all of its sessions.",
	.operands = "ID...",
	.rows = rows,
	.max_operands = MOST_SESSIONS,
};

/* Sessions of a bus, as pick.h takes them. */
struct table {
	const struct agentbus_session **sessions;
	size_t count;
};

static bool
table_fill(struct table *t, const struct agentbus *bus)
{
	t->count = agentbus_session_count(bus);
	t->sessions = calloc(t->count + 1, sizeof(*t->sessions));
	for (size_t i = 0; t->sessions && i < t->count; i++)
		t->sessions[i] = agentbus_session_at(bus, i);
	return t->sessions != NULL;
}

/* Returns the exit status. What there is nothing to do for is said only of a session that was named. */
static int
acknowledge(const struct settings *s, const struct agentbus_session *x, bool named)
{
	char provider[4 * NAME_COLUMNS], project[4 * NAME_COLUMNS], id[4 * NAME_COLUMNS];
	const int done = agentbus_acknowledge(s->options.runtime_dir, (int)(s->timeout * MS_PER_S), x->provider, x->id);
	const char *name = text_clip(text_short_id(x->id), NAME_COLUMNS, id, sizeof(id));

	text_clip(x->provider, NAME_COLUMNS, provider, sizeof(provider));
	text_clip(*x->project ? x->project : "-", NAME_COLUMNS, project, sizeof(project));
	if (done < 0)
		verb_complain("%s: %s", name, agentbus_strerror(done));
	else if (done > 0)
		printf("%s %s %s: completed, now idle\n", name, provider, project);
	else if (named)
		printf("%s %s %s: %s, nothing to acknowledge\n", name, provider, project, agentbus_state_name(x->state));
	return done < 0;
}

/* All that are completed: of a provider, or (NULL) of all. *ret_found: whether the provider has any session. */
static int
acknowledge_all(const struct settings *s, const struct table *t, const char *provider, bool *ret_found)
{
	int status = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct agentbus_session *x = t->sessions[i];

		if (provider && strcmp(x->provider, provider) != 0)
			continue;
		*ret_found = true;
		if (x->state == AGENTBUS_COMPLETED)
			status |= acknowledge(s, x, false);
	}
	return status;
}

static int
acknowledge_named(const struct settings *s, const struct table *t, const char *text)
{
	const struct pick p = pick_session(t->sessions, t->count, text);
	char why[PICK_TEXT_SIZE];
	bool found = false;

	if (p.session)
		return acknowledge(s, p.session, true);
	if (p.count == 0) {
		const int status = acknowledge_all(s, t, text, &found);

		if (found)
			return status;
	}
	verb_complain("%s", pick_explain(&p, text, why));
	return 1;
}

static int
run(const struct settings *s, char **operands)
{
	struct agentbus *bus = NULL;
	struct table t = { 0 };
	bool found = false;
	int status = 1;

	if (!follow_connect(s->options.runtime_dir, s->timeout, &bus))
		return 1;
	if (!table_fill(&t, bus)) {
		verb_complain("%s", agentbus_strerror(AGENTBUS_ENOMEM));
	} else {
		status = s->all ? acknowledge_all(s, &t, NULL, &found) : 0;
		for (; *operands; operands++)
			status |= acknowledge_named(s, &t, *operands);
	}
	free(t.sessions);
	agentbus_close(bus);
	return fflush(stdout) == 0 ? status : 1;
}

int
verb_ack(int argc, char **argv)
{
	struct settings s = { .timeout = 2 };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status)) {
		status = 2;
		if (s.all == (*operands != NULL))
			verb_complain("ack: which sessions? IDs, or --all (see agentbus ack --help)");
		else
			status = run(&s, operands);
	}
	options_finish(&s.options);
	return status;
}
