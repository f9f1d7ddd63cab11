#include "content_keys.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Rows of the tables; further members follow after a comma. */
#define ROW(text, what, ...)                                                                                                     \
	{                                                                                                                        \
		.key = (text), .kind = CONTENT_##what, __VA_ARGS__                                                               \
	}
#define PLAIN      .flags = 0
#define WORDS      .flags = CONTENT_WORDS
#define NOT_POINTS .flags = CONTENT_WORDS | CONTENT_NOT_POINTS

/* --- where words have a second meaning --- */

/* Names of commands: quit, clear … */
static const char *const slash_commands[] = { "gemini_cli.slash_command*", "qwen-code.slash_command*", NULL };

/* "complete", "user", "model" */
static const char *const outcomes[] = { "retention_sweep", "claude_code.retention_sweep", "gemini_cli.next_speaker_check",
					"qwen-code.next_speaker_check", NULL };

/* The tool as the model is told of it; elsewhere the tool's name. */
static const char *const tool_definitions[] = { "tool", "claude_code.tool", NULL };

/* JSON of what a tool gave back beside its text; elsewhere tags that somebody chose. */
static const char *const tool_results[] = { "gemini_cli.tool_call", "qwen-code.tool_call", NULL };

/* What a tool was given and gave back, in words of its own. */
static const char *const tool_outputs[] = { "tool.output", NULL };

/* Made by a model out of the prompt. */
static const char *const policies[] = { "gemini_cli.conseca.*", NULL };

/* --- the tables --- */

