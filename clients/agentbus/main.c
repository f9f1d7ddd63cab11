/* agentbus: what a person can ask of the bus. */
#include "emit.h"
#include "verb.h"

#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} verbs[] = {
	{ "status", verb_status, "print the sessions: once, live, or as JSON" },
	{ "watch", verb_watch, "print events as they happen" },
	{ "cost", verb_cost, "print what was used: by day, model, provider, project or session" },
	{ "pricing", verb_pricing, "show, check or import the prices of models" },
	{ "setup", verb_setup, "show or make the changes to the CLIs' configuration that connect them" },
	{ "doctor", verb_doctor, "say what is connected, what arrives and what is missing" },
	{ "emit", emit_run, "tell the broker what a CLI's hook was told" },
	{ "ack", verb_ack, "say that completed sessions were looked at" },
	{ "focus", verb_focus, "bring a session's window to the front" },
	{ "replay", verb_replay, "send recorded telemetry to a broker" },
};

/* Options that every verb takes, which may also stand before it. */
static const char *const early_options[] = { "--runtime-dir", "--config" };

static void
print_help(void)
{
	printf("usage: " VERB_PROGRAM " VERB [options]\n\nShows what AI coding CLIs are doing.\n\n");
	for (size_t i = 0; i < COUNT(verbs); i++)
		printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
	printf("\n" VERB_PROGRAM " VERB --help tells more; " VERB_PROGRAM " --version prints the version.\n");
}

/* How many arguments the early option at argv takes up: 2 for "--config FILE", 1 for "--config=FILE", 0 if it is none. */
static int
early_option_length(char **argv)
{
	for (size_t i = 0; i < COUNT(early_options); i++) {
		size_t len = strlen(early_options[i]);

		if (strncmp(argv[0], early_options[i], len) != 0)
			continue;
		if (argv[0][len] == '=')
			return 1;
		if (argv[0][len] == '\0' && argv[1])
			return 2;
	}
	return 0;
}

/* Moves the verb to the front, before the early options: argv[1] is the verb then. False if there is no verb. */
static bool
bring_verb_forward(char **argv)
{
	int at = 1, length;

	while (argv[at] && (length = early_option_length(argv + at)) > 0)
		at += length;
	char *verb = argv[at];

	if (!verb)
		return false;
	memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
	argv[1] = verb;
	return true;
}

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || !bring_verb_forward(argv)) {
		verb_complain("no verb (see " VERB_PROGRAM " --help)");
		return 2;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help();
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts(VERB_PROGRAM " " AGENTBUS_VERSION);
		return 0;
	}
	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	}
	verb_complain("unknown %s %s (see " VERB_PROGRAM " --help)", argv[1][0] == '-' ? "option" : "verb", argv[1]);
	return 2;
}
