/*
 * Sessions: what each of them is doing, and what it has used. Pure: observations and time in, events out.
 *
 * Two clocks meet here. An observation carries the CLI's own time, which orders evidence: a record that arrives late never
 * moves a state back. `now` is the broker's, and only timers use it.
 */
#ifndef AGENTBUS_SESSION_H
#define AGENTBUS_SESSION_H

#include "error_text.h"
#include "observation.h"
#include "price.h"
#include "process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSION_ID_MAX     128
#define SESSION_REASON_MAX 32
#define SESSION_MODELS_MAX 32 /* models counted apart per session; further ones are added up as "other" */

/* Numbered as in agentbus.v1. */
enum session_state {
	SESSION_IDLE = 1,
	SESSION_WORKING = 2,
	SESSION_WAITING = 3,
	SESSION_COMPLETED = 4,
	SESSION_ENDED = 5,
};

/* Numbered as in agentbus.v1; lower is stronger. */
enum evidence {
	EVIDENCE_TOLD = 1,
	EVIDENCE_SHOWN = 2,
	EVIDENCE_INFERRED = 3,
};

/* Numbered as in agentbus.v1. */
enum event_kind {
	EVENT_UNPUBLISHED = 0, /* for event_sink.spent alone */
	EVENT_SESSION_STARTED = 1,
	EVENT_PROMPT = 2,
	EVENT_API_REQUEST = 3,
	EVENT_API_ERROR = 4,
	EVENT_TOOL = 5,
	EVENT_STATE_CHANGED = 6,
	EVENT_SESSION_ENDED = 7,
	EVENT_BUDGET = 8, /* the keeper's own */
};

/* Money in pico-dollars. What is to be shown is reported + unreported: of each request the best figure. */
struct cost {
	int64_t reported;   /* the CLI's own figures */
	int64_t computed;   /* tokens times price, of all requests */
	int64_t unreported; /* the part of computed for which the CLI has given no figure */
	bool has_reported, has_computed;
	bool estimated; /* some price within unreported was a guess */
};

struct model_usage {
	char model[64];
	uint64_t requests;
	struct tokens tokens;
	struct cost cost; /* figures for whole turns are of no model */
};

struct failure {
	enum error_class class; /* ERROR_NONE: there was none */
	unsigned status;        /* HTTP, 0 if there was none */
	bool by_span;           /* only a span has told of it so far; not stored */
	uint64_t time_ns;
	char message[ERROR_TEXT_SIZE];
};

/* What a published session shows. Text is UTF-8 and ends in NUL; "" is unknown. */
struct session {
	char id[SESSION_ID_MAX];
	const char *provider; /* static: the provider's name */
	char service_name[64];
	char model[64];
	enum session_state state;
	enum evidence evidence;
	char reason[SESSION_REASON_MAX]; /* one word */
	uint64_t state_since_ns;         /* by the CLI's clock */
	uint64_t state_observed_ns;      /* by the broker's */
	char project_name[128];
	char project_dir[256];
	char branch[128];  /* checked out there, or the beginning of a commit */
	char worktree[64]; /* the name of a linked work tree */
	uint32_t pid;      /* as its process was found, else as the CLI's resource or hook says; 0 if neither does */
	char tty[32];      /* as its hook says, else of its process, as are the next two: "/dev/pts/3" */
	char tmux_pane[16];
	char window[HINT_WINDOW_MAX]; /* hints for who looks for its window: see hint_window() */
	char parent_id[SESSION_ID_MAX];
	bool auxiliary;
	uint32_t children;
	uint64_t prompts, requests, tool_calls, api_errors;
	uint64_t errors_by_class[ERROR_CLASS_COUNT]; /* api_errors */
	struct tokens tokens;
	struct cost cost;
	struct failure last_error;
	bool failed;
	char tool[64];
	uint8_t trace_id[16];
	bool has_trace_id;
	uint64_t started_ns, last_event_ns, turn_started_ns;
	uint32_t turn_errors;
	struct model_usage *models; /* the table's own */
	size_t model_count;
	bool shown; /* false: a start-up id that has had neither a prompt nor a request; not published, not in snapshots */

	struct session_track *track; /* how it is followed; session.c's own */
};

struct budget_alarm;

/* One event as the sessions emit it. Pointers are valid during the call of the sink only. */
struct event {
	enum event_kind kind;
	enum evidence evidence;
	const char *reason; /* static, one word */
	uint64_t time_ns;   /* by the CLI's clock; by the broker's for timers */
	uint64_t now_ns;    /* by the broker's */
	const struct session *session;
	enum session_state from;               /* the state before; equal to session->state where it did not change */
	uint64_t turn_ns;                      /* how long the turn took that ended with this event, else 0 */
	const struct observation *observation; /* what caused it; NULL for timers */
	const struct cost *cost;               /* EVENT_API_REQUEST: of this request; NULL for other kinds */
	const struct budget_alarm *budget;     /* EVENT_BUDGET */
};

/* Where events go: implemented by publish.c, and by tests. */
struct event_sink {
	void (*emit)(struct event_sink *sink, const struct event *e);
	/* A session leaves the table: it was too old, or never shown. NULL: nobody wants to know. */
	void (*forget)(struct event_sink *sink, const struct session *x);
	/*
	 * The CLI has told what a whole turn cost: `cost` is by how much the session's own has changed, and may be below 0 where
	 * a figure takes the place of what was computed. Nothing of it is published by itself. NULL: nobody wants to know.
	 */
	void (*spent)(struct event_sink *sink, const struct event *e);
};