const struct content_rule content_keys[] = {
	ROW("additional_context", TEXT, PLAIN),
	ROW("ai.embedding", TEXT, PLAIN),
	ROW("ai.embeddings", TEXT, PLAIN),
	ROW("ai.prompt", TEXT, PLAIN),
	ROW("ai.response.files", TEXT, PLAIN),
	ROW("ai.response.object", TEXT, PLAIN),
	ROW("ai.response.reasoning", TEXT, PLAIN),
	ROW("ai.response.text", TEXT, PLAIN),
	ROW("ai.response.toolCalls", TEXT, PLAIN),
	ROW("ai.result.object", TEXT, PLAIN),
	ROW("ai.result.text", TEXT, PLAIN),
	ROW("ai.result.toolCalls", TEXT, PLAIN),
	ROW("ai.schema", TEXT, PLAIN),
	ROW("ai.toolCall.args", TEXT, PLAIN),
	ROW("ai.toolCall.result", TEXT, PLAIN),
	ROW("ai.value", TEXT, PLAIN),
	ROW("ai.values", TEXT, PLAIN),
	ROW("all_messages_events", TEXT, PLAIN),
	ROW("answer", TEXT, WORDS),
	ROW("args", TEXT, WORDS),
	ROW("arguments", TEXT, WORDS),
	ROW("assistant.message_preview", TEXT, PLAIN),
	ROW("assistant_message", TEXT, PLAIN),
	ROW("assistant_response", TEXT, PLAIN),
	ROW("audio.transcript", TEXT, PLAIN),
	ROW("audio.url", TEXT, PLAIN),
	ROW("bash_command", TEXT, PLAIN),
	ROW("body", TEXT, PLAIN),
	ROW("braintrust.expected", TEXT, PLAIN),
	ROW("braintrust.input", TEXT, PLAIN),
	ROW("braintrust.input_json", TEXT, PLAIN),
	ROW("braintrust.output", TEXT, PLAIN),
	ROW("braintrust.output_json", TEXT, PLAIN),
	ROW("call_id", OF_TOOL, PLAIN),
	ROW("cmd", TEXT, PLAIN),
	ROW("command", TEXT, NOT_POINTS, .except = slash_commands),
	ROW("command_args", TEXT, PLAIN),
	ROW("command_line", TEXT, PLAIN),
	ROW("completion", TEXT, WORDS),
	ROW("completions", TEXT, WORDS),
	ROW("content", TEXT, WORDS),
	ROW("copilot_chat.markdown_content", TEXT, PLAIN),
	ROW("copilot_chat.reasoning_content", TEXT, PLAIN),
	ROW("copilot_chat.user_request", TEXT, PLAIN),
	ROW("diff", TEXT, PLAIN),
	ROW("document", TEXT, WORDS),
	ROW("document.content", TEXT, PLAIN),
	ROW("document.metadata", TEXT, PLAIN),
	ROW("documents", TEXT, WORDS),
	ROW("email", TEXT, PLAIN),
	ROW("embedding.embeddings", TEXT, PLAIN),
	ROW("embedding.text", TEXT, PLAIN),
	ROW("embedding.vector", TEXT, PLAIN),
	ROW("endpoint", OF_CALL, PLAIN),
	ROW("enduser.email", TEXT, PLAIN),
	ROW("error", ERROR, NOT_POINTS),
	ROW("error.message", ERROR, WORDS),
	ROW("error.stack", TEXT, PLAIN),
	ROW("errorMessage", ERROR, WORDS),
	ROW("error_details", ERROR, WORDS),
	ROW("error_message", ERROR, WORDS),
	ROW("exception.message", ERROR, WORDS),
	ROW("exception.stacktrace", TEXT, PLAIN),
	ROW("execution_summary", TEXT, PLAIN),
	ROW("explanation", TEXT, WORDS),
	ROW("file_path", TEXT, PLAIN),
	ROW("final_result", TEXT, PLAIN),
	ROW("full_command", TEXT, PLAIN),
	ROW("function_args", TEXT, PLAIN),
	ROW("function_arguments", TEXT, PLAIN),
	ROW("function_name", OF_TOOL, PLAIN),
	ROW("function_response", TEXT, PLAIN),
	ROW("function_result", TEXT, PLAIN),
	ROW("gcp.vertex.agent.data", TEXT, PLAIN),
	ROW("gcp.vertex.agent.llm_request", TEXT, PLAIN),
	ROW("gcp.vertex.agent.llm_response", TEXT, PLAIN),
	ROW("gcp.vertex.agent.tool_call_args", TEXT, PLAIN),
	ROW("gcp.vertex.agent.tool_response", TEXT, PLAIN),
	ROW("gen_ai.completion", TEXT, PLAIN),
	ROW("gen_ai.evaluation.explanation", TEXT, PLAIN),
	ROW("gen_ai.event.content", TEXT, PLAIN),
	ROW("gen_ai.input", TEXT, PLAIN),
	ROW("gen_ai.input.messages", TEXT, PLAIN),
	ROW("gen_ai.input_messages", TEXT, PLAIN),
	ROW("gen_ai.memory.query.text", TEXT, PLAIN),
	ROW("gen_ai.memory.records", TEXT, PLAIN),
	ROW("gen_ai.operation.name", OF_TOOL, .value = "execute_tool"),
	ROW("gen_ai.output", TEXT, PLAIN),
	ROW("gen_ai.output.messages", TEXT, PLAIN),
	ROW("gen_ai.output_messages", TEXT, PLAIN),
	ROW("gen_ai.prompt", TEXT, PLAIN),
	ROW("gen_ai.prompt.id", STAYS, PLAIN),
	ROW("gen_ai.prompt.name", STAYS, PLAIN),
	ROW("gen_ai.prompt.version", STAYS, PLAIN),
	ROW("gen_ai.request.instructions", TEXT, PLAIN),
	ROW("gen_ai.request.messages", TEXT, PLAIN),
	ROW("gen_ai.request.model", OF_CALL, PLAIN),
	ROW("gen_ai.response.model", OF_CALL, PLAIN),
	ROW("gen_ai.response.text", TEXT, PLAIN),
	ROW("gen_ai.response.tool_calls", TEXT, PLAIN),
	ROW("gen_ai.retrieval.documents", TEXT, PLAIN),
	ROW("gen_ai.retrieval.query.text", TEXT, PLAIN),
	ROW("gen_ai.system.instructions", TEXT, PLAIN),
	ROW("gen_ai.system_instructions", TEXT, PLAIN),
	ROW("gen_ai.tool.arguments", TEXT, PLAIN),
	ROW("gen_ai.tool.call.arguments", TEXT, PLAIN),
	ROW("gen_ai.tool.call.id", OF_TOOL, PLAIN),
	ROW("gen_ai.tool.call.result", TEXT, PLAIN),
	ROW("gen_ai.tool.call_id", OF_TOOL, PLAIN),
	ROW("gen_ai.tool.definitions", TEXT, PLAIN),
	ROW("gen_ai.tool.input", TEXT, PLAIN),
	ROW("gen_ai.tool.message", TEXT, PLAIN),
	ROW("gen_ai.tool.name", OF_TOOL, PLAIN),
	ROW("gen_ai.tool.output", TEXT, PLAIN),
	ROW("gen_ai.tool.parameters", TEXT, PLAIN),
	ROW("gen_ai.tool.result", TEXT, PLAIN),
	ROW("haystack.component.input", TEXT, PLAIN),
	ROW("haystack.component.output", TEXT, PLAIN),
	ROW("hook_definitions", TEXT, PLAIN),
	ROW("hook_event", OF_TOOL, PLAIN),
	ROW("hook_event_name", OF_TOOL, PLAIN),
	ROW("hook_input", TEXT, PLAIN),
	ROW("hook_name", OF_TOOL, PLAIN),
	ROW("hook_output", TEXT, PLAIN),
	ROW("http.method", OF_CALL, PLAIN),
	ROW("http.request.body", TEXT, PLAIN),
	ROW("http.request.body.content", TEXT, PLAIN),
	ROW("http.request.method", OF_CALL, PLAIN),
	ROW("http.response.body", TEXT, PLAIN),
	ROW("http.response.body.content", TEXT, PLAIN),
	ROW("http.response.status_code", OF_CALL, PLAIN),
	ROW("http.status_code", OF_CALL, PLAIN),
	ROW("http.target", ADDRESS, PLAIN),
	ROW("http.url", ADDRESS, PLAIN),
	ROW("image.url", TEXT, PLAIN),
	ROW("initial_prompt", TEXT, PLAIN),
	ROW("input", TEXT, NOT_POINTS),
	ROW("input-messages", TEXT, PLAIN),
	ROW("input.audio", TEXT, PLAIN),
	ROW("input.documents", TEXT, PLAIN),
	ROW("input.images", TEXT, PLAIN),
	ROW("input.value", TEXT, PLAIN),
	ROW("input_messages", TEXT, PLAIN),
	ROW("input_text", TEXT, PLAIN),
	ROW("inputs", TEXT, WORDS),
	ROW("instructions", TEXT, WORDS),
	ROW("justification", TEXT, PLAIN),
	ROW("langfuse.observation.input", TEXT, PLAIN),
	ROW("langfuse.observation.output", TEXT, PLAIN),
	ROW("langfuse.observation.status_message", ERROR, WORDS),
	ROW("langfuse.observation.type", OF_TOOL, .value = "tool"),
	ROW("langfuse.trace.input", TEXT, PLAIN),
	ROW("langfuse.trace.output", TEXT, PLAIN),
	ROW("last-assistant-message", TEXT, PLAIN),
	ROW("last_assistant_message", TEXT, PLAIN),
	ROW("last_error", ERROR, WORDS),
	ROW("llm.choices", TEXT, PLAIN),
	ROW("llm.completions", TEXT, PLAIN),
	ROW("llm.function_call", TEXT, PLAIN),
	ROW("llm.input_messages", TEXT, PLAIN),
	ROW("llm.invocation_parameters", TEXT, PLAIN),
	ROW("llm.model_name", OF_CALL, PLAIN),
	ROW("llm.output_messages", TEXT, PLAIN),
	ROW("llm.prompt_template.template", TEXT, PLAIN),
	ROW("llm.prompt_template.variables", TEXT, PLAIN),
	ROW("llm.prompts", TEXT, PLAIN),
	ROW("llm.request.functions", TEXT, PLAIN),
	ROW("llm.request.type", OF_CALL, PLAIN),
	ROW("llm.tools", TEXT, PLAIN),
	ROW("llm_request", TEXT, PLAIN),
	ROW("llm_response", TEXT, PLAIN),
	ROW("mcp.tool.arguments", TEXT, PLAIN),
	ROW("mcp.tool.name", OF_TOOL, PLAIN),
	ROW("mcp.tool.result", TEXT, PLAIN),
	ROW("message", TEXT, NOT_POINTS),
	ROW("message.content", TEXT, PLAIN),
	ROW("message.contents", TEXT, PLAIN),
	ROW("message.function_call_arguments_json", TEXT, PLAIN),
	ROW("message.tool_calls", TEXT, PLAIN),
	ROW("message_content", TEXT, PLAIN),
	ROW("message_content.text", TEXT, PLAIN),
	ROW("messages", TEXT, WORDS),
	ROW("metadata", TEXT, .only = tool_results),
	ROW("mlflow.chat.messages", TEXT, PLAIN),
	ROW("mlflow.chat.tools", TEXT, PLAIN),
	ROW("mlflow.spanInputs", TEXT, PLAIN),
	ROW("mlflow.spanOutputs", TEXT, PLAIN),
	ROW("model", OF_CALL, PLAIN),
	ROW("model_name", OF_CALL, PLAIN),
	ROW("model_output", TEXT, PLAIN),
	ROW("model_request_parameters", TEXT, PLAIN),
	ROW("new_content", TEXT, PLAIN),
	ROW("new_context", TEXT, PLAIN),
	ROW("new_string", TEXT, PLAIN),
	ROW("old_content", TEXT, PLAIN),
	ROW("old_string", TEXT, PLAIN),
	ROW("openinference.span.kind", OF_TOOL, .value = "TOOL"),
	ROW("otel.status_description", ERROR, WORDS),
	ROW("output", TEXT, NOT_POINTS),
	ROW("output.audio", TEXT, PLAIN),
	ROW("output.documents", TEXT, PLAIN),
	ROW("output.images", TEXT, PLAIN),
	ROW("output.value", TEXT, PLAIN),
	ROW("output_messages", TEXT, PLAIN),
	ROW("output_text", TEXT, PLAIN),
	ROW("outputs", TEXT, WORDS),
	ROW("parameters", TEXT, WORDS),
	ROW("params", TEXT, WORDS),
	ROW("patch", TEXT, WORDS),
	ROW("path", TEXT, .only = tool_outputs),
	ROW("pattern", TEXT, .only = tool_outputs),
	ROW("policy", TEXT, .only = policies),
	ROW("process.command_args", TEXT, PLAIN),
	ROW("process.command_line", TEXT, PLAIN),
	ROW("prompt", TEXT, WORDS),
	ROW("prompt.text", TEXT, PLAIN),
	ROW("prompt_preview", TEXT, PLAIN),
	ROW("prompt_text", TEXT, PLAIN),
	ROW("prompts", TEXT, WORDS),
	ROW("pydantic_ai.all_messages", TEXT, PLAIN),
	ROW("query", TEXT, NOT_POINTS),
	ROW("question", TEXT, WORDS),
	ROW("rationale", TEXT, WORDS),
	ROW("reasoning", TEXT, WORDS),
	ROW("reasoning_content", TEXT, PLAIN),
	ROW("reasoning_text", TEXT, PLAIN),
	ROW("request_body", TEXT, PLAIN),
	ROW("request_data", TEXT, PLAIN),
	ROW("request_text", TEXT, PLAIN),
	ROW("reranker.input_documents", TEXT, PLAIN),
	ROW("reranker.output_documents", TEXT, PLAIN),
	ROW("reranker.query", TEXT, PLAIN),
	ROW("response", TEXT, WORDS),
	ROW("response.model_output", TEXT, PLAIN),
	ROW("response.thinking_output", TEXT, PLAIN),
	ROW("response_body", TEXT, PLAIN),
	ROW("response_data", TEXT, PLAIN),
	ROW("response_text", TEXT, PLAIN),
	ROW("result", TEXT, NOT_POINTS, .except = outcomes),
	ROW("retrieval.documents", TEXT, PLAIN),
	ROW("routing.reasoning", TEXT, PLAIN),
	ROW("session.title", TEXT, PLAIN),
	ROW("spring.ai.chat.client.system.text", TEXT, PLAIN),
	ROW("spring.ai.chat.client.user.text", TEXT, PLAIN),
	ROW("spring.ai.tool.call.arguments", TEXT, PLAIN),
	ROW("spring.ai.tool.call.result", TEXT, PLAIN),
	ROW("status_message", ERROR, WORDS),
	ROW("stderr", TEXT, WORDS),
	ROW("stdout", TEXT, WORDS),
	ROW("suggestion", TEXT, WORDS),
	ROW("summary", TEXT, WORDS),
	ROW("system_instruction", TEXT, PLAIN),
	ROW("system_instructions", TEXT, PLAIN),
	ROW("system_prompt", TEXT, PLAIN),
	ROW("system_prompt_preview", TEXT, PLAIN),
	ROW("system_reminders", TEXT, PLAIN),
	ROW("text", TEXT, WORDS),
	ROW("thinking", TEXT, WORDS),
	ROW("thought", TEXT, WORDS),
	ROW("thoughts", TEXT, WORDS),
	ROW("title", TEXT, WORDS),
	ROW("tool", TEXT, NOT_POINTS, .only = tool_definitions),
	ROW("tool.arguments", TEXT, PLAIN),
	ROW("tool.call_id", OF_TOOL, PLAIN),
	ROW("tool.input", TEXT, PLAIN),
	ROW("tool.json_schema", TEXT, PLAIN),
	ROW("tool.name", OF_TOOL, PLAIN),
	ROW("tool.output", TEXT, PLAIN),
	ROW("tool.parameters", TEXT, PLAIN),
	ROW("tool.result", TEXT, PLAIN),
	ROW("tool_args", TEXT, WORDS),
	ROW("tool_arguments", TEXT, WORDS),
	ROW("tool_call.arguments", TEXT, PLAIN),
	ROW("tool_call.function.arguments", TEXT, PLAIN),
	ROW("tool_call.id", OF_TOOL, PLAIN),
	ROW("tool_call_id", OF_TOOL, PLAIN),
	ROW("tool_input", TEXT, WORDS),
	ROW("tool_name", OF_TOOL, PLAIN),
	ROW("tool_output", TEXT, WORDS),
	ROW("tool_parameters", TEXT, WORDS),
	ROW("tool_response", TEXT, WORDS),
	ROW("tool_result", TEXT, WORDS),
	ROW("tool_use_id", OF_TOOL, PLAIN),
	ROW("traceloop.entity.input", TEXT, PLAIN),
	ROW("traceloop.entity.output", TEXT, PLAIN),
	ROW("traceloop.prompt.template", TEXT, PLAIN),
	ROW("traceloop.prompt.template_variables", TEXT, PLAIN),
	ROW("traceloop.span.kind", OF_TOOL, .value = "tool"),
	ROW("transcript", TEXT, PLAIN),
	ROW("truncated_sequence", TEXT, PLAIN),
	ROW("trusted_content", TEXT, PLAIN),
	ROW("url", TEXT, .only = tool_outputs),
	ROW("url.fragment", TEXT, PLAIN),
	ROW("url.full", ADDRESS, PLAIN),
	ROW("url.original", ADDRESS, PLAIN),
	ROW("url.query", TEXT, PLAIN),
	ROW("user.email", TEXT, PLAIN),
	ROW("user.full_name", TEXT, PLAIN),
	ROW("user.message_preview", TEXT, PLAIN),
	ROW("user_email", TEXT, PLAIN),
	ROW("user_input", TEXT, PLAIN),
	ROW("user_message", TEXT, PLAIN),
	ROW("user_prompt", TEXT, PLAIN),
	ROW("user_query", TEXT, PLAIN),
	ROW("user_request", TEXT, PLAIN),
	ROW("user_system_prompt", TEXT, PLAIN),
	ROW("verdict_rationale", TEXT, PLAIN),
};
const size_t content_key_count = COUNT(content_keys);

