/* Sessions and events for the tests of what shows them: all text is "", as the library promises. */
#ifndef AGENTBUS_TEST_SAMPLE_SESSION_H
#define AGENTBUS_TEST_SAMPLE_SESSION_H

#include "agentbus.h"

#define SAMPLE_SECOND UINT64_C(1000000000)
#define SAMPLE_USD    INT64_C(1000000000000)

static inline struct agentbus_session
sample_session(const char *id, enum agentbus_state state)
{
	return (struct agentbus_session){
		.id = id,
		.provider = "claude-code",
		.service_name = "claude-code",
		.model = "",
		.state = state,
		.state_since = 1700000000 * SAMPLE_SECOND,
		.reason = "",
		.title = "",
		.project = "",
		.project_dir = "",
		.tty = "",
		.branch = "",
		.worktree = "",
		.tmux_pane = "",
		.window = "",
		.parent_id = "",
		.last_error = { .type = "", .message = "" },
		.tool = "",
	};
}

static inline struct agentbus_event
sample_event(enum agentbus_kind kind, const struct agentbus_session *session)
{
	return (struct agentbus_event){
		.seq = session ? 7 : 0,
		.boot_id = "b1",
		.time = UINT64_C(1700000000123456789),
		.observed = UINT64_C(1700000000200000000),
		.kind = kind,
		.reason = "",
		.session = session,
		.api_request = { .model = "", .request_id = "", .source = "" },
		.api_error = { .model = "", .request_id = "", .error = { .type = "", .message = "" } },
		.tool = { .name = "", .call_id = "", .error_type = "", .decision = "" },
		.gap = { .boot_id = "" },
	};
}

#endif
