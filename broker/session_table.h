/*
 * Where sessions are kept: by provider and id, by trace, and by when something is due. For session*.c only.
 */
#ifndef AGENTBUS_SESSION_TABLE_H
#define AGENTBUS_SESSION_TABLE_H

#include "session.h"

#define NEVER       UINT64_MAX
#define DECIDED_MAX 16 /* answers whose tools were decided, remembered per session */
#define PEERS_MAX   4  /* connections remembered per session */
#define ASKS_MAX    8  /* dialogs without a session yet */
#define ASKED_MAX   4  /* dialogs at once, remembered per session */
#define COUNTED_MAX 32 /* span ids of counted calls, remembered per session */

/* A dialog: hashes of the tool that it is about, 0: none, and of the sub-agent that asks, 0: the session itself. */
struct asked {
	uint64_t tool, agent;
};

/* How a session is followed; nothing of this is published. Times ending in _cli_ns are the CLI's, the rest the broker's. */
struct session_track {
	uint64_t evidence_cli_ns;   /* newest evidence of the state */
	uint64_t response_cli_ns;   /* newest answer of the model */
	uint64_t asked_cli_ns;      /* newest end of a call to the model, failed ones included */
	uint64_t closed_cli_ns;     /* newest end of a turn, whether a turn was known to run or not */
	const char *closed_reason;  /* why that turn ended, static; NULL: nothing was said */
	uint64_t over_cli_ns;       /* end of the session, if that is known and nothing else is */
	uint64_t tool_cli_ns;       /* newest end of a tool that was allowed */
	uint64_t told_tool_cli_ns;  /* when a hook named session.tool: what telemetry says of one before is late */
	uint64_t prompt_cli_ns;     /* newest prompt */
	uint64_t start_cli_ns;      /* newest MEANS_START */
	uint64_t told_start_cli_ns; /* newest beginning of a turn that was told */
	uint64_t told_ask_cli_ns;   /* newest question to the person that was told */
	uint64_t told_end_cli_ns;   /* newest end of a turn that was told */
	uint64_t told_turn;         /* hash of that turn's id, 0: unknown */
	uint64_t response_id;       /* hash of the newest logged answer's request id */
	uint64_t decided[DECIDED_MAX];
	unsigned decided_next;
	uint64_t counted[COUNTED_MAX];
	unsigned counted_next;

	/* An answer that stopped for a tool which nobody has decided on yet. */
	uint64_t ask_id;               /* hash of its request id, 0: none */
	uint64_t ask_cli_ns;           /* when it stopped */
	uint64_t ask_due_ns;           /* when it becomes `waiting`; NEVER until its log record is here */
	struct asked asked[ASKED_MAX]; /* waiting, and told so: what is asked about, as far as that is known */
	uint64_t fail_due_ns;          /* when a final error becomes the end of the turn, NEVER: not pending */

	bool closed_bad;  /* the turn that ended at closed_cli_ns has failed */
	bool answer_due;  /* the model was asked and has not answered */
	unsigned tools;   /* tools that were allowed and have not finished */
	bool spans;       /* spans of this session have arrived */
	bool marks_turn;  /* with spans, each turn's end is one */
	bool shared;      /* its process serves other sessions, too */
	bool lost_peer;   /* a connection it had kept is gone, and none is left */
	bool guessed_aux; /* auxiliary by likeness, not by a certain sign */
	bool child_known; /* counted among its parent's children */
	bool told;        /* its hooks tell when a turn begins, and so when it ends or waits */

	bool hooked;            /* a hook or notify has told something of it */
	int64_t lag_ns;         /* the least time from a record to its arrival, in the present window; see session_clock.h */
	int64_t lag_before_ns;  /* and in the one before; INT64_MAX: there was none */
	uint64_t lag_window_ns; /* when the present one began, 0: there is none */

	/* Its process as the machine knows it, beside session.pid; it may serve several sessions, one after the other or at once.
	 */
	uint64_t birth;         /* struct process; 0: never known */
	uint64_t asked_ns;      /* when its connection was asked for its process last */
	uint64_t repository_ns; /* when its repository was looked at last */
	bool lives;             /* it runs, and its end will be told */
	bool process_ended;     /* it does not, and the session is about to end for it */
	bool found_dir;         /* project_dir is that of the process: whatever the CLI says is better */
	bool named;             /* the CLI itself tells project_name */

	uint64_t process; /* hash of what tells its process from others, 0: unknown */
	uint64_t peers[PEERS_MAX];
	unsigned peers_next;

	uint64_t heard_ns;   /* newest observation, or loss of the connection */
	uint64_t entered_ns; /* when the present state was entered */
	uint64_t due_ns;     /* next timer */
	size_t heap_index;
	uint64_t hash; /* of provider and id */
	struct session *chain;
	struct session *newer, *older; /* by heard_ns */
	bool changed;
	struct session *changed_next, *changed_previous;
};

/* Whether any of its connections is open. */
static inline bool
track_connected(const struct session_track *t)
{
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (t->peers[i])
			return true;
	return false;
}

#define TRACES_MAX 4096

struct trace_entry {
	uint8_t id[16];
	struct session *session; /* NULL: empty */
	bool by_prompt;
};

/* A dialog that opened in a session not known yet: its answer's record comes later. */
struct pending_ask {
	const char *provider; /* NULL: none */
	char service_name[64];
	uint64_t cli_ns, now_ns;
};

struct sessions {
	struct session_settings settings;
	const struct price_table *prices; /* NULL: none */
	struct session_host *host;        /* NULL: none */
	struct event_sink *sink;
	struct session **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
	struct session **heap; /* by due_ns, the earliest first; holds all sessions */
	size_t heap_size;
	struct session *newest, *oldest;
	struct session *changed; /* since the last sessions_take_changed() */
	struct pending_ask asks[ASKS_MAX];
	unsigned asks_next;
	struct trace_entry *traces; /* TRACES_MAX, by hash; a newer trace takes the place of an older one */
};

/* Makes an empty table of a zeroed struct; false without memory. */
bool table_init(struct sessions *s);
void table_finish(struct sessions *s);

/* Forgets all sessions, and whatever points at them. */
void table_clear(struct sessions *s);

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
uint64_t hash_str(struct str s); /* never 0 for a text, 0 for an empty one */

struct session *table_find(const struct sessions *s, const char *provider, struct str id);

/* A new session; NULL without memory. Forgets another one if there are too many. */
struct session *table_add(struct sessions *s, const char *provider, struct str id, uint64_t now_ns);

void table_remove(struct sessions *s, struct session *x);

/* Moves x to the newest end: something was heard of it. */
void table_touch(struct sessions *s, struct session *x, uint64_t now_ns);

/* x is not what it was. table_touch() and table_schedule() do this, too. */
void table_change(struct sessions *s, struct session *x);

/* x counts as unchanged. */
void table_unchange(struct sessions *s, struct session *x);

/* Moves x to where it belongs by age: it was heard of last at heard_ns. */
void table_place(struct sessions *s, struct session *x, uint64_t heard_ns);

/* Sets when x is due. */
void table_schedule(struct sessions *s, struct session *x, uint64_t due_ns);

/* The session of a trace, NULL if unknown. */
struct session *table_by_trace(const struct sessions *s, const uint8_t id[16]);

/* Remembers that a trace belongs to x; a prompt's word is stronger than any other record's. */
void table_learn_trace(struct sessions *s, const uint8_t id[16], struct session *x, bool by_prompt);

#endif