const struct content_rule content_families[] = {
	ROW("ai.prompt.*", TEXT, PLAIN),
	ROW("embedding.embeddings.*", TEXT, PLAIN),
	ROW("gen_ai.completion.*", TEXT, PLAIN),
	ROW("gen_ai.content.*", TEXT, PLAIN),
	ROW("gen_ai.input.messages.*", TEXT, PLAIN),
	ROW("gen_ai.output.messages.*", TEXT, PLAIN),
	ROW("gen_ai.prompt.*", TEXT, PLAIN),
	ROW("gen_ai.retrieval.documents.*", TEXT, PLAIN),
	ROW("gen_ai.system_instructions.*", TEXT, PLAIN),
	ROW("gen_ai.tool.call.arguments.*", TEXT, PLAIN),
	ROW("gen_ai.tool.call.result.*", TEXT, PLAIN),
	ROW("gen_ai.tool.definitions.*", TEXT, PLAIN),
	ROW("input.audio.*", TEXT, PLAIN),
	ROW("input.documents.*", TEXT, PLAIN),
	ROW("input.images.*", TEXT, PLAIN),
	ROW("llm.choices.*", TEXT, PLAIN),
	ROW("llm.completions.*", TEXT, PLAIN),
	ROW("llm.function_call.*", TEXT, PLAIN),
	ROW("llm.input_messages.*", TEXT, PLAIN),
	ROW("llm.output_messages.*", TEXT, PLAIN),
	ROW("llm.prompt_template.variables.*", TEXT, PLAIN),
	ROW("llm.prompts.*", TEXT, PLAIN),
	ROW("llm.request.functions.*", TEXT, PLAIN),
	ROW("llm.tools.*", TEXT, PLAIN),
	ROW("mcp.request.argument.*", TEXT, PLAIN),
	ROW("message.contents.*", TEXT, PLAIN),
	ROW("message.tool_calls.*", TEXT, PLAIN),
	ROW("output.audio.*", TEXT, PLAIN),
	ROW("output.documents.*", TEXT, PLAIN),
	ROW("output.images.*", TEXT, PLAIN),
	ROW("reranker.input_documents.*", TEXT, PLAIN),
	ROW("reranker.output_documents.*", TEXT, PLAIN),
	ROW("retrieval.documents.*", TEXT, PLAIN),
	ROW("tool.parameters.*", TEXT, PLAIN),
	ROW("traceloop.prompt.template_variables.*", TEXT, PLAIN),
	ROW("user.account_*", TEXT, PLAIN),
};
const size_t content_family_count = COUNT(content_families);

