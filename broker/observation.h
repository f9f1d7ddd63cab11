/*
 * One thing that a CLI's telemetry or one of its hooks says, in words that are the same for all of them.
 *
 * A provider's table turns a log record or span into at most one observation; the session machine knows nothing of CLIs.
 * Views point into the request and die with it.
 */
#ifndef AGENTBUS_OBSERVATION_H
#define AGENTBUS_OBSERVATION_H

#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/* DESIGN: closed list, the values of error.type. */
#define ERROR_CLASSES(X)                                                                                                         \
	X(NONE, "")                                                                                                              \
	X(AUTH, "auth")                                                                                                          \
	X(RATE_LIMIT, "rate_limit")                                                                                              \
	X(TIMEOUT, "timeout")                                                                                                    \
	X(SERVER, "server")                                                                                                      \
	X(CLIENT, "client")                                                                                                      \
	X(NETWORK, "network")                                                                                                    \
	X(UNKNOWN, "unknown")

enum error_class {
#define X(name, text) ERROR_##name,
	ERROR_CLASSES(X)
#undef X
	    ERROR_CLASS_COUNT
};

const char *error_class_name(enum error_class c);

/* input includes cache reads and writes, output includes reasoning. */
struct tokens {
	uint64_t input, cache_read, cache_write, output, reasoning;
};

/* What an observation means. */
enum meaning {
	MEANS_NOTHING,
	MEANS_START,        /* a session began or resumed; not shown before its first prompt or request */
	MEANS_PROMPT,       /* the person asked for something */
	MEANS_TURN_START,   /* a turn began; a prompt that is counted by other means */
	MEANS_COMMAND,      /* the person typed a command that asks the model nothing; says nothing of the state */
	MEANS_ACTIVITY,     /* the turn goes on */
	MEANS_CALL,         /* a request went to the model: an answer is due */
	MEANS_RESPONSE,     /* the model answered: counts a request */
	MEANS_RESPONSE_END, /* a span of the same answer: how it stopped; counts nothing */
	MEANS_ERROR,        /* a request failed: counts an error */
	MEANS_FAULT,        /* something failed that is no API request of its own: shown, not counted */
	MEANS_GIVEN_UP,     /* the CLI has tried often enough: says again what MEANS_ERROR said, or should have */
	MEANS_DECISION,     /* a tool call was allowed or refused */
	MEANS_TOOL,         /* a tool finished: counts a tool call */
	MEANS_TOOL_END,     /* a span of the same tool call; counts nothing */
	MEANS_ASK,          /* the person is asked to decide: waiting */
	MEANS_TURN_END,     /* the turn is over */
	MEANS_END,          /* the session is over */
	MEANS_COST,         /* the CLI's own figure for a turn */
	MEANS_LINK,         /* session is a sub-agent of parent */
	MEANS_CONTEXT,      /* only tells fields (project, model) of a session */
	MEANING_COUNT
};

/* Beside the meaning. */
enum observation_flag {
	OBS_BACKGROUND = 1 << 0,   /* on the side (titles, memory, suggestions): counts, but says nothing of the state */
	OBS_COUNTED = 1 << 1,      /* MEANS_PROMPT: a prompt as the person counts them */
	OBS_WANTS_TOOL = 1 << 2,   /* MEANS_RESPONSE_END: the answer stopped to use a tool */
	OBS_REFUSED = 1 << 3,      /* the person refused the tool */
	OBS_FAILED = 1 << 4,       /* a tool failed */
	OBS_FINAL = 1 << 5,        /* MEANS_ERROR, MEANS_FAULT: the CLI gave up, the turn is over unless it goes on */
	OBS_SPAN = 1 << 6,         /* came as a span: spans of this session are exported */
	OBS_MARKS_TURN = 1 << 7,   /* where spans are exported, the end of a turn will be marked by one */
	OBS_SHARED = 1 << 8,       /* its connection belongs to a process that serves several sessions */
	OBS_TITLE = 1 << 9,        /* MEANS_START: looks like a thread that only makes a title */
	OBS_REPLACES = 1 << 10,    /* MEANS_START: takes the place of the other sessions of its process (/clear) */
	OBS_OPENS = 1 << 11,       /* may begin a turn without a prompt (compaction, a sub-agent's first call) */
	OBS_AFTER_TOOLS = 1 << 12, /* MEANS_TURN_END: true only if no tool came after the last answer */
	OBS_ROOT = 1 << 13,        /* a span without a parent */
	OBS_CERTAIN = 1 << 14,     /* OBS_TITLE: known to be one, not just alike */
	OBS_TWICE = 1 << 15,       /* the same call may come as a span and as a log record: count one of them, by span id */
	OBS_ANONYMOUS = 1 << 16,   /* may lack a session id: its process stands for it */
	OBS_HAS_TOKENS = 1 << 17,  /* says how many tokens were used */
	OBS_RETRIED = 1 << 18,     /* MEANS_ERROR, MEANS_FAULT: the CLI will try again */
	OBS_ASKS = 1 << 19,        /* a request went to the model, though that is not to say that an answer is due (MEANS_CALL) */
	OBS_TOLD = 1 << 20,        /* a hook or notify says so, not telemetry */
	OBS_STATUS = 1 << 21       /* told: how the whole session is, not what happened in it; begins and ends no turn twice */
};

/* An observation is never further ahead of the broker's clock: a record that is counts as one of when it arrived. */
#define OBSERVATION_AHEAD_NS (60 * 1000000000ull)

struct observation {
	enum meaning means;
	unsigned flags;          /* enum observation_flag */
	const char *provider;    /* static: the name of the provider */
	const char *reason;      /* static, one word; NULL: the default of its meaning */
	struct str session;      /* the CLI's own id; empty: find it by trace_id, else there is none */
	struct str parent;       /* MEANS_LINK */
	struct str service_name; /* of the resource */
	struct str process;      /* what tells this process from others (host and pid), or empty */
	uint64_t start_ns;       /* of a span; else 0 */
	uint64_t time_ns;        /* when it happened (a span: ended), by the CLI's clock; never 0 */
	uint64_t stated_ns;      /* what it says where that is too far ahead, and time_ns is when it arrived; else 0 */
	uint64_t peer;           /* the connection, 0 if there is none */
	uint8_t trace_id[16], span_id[8];
	bool has_trace_id, has_span_id;

	struct str model;
	struct tokens tokens;
	uint64_t cache_write_1h; /* of tokens.cache_write: what is kept for an hour */
	struct str speed;        /* how the model served, in the CLI's word: normal, fast, or empty */
	int64_t cost;            /* pico-dollars: the CLI's own figure */
	bool has_cost;
	uint64_t duration_ms;
	struct str request_id; /* joins an answer with the tools it asks for */
	struct str prompt_id;  /* joins what belongs to one prompt */
	struct str source;     /* who asked */
	struct str agent;      /* the sub-agent within the session, or empty */

	struct str tool, call_id, decision;
	uint64_t prompt_length;

	enum error_class error;
	struct str error_type; /* the CLI's own class */
	struct str error_message;
	unsigned status, attempt;
	unsigned attempts; /* in all; 0: it does not say */

	struct str project_name, project_dir;
	uint32_t pid;
	uint32_t hook_pid;                  /* of the hook's own command, as it says */
	struct str tty, tmux_pane, window;  /* where its person sits; window: hints, see hint_window() */
	const struct process *process_told; /* told by a hook: the process `pid`, as this machine knows it; NULL: it does not */
};

#endif
