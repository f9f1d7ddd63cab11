#include "names.h"
#include "agentbus.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const state_names[] = {
	[AGENTBUS_UNKNOWN] = "unknown", [AGENTBUS_IDLE] = "idle",           [AGENTBUS_WORKING] = "working",
	[AGENTBUS_WAITING] = "waiting", [AGENTBUS_COMPLETED] = "completed", [AGENTBUS_ENDED] = "ended",
};

static const char *const evidence_names[] = {
	[AGENTBUS_EVIDENCE_NONE] = "none",
	[AGENTBUS_TOLD] = "told",
	[AGENTBUS_SHOWN] = "shown",
	[AGENTBUS_INFERRED] = "inferred",
};

static const char *const kind_names[] = {
	[AGENTBUS_SESSION_STARTED] = "session_started",
	[AGENTBUS_PROMPT] = "prompt",
	[AGENTBUS_API_REQUEST] = "api_request",
	[AGENTBUS_API_ERROR] = "api_error",
	[AGENTBUS_TOOL] = "tool",
	[AGENTBUS_STATE_CHANGED] = "state_changed",
	[AGENTBUS_SESSION_ENDED] = "session_ended",
	[AGENTBUS_BUDGET] = "budget",
	[AGENTBUS_GAP] = "gap",
	[AGENTBUS_CONNECTED] = "connected",
	[AGENTBUS_DISCONNECTED] = "disconnected",
	[AGENTBUS_RESET] = "reset",
};

/* By -error. */
static const char *const error_texts[] = {
	[-AGENTBUS_OK] = "no error",
	[-AGENTBUS_EINVAL] = "invalid argument",
	[-AGENTBUS_ENOMEM] = "out of memory",
	[-AGENTBUS_EPATH] = "no usable runtime directory: set XDG_RUNTIME_DIR or AGENTBUS_RUNTIME_DIR to a short path",
	[-AGENTBUS_ESYSTEM] = "the system refused a descriptor or a thread",
	[-AGENTBUS_ETIMEOUT] = "no broker answered in time",
	[-AGENTBUS_EREFUSED] = "the broker cannot do that: it is an older one, or cannot use its database at the moment",
	[-AGENTBUS_ENOSESSION] = "the broker knows no such session",
};

/* Place in a panel; unknown comes before ended, for such a session may still need its person. */
static const unsigned char state_ranks[] = {
	[AGENTBUS_WAITING] = 0, [AGENTBUS_WORKING] = 1, [AGENTBUS_COMPLETED] = 2,
	[AGENTBUS_IDLE] = 3,    [AGENTBUS_UNKNOWN] = 4, [AGENTBUS_ENDED] = 5,
};

static const char *
name_of(const char *const *names, size_t count, unsigned value)
{
	return value < count && names[value] ? names[value] : "unknown";
}

const char *
agentbus_state_name(enum agentbus_state s)
{
	return name_of(state_names, COUNT(state_names), (unsigned)s);
}

const char *
agentbus_kind_name(enum agentbus_kind k)
{
	return name_of(kind_names, COUNT(kind_names), (unsigned)k);
}

const char *
agentbus_evidence_name(enum agentbus_evidence e)
{
	return name_of(evidence_names, COUNT(evidence_names), (unsigned)e);
}

const char *
agentbus_strerror(int error)
{
	/* Unsigned, for -INT_MIN does not exist. */
	unsigned i = 0u - (unsigned)error;

	return i < COUNT(error_texts) ? error_texts[i] : "unknown error";
}

enum agentbus_state
names_state(int wire)
{
	return (unsigned)wire < COUNT(state_names) ? (enum agentbus_state)wire : AGENTBUS_UNKNOWN;
}

enum agentbus_evidence
names_evidence(int wire)
{
	return (unsigned)wire < COUNT(evidence_names) ? (enum agentbus_evidence)wire : AGENTBUS_EVIDENCE_NONE;
}

enum agentbus_kind
names_kind(int wire)
{
	return (unsigned)wire <= AGENTBUS_BUDGET ? (enum agentbus_kind)wire : (enum agentbus_kind)0;
}

static unsigned
state_rank(enum agentbus_state s)
{
	return state_ranks[(unsigned)s < COUNT(state_ranks) ? s : AGENTBUS_UNKNOWN];
}

int
agentbus_session_compare(const struct agentbus_session *a, const struct agentbus_session *b)
{
	unsigned rank_a = state_rank(a->state), rank_b = state_rank(b->state);

	if (rank_a != rank_b)
		return rank_a < rank_b ? -1 : 1;
	if (a->state_since != b->state_since)
		return a->state_since < b->state_since ? -1 : 1;
	int by_id = strcmp(a->id, b->id);
	return by_id ? by_id : strcmp(a->provider, b->provider);
}
