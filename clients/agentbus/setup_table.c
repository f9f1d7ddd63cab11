#include "setup_table.h"

#include <string.h>

#define ELSEWHERE                                                                                                                \
	"Telemetry goes there instead. The broker can pass it on to that address ([forward NAME] in agentbusd(1)); then "        \
	"--force makes it go to the broker."
#define OFF   "It was switched off here. --force switches it on."
#define OTHER "The broker does not get it this way. --force changes that."

#define ENV(key, what, like, advice)                                                                                             \
	{                                                                                                                        \
		{ { "env", key }, 2 }, "\"" what "\"", SETUP_TELEMETRY, like, false, advice                                      \
	}
#define ENV_IF(key, what, like, advice)                                                                                          \
	{                                                                                                                        \
		{ { "env", key }, 2 }, "\"" what "\"", SETUP_TELEMETRY, like, true, advice                                       \
	}

static const struct setup_row claude_rows[] = {
	ENV("CLAUDE_CODE_ENABLE_TELEMETRY", "1", SETUP_TRUE, OFF),
	ENV("OTEL_LOGS_EXPORTER", "otlp", SETUP_WORD, OTHER),
	ENV("OTEL_METRICS_EXPORTER", "otlp", SETUP_WORD, OTHER),
	ENV("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", SETUP_PROTOCOL, OTHER),
	ENV("OTEL_EXPORTER_OTLP_ENDPOINT", "{http}", SETUP_ENDPOINT, ELSEWHERE),
	ENV("CLAUDE_CODE_ENHANCED_TELEMETRY_BETA", "1", SETUP_TRUE, OFF),
	ENV("OTEL_TRACES_EXPORTER", "otlp", SETUP_WORD, OTHER),
	ENV("OTEL_LOGS_EXPORT_INTERVAL", "500", SETUP_ANY, ""),
	ENV("OTEL_TRACES_EXPORT_INTERVAL", "500", SETUP_ANY, ""),
	ENV_IF("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "{http}/v1/logs", SETUP_ENDPOINT, ELSEWHERE),
	ENV_IF("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{http}/v1/traces", SETUP_ENDPOINT, ELSEWHERE),
	ENV_IF("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "{http}/v1/metrics", SETUP_ENDPOINT, ELSEWHERE),
	{ { { "disableAllHooks" }, 1 }, "false", SETUP_HOOKS, SETUP_SAME, true, OFF },
	{ .path.depth = 0 },
};

static const struct setup_hook claude_hooks[] = {
	{ "SessionStart", NULL },
	{ "UserPromptSubmit", NULL },
	{ "PreToolUse", "*" },
	{ "PermissionRequest", "*" },
	{ "PermissionDenied", "*" },
	{ "PostToolUse", "*" },
	{ "PostToolUseFailure", "*" },
	{ "PostToolBatch", NULL },
	{ "Notification", NULL },
	{ "Elicitation", NULL },
	{ "ElicitationResult", NULL },
	{ "SubagentStart", NULL },
	{ "SubagentStop", NULL },
	{ "PreCompact", NULL },
	{ "PostCompact", NULL },
	{ "Stop", NULL },
	{ "StopFailure", NULL },
	{ "SessionEnd", NULL },
	{ NULL, NULL },
};

#define EXPORTER(key, signal)                                                                                                    \
	{                                                                                                                        \
		{ { "otel", key }, 2 }, "{ otlp-http = { endpoint = \"{http}/v1/" signal "\", protocol = \"binary\" } }",        \
		    SETUP_TELEMETRY, SETUP_EXPORTER, false, ELSEWHERE                                                            \
	}

static const struct setup_row codex_rows[] = {
	EXPORTER("exporter", "logs"),
	EXPORTER("trace_exporter", "traces"),
	EXPORTER("metrics_exporter", "metrics"),
	{ { { "notify" }, 1 },
	  "{notify}",
	  SETUP_NOTIFY,
	  SETUP_EMIT,
	  false,
	  "Codex runs one program at the end of a turn. A script of your own can run both; --force replaces yours. With hooks "
	  "none is needed." },
	{ .path.depth = 0 },
};

/* Seconds. Codex warns of more, for hooks of a session's end and of an interrupt. */
#define CODEX_TIMEOUT ", \"timeout\": 3"

static const struct setup_row no_rows[] = { { .path.depth = 0 } };

static const struct setup_hook codex_hooks[] = {
	{ "SessionStart", NULL }, { "UserPromptSubmit", NULL }, { "PreToolUse", NULL },   { "PermissionRequest", NULL },
	{ "PostToolUse", NULL },  { "SubagentStart", NULL },    { "SubagentStop", NULL }, { "PreCompact", NULL },
	{ "PostCompact", NULL },  { "Interrupt", NULL },        { "Stop", NULL },         { "SessionEnd", NULL },
	{ NULL, NULL },
};

/* These show what runs, by its name if it has one: all of a command is as wide as the window. */
#define NAMED ", \"name\": \"agentbus\""

#define TELEMETRY(key, what, like, advice)                                                                                       \
	{                                                                                                                        \
		{ { "telemetry", key }, 2 }, what, SETUP_TELEMETRY, like, false, advice                                          \
	}
#define TELEMETRY_IF(key, what, like, advice)                                                                                    \
	{                                                                                                                        \
		{ { "telemetry", key }, 2 }, what, SETUP_TELEMETRY, like, true, advice                                           \
	}

static const struct setup_row gemini_rows[] = {
	TELEMETRY("enabled", "true", SETUP_SAME, OFF),
	TELEMETRY("target", "\"local\"", SETUP_SAME, ELSEWHERE),
	TELEMETRY("otlpProtocol", "\"grpc\"", SETUP_PROTOCOL, OTHER),
	TELEMETRY("otlpEndpoint", "\"{grpc}\"", SETUP_ENDPOINT, ELSEWHERE),
	TELEMETRY("logPrompts", "false", SETUP_ANY, ""),
	TELEMETRY_IF("outfile", "\"\"", SETUP_SAME, "Telemetry goes to that file instead. --force makes it go to the broker."),
	{ { { "hooksConfig", "enabled" }, 2 }, "true", SETUP_HOOKS, SETUP_SAME, true, OFF },
	{ .path.depth = 0 },
};

static const struct setup_hook gemini_hooks[] = {
	{ "SessionStart", NULL }, { "BeforeAgent", NULL }, { "BeforeTool", ".*" }, { "Notification", NULL },
	{ "AfterTool", ".*" },    { "AfterAgent", NULL },  { "SessionEnd", NULL }, { NULL, NULL },
};

static const struct setup_row qwen_rows[] = {
	TELEMETRY("enabled", "true", SETUP_SAME, OFF),
	TELEMETRY("target", "\"local\"", SETUP_SAME, ELSEWHERE),
	TELEMETRY("otlpProtocol", "\"grpc\"", SETUP_PROTOCOL, OTHER),
	TELEMETRY("otlpEndpoint", "\"{grpc}\"", SETUP_ENDPOINT, ELSEWHERE),
	TELEMETRY("logPrompts", "false", SETUP_ANY, ""),
	TELEMETRY_IF("outfile", "\"\"", SETUP_SAME, "Telemetry goes to that file instead. --force makes it go to the broker."),
	TELEMETRY_IF("otlpLogsEndpoint", "\"{grpc}\"", SETUP_ENDPOINT, ELSEWHERE),
	TELEMETRY_IF("otlpTracesEndpoint", "\"{grpc}\"", SETUP_ENDPOINT, ELSEWHERE),
	TELEMETRY_IF("otlpMetricsEndpoint", "\"{grpc}\"", SETUP_ENDPOINT, ELSEWHERE),
	{ { { "disableAllHooks" }, 1 }, "false", SETUP_HOOKS, SETUP_SAME, true, OFF },
	{ { { "hooksConfig", "enabled" }, 2 }, "true", SETUP_HOOKS, SETUP_SAME, true, OFF },
	{ .path.depth = 0 },
};

static const struct setup_hook qwen_hooks[] = {
	{ "SessionStart", NULL },
	{ "UserPromptSubmit", NULL },
	{ "PreToolUse", "*" },
	{ "PermissionRequest", "*" },
	{ "PermissionDenied", "*" },
	{ "PostToolUse", "*" },
	{ "PostToolUseFailure", "*" },
	{ "PostToolBatch", NULL },
	{ "Notification", NULL },
	{ "SubagentStart", NULL },
	{ "SubagentStop", NULL },
	{ "PreCompact", NULL },
	{ "PostCompact", NULL },
	{ "Stop", NULL },
	{ "StopFailure", NULL },
	{ "SessionEnd", NULL },
	{ NULL, NULL },
};

/* --- what counts more than the files --- */

static const char *const claude_overrides[] = { "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
						"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
						NULL };
static const char *const codex_overrides[] = { NULL };
static const char *const gemini_overrides[] = { "GEMINI_TELEMETRY_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", NULL };
static const char *const qwen_overrides[] = { "QWEN_TELEMETRY_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", NULL };

const struct setup_cli setup_clis[SETUP_CLIS] = {
	{
	    .name = "claude",
	    .title = "Claude Code",
	    .provider = "claude-code",
	    .dir_env = "CLAUDE_CONFIG_DIR",
	    .dir = ".claude",
	    .next = "sessions of Claude Code that run already must be started again",
	    .overrides = claude_overrides,
	    .files = { { "settings.json", SETUP_JSON, claude_rows, claude_hooks, "", true } },
	},
	{
	    .name = "codex",
	    .title = "Codex CLI",
	    .provider = "codex",
	    .dir_env = "CODEX_HOME",
	    .dir = ".codex",
	    .next = "start Codex again, its app-server in the background too; it asks once whether to trust the hooks: say yes",
	    .overrides = codex_overrides,
	    .files = { { "config.toml", SETUP_TOML, codex_rows, NULL, "", false },
		       { "hooks.json", SETUP_JSON, no_rows, codex_hooks, CODEX_TIMEOUT, false } },
	},
	{
	    .name = "gemini",
	    .title = "Gemini CLI",
	    .provider = "gemini-cli",
	    .dir = ".gemini",
	    .next = "start Gemini CLI again",
	    .overrides = gemini_overrides,
	    .files = { { "settings.json", SETUP_JSON_RELAXED, gemini_rows, gemini_hooks, NAMED, true } },
	},
	{
	    .name = "qwen",
	    .title = "Qwen Code",
	    .provider = "qwen-code",
	    .dir = ".qwen",
	    .next = "start Qwen Code again",
	    .overrides = qwen_overrides,
	    .files = { { "settings.json", SETUP_JSON_RELAXED, qwen_rows, qwen_hooks, NAMED, true } },
	},
};

const struct setup_cli *
setup_cli_named(const char *name)
{
	for (size_t i = 0; i < SETUP_CLIS; i++)
		if (strcmp(setup_clis[i].name, name) == 0)
			return &setup_clis[i];
	return NULL;
}
