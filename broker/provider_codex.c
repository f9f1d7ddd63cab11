/*
 * Codex CLI. Its log records have no time of their own but an observed one, a token record is a second `sse_event` for the
 * same moment, and the TUI's sessions all come from one daemon. Titles are made by a thread with an id of its own.
 */
#include "provider.h"

static const char *const services[] = { "codex*", NULL };
static const char *const scopes[] = { "codex_otel*", "codex*", NULL };
static const char *const prefixes[] = { "codex.", NULL };
static const char *const shared[] = { "codex-app-server*", NULL };

static const struct field_rule field_rules[] = {
	{ "attempt", F_ATTEMPT },
	{ "cache_write_token_count", F_CACHE_WRITE },
	{ "cached_token_count", F_CACHE_READ },
	{ "call_id", F_CALL_ID },
	{ "codex.tool.phase", F_TOOL_PHASE },
	{ "codex.turn.token_usage.total_tokens", F_TURN_TOKENS },
	{ "conversation.id", F_SESSION },
	{ "cwd", F_CWD },
	{ "decision", F_DECISION },
	{ "duration_ms", F_DURATION_MS },
	{ "error.message", F_ERROR_MESSAGE },
	{ "event.kind", F_KIND },
	{ "event.name", F_EVENT },
	{ "event.timestamp", F_TIMESTAMP },
	{ "http.response.status_code", F_STATUS },
	{ "input_token_count", F_INPUT },
	{ "kind", F_KIND },
	{ "mcp_servers", F_MCP_SERVERS },
	{ "model", F_MODEL },
	{ "originator", F_ORIGINATOR },
	{ "output_token_count", F_OUTPUT },
	{ "prompt_length", F_PROMPT_LENGTH },
	{ "reasoning_token_count", F_REASONING },
	{ "receiver_thread_id", F_CHILD },
	{ "rpc.request_id", F_RPC_ID },
	{ "sandbox_policy", F_SANDBOX },
	{ "sender_thread_id", F_PARENT },
	{ "state", F_PHASE },
	{ "success", F_SUCCESS },
	{ "thread.id", F_SESSION_ALT },
	{ "thread_id", F_SESSION_ALT },
	{ "tool_name", F_TOOL },
	{ "turn_id", F_REQUEST_ID },
	{ "usage.estimated_usd", F_COST_USD },
};

/*
 * A status below 400 is an answer that has begun; any other, or none, is a failed attempt. Where the list of models was asked
 * for, it names no session, and how it ended in an attribute of its own.
 */
static void
refine_api_request(const struct fields *f, struct observation *o)
{
	if (!field_has(f, F_SESSION) && field_has(f, F_SUCCESS))
		o->means = MEANS_NOTHING;
	else if (o->status == 0 || o->status >= 400)
		o->means = MEANS_ERROR;
}

/* The websocket's warm-up is recorded like an answer, with nothing but zeros. */
static void
refine_tokens(const struct fields *f, struct observation *o)
{
	(void)f;
	if (o->tokens.input == 0 && o->tokens.output == 0 && o->tokens.cache_read == 0 && o->tokens.cache_write == 0)
		o->means = MEANS_NOTHING;
}

/* A turn that used no tokens has failed. */
static void
refine_turn(const struct fields *f, struct observation *o)
{
	if (field_u64(f, F_TURN_TOKENS) == 0)
		o->flags |= OBS_FAILED;
}

static void
refine_spawn(const struct fields *f, struct observation *o)
{
	o->session = field_text(f, F_CHILD);
	o->parent = field_text(f, F_PARENT);
}

static void
refine_result(const struct fields *f, struct observation *o)
{
	o->session = field_text(f, F_PARENT);
	o->parent = field_text(f, F_CHILD);
}

/* agent-turn-complete is notify's: it is said of sub-agents (no client) and title threads, too. */
static const struct meaning_rule hook_rules[] = {
	{ "Interrupt", .means = MEANS_TURN_END, .reason = "interrupted" },
	{ "PermissionRequest", .means = MEANS_ASK, .reason = "permission" },
	{ "PostCompact", .means = MEANS_ACTIVITY },
	{ "PostToolUse", .means = MEANS_ACTIVITY },
	{ "PreCompact", .means = MEANS_ACTIVITY },
	{ "PreModelRequest", .means = MEANS_ACTIVITY },
	{ "PreToolUse", .when = { IS(F_TOOL, "request_user_input") }, .means = MEANS_ASK, .reason = "question" },
	{ "PreToolUse", .means = MEANS_ACTIVITY, .flags = OBS_OPENS },
	{ "SessionEnd", .means = MEANS_END, .reason = "exit" },
	{ "SessionStart", .means = MEANS_START },
	{ "Stop", .means = MEANS_TURN_END, .reason = "turn_end" },
	{ "SubagentStart", .means = MEANS_ACTIVITY },
	{ "SubagentStop", .means = MEANS_ACTIVITY },
	{ "UserPromptSubmit", .means = MEANS_TURN_START, .reason = "prompt" },
	{ "agent-turn-complete", .when = { HAS(F_ORIGINATOR), { .field = F_TITLE, .is = "true", .negated = true } },
	  .means = MEANS_TURN_END, .reason = "turn_end" },
};

