/* What each CLI's own configuration needs so that it tells the broker what it does: tables, and nothing else. */
#ifndef CLIENTS_AGENTBUS_SETUP_TABLE_H
#define CLIENTS_AGENTBUS_SETUP_TABLE_H

#include "edit_text.h"

enum { SETUP_CLIS = 4, SETUP_FILES_MAX = 2 };

enum setup_language { SETUP_JSON, SETUP_JSON_RELAXED, SETUP_TOML };

enum setup_part {
	SETUP_TELEMETRY,
	SETUP_HOOKS,
	SETUP_NOTIFY /* Codex's program for the end of a turn: beside hooks where there is none, and where no hooks are wanted */
};

/* Which values of the person's do as well. */
enum setup_accept {
	SETUP_SAME,     /* none */
	SETUP_ANY,      /* a matter of taste */
	SETUP_TRUE,     /* what an environment variable takes for yes */
	SETUP_WORD,     /* a list that has the word */
	SETUP_PROTOCOL, /* any in which a CLI speaks OTLP */
	SETUP_ENDPOINT, /* what reaches the broker */
	SETUP_EXPORTER, /* likewise, of an exporter of Codex */
	SETUP_EMIT      /* what runs `agentbus emit` */
};

/* A key and its value. In the value {http} and {grpc} stand for the endpoint, and {notify} for the hooks' command as a list. */
struct setup_row {
	struct edit_path path;
	const char *value;
	enum setup_part part;
	enum setup_accept accept;
	bool if_present;    /* only a value that is there can be wrong */
	const char *advice; /* what another value means, and what can be done */
};

struct setup_hook {
	const char *event;
	const char *matcher; /* NULL: the event has none */
};

struct setup_file {
	const char *name;
	enum setup_language language;
	const struct setup_row *rows;   /* the path of the last is empty */
	const struct setup_hook *hooks; /* the event of the last is NULL; NULL: the file has no hooks */
	const char *hook_options;       /* what each hook has beside its command */
	bool together;                  /* its telemetry goes to one address: while that is another, none of it is changed */
};

struct setup_cli {
	const char *name; /* for the command line, and for `agentbus emit --provider` */
	const char *title;
	const char *provider;         /* of its sessions */
	const char *dir_env;          /* the variable that names its directory; NULL: none does */
	const char *dir;              /* else, in the home directory */
	const char *next;             /* what must happen after a change */
	const char *const *overrides; /* variables that count more than its file, as far as they are set; the last is NULL */
	struct setup_file files[SETUP_FILES_MAX]; /* the name of those that are not is NULL */
};

extern const struct setup_cli setup_clis[SETUP_CLIS];

/* The CLI of that name; NULL if there is none. */
const struct setup_cli *setup_cli_named(const char *name);

#endif
