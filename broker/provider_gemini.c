/*
 * Gemini CLI. Interactive sessions mark the end of a turn with a span per part of it; headless ones only by leaving. /clear
 * gives a new session id in the attributes while the resource keeps the first one.
 */
#include "provider.h"

static const char *const services[] = { "gemini-cli*", NULL };
static const char *const scopes[] = { "gemini-cli*", NULL };
static const char *const prefixes[] = { "gemini_cli.", NULL };

static const struct field_rule field_rules[] = {
	{ "agent_id", F_AGENT },
	{ "attempt_number", F_ATTEMPT },
	{ "cached_content_token_count", F_CACHE_READ },
	{ "command", F_COMMAND },
	{ "decision", F_DECISION },
	{ "duration_ms", F_DURATION_MS },
	{ "error", F_ERROR_MESSAGE },
	{ "error.message", F_ERROR_MESSAGE },
	{ "error.type", F_ERROR_TYPE },
	{ "error_type", F_ERROR_TYPE },
	{ "event.name", F_EVENT },
	{ "event.timestamp", F_TIMESTAMP },
	{ "final_error_type", F_ERROR_TYPE },
	{ "function_name", F_TOOL },
	{ "gen_ai.conversation.id", F_SESSION_ALT },
	{ "gen_ai.prompt.name", F_PROMPT_ID },
	{ "gen_ai.request.model", F_MODEL_ALT },
	{ "gen_ai.tool.call_id", F_CALL_ID },
	{ "gen_ai.tool.name", F_TOOL },
	{ "hook_event_name", F_HOOK },
	{ "http.status_code", F_STATUS },
	{ "input_token_count", F_INPUT },
	{ "interactive", F_INTERACTIVE },
	{ "model", F_MODEL },
	{ "output_token_count", F_OUTPUT },
	{ "prompt_id", F_PROMPT_ID },
	{ "prompt_length", F_PROMPT_LENGTH },
	{ "role", F_SOURCE },
	{ "session.id", F_SESSION },
	{ "status_code", F_STATUS },
	{ "success", F_SUCCESS },
	{ "thoughts_token_count", F_REASONING },
	{ "total_attempts", F_ATTEMPTS },
};

/* SessionEnd comes twice. */
static const struct meaning_rule hook_rules[] = {
	{ "AfterAgent", .means = MEANS_TURN_END, .reason = "turn_end" },
	{ "AfterModel", .means = MEANS_ACTIVITY },
	{ "AfterTool", .means = MEANS_ACTIVITY },
	{ "BeforeAgent", .means = MEANS_TURN_START, .reason = "prompt" },
	{ "BeforeModel", .means = MEANS_ACTIVITY },
	{ "BeforeTool", .when = { IS(F_TOOL, "ask_user") }, .means = MEANS_ASK, .reason = "question" },
	{ "BeforeTool", .means = MEANS_ACTIVITY, .flags = OBS_OPENS },
	{ "BeforeToolSelection", .means = MEANS_ACTIVITY },
	{ "Notification", .when = { IS(F_NOTIFICATION, "ToolPermission") }, .means = MEANS_ASK, .reason = "permission" },
	{ "Notification", .means = MEANS_CONTEXT },
	{ "PreCompress", .means = MEANS_ACTIVITY },
	{ "SessionEnd", .when = { IS(F_STOP_REASON, "clear") }, .means = MEANS_END, .reason = "clear" },
	{ "SessionEnd", .means = MEANS_END, .reason = "exit" },
	{ "SessionStart", .means = MEANS_START },
};

static const struct meaning_rule event_rules[] = {
	{ "agent.finish", .means = MEANS_ACTIVITY },
	{ "agent.start", .means = MEANS_ACTIVITY },
	{ "api_error", .means = MEANS_ERROR },
	{ "api_request", .means = MEANS_CALL, .flags = OBS_OPENS },
	{ "api_response", .means = MEANS_RESPONSE, .flags = OBS_OPENS },
	{ "chat.content_retry", .means = MEANS_FAULT, .flags = OBS_RETRIED },
	{ "chat.content_retry_failure", .means = MEANS_FAULT, .flags = OBS_FINAL },
	{ "config", .means = MEANS_START },
	{ "conversation_finished", .means = MEANS_TURN_END },
	{ "hook_call", .when = { IS(F_HOOK, "AfterAgent") }, .means = MEANS_TURN_END },
	{ "hook_call", .when = { IS(F_HOOK, "AfterTool") }, .means = MEANS_ACTIVITY },
	{ "hook_call", .when = { IS(F_HOOK, "BeforeAgent") }, .means = MEANS_ACTIVITY },
	{ "hook_call", .when = { IS(F_HOOK, "BeforeTool") }, .means = MEANS_ACTIVITY },
	{ "hook_call", .when = { IS(F_HOOK, "Notification") }, .means = MEANS_ASK, .reason = "permission" },
	{ "hook_call", .when = { IS(F_HOOK, "SessionEnd") }, .means = MEANS_END, .reason = "exit" },
	{ "model_routing", .means = MEANS_ACTIVITY },
	{ "plan.approval_mode_duration", .when = { IS(F_INTERACTIVE, "false") }, .means = MEANS_TURN_END },
	{ "slash_command", .when = { IS(F_COMMAND, "clear") }, .means = MEANS_START, .flags = OBS_REPLACES, .reason = "clear" },
	{ "slash_command", .when = { IS(F_COMMAND, "exit") }, .means = MEANS_END, .reason = "exit" },
	{ "slash_command", .when = { IS(F_COMMAND, "quit") }, .means = MEANS_END, .reason = "exit" },
	{ "slash_command", .means = MEANS_COMMAND },
	{ "tool_call", .when = { IS(F_DECISION, "reject") }, .means = MEANS_TOOL, .flags = OBS_REFUSED },
	{ "tool_call", .means = MEANS_TOOL, .flags = OBS_OPENS },
	{ "user_prompt", .means = MEANS_PROMPT, .flags = OBS_COUNTED },
};

/* user_prompt ends when its tools have run, and system_prompt goes on from there: only the last of them ends the turn. */
static const struct meaning_rule span_rules[] = {
	{ "llm_call", .means = MEANS_RESPONSE_END },
	{ "system_prompt", .means = MEANS_TURN_END, .flags = OBS_AFTER_TOOLS },
	{ "tool_call", .means = MEANS_TOOL_END },
	{ "user_prompt", .means = MEANS_TURN_END, .flags = OBS_AFTER_TOOLS },
};

/*
 * Servers that fail or cannot be reached are tried again, some times, and 429 unless the quota is for a whole day. Nothing says
 * which attempt was the last.
 */
static const struct retry_rule retries[] = {
	{ 0, 0, OBS_RETRIED }, { 400, 428, OBS_FINAL }, { 430, 498, OBS_FINAL }, { 500, 599, OBS_RETRIED }, { .flags = 0 },
};

/* The router picks a model and the compressor shortens the history: neither is the model that answers the person. */
static const struct condition background[] = {
	IS(F_SOURCE, "utility_*"),
	{ .field = F_NONE },
};

static const struct kind_rule kind_rules[] = {
	{ "agent_call", .kind = SPAN_AGENT }, { "llm_call", .kind = SPAN_LLM },      { "system_prompt", .kind = SPAN_AGENT },
	{ "tool_call", .kind = SPAN_TOOL },   { "user_prompt", .kind = SPAN_AGENT },
};

const struct provider provider_gemini = {
	.name = "gemini-cli",
	.serves = "gcp.gen_ai",
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
	.output_excludes_reasoning = true,
	.marks_turn = true,
};