static const struct meaning_rule event_rules[] = {
	{ "agent_communication", .when = { IS(F_PHASE, "send"), IS(F_KIND, "spawn") }, .means = MEANS_LINK,
	  .refine = refine_spawn },
	{ "agent_communication", .when = { IS(F_PHASE, "send"), IS(F_KIND, "result") }, .means = MEANS_LINK,
	  .refine = refine_result },
	{ "api_request", .means = MEANS_CALL, .flags = OBS_OPENS, .refine = refine_api_request },
	{ "conversation_starts", .when = { IS(F_SANDBOX, "read-only"), IS(F_MCP_SERVERS, ""), IS(F_ORIGINATOR, "codex-tui") },
	  .means = MEANS_START, .flags = OBS_TITLE },
	{ "conversation_starts", .means = MEANS_START },
	{ "sse_event", .when = { HAS(F_INPUT) }, .means = MEANS_RESPONSE, .flags = OBS_OPENS, .refine = refine_tokens },
	{ "sse_event", .when = { IS(F_ERROR_MESSAGE, "exceeded retry limit*") }, .means = MEANS_FAULT, .flags = OBS_FINAL },
	{ "sse_event", .when = { IS(F_ERROR_MESSAGE, "stream disconnected*") }, .means = MEANS_FAULT, .flags = OBS_RETRIED },
	{ "sse_event", .when = { HAS(F_ERROR_MESSAGE) }, .means = MEANS_FAULT },
	{ "sse_event", .means = MEANS_ACTIVITY },
	{ "tool_decision", .when = { IS(F_DECISION, "denied*") }, .means = MEANS_DECISION, .flags = OBS_REFUSED },
	{ "tool_decision", .means = MEANS_DECISION, .flags = OBS_OPENS },
	{ "tool_result", .means = MEANS_TOOL, .flags = OBS_OPENS },
	{ "turn_cost", .means = MEANS_COST },
	{ "turn_ttft", .means = MEANS_ACTIVITY },
	{ "user_prompt", .means = MEANS_PROMPT, .flags = OBS_COUNTED },
	{ "websocket_connect", .when = { IS(F_SUCCESS, "false") }, .means = MEANS_FAULT, .flags = OBS_RETRIED },
	{ "websocket_request", .means = MEANS_ACTIVITY, .flags = OBS_ASKS }, /* one of them warms up, before any prompt */
};

static const struct meaning_rule span_rules[] = {
	{ "decide_request", .means = MEANS_ASK, .reason = "permission" },
	{ "run_sampling_request", .means = MEANS_CONTEXT },
	{ "session_loop", .means = MEANS_END, .reason = "exit" },
	{ "session_task.compact", .means = MEANS_TURN_END },
	{ "session_task.turn", .when = { LACKS(F_TURN_TOKENS) }, .means = MEANS_TURN_END, .reason = "interrupted" },
	{ "session_task.turn", .means = MEANS_TURN_END, .reason = "turn_end", .refine = refine_turn },
	{ "thread/start", .when = { IS(F_RPC_ID, "temporary-structured-*") }, .means = MEANS_START,
	  .flags = OBS_TITLE | OBS_CERTAIN },
	{ "turn_input", .means = MEANS_CONTEXT },
};

/*
 * What is left of some 500 spans per answer: the request that began the turn (it ends at once, and everything else of the trace
 * hangs from it), the turn, each call of the model, what failed and was tried again, hooks and tools. What stands alone and names
 * no session (decide_request, turn/interrupt) tells nobody anything.
 */
static const char *const outline[] = {
	"compaction", "handle_response_stream_error", "hooks.command",     "mcp.tools.call",       "review/start",
	"sampling",   "session_task.compact",         "session_task.turn", "thread/compact/start", "turn/start",
	NULL,
};
/* A tool's span has the tool's name, which may be any; a turn's has that of its kind. */
static const char *const outline_marks[] = { "codex.tool.phase", "codex.turn.reasoning_effort", NULL };
static const struct kind_rule kind_rules[] = {
	{ "sampling", .kind = SPAN_LLM },
	{ "session_task.turn", .kind = SPAN_AGENT },
	{ "*", .when = { HAS(F_TOOL_PHASE), HAS(F_CALL_ID) }, .kind = SPAN_TOOL },
};

/*
 * Servers that fail or cannot be reached are tried again, by new connections and by new turns of the stream, and so are refused
 * credentials, which it may have to fetch anew. The last attempt looks like those before it: there only the end of the turn
 * tells. 429 is a rate to wait for, or a limit that ends the turn.
 */
static const struct retry_rule retries[] = {
	{ 0, 0, OBS_RETRIED }, { 400, 400, OBS_FINAL }, { 401, 401, OBS_RETRIED }, { 500, 599, OBS_RETRIED }, { .flags = 0 },
};

const struct provider provider_codex = {
	.name = "codex",
	.serves = "openai",
	.services = services,
	.scopes = scopes,
	.prefixes = prefixes,
	.shared = shared,
	.retries = retries,
	RULES(field),
	RULES(event),
	RULES(span),
	RULES(hook),
	.outline = outline,
	.outline_marks = outline_marks,
	RULES(kind),
	.marks_turn = true,
};
