/* The CLIs by the names that people and panels use for them. */
#ifndef CLIENTS_COMMON_TOOL_H
#define CLIENTS_COMMON_TOOL_H

struct tool {
	const char *provider; /* as on the bus: "claude-code" */
	const char *name;     /* short: "claude" */
	const char *title;    /* as its makers write it: "Claude Code" */
	const char *icon;     /* icon name: "agentbus-claude-symbolic" */
};

/* The tool of a provider; that of "genai" for one that this version does not know. Never NULL. Static. */
const struct tool *tool_of(const char *provider);

#endif