/*
 * Who knows the machine that the sessions run on: implemented by processes.c, and by tests. Called from within the functions
 * below, which it must not call.
 */
struct session_host {
	/*
	 * The process at the other end of a connection; `claimed` is the one that it is likely to be, or 0. NULL: nobody knows,
	 * or not yet; then sessions_process_found() may follow. Valid until the next call.
	 */
	const struct process *(*process_of)(struct session_host *host, uint32_t claimed, uint64_t peer);
	/* Of a process that was known before: whether it still runs. */
	enum process_life (*life_of)(struct session_host *host, uint32_t pid, uint64_t birth);
	/* The repository that a directory is in. False: none, or nobody knows. */
	bool (*repository_of)(struct session_host *host, const char *dir, struct repository *ret);
};

/* How sessions are followed; all in nanoseconds unless said otherwise. session_settings_default() fills it. */
struct session_settings {
	uint64_t quiet_ns;          /* nothing heard and nothing known to run: the turn is over */
	uint64_t busy_ns;           /* something is known to run and its process is connected: believe that for so long */
	uint64_t waiting_ns;        /* waiting, and nothing more is heard: give it up */
	uint64_t completed_idle_ns; /* completed turns into idle; 0: not by itself */
	uint64_t idle_end_ns;       /* idle turns into ended, unless its process is connected */
	size_t max_sessions;        /* above: the oldest ended, then the oldest idle one is forgotten */
};

struct session_settings session_settings_default(void);

struct sessions;

/* An empty table, or NULL without memory. The sink must outlive it; it is called from within the functions below. */
struct sessions *sessions_create(const struct session_settings *settings, struct event_sink *sink);
void sessions_destroy(struct sessions *s);

/* New settings, from now on; running timers are kept. */
void sessions_set_settings(struct sessions *s, const struct session_settings *settings);

/*
 * What requests cost from now on; requests that were counted keep what they were said to cost. It must outlive the sessions or
 * be replaced first. NULL, as at the start: nothing is computed.
 */
void sessions_set_prices(struct sessions *s, const struct price_table *prices);

/* Whom to ask for processes and repositories. It must outlive the sessions or be replaced first. NULL, as at the start: nobody.
 */
void sessions_set_host(struct sessions *s, struct session_host *host);

/* Applies one observation. Observations of one request come in order of their time. */
void sessions_observe(struct sessions *s, const struct observation *o, uint64_t now_ns);

/*
 * The connection `peer` is gone, after this many requests. A process that kept a connection and lost it has probably
 * ended; one that opens a connection per request tells nothing.
 */
void sessions_peer_closed(struct sessions *s, uint64_t peer, unsigned requests, uint64_t now_ns);

/*
 * Its person has looked at a session: a completed one becomes idle, others stay as they are. Records of the CLI are ordered as
 * before, whatever its clock says. Returns it, NULL if nobody knows (or was shown) it; *ret_done: whether it was completed.
 */
const struct session *sessions_acknowledge(struct sessions *s, const char *provider, const char *id, uint64_t now_ns,
					   bool *ret_done);

/* The process behind the connection `peer` was found: it is that of all sessions that came over it. */
void sessions_process_found(struct sessions *s, uint64_t peer, const struct process *p, uint64_t now_ns);

/* A process that runs no more: the next sessions_tick() ends its sessions, and is due at once. */
void sessions_process_ended(struct sessions *s, uint32_t pid, uint64_t birth, uint64_t now_ns);

/* When sessions_tick() has something to do: nanoseconds of the broker's clock, UINT64_MAX for never. */
uint64_t sessions_deadline(const struct sessions *s);

/* Lets all timers that are due at now_ns run out. */
void sessions_tick(struct sessions *s, uint64_t now_ns);

/* Calls fn for each shown session, in no order. */
void sessions_each(const struct sessions *s, void (*fn)(const struct session *, void *ctx), void *ctx);

/*
 * Calls fn for each session that has changed since the last time, hidden ones included, until it returns false; those it took
 * count as unchanged then. A NULL fn takes them all.
 */
void sessions_take_changed(struct sessions *s, bool (*fn)(const struct session *, void *ctx), void *ctx);
bool sessions_changed(const struct sessions *s);

/* Lets all sessions count as changed. */
void sessions_touch_all(struct sessions *s);

/* Forgets all sessions without a word. */
void sessions_clear(struct sessions *s);

/* How many sessions there are, hidden ones included. */
size_t sessions_count(const struct sessions *s);

const struct session *sessions_find(const struct sessions *s, const char *provider, const char *id);

/* Whose record this is, by its session id, else by its trace; NULL if nobody knows. Changes nothing. */
const struct session *sessions_of(const struct sessions *s, const struct observation *o);

/* Whether spans of it have arrived, now or before a restart. */
bool session_exports_spans(const struct session *x);

/* What a record without a session id and without a session goes by: "<provider>-<pid>", or whatever tells its process. */
struct str session_anonymous_id(const struct observation *o, char *buf, size_t size);

const char *session_state_name(enum session_state st);

#endif
