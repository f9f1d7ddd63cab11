/*
 * The broker's settings. One table names each of them everywhere: in the file, on the command line, in the environment, in
 * --help. Pure: text in, settings and complaints out.
 */
#ifndef AGENTBUS_CONFIG_H
#define AGENTBUS_CONFIG_H

#include "address.h"
#include "budget.h"
#include "destination.h"
#include "enricher.h"
#include "limit.h"
#include "log.h"
#include "session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_LISTEN_MAX 16
#define CONFIG_PATH_MAX   512

/* Where a value comes from; a higher one wins. */
enum config_layer { LAYER_DEFAULT, LAYER_FILE, LAYER_ENVIRONMENT, LAYER_COMMAND_LINE };

struct config {
	struct address listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	enum config_layer listen_layer; /* who named them: a list is replaced as a whole, never mixed from two layers */
	struct limits limits;
	bool allow_other_users;
	char allow_hosts[CONFIG_PATH_MAX];   /* a list, for struct access_policy */
	char allow_origins[CONFIG_PATH_MAX]; /* likewise */
	char token_file[CONFIG_PATH_MAX];
	bool core_dumps;
	char runtime_dir[CONFIG_PATH_MAX];
	char state_dir[CONFIG_PATH_MAX];
	bool memory;
	bool durable;
	bool fsync;
	size_t journal_size; /* bytes, in memory */
	size_t history_size; /* bytes, in the database */
	uint64_t history_age_ns;
	struct session_settings sessions;
	bool metrics;
	struct destinations forward;
	struct enricher_settings enrich;
	char pricing_file[CONFIG_PATH_MAX];  /* "": none */
	char session_files[CONFIG_PATH_MAX]; /* "yes": where Claude Code has them; "no"; or their directory */
	struct budget_settings budget;
	enum log_level log_level;
};

enum setting_type {
	SETTING_ADDRESSES, /* struct address[], with listen_count and listen_layer */
	SETTING_PATH,      /* char[CONFIG_PATH_MAX] */
	SETTING_FILE,      /* likewise */
	SETTING_WORDS,     /* likewise, a list */
	SETTING_PLACE,     /* likewise: "yes", "no", or an absolute path */
	SETTING_FLAG,      /* bool, off by default: its option takes no value */
	SETTING_SWITCH,    /* bool */
	SETTING_DURATION,  /* uint64_t, nanoseconds */
	SETTING_SIZE,      /* size_t, bytes */
	SETTING_COUNT,     /* size_t */
	SETTING_CHOICE,    /* bool: the first or second of the setting's words */
	SETTING_LEVEL,     /* enum log_level */
	SETTING_URL,       /* of the destination named "default" */
	SETTING_MONEY,     /* int64_t, pico-dollars; 0: none */
	SETTING_TYPE_COUNT
};

struct setting {
	const char *section, *key; /* in the file; NULL: not there */
	const char *option;        /* without its dashes */
	const char *env;
	enum setting_type type;
	size_t offset;        /* in struct config */
	uint64_t min, max;    /* inclusive; for numbers */
	const char *words[2]; /* for a choice */
	bool live;            /* a reload applies it; else it needs a restart */
	const char *help;     /* one line */
};

extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* Who hears what is wrong. */
struct config_report {
	void (*line)(struct config_report *report, const char *text); /* without newline */
	unsigned errors;                                              /* counted by config.c */
};

/* All defaults, but without directories: those depend on the environment. */
void config_default(struct config *c);

/* Sets one value. False, with the reason in why, if the text is none of its type or out of range. */
bool config_set(struct config *c, const struct setting *s, enum config_layer layer, const char *text, char *why, size_t why_size);

/* Writes the value as config_set() reads it, for messages and --help. */
void config_show(const struct config *c, const struct setting *s, char *text, size_t size);

/* What --help calls the value: ADDR:PORT, DIR, TIME …; "" for a flag. */
void config_metavar(const struct setting *s, char *text, size_t size);

/*
 * Applies a file's text. Every error is reported as "name:line: …" and counted, and the rest of the text is still read.
 * Returns whether there were none. Sections of the other programs (named after them) are passed over.
 */
bool config_parse(struct config *c, const char *text, size_t len, const char *name, struct config_report *report);

/* Formats and reports one error. */
void config_complain(struct config_report *report, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Whether a and b have the same value for this setting. */
bool config_same(const struct config *a, const struct config *b, const struct setting *s);

#endif
