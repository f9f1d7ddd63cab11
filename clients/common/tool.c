#include "common/tool.h"

#include <stddef.h>
#include <string.h>

static const struct tool tools[] = {
	{ "claude-code", "claude", "Claude Code", "agentbus-claude-symbolic" },
	{ "codex", "codex", "Codex", "agentbus-codex-symbolic" },
	{ "gemini-cli", "gemini", "Gemini CLI", "agentbus-gemini-symbolic" },
	{ "qwen-code", "qwen", "Qwen Code", "agentbus-qwen-symbolic" },
	{ "genai", "genai", "GenAI", "agentbus-genai-symbolic" }, /* last: what is not known is this */
};

const struct tool *
tool_of(const char *provider)
{
	const size_t last = sizeof(tools) / sizeof(tools[0]) - 1;
	size_t i = 0;

	while (i < last && strcmp(tools[i].provider, provider) != 0)
		i++;
	return &tools[i];
}