/* --- looking into them --- */

#define BUCKET(c)  ((unsigned char)(c)&31)
#define LENGTH_MAX 63 /* no key of the table is longer */

/* The length of a family's key without its '*'. */
static size_t
stem_length(const struct content_rule *family)
{
	return strlen(family->key) - 1;
}

void
content_index_init(struct content_index *ix)
{
	*ix = (struct content_index){ 0 };
	for (size_t i = 0; i < content_key_count; i++)
		ix->lengths[BUCKET(content_keys[i].key[0])] |= (uint64_t)1 << strlen(content_keys[i].key);
	for (size_t i = 0; i < content_family_count; i++)
		ix->families |= (uint32_t)1 << BUCKET(content_families[i].key[0]);
}

static const struct content_rule *
find_key(struct str key)
{
	size_t low = 0, high = content_key_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(key.ptr, content_keys[middle].key);

		if (order == 0)
			return &content_keys[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* No family begins another, so only the last one that does not come after the key may hold it. */
static const struct content_rule *
find_family(struct str key)
{
	size_t low = 0, high = content_family_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strncmp(key.ptr, content_families[middle].key, stem_length(&content_families[middle])) < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0 || strncmp(key.ptr, content_families[low - 1].key, stem_length(&content_families[low - 1])) != 0)
		return NULL;
	return &content_families[low - 1];
}

const struct content_rule *
content_rule_of(const struct content_index *ix, struct str key)
{
	const struct content_rule *rule = NULL;
	unsigned bucket;

	if (key.len == 0)
		return NULL;
	bucket = BUCKET(key.ptr[0]);
	if (key.len <= LENGTH_MAX && ix->lengths[bucket] >> key.len & 1)
		rule = find_key(key);
	if (!rule && ix->families >> bucket & 1)
		rule = find_family(key);
	return rule;
}
