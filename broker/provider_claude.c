/*
 * Claude Code. It retries without a word, and logs a failure when it gives up. Its log events carry everything that is counted;
 * its spans tell how an answer stopped and when a turn is over. The session id changes with /clear, and the one that --continue
 * starts with is never used again.
 */
#include "provider.h"

static const char *const services[] = { "claude-code*", NULL };
static const char *const scopes[] = { "com.anthropic.claude_code*", NULL };
static const char *const prefixes[] = { "claude_code.", NULL };

static const struct field_rule field_rules[] = {
	{ "agent_id", F_AGENT },
	{ "attempt", F_ATTEMPT },
	{ "cache_creation_1h_tokens", F_CACHE_WRITE_1H },
	{ "cache_creation_tokens", F_CACHE_WRITE },
	{ "cache_read_tokens", F_CACHE_READ },
	{ "command_name", F_COMMAND },
	{ "command_source", F_COMMAND_SOURCE },
	{ "cost_usd", F_COST_USD },
	{ "decision", F_DECISION },
	{ "duration_ms", F_DURATION_MS },
	{ "error", F_ERROR_MESSAGE },
	{ "error_class", F_ERROR_TYPE },
	{ "error_type", F_ERROR_TYPE },
	{ "event.name", F_EVENT },
	{ "event.timestamp", F_TIMESTAMP },
	{ "hook_event", F_HOOK },
	{ "input_tokens", F_INPUT },
	{ "model", F_MODEL },
	{ "output_tokens", F_OUTPUT },
	{ "prompt.id", F_PROMPT_ID },
	{ "prompt_length", F_PROMPT_LENGTH },
	{ "query_source", F_SOURCE },
	{ "query_source_safe", F_SOURCE },
	{ "request_id", F_REQUEST_ID },
	{ "session.id", F_SESSION },
	{ "speed", F_SPEED },
	{ "status_code", F_STATUS },
	{ "stop_reason", F_STOP_REASON },
	{ "success", F_SUCCESS },
	{ "tool_name", F_TOOL },
	{ "tool_use_id", F_CALL_ID },
	{ "total_attempts", F_ATTEMPTS },
	{ "vcs.repository.name", F_PROJECT },
};

/* A sub-agent's end is no turn's end, and that Claude has been idle for a while is no question. */
static const struct meaning_rule hook_rules[] = {
	{ "Elicitation", .means = MEANS_ASK, .reason = "question" },
	{ "ElicitationResult", .means = MEANS_ACTIVITY },
	{ "Notification", .when = { IS(F_NOTIFICATION, "elicitation_dialog") }, .means = MEANS_ASK, .reason = "question" },
	{ "Notification", .when = { IS(F_NOTIFICATION, "permission_prompt") }, .means = MEANS_ASK, .reason = "permission" },
	{ "Notification", .means = MEANS_CONTEXT },
	{ "PermissionDenied", .means = MEANS_ACTIVITY },
	{ "PermissionRequest", .when = { IS(F_TOOL, "AskUserQuestion") }, .means = MEANS_ASK, .reason = "question" },
	{ "PermissionRequest", .when = { IS(F_TOOL, "ExitPlanMode") }, .means = MEANS_ASK, .reason = "question" },
	{ "PermissionRequest", .means = MEANS_ASK, .reason = "permission" },
	{ "PostCompact", .means = MEANS_ACTIVITY },
	{ "PostToolBatch", .means = MEANS_ACTIVITY },
	{ "PostToolUse", .means = MEANS_ACTIVITY },
	{ "PostToolUseFailure", .when = { IS(F_INTERRUPT, "true"), LACKS(F_AGENT) }, .means = MEANS_TURN_END,
	  .reason = "interrupted" },
	{ "PostToolUseFailure", .means = MEANS_ACTIVITY },
	{ "PreCompact", .means = MEANS_ACTIVITY },
	{ "PreToolUse", .when = { IS(F_TOOL, "AskUserQuestion") }, .means = MEANS_ASK, .reason = "question" },
	{ "PreToolUse", .when = { IS(F_TOOL, "ExitPlanMode") }, .means = MEANS_ASK, .reason = "question" },
	{ "PreToolUse", .means = MEANS_ACTIVITY, .flags = OBS_OPENS },
	{ "SessionEnd", .when = { IS(F_STOP_REASON, "clear") }, .means = MEANS_END, .reason = "clear" },
	{ "SessionEnd", .means = MEANS_END, .reason = "exit" },
	{ "SessionStart", .means = MEANS_START },
	{ "Stop", .when = { LACKS(F_AGENT) }, .means = MEANS_TURN_END, .reason = "turn_end" },
	{ "StopFailure", .when = { LACKS(F_AGENT) }, .means = MEANS_TURN_END, .flags = OBS_FAILED, .reason = "error" },
	{ "SubagentStart", .means = MEANS_ACTIVITY },
	{ "SubagentStop", .means = MEANS_ACTIVITY },
	{ "UserPromptSubmit", .means = MEANS_TURN_START, .reason = "prompt" },
};

