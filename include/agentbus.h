/*
 * libagentbus: follow the sessions of AI coding CLIs.
 *
 * A subscriber opens a bus, puts agentbus_fd() into its event loop and, whenever that is readable, calls agentbus_next()
 * until it returns 0. The library connects, asks for a snapshot, applies events in order, fetches what was lost from the
 * broker's journal, reports what nobody can give back as a gap, and reconnects for as long as it takes. It never blocks
 * (but for what asks one question: agentbus_usage(), agentbus_forward_read(), agentbus_acknowledge()), never prints and starts no
 *threads of its own (nng, below it, does: fork before agentbus_open(), not after, unless you exec at once).
 *
 *	struct agentbus *bus;
 *	if (agentbus_open(&(struct agentbus_options){ .topic = "v1/" }, &bus) < 0)
 *		return 1;
 *	for (const struct agentbus_event *e; poll(&(struct pollfd){ agentbus_fd(bus), POLLIN, 0 }, 1, -1) > 0;)
 *		while (agentbus_next(bus, &e) > 0)
 *			if (e->kind == AGENTBUS_STATE_CHANGED)
 *				printf("%s is %s\n", e->session->id, agentbus_state_name(e->session->state));
 *
 * Text is UTF-8 that ends in NUL and is never NULL; what is unknown is "". Times are nanoseconds since the epoch, 0 if
 * unknown. Money is in pico-dollars (1e-12 USD). One struct agentbus may be used by one thread at a time.
 *
 * Structs that the library hands out grow at their end only; their sizes are not part of the interface.
 */
#ifndef AGENTBUS_H
#define AGENTBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* An open bus. */
struct agentbus;

/* Every call that can fail returns one of these; success is 0 or above. */
enum agentbus_error {
	AGENTBUS_OK = 0,
	AGENTBUS_EINVAL = -1,    /* an argument makes no sense (a topic that does not begin with "v1/") */
	AGENTBUS_ENOMEM = -2,    /* out of memory */
	AGENTBUS_EPATH = -3,     /* no runtime directory: neither given nor in XDG_RUNTIME_DIR, or too long for a socket */
	AGENTBUS_ESYSTEM = -4,   /* the system refused a descriptor or a thread; errno tells */
	AGENTBUS_ETIMEOUT = -5,  /* no broker answered in time */
	AGENTBUS_EREFUSED = -6,  /* the broker cannot do that: it is an older one, or cannot use its database at the moment */
	AGENTBUS_ENOSESSION = -7 /* the broker knows no such session */
};

/* A sentence for an error. Static. */
const char *agentbus_strerror(int error);

/* What a session is doing. The order of the panel is waiting, working, completed, idle: see agentbus_session_compare(). */
enum agentbus_state {
	AGENTBUS_UNKNOWN = 0,
	AGENTBUS_IDLE = 1,
	AGENTBUS_WORKING = 2,
	AGENTBUS_WAITING = 3,   /* blocked on its person */
	AGENTBUS_COMPLETED = 4, /* a turn is over and nobody has looked yet */
	AGENTBUS_ENDED = 5
};

/* How a state is known, strongest first. */
enum agentbus_evidence {
	AGENTBUS_EVIDENCE_NONE = 0,
	AGENTBUS_TOLD = 1,    /* the CLI itself said so */
	AGENTBUS_SHOWN = 2,   /* telemetry marks it */
	AGENTBUS_INFERRED = 3 /* from the order of telemetry, or from silence */
};

/* Kinds below 64 come from the broker and carry a session; those from 64 on are the library's own and carry none. */
enum agentbus_kind {
	AGENTBUS_SESSION_STARTED = 1,
	AGENTBUS_PROMPT = 2,
	AGENTBUS_API_REQUEST = 3,
	AGENTBUS_API_ERROR = 4,
	AGENTBUS_TOOL = 5,
	AGENTBUS_STATE_CHANGED = 6,
	AGENTBUS_SESSION_ENDED = 7,
	AGENTBUS_BUDGET = 8,
	AGENTBUS_GAP = 64,          /* events are lost for good: see gap; a RESET or CONNECTED puts the sessions right */
	AGENTBUS_CONNECTED = 65,    /* the broker answered; the sessions are its snapshot now */
	AGENTBUS_DISCONNECTED = 66, /* the broker is gone; the sessions are as it left them, and the library keeps trying */
	AGENTBUS_RESET = 67         /* the sessions were replaced by a snapshot (after a gap): look at all of them again */
};

/*
 * Names as they appear in JSON: "working", "api_request", "inferred". "unknown" for a value that this version does not know.
 * Static.
 */
