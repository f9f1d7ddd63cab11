#include "clock.h"
#include "config.h"
#include "config_value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Collects complaints, one per line. */
struct collected {
	struct config_report report;
	char text[4096];
};

static void
collect(struct config_report *report, const char *text)
{
	struct collected *c = (struct collected *)report;
	const size_t len = strlen(c->text);

	snprintf(c->text + len, sizeof(c->text) - len, "%s\n", text);
}

static bool
parse(const char *text, size_t len, struct config *c, struct collected *errors)
{
	*errors = (struct collected){ .report.line = collect };
	config_default(c);
	return config_parse(c, text, len, "f", &errors->report);
}

static const struct setting *
setting(const char *option)
{
	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(config_settings[i].option, option) == 0)
			return &config_settings[i];
	cr_assert_fail("no setting %s", option);
	return NULL;
}

Test(config, defaults_are_what_the_manual_says)
{
	struct config c;
	char text[256];

	config_default(&c);
	config_show(&c, setting("listen"), text, sizeof(text));
	cr_assert_str_eq(text, "127.0.0.1:4318, [::1]:4318, 127.0.0.1:4317, [::1]:4317");
	config_show(&c, setting("max-body"), text, sizeof(text));
	cr_assert_str_eq(text, "16M");
	config_show(&c, setting("quiet-after"), text, sizeof(text));
	cr_assert_str_eq(text, "15s");
	cr_assert_eq(c.listen_layer, LAYER_DEFAULT);
}

Test(config, every_setting_is_named_everywhere_by_one_rule)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];
		char env[64] = "AGENTBUS_";

		for (const char *p = s->option; *p; p++)
			snprintf(env + strlen(env), 2, "%c", *p == '-' ? '_' : *p >= 'a' ? *p - 'a' + 'A' : *p);
		cr_assert_str_eq(s->env, env);
		cr_assert(s->help && *s->help);
		cr_assert_eq(!s->section, !s->key);
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(s->option, config_settings[k].option);
	}
}

Test(config, what_is_shown_can_be_set)
{
	struct config c, d;
	char text[1024], why[200];

	config_default(&c);
	snprintf(c.runtime_dir, sizeof(c.runtime_dir), "/run/x");
	snprintf(c.state_dir, sizeof(c.state_dir), "/var/x");
	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];

		config_default(&d);
		config_show(&c, s, text, sizeof(text));
		cr_assert(config_set(&d, s, LAYER_COMMAND_LINE, text, why, sizeof(why)), "%s: %s", s->option, why);
		cr_assert(config_same(&c, &d, s), "%s", s->option);
	}
}

static char *
read_whole(const char *path)
{
	FILE *f = fopen(path, "r");

	cr_assert(f, "%s", path);
	char *text = calloc(1, 1 << 17);
	cr_assert(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

Test(config, manual_and_sample_name_every_setting)
{
	char *manual = read_whole("broker/agentbusd.1.scd"), *sample = read_whole("contrib/agentbus.conf");

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];
		char needle[80];

		snprintf(needle, sizeof(needle), "*--%s*", s->option);
		cr_assert(strstr(manual, needle), "the manual lacks %s", needle);
		if (!s->key)
			continue;
		snprintf(needle, sizeof(needle), "*%s*", s->key);
		cr_assert(strstr(manual, needle), "the manual lacks %s", needle);
		snprintf(needle, sizeof(needle), "\n#%s =", s->key);
		cr_assert(strstr(sample, needle), "the sample lacks %s", needle);
	}
	free(manual);
	free(sample);
}

/* With every commented setting switched on, the sample must be right, and say the defaults. */
Test(config, sample_holds_the_defaults)
{
	struct config c, defaults;
	struct collected errors;
	char *sample = read_whole("contrib/agentbus.conf");

	for (char *p = sample; (p = strstr(p, "\n#")); p++)
		if (p[2] >= 'a' && p[2] <= 'z')
			p[1] = ' ';
	cr_assert(parse(sample, strlen(sample), &c, &errors), "%s", errors.text);
	config_default(&defaults);
	cr_assert_eq(c.listen_layer, LAYER_FILE);
	for (size_t i = 0; i < config_setting_count; i++)
		if (config_settings[i].type != SETTING_PATH)
			cr_assert(config_same(&c, &defaults, &config_settings[i]), "%s", config_settings[i].option);
	free(sample);
}