static const struct meaning_rule event_rules[] = {
	{ "api_error", .means = MEANS_ERROR, .flags = OBS_FINAL },
	{ "api_refusal", .means = MEANS_ACTIVITY },
	{ "api_request", .means = MEANS_RESPONSE, .flags = OBS_OPENS },
	{ "api_retries_exhausted", .means = MEANS_GIVEN_UP, .flags = OBS_FINAL },
	{ "assistant_response", .means = MEANS_ACTIVITY },
	{ "hook_execution_start", .when = { IS(F_HOOK, "PermissionRequest") }, .means = MEANS_ASK, .reason = "permission" },
	{ "hook_execution_start", .when = { IS(F_HOOK, "Stop"), LACKS(F_AGENT) }, .means = MEANS_TURN_END },
	{ "hook_execution_start", .when = { IS(F_HOOK, "SessionStart") }, .means = MEANS_START },
	{ "hook_execution_start", .when = { IS(F_HOOK, "PreToolUse") }, .means = MEANS_ACTIVITY },
	{ "hook_execution_start", .when = { IS(F_HOOK, "PostToolUse*") }, .means = MEANS_ACTIVITY },
	{ "managed_settings_resolved", .means = MEANS_START },
	{ "plugin_loaded", .means = MEANS_START },
	{ "tool_decision", .when = { IS(F_DECISION, "reject") }, .means = MEANS_DECISION, .flags = OBS_REFUSED },
	{ "tool_decision", .means = MEANS_DECISION, .flags = OBS_OPENS },
	{ "tool_result", .means = MEANS_TOOL, .flags = OBS_OPENS },
	{ "user_prompt", .when = { IS(F_COMMAND, "clear") }, .means = MEANS_END, .reason = "clear" },
	{ "user_prompt", .when = { IS(F_COMMAND, "exit") }, .means = MEANS_END, .reason = "exit" },
	{ "user_prompt", .when = { IS(F_COMMAND, "quit") }, .means = MEANS_END, .reason = "exit" },
	{ "user_prompt", .when = { HAS(F_COMMAND), IS(F_COMMAND_SOURCE, "builtin") }, .means = MEANS_COMMAND },
	{ "user_prompt", .when = { HAS(F_COMMAND) }, .means = MEANS_PROMPT },
	{ "user_prompt", .means = MEANS_PROMPT, .flags = OBS_COUNTED },
};

static const struct meaning_rule span_rules[] = {
	{ "interaction", .means = MEANS_TURN_END },
	{ "llm_request", .when = { IS(F_STOP_REASON, "tool_use") }, .means = MEANS_RESPONSE_END, .flags = OBS_WANTS_TOOL },
	{ "llm_request", .means = MEANS_RESPONSE_END },
	{ "tool", .means = MEANS_TOOL_END },
	{ "tool.blocked_on_user", .means = MEANS_ACTIVITY },
	{ "tool.execution", .means = MEANS_ACTIVITY },
};

/* Whoever asks beside the conversation: titles, suggestions, summaries for later. */
static const struct condition background[] = {
	IS(F_SOURCE, "generate_*"), IS(F_SOURCE, "prompt_suggestion*"), IS(F_SOURCE, "away_summary*"), IS(F_SOURCE, "memory*"),
	{ .field = F_NONE },
};

static const struct kind_rule kind_rules[] = {
	{ "interaction", .kind = SPAN_AGENT },
	{ "llm_request", .kind = SPAN_LLM },
	{ "tool", .kind = SPAN_TOOL },
};

const struct provider provider_claude = {
	.name = "claude-code",
	.serves = "anthropic",
	.services = services,
	.scopes = scopes,
	.prefixes = prefixes,
	RULES(field),
	RULES(event),
	RULES(span),
	RULES(hook),
	RULES(kind),
	.background = background,
	.input_excludes_cache = true,
	.logs_cost = true,
	.marks_turn = true,
};
