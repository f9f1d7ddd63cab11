/*
 * agentbus: the command that is run. `agentbus emit` runs with each hook of a CLI and must cost nearly nothing, but the libraries
 * of the other verbs take 5 ms to load: those are in a program of their own, which this one becomes.
 */
#include "agentbus/emit.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERBS "agentbus-verbs"

/* Where it may be, from where this program is: in the build directory, and installed. */
static const char *const places[] = { "/" VERBS, "/../libexec/agentbus/" VERBS };

/* Options that may stand before the verb. */
static const char *const early_options[] = { "--runtime-dir", "--config" };

static int
early_option_length(char **argv)
{
	for (size_t i = 0; i < sizeof(early_options) / sizeof(early_options[0]); i++) {
		const size_t len = strlen(early_options[i]);

		if (strncmp(argv[0], early_options[i], len) != 0)
			continue;
		if (argv[0][len] == '=')
			return 1;
		if (argv[0][len] == '\0' && argv[1])
			return 2;
	}
	return 0;
}

static int
become_verbs(char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 64];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		const char *dir = dirname(self);

		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			snprintf(path, sizeof(path), "%s%s", dir, places[i]);
			execv(path, argv);
		}
	}
	fputs("agentbus: " VERBS " is missing: it is installed with this program, in ../libexec/agentbus\n", stderr);
	return 127;
}

int
main(int argc, char **argv)
{
	int at = 1, length;

	while (at < argc && (length = early_option_length(argv + at)) > 0)
		at += length;
	if (at >= argc || strcmp(argv[at], "emit") != 0)
		return become_verbs(argv);
	/* The verb goes to the front, and what stood before it behind it. */
	char *verb = argv[at];

	memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
	argv[1] = verb;
	return emit_run(argc - 1, argv + 1);
}