Test(config, reads_a_file)
{
	static const char text[] =
	    "\xEF\xBB\xBF# comment\n[listen]\r\n\taddress = 127.0.0.1:1, [::1]:2\n  address=127.0.0.2:3\n"
	    "[sessions]\nquiet_after = 500ms ; why not\nidle_after: 0\n\n[notify-subscriber]\nanything = goes\n"
	    "[storage]\nmemory = Yes\njournal_size = 64K\n[log]\nlevel = debug";
	struct config c;
	struct collected errors;
	char shown[128];

	cr_assert(parse(text, sizeof(text) - 1, &c, &errors), "%s", errors.text);
	config_show(&c, setting("listen"), shown, sizeof(shown));
	cr_assert_str_eq(shown, "127.0.0.1:1, [::1]:2, 127.0.0.2:3");
	cr_assert_eq(c.sessions.quiet_ns, 500 * NS_PER_MS);
	cr_assert_eq(c.sessions.completed_idle_ns, 0);
	cr_assert(c.memory);
	cr_assert_eq(c.journal_size, 65536);
	cr_assert_eq(c.log_level, LEVEL_DEBUG);
}

Test(config, reports_every_error_with_its_line)
{
	static const char text[] =
	    "early = 1\n[sessions]\nquiet = 5\nquiet_after = soon\nquiet_after = 0\nnonsense\n[what]\nkey = 1\n"
	    "[listen\nmax_connections = -1\n[log]\nlevel = loud";
	static const char *const expected[] = {
		"f:1: \"early\" stands before the first [section]",
		"f:3: unknown key \"quiet\" in section [sessions]",
		"f:4: quiet_after: \"soon\" is no time; write 15, 15s, 500ms, 5m or 1h",
		"f:5: quiet_after: out of range: from 1ms to 8760h",
		"f:6: expected \"key = value\", \"[section]\" or a comment",
		"f:8: unknown section [what]",
		"f:9: the section has no closing bracket",
		"f:10: unknown section [what]",
		"f:12: level: \"loud\" is none of error, warning, info, debug",
	};
	const size_t count = sizeof(expected) / sizeof(expected[0]);
	struct config c;
	struct collected errors;
	char *next = errors.text;

	cr_assert_not(parse(text, sizeof(text) - 1, &c, &errors));
	cr_assert_eq(errors.report.errors, count);
	for (size_t i = 0; i < count; i++) {
		char *end = strchr(next, '\n');

		cr_assert(end);
		*end = '\0';
		cr_assert_str_eq(next, expected[i]);
		next = end + 1;
	}
	cr_assert_str_empty(next);
}

Test(config, survives_every_prefix_long_lines_and_nul)
{
	static const char text[] = "[listen]\naddress = [::1]:4318\n[sessions]\nquiet_after = 15s\n; end\n";
	char big[70000];
	struct config c;
	struct collected errors;

	for (size_t len = 0; len < sizeof(text); len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, text, len);
		parse(exact, len, &c, &errors);
		free(exact);
	}
	memset(big, 'x', sizeof(big));
	cr_assert_not(parse(big, sizeof(big), &c, &errors));
	cr_assert_str_eq(errors.text, "f:1: the line is too long\n");
	cr_assert_not(parse("[log]\nle\0vel = debug\n", 20, &c, &errors));
	cr_assert_str_eq(errors.text, "f:2: the line holds a NUL byte\n");
}

Test(config, a_higher_layer_replaces_the_list)
{
	struct config c;
	char why[200], text[128];

	config_default(&c);
	cr_assert(config_set(&c, setting("listen"), LAYER_FILE, "127.0.0.1:1", why, sizeof(why)));
	cr_assert(config_set(&c, setting("listen"), LAYER_COMMAND_LINE, "127.0.0.1:2", why, sizeof(why)));
	cr_assert(config_set(&c, setting("listen"), LAYER_COMMAND_LINE, "[::1]:3", why, sizeof(why)));
	config_show(&c, setting("listen"), text, sizeof(text));
	cr_assert_str_eq(text, "127.0.0.1:2, [::1]:3");
}

