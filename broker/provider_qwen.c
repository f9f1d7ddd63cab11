/*
 * Qwen Code. A descendant of Gemini CLI with names of its own: it marks sessions and turns, and asks its model on the side
 * (memory, suggestions) after a turn is over.
 */
#include "provider.h"

static const char *const services[] = { "qwen-code*", NULL };
static const char *const scopes[] = { "qwen-code*", NULL };
static const char *const prefixes[] = { "qwen-code.", NULL };

static const struct field_rule field_rules[] = {
	{ "attempt", F_ATTEMPT },
	{ "attempt_number", F_ATTEMPT },
	{ "cached_content_token_count", F_CACHE_READ },
	{ "call_id", F_CALL_ID },
	{ "command", F_COMMAND },
	{ "decision", F_DECISION },
	{ "duration_ms", F_DURATION_MS },
	{ "error", F_ERROR_MESSAGE },
	{ "error.message", F_ERROR_MESSAGE },
	{ "error.type", F_ERROR_TYPE },
	{ "error_message", F_ERROR_MESSAGE },
	{ "error_status_code", F_STATUS },
	{ "error_type", F_ERROR_TYPE },
	{ "event.name", F_EVENT },
	{ "event.timestamp", F_TIMESTAMP },
	{ "function_name", F_TOOL },
	{ "gen_ai.conversation.id", F_SESSION_ALT },
	{ "gen_ai.request.model", F_MODEL_ALT },
	{ "gen_ai.response.id", F_REQUEST_ID },
	{ "gen_ai.usage.cache_read.input_tokens", F_CACHE_READ },
	{ "gen_ai.usage.input_tokens", F_INPUT },
	{ "gen_ai.usage.output_tokens", F_OUTPUT },
	{ "http.status_code", F_STATUS },
	{ "input_token_count", F_INPUT },
	{ "model", F_MODEL },
	{ "output_token_count", F_OUTPUT },
	{ "prompt_id", F_PROMPT_ID },
	{ "prompt_length", F_PROMPT_LENGTH },
	{ "qwen-code.prompt_id", F_PROMPT_ID },
	{ "qwen-code.turn_status", F_OUTCOME },
	{ "response_id", F_REQUEST_ID },
	{ "session.id", F_SESSION },
	{ "status_code", F_STATUS },
	{ "subagent_name", F_SOURCE },
	{ "success", F_SUCCESS },
	{ "thoughts_token_count", F_REASONING },
	{ "tool_name", F_TOOL },
};

/*
 * Its hooks are named as Claude Code's, its tools as its own. A dialog's PermissionRequest comes before its PreToolUse, which
 * says that it is over. After each end of a turn, and where its person has stopped one (of which no other hook tells), it says
 * that it is idle. The prompt is told again after each batch of tools.
 */
