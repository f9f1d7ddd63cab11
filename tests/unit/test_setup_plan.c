/* What a configuration lacks, what is in conflict, and what is shown of it. */
#include "agentbus/setup_plan.h"

#include "agentbus/setup_mask.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct setup_wish wish = { "http://127.0.0.1:4318", "http://127.0.0.1:4317", "agentbus", true, true, false };

Test(setup_plan, rows_of_all_files)
{
	for (size_t i = 0; i < SETUP_CLIS; i++) {
		cr_expect_eq(setup_cli_named(setup_clis[i].name), &setup_clis[i]);
		for (size_t k = 0; k < SETUP_FILES_MAX && setup_clis[i].files[k].name; k++) {
			struct setup_plan p;

			setup_plan(&p, &setup_clis[i], &setup_clis[i].files[k], &wish, "", 0);
			cr_assert_null(p.fault.what);
			cr_expect_eq(p.conflict_count, 0);
			cr_expect_eq(p.telemetry_there + p.hooks_there, 0);
			cr_expect_gt(p.change_count, 3);
			cr_expect_geq(p.change_count, p.telemetry_wanted + p.hooks_wanted);
			setup_plan_finish(&p);
		}
	}
	cr_expect_null(setup_cli_named("vim"));
}

Test(setup_plan, what_runs_emit)
{
	static const char *const yes[] = { "agentbus emit",        "/usr/bin/agentbus emit --provider codex",
					   "'/a b/agentbus' emit", "\"/a/agentbus\"  emit",
					   "x; agentbus emit",     "[\"/a/agentbus\", \"emit\", \"--provider\"]" };
	static const char *const no[] = {
		"agentbus", "agentbus emitter", "agentbusemit", "emit agentbus", "agentbus status", ""
	};

	for (size_t i = 0; i < COUNT(yes); i++)
		cr_expect(setup_is_emit(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		cr_expect_not(setup_is_emit(no[i]), "%s", no[i]);
}

Test(setup_plan, what_reaches_the_broker)
{
	static const char *const yes[] = { "http://127.0.0.1:4318", "http://127.0.0.1:4318/", "http://localhost:4317",
					   "http://localhost:4318/v1/logs" };
	static const char *const no[] = { "https://127.0.0.1:4318", "http://127.0.0.1:43180",
					  "http://127.0.0.1:431",   "http://127.0.0.1:4318@x",
					  "http://127.0.0.1",       "http://127.0.0.2:4318",
					  "localhost:4318",         "http://127.0.0.1:4318.example.com",
					  "http://localhost:4319",  "" };

	for (size_t i = 0; i < COUNT(yes); i++)
		cr_expect(setup_reaches(&wish, yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		cr_expect_not(setup_reaches(&wish, no[i]), "%s", no[i]);
}

Test(setup_plan, values_that_do_as_well)
{
	cr_expect(setup_accepts(&wish, SETUP_WORD, "console,otlp", "otlp"));
	cr_expect_not(setup_accepts(&wish, SETUP_WORD, "otlpx", "otlp"));
	cr_expect(setup_accepts(&wish, SETUP_TRUE, "true", "1"));
	cr_expect_not(setup_accepts(&wish, SETUP_TRUE, "0", "1"));
	cr_expect(setup_accepts(&wish, SETUP_PROTOCOL, "grpc", "http/protobuf"));
	cr_expect_not(setup_accepts(&wish, SETUP_PROTOCOL, "zipkin", "http/protobuf"));
	cr_expect(setup_accepts(&wish, SETUP_ANY, "60000", "500"));
	cr_expect_not(setup_accepts(&wish, SETUP_SAME, "false", "true"));
}

Test(setup_plan, commands_for_a_shell)
{
	struct setup_wish w = wish;
	char out[SETUP_VALUE_SIZE];

	w.program = "/a b/it's";
	cr_assert(setup_command(&w, "codex", out));
	cr_expect_str_eq(out, "'/a b/it'\\''s' emit --provider codex");
	cr_assert(setup_value(&w, "codex", "{notify}", out));
	cr_expect_str_eq(out, "[\"/a b/it's\", \"emit\", \"--provider\", \"codex\"]");
	cr_assert(setup_value(&w, "codex", "{ x = \"{http}/v1\" }", out));
	cr_expect_str_eq(out, "{ x = \"http://127.0.0.1:4318/v1\" }");
}

/* --- what may be shown --- */

static void
expect_shown(const char *text, const char *want)
{
	unsigned char *mask = setup_mask(text, strlen(text));
	char out[512];

	cr_assert_not_null(mask);
	setup_mask_show(text, mask, strlen(text), out, sizeof(out));
	cr_expect_str_eq(out, want);
	free(mask);
}

Test(setup_plan, secrets_are_not_shown)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "\"model\": \"x\"", "\"model\": \"x\"" },
		{ "a\x1b[2J\xc2\x9b"
		  "2J\x9b\u202eb\u00e9",
		  "a?[2J?2J??b\u00e9" },
		{ "\"API_KEY\": \"abc\", \"b\": \"c\"", "\"API_KEY\": \"***\", \"b\": \"c\"" },
		{ "{\"Tokens\": [\"a\", {\"b\": \"c\"}], \"d\": \"e\"}",
		  "{\"Tokens\": [\"***\", {\"b\": \"***\"}], \"d\": \"e\"}" },
		{ "password = 'a b' # c", "password = '***' # c" },
		{ "x_secret = \"\"\"a\"b\"\"\"", "x_secret = \"\"\"***\"\"\"" },
		{ "a = \"sk-ant-0123456789abcdef\"", "a = \"***\"" },
		{ "// ghp_0123456789abcdef0123", "// ***" },
		{ "\"cmd\": \"FOO_TOKEN=abc run\"", "\"cmd\": \"***\"" },
		{ "args = [\"--api-key\", \"abc\", \"d\"]", "args = [\"--api-key\", \"***\", \"d\"]" },
		{ "url = \"http://me:pw@host/x@y\"", "url = \"http://***@host/x@y\"" },
		{ "exporter = { headers = { \"k\" = \"v\" }, endpoint = \"e\" }",
		  "exporter = { headers = { \"k\" = \"***\" }, endpoint = \"e\" }" },
		{ "\"token\": \"a\\\"b\"", "\"token\": \"***\"" },
		{ "\"token\": \"a", "\"token\": \"***" },
		{ "\x1b[31m", "?[31m" },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		expect_shown(cases[i].text, cases[i].shown);
	expect_shown("x = 1\n[a.http_headers]\nk = \"v\"\n[b]\nk = \"v\"", "x = 1?[a.http_headers]?k = \"***\"?[b]?k = \"v\"");
}

Test(setup_plan, every_prefix_can_be_masked)
{
	static const char sample[] =
	    "{\"env\": {\"X_TOKEN\": \"canary\\\"canary\", 'y': '''z'''}, // sk-\n[a.headers]\nk = \"http://u:p@h\"";

	for (size_t len = 0; len < sizeof(sample); len++) {
		char *copy = malloc(len + 1), out[512];
		unsigned char *mask;

		memcpy(copy, sample, len);
		mask = setup_mask(copy, len);
		cr_assert_not_null(mask);
		setup_mask_show(copy, mask, len, out, sizeof(out));
		cr_expect_null(strstr(out, "canary"), "%zu: %s", len, out);
		free(mask);
		free(copy);
	}
}