const char *agentbus_state_name(enum agentbus_state s);
const char *agentbus_kind_name(enum agentbus_kind k);
const char *agentbus_evidence_name(enum agentbus_evidence e);

/* input includes cache reads and writes; output includes reasoning. The same for every CLI. */
struct agentbus_tokens {
	uint64_t input, cache_read, cache_write, output, reasoning;
};

struct agentbus_cost {
	int64_t total;    /* show this one: of each request the CLI's own figure, else the computed one; valid if has_* is */
	int64_t reported; /* what the CLI itself says; valid if has_reported */
	int64_t computed; /* tokens times price, of all requests; valid if has_computed */
	bool has_reported;
	bool has_computed;
	bool estimated; /* some price within total had to be guessed */
};

struct agentbus_model_usage {
	const char *model;
	uint64_t requests;
	struct agentbus_tokens tokens;
	struct agentbus_cost cost; /* without figures that the CLI gives for a whole turn */
};

/* type is "" without an error, else auth, rate_limit, timeout, server, client, network or unknown. */
struct agentbus_failure {
	const char *type;
	const char *message;
	unsigned status; /* HTTP, 0 if there was none */
	uint64_t time;
};

struct agentbus_error_count {
	const char *type; /* as agentbus_failure.type */
	uint64_t count;
};

/* A level that was set for what a local day or month may cost, and what that has cost. Money is in pico-dollars. */
struct agentbus_budget {
	const char *period; /* day or month */
	const char *key;    /* which: 2026-11-26, 2026-11 */
	const char *level;  /* warn or limit */
	int64_t amount, spent;
	bool estimated; /* some price within spent had to be guessed */
};

/* Everything known of one session. */
struct agentbus_session {
	const char *id;       /* the CLI's own */
	const char *provider; /* claude-code, codex, gemini-cli, qwen-code, genai */
	const char *service_name;
	const char *model;
	enum agentbus_state state;
	uint64_t state_since;
	const char *reason; /* why it is in that state, one word: prompt, turn_end, tool_use, quiet … */
	enum agentbus_evidence evidence;
	const char *title;       /* only when content is allowed */
	const char *project;     /* name */
	const char *project_dir; /* absolute path */
	uint32_t pid;            /* 0 if unknown */
	const char *tty, *tmux_pane, *window;
	const char *parent_id; /* "" for a session of its own */
	bool auxiliary;        /* a sub-agent or title thread: show it under parent_id or not at all */
	uint32_t children;
	uint64_t prompts, requests, tool_calls, api_errors;
	struct agentbus_tokens tokens;
	struct agentbus_cost cost;
	struct agentbus_failure last_error;
	bool failed;      /* the turn that runs or ran last failed */
	const char *tool; /* the tool that runs or ran last */
	uint8_t trace_id[16];
	bool has_trace_id;
	uint64_t started, last_event, turn_started;
	uint32_t turn_errors;
	const struct agentbus_model_usage *models;
	size_t model_count;
	uint64_t state_observed;                           /* when the broker knew of the state, by its own clock */
	const struct agentbus_error_count *errors_by_type; /* api_errors by type, without types that there were none of */
	size_t error_type_count;
	const char *branch;   /* checked out in project_dir, or the beginning of a commit */
	const char *worktree; /* the name of a linked work tree of git: project is the repository's then */
};

/* One event. Only the members named beside a kind mean something for it. */
struct agentbus_event {
	uint64_t seq;        /* 0 for the library's own kinds */
	const char *boot_id; /* which counter seq is of; the same across restarts of a broker that stores its events */
	uint64_t time;       /* by the CLI's clock */
	uint64_t observed;   /* by the broker's clock */
	enum agentbus_kind kind;
	const char *reason;
	enum agentbus_evidence evidence;
	const struct agentbus_session *session; /* after the event; NULL for the library's own kinds */
	uint8_t trace_id[16], span_id[8];
	bool has_trace_id, has_span_id;

