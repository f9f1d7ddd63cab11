#include "common/tool.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(tool, every_provider_has_its_names)
{
	static const char *const names[][2] = {
		{ "claude-code", "claude" }, { "codex", "codex" }, { "gemini-cli", "gemini" },
		{ "qwen-code", "qwen" },     { "genai", "genai" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct tool *tool = tool_of(names[i][0]);
		char icon[64];

		cr_expect_str_eq(tool->provider, names[i][0]);
		cr_expect_str_eq(tool->name, names[i][1]);
		cr_expect_gt(strlen(tool->title), 0);
		snprintf(icon, sizeof(icon), "agentbus-%s-symbolic", tool->name);
		cr_expect_str_eq(tool->icon, icon);
	}
}

Test(tool, unknown_is_genai)
{
	cr_assert_str_eq(tool_of("later")->name, "genai");
	cr_assert_str_eq(tool_of("")->name, "genai");
	cr_assert_str_eq(tool_of("claude")->name, "genai", "no prefix counts");
}