Test(config, refused_values_change_nothing)
{
	static const char *const bad[][2] = {
		{ "listen", "localhost:4318" },
		{ "listen", "" },
		{ "listen", "127.0.0.1:65536" },
		{ "listen", "127.0.0.1:1 ::1:2" },
		{ "max-body", "1" },
		{ "max-body", "16MB" },
		{ "max-body", "" },
		{ "max-sessions", "10K" },
		{ "max-sessions", "0" },
		{ "memory", "perhaps" },
		{ "runtime-dir", "" },
		{ "quiet-after", "-1" },
		{ "quiet-after", "1.5s" },
		{ "quiet-after", "9999999h" },
		{ "quiet-after", "99999999999999999999" },
	};
	struct config c, before;
	char why[200];

	config_default(&c);
	before = c;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		*why = '\0';
		cr_assert_not(config_set(&c, setting(bad[i][0]), LAYER_FILE, bad[i][1], why, sizeof(why)), "%s=%s", bad[i][0],
			      bad[i][1]);
		cr_assert_str_not_empty(why);
		cr_assert_eq(memcmp(&c, &before, sizeof(c)), 0);
	}
}

Test(value, durations)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = { { "15", 15 * NS_PER_S },  { "15s", 15 * NS_PER_S },  { "500ms", 500 * NS_PER_MS },
		     { "5m", 300 * NS_PER_S }, { "1h", 3600 * NS_PER_S }, { "0", 0 },
		     { "007s", 7 * NS_PER_S } };
	static const char *const bad[] = { "", "s", " 1", "1 s", "1S", "1d", "-1", "+1", "1e3", "99999999999h" };
	uint64_t ns;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert(value_duration(good[i].text, &ns), "%s", good[i].text);
		cr_assert_eq(ns, good[i].ns, "%s", good[i].text);
	}
	ns = 42;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(value_duration(bad[i], &ns), "%s", bad[i]);
	cr_assert_eq(ns, 42);
}

Test(value, formats_are_the_shortest)
{
	char text[VALUE_TEXT_MAX];

	value_format_duration(90 * NS_PER_S, text);
	cr_assert_str_eq(text, "90s");
	value_format_duration(7200 * NS_PER_S, text);
	cr_assert_str_eq(text, "2h");
	value_format_duration(1500 * NS_PER_MS, text);
	cr_assert_str_eq(text, "1500ms");
	value_format_duration(0, text);
	cr_assert_str_eq(text, "0");
	value_format_size(16 << 20, text);
	cr_assert_str_eq(text, "16M");
	value_format_size(1000, text);
	cr_assert_str_eq(text, "1000");
}

Test(config, sums_of_money)
{
	static const struct {
		const char *text, *shown;
		int64_t pico;
	} good[] = { { "5", "5", INT64_C(5000000000000) },
		     { "12.50", "12.5", INT64_C(12500000000000) },
		     { "0.000001", "0.000001", 1000000 },
		     { "999999.999999", "999999.999999", INT64_C(999999999999000000) },
		     { "0", "", 0 },
		     { "", "", 0 } };
	static const char *const bad[] = { "-5", "$5", "5 USD", "1e3", "1000000", "0.0000001", ".", "five" };
	const struct setting *setting = NULL;
	char why[200], shown[64];
	struct config c;

	config_default(&c);
	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(config_settings[i].option, "budget-month-limit") == 0)
			setting = &config_settings[i];
	cr_assert_not_null(setting);
	cr_assert(setting->live);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_expect(config_set(&c, setting, LAYER_FILE, good[i].text, why, sizeof(why)), "%s", good[i].text);
		cr_expect_eq(c.budget.amounts[BUDGET_MONTH][BUDGET_LIMIT], good[i].pico, "%s", good[i].text);
		config_show(&c, setting, shown, sizeof(shown));
		cr_expect_str_eq(shown, good[i].shown);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(config_set(&c, setting, LAYER_FILE, bad[i], why, sizeof(why)), "%s", bad[i]);
	cr_expect_eq(c.budget.amounts[BUDGET_DAY][BUDGET_WARN], 0);
}