	struct {
		uint64_t length;
	} prompt; /* PROMPT */
	struct {
		const char *model, *request_id, *source;
		struct agentbus_tokens tokens;
		struct agentbus_cost cost;
		uint64_t duration_ms;
	} api_request; /* API_REQUEST */
	struct {
		const char *model, *request_id;
		struct agentbus_failure error;
		unsigned attempt; /* as the CLI counts: most from 1, Codex from 0 */
		uint64_t duration_ms;
		bool final;        /* the CLI has given up */
		bool retried;      /* the CLI will try again; neither: nothing tells */
		unsigned attempts; /* in all; 0: the CLI does not say */
	} api_error;               /* API_ERROR */
	struct {
		const char *name, *call_id, *error_type, *decision;
		bool success;
		uint64_t duration_ms;
	} tool; /* TOOL */
	struct {
		enum agentbus_state from, to;
		uint64_t turn_duration_ms; /* of the turn that this change ended, else 0 */
	} state_change;                    /* STATE_CHANGED, SESSION_STARTED, SESSION_ENDED */
	struct {
		uint64_t first_seq, last_seq; /* last_seq 0: nobody can tell */
		const char *boot_id;
	} gap;                         /* GAP */
	struct agentbus_budget budget; /* BUDGET: a level was reached, by a request of the session */
};

struct agentbus_options {
	/* Where the broker's sockets are; NULL is $AGENTBUS_RUNTIME_DIR, else $XDG_RUNTIME_DIR/agentbus. Copied. */
	const char *runtime_dir;
	/* Deliver only events whose topic "v1/<provider>/<session id>" begins with this; NULL is "v1/". Copied. */
	const char *topic;
	/*
	 * Continue after an event seen earlier, by its boot_id and seq: what the journal still holds comes first, and what it
	 * does not comes as a gap. NULL starts with what happens from now on. Copied.
	 */
	const char *after_boot_id;
	uint64_t after_seq;
};

/*
 * Opens the bus of runtime_dir and begins to connect. Returns 0 and sets *ret_bus, which the caller gives to
 * agentbus_close(). Succeeds while no broker runs: the first event then says when there is one. NULL options are all
 * defaults. Does not block.
 */
int agentbus_open(const struct agentbus_options *options, struct agentbus **ret_bus);

/*
 * Closes the bus and frees all that it handed out. NULL is fine. Blocks a few milliseconds while nng lets go; half a second at
 * worst, for nng can hang there: what it holds then stays until the process ends, with a thread that waits for it.
 */
void agentbus_close(struct agentbus *bus);

/*
 * A descriptor that is readable whenever agentbus_next() has something to do. It belongs to the bus: poll it, with
 * level-triggered POLLIN, and leave the rest to the library. The same one for the life of the bus.
 */
int agentbus_fd(const struct agentbus *bus);

/*
 * Takes the next event. Returns 1 and sets *ret_event; 0 if there is none right now; below 0 on an error after which the
 * bus can only be closed. *ret_event and all it points to stay valid until the next call on this bus. Does not block.
 */
int agentbus_next(struct agentbus *bus, const struct agentbus_event **ret_event);

/* Whether the broker is there and the sessions are its own. */
bool agentbus_connected(const struct agentbus *bus);

/* The seq and boot_id of the newest event applied, to store for agentbus_options.after_seq. boot_id is "" before any. */
uint64_t agentbus_seq(const struct agentbus *bus);
const char *agentbus_boot_id(const struct agentbus *bus);

/*
 * The sessions as of the last event taken, ended and auxiliary ones included, whatever the topic. Valid until the next
 * call of agentbus_next(). They are in no order; i runs from 0 to agentbus_session_count() - 1.
 */
size_t agentbus_session_count(const struct agentbus *bus);
const struct agentbus_session *agentbus_session_at(const struct agentbus *bus, size_t i);

/* The session of that provider and id, or NULL. */
const struct agentbus_session *agentbus_session_find(const struct agentbus *bus, const char *provider, const char *id);

/*
 * Order of a panel, for qsort() over pointers to sessions: waiting, working, completed, idle, ended; then the oldest state
 * first; then id.
 */
int agentbus_session_compare(const struct agentbus_session *a, const struct agentbus_session *b);

/*
 * What the broker passes on to other backends, as it was when asked. Items are log records, spans or metrics; the counts go on
 * across restarts of the broker.
 */
struct agentbus_forward_lane {
	const char *signal; /* logs, traces or metrics */
	const char *state;  /* idle, collecting, packing, sending, or waiting to try again */
	uint64_t queued_bytes, queued_items;
	uint64_t oldest; /* since when the oldest of them waits */
	uint64_t sent_items, sent_requests, sent_bytes;
	uint64_t rejected_items; /* the destination refused them for good */
	uint64_t dropped_items;  /* the queue was full */
	uint64_t retries;
	const char *last_error; /* "" if there was none since the broker's start */
	uint64_t last_error_at;
	uint64_t last_success; /* since its start */
	uint64_t again;        /* when it tries again, if it waits for that */
};

struct agentbus_destination {
	const char *name;
	const char *url; /* without user and password */
	const struct agentbus_forward_lane *lanes;
	size_t lane_count;
};