static const struct meaning_rule hook_rules[] = {
	{ "Notification", .when = { IS(F_NOTIFICATION, "idle_prompt") }, .means = MEANS_TURN_END, .flags = OBS_STATUS,
	  .reason = "interrupted" },
	{ "Notification", .when = { IS(F_NOTIFICATION, "permission_prompt") }, .means = MEANS_ASK, .reason = "permission" },
	{ "Notification", .means = MEANS_CONTEXT },
	{ "PermissionDenied", .means = MEANS_ACTIVITY },
	{ "PermissionRequest", .when = { IS(F_TOOL, "ask_user_question") }, .means = MEANS_ASK, .reason = "question" },
	{ "PermissionRequest", .when = { IS(F_TOOL, "exit_plan_mode") }, .means = MEANS_ASK, .reason = "question" },
	{ "PermissionRequest", .means = MEANS_ASK, .reason = "permission" },
	{ "PostCompact", .means = MEANS_ACTIVITY },
	{ "PostToolBatch", .means = MEANS_ACTIVITY },
	{ "PostToolUse", .means = MEANS_ACTIVITY },
	{ "PostToolUseFailure", .when = { IS(F_INTERRUPT, "true"), LACKS(F_AGENT) }, .means = MEANS_TURN_END,
	  .reason = "interrupted" },
	{ "PostToolUseFailure", .means = MEANS_ACTIVITY },
	{ "PreCompact", .means = MEANS_ACTIVITY },
	{ "PreToolUse", .means = MEANS_ACTIVITY, .flags = OBS_OPENS },
	{ "SessionEnd", .when = { IS(F_STOP_REASON, "clear") }, .means = MEANS_END, .reason = "clear" },
	{ "SessionEnd", .means = MEANS_END, .reason = "exit" },
	{ "SessionStart", .means = MEANS_START },
	{ "Stop", .when = { LACKS(F_AGENT) }, .means = MEANS_TURN_END, .reason = "turn_end" },
	{ "StopFailure", .when = { LACKS(F_AGENT) }, .means = MEANS_TURN_END, .flags = OBS_FAILED, .reason = "error" },
	{ "SubagentStart", .means = MEANS_ACTIVITY },
	{ "SubagentStop", .means = MEANS_ACTIVITY },
	{ "UserPromptSubmit", .when = { IS(F_TYPED, "true") }, .means = MEANS_TURN_START, .reason = "prompt" },
	{ "UserPromptSubmit", .means = MEANS_ACTIVITY, .flags = OBS_OPENS },
};

static const struct meaning_rule event_rules[] = {
	{ "api_error", .means = MEANS_ERROR },
	{ "api_request", .means = MEANS_CALL, .flags = OBS_OPENS },
	{ "api_response", .means = MEANS_RESPONSE, .flags = OBS_OPENS },
	{ "api_retry", .means = MEANS_FAULT, .flags = OBS_RETRIED },
	{ "session.end", .means = MEANS_END, .reason = "exit" },
	{ "session.start", .means = MEANS_START },
	{ "slash_command", .means = MEANS_COMMAND },
	{ "tool_call", .when = { IS(F_DECISION, "reject") }, .means = MEANS_TOOL, .flags = OBS_REFUSED },
	{ "tool_call", .means = MEANS_TOOL, .flags = OBS_OPENS },
	{ "user_prompt", .means = MEANS_PROMPT, .flags = OBS_COUNTED },
};

static const struct meaning_rule span_rules[] = {
	{ "interaction", .when = { IS(F_OUTCOME, "error") }, .means = MEANS_TURN_END, .flags = OBS_FAILED },
	{ "interaction", .when = { IS(F_OUTCOME, "cancelled") }, .means = MEANS_TURN_END, .reason = "interrupted" },
	{ "interaction", .when = { IS(F_OUTCOME, "ok") }, .means = MEANS_TURN_END, .reason = "turn_end" },
	{ "interaction", .means = MEANS_TURN_END },
	{ "llm_request", .means = MEANS_RESPONSE_END },
	{ "tool", .means = MEANS_TOOL_END },
	{ "tool.blocked_on_user", .means = MEANS_ACTIVITY },
	{ "tool.execution", .means = MEANS_ACTIVITY },
};

/* Where it tries again after the others, an api_retry says so. */
static const struct retry_rule retries[] = {
	{ 400, 428, OBS_FINAL },
	{ 430, 498, OBS_FINAL },
	{ .flags = 0 },
};

static const struct condition background[] = {
	IS(F_SOURCE, "managed-auto-*"),
	IS(F_PROMPT_ID, "forked_query*"),
	IS(F_PROMPT_ID, "user_intent*"),
	{ .field = F_NONE },
};

static const struct kind_rule kind_rules[] = {
	{ "interaction", .kind = SPAN_AGENT },
	{ "llm_request", .kind = SPAN_LLM },
	{ "tool", .kind = SPAN_TOOL },
};

const struct provider provider_qwen = {
	.name = "qwen-code",
	.serves = "openai",
	.services = services,
	.scopes = scopes,
	.prefixes = prefixes,
	RULES(field),
	RULES(event),
	RULES(span),
	RULES(hook),
	RULES(kind),
	.retries = retries,
	.background = background,
	.marks_turn = true,
};
