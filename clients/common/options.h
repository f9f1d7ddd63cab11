/*
 * Options of a client: one table of rows says how each is spelt, where it is stored and what it means.
 *
 * A row named "min-turn" is --min-turn on the command line, the key min-turn (or min_turn) in the client's section of the
 * configuration file, and the environment variable of the row. The command line wins over the environment, that over the
 * file. Every client also takes --runtime-dir DIR, --config FILE, --help and --version.
 *
 *	struct settings {
 *		struct options options; // first
 *		double rate;
 *	};
 *	static const struct option_row rows[] = {
 *		{ .name = "rate", .env = "AGENTBUS_EWW_RATE", .type = OPTION_DOUBLE, .offset = offsetof(struct settings, rate),
 *		  .min = 0.1, .max = 1000, .value = "N", .help = "at most N lines a second (default 10)" },
 *		{ 0 }
 *	};
 */
#ifndef CLIENTS_COMMON_OPTIONS_H
#define CLIENTS_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_type {
	OPTION_FLAG,     /* bool. --name and --no-name; elsewhere yes, no, true, false, on, off, 1, 0 */
	OPTION_STRING,   /* const char *, valid until options_finish() */
	OPTION_UINT,     /* uint64_t, within min and max */
	OPTION_DOUBLE,   /* double, within min and max */
	OPTION_DURATION, /* double, in seconds, within min and max: "10", "1.5s", "500ms", "2m", "1h30m", "1d" */
	OPTION_CHOICE    /* unsigned: the index of the word in choices */
};

struct option_row {
	const char *name;  /* long option, without the dashes; NULL ends a table */
	const char *value; /* what --help calls the argument */
	const char *help;
	const char *env;            /* environment variable, NULL for none */
	const char *const *choices; /* of OPTION_CHOICE, ended by NULL */
	double min, max;            /* both ends included; max 0 means no upper limit */
	size_t offset;              /* of the member, from the struct options that begins the client's settings */
	enum option_type type;
	char letter;  /* one-letter spelling, 0 for none */
	bool no_file; /* not a key of the configuration file */
};

/* A program, or one verb of a program. All text is static. */
struct option_program {
	const char *name;     /* messages begin with it */
	const char *verb;     /* NULL, or the word between the name and its options */
	const char *section;  /* of the configuration file; NULL reads none */
	const char *summary;  /* one sentence for --help */
	const char *operands; /* how --help writes the operands, NULL if there are none */
	const struct option_row *rows;
	int min_operands, max_operands;
};

struct options_text;

/* What every client has. Begins the client's settings; zero it, then set the defaults of the others. */
struct options {
	const char *runtime_dir; /* NULL leaves it to libagentbus */
	const char *config;      /* NULL: $XDG_CONFIG_HOME/agentbus/agentbus.conf, which need not exist */
	struct options_text *texts;
};

/*
 * Fills the settings that o begins from the command line, the environment and the configuration file. argv[0] is skipped
 * and argv permuted: *ret_operands is where its operands begin, a NULL ends them.
 *
 * Returns true if the program goes on. Returns false if it is to exit with *ret_status: 0 after --help or --version
 * (printed on stdout), 2 after a mistake (one line on stderr, which names file and line if it is in the file). Call
 * options_finish() in either case. Uses getopt_long(), so it is for the main thread.
 */
bool options_parse(const struct option_program *program, struct options *o, int argc, char **argv, char ***ret_operands,
		   int *ret_status);

/* Frees the text that came from the configuration file. */
void options_finish(struct options *o);

/* Reads a duration as OPTION_DURATION takes it. The whole of text must be one. */
bool options_duration(const char *text, double *ret_seconds);

#endif
