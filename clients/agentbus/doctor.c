/* agentbus doctor: what is connected, what arrives, and what is missing. */
#include "doctor.h"

#include "common/options.h"
#include "verb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
	struct options options;
	bool json;
	double timeout;
};

static const struct option_row rows[] = {
	{
	    .name = "json",
	    .letter = 'j',
	    .type = OPTION_FLAG,
	    .no_file = true,
	    .offset = offsetof(struct settings, json),
	    .help = "print one JSON object",
	},
	VERB_TIMEOUT(struct settings),
	{ 0 },
};

static const struct option_program program = {
	.name = VERB_PROGRAM,
	.verb = "doctor",
	.section = VERB_SECTION,
	.summary = "Says for each CLI what is configured, what arrives, and what is missing.",
	.rows = rows,
};

static int
run(const struct settings *s)
{
	struct doctor *d = malloc(sizeof(*d));
	int status = 1;

	if (!d || !doctor_look(d, s->options.runtime_dir, (int)(s->timeout * 1000))) {
		verb_complain("doctor: no memory");
	} else if ((s->json ? doctor_print_json : doctor_print)(d) && fflush(stdout) == 0) {
		status = d->well ? 0 : 1;
	} else if (errno != EPIPE) {
		verb_complain("cannot print: %s", strerror(errno));
	}
	if (d)
		doctor_finish(d);
	free(d);
	return status;
}

int
verb_doctor(int argc, char **argv)
{
	struct settings s = { .timeout = 2 };
	char **operands;
	int status;

	if (options_parse(&program, &s.options, argc, argv, &operands, &status))
		status = run(&s);
	options_finish(&s.options);
	return status;
}