struct agentbus_forward {
	const struct agentbus_destination *destinations;
	size_t destination_count;
};

/*
 * Asks the broker of runtime_dir (NULL: as agentbus_options says) how passing on goes. Returns 0 and sets *ret_forward, which the
 * caller gives to agentbus_forward_free(). Needs no open bus. Blocks until there is an answer, for timeout_ms at most.
 */
int agentbus_forward_read(const char *runtime_dir, int timeout_ms, struct agentbus_forward **ret_forward);

/* Frees it with all it points to. NULL is fine. */
void agentbus_forward_free(struct agentbus_forward *forward);

/* What has come from one CLI since the broker's start. */
struct agentbus_source {
	const char *provider; /* as struct agentbus_session has it */
	const char *kind;     /* logs, traces, metrics or hooks */
	uint64_t count;       /* log records, spans, metrics or hooks */
	uint64_t last;        /* when the last came, by the broker's clock */
};

struct agentbus_sources {
	const struct agentbus_source *sources; /* without those that nothing came from */
	size_t source_count;
	const char *version;   /* the broker's */
	const char *addresses; /* where it listens for telemetry, "127.0.0.1:4317 127.0.0.1:4318" */
};

/*
 * Asks the broker of runtime_dir (NULL: as agentbus_options says) what has come from each CLI. Returns 0 and sets *ret_sources,
 * which the caller gives to agentbus_sources_free(); AGENTBUS_EREFUSED from a broker that is too old for it, or another error.
 * Needs no open bus. Blocks until there is an answer, for timeout_ms at most.
 */
int agentbus_sources_read(const char *runtime_dir, int timeout_ms, struct agentbus_sources **ret_sources);

/* Frees it with all it points to. NULL is fine. */
void agentbus_sources_free(struct agentbus_sources *sources);

/* What rows of usage stand for. */
enum agentbus_usage_group {
	AGENTBUS_USAGE_TOTAL = 0, /* no rows, the total alone */
	AGENTBUS_USAGE_BY_DAY = 1,
	AGENTBUS_USAGE_BY_MODEL = 2,
	AGENTBUS_USAGE_BY_PROVIDER = 3,
	AGENTBUS_USAGE_BY_PROJECT = 4,
	AGENTBUS_USAGE_BY_SESSION = 5
};

struct agentbus_usage_query {
	const char *runtime_dir; /* as in struct agentbus_options */
	/* The first and the last local day, "2026-11-26"; NULL is no limit. */
	const char *since, *until;
	enum agentbus_usage_group group;
	unsigned timeout_ms; /* how long to wait for a broker and its answer */
};

/* What was used under one key. */
struct agentbus_usage_row {
	const char *key;      /* day, model, provider, project or session id; "" where that is not known, and for the total */
	const char *provider; /* of a session, else "" */
	const char *project;  /* likewise */
	uint64_t requests, api_errors;
	struct agentbus_tokens tokens;
	struct agentbus_cost cost;
};

struct agentbus_usage {
	const struct agentbus_usage_row *rows; /* days in order; all others from the dearest on */
	size_t row_count;
	uint64_t left_out; /* rows that did not fit into an answer; total has them */
	struct agentbus_usage_row total;
	const struct agentbus_budget *budgets; /* where those of the present day and month stand */
	size_t budget_count;
};

/*
 * Asks the broker what was used, whatever sessions it still knows, over a connection of its own; no bus is needed. Returns 0
 * and sets *ret_usage, which the caller gives to agentbus_usage_free(); or AGENTBUS_EINVAL, AGENTBUS_ENOMEM, AGENTBUS_EPATH,
 * AGENTBUS_ESYSTEM, AGENTBUS_ETIMEOUT, AGENTBUS_EREFUSED. Alone among these functions it blocks: until the answer is there or
 * the time is over, and for as long as agentbus_close() may.
 */
int agentbus_usage(const struct agentbus_usage_query *query, struct agentbus_usage **ret_usage);

/* Frees it and all it points to. NULL is fine. */
void agentbus_usage_free(struct agentbus_usage *usage);

/*
 * Tells the broker of runtime_dir (NULL: as agentbus_options says) that its person has looked at a session: a completed one
 * becomes idle, and every subscriber is told (reason "acknowledged"). Returns 1 if it did, 0 if the session was in another state
 * and nothing was to be done, AGENTBUS_ENOSESSION if there is none, or another error. What was done is stored. Needs no open bus.
 * Blocks until there is an answer, for timeout_ms at most.
 */
int agentbus_acknowledge(const char *runtime_dir, int timeout_ms, const char *provider, const char *id);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
