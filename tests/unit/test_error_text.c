#include "error_text.h"

#include "guard.h"

#include "error_json.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct {
	const char *message, *want;
} cases[] = {
	{ "", "" },
	{ "Connection error.", "Connection error." },
	{ "  two\n\nlines\t\x1b[31m \x01 of it  ", "two lines [31m of it" },
	{ "not \xff UTF-8", "not \xef\xbf\xbd UTF-8" },
	/* JSON gives way to what it says. */
	{ "{\"error\":{\"code\":401,\"message\":\"Request had invalid credentials.\",\"status\":\"UNAUTHENTICATED\"}}",
	  "Request had invalid credentials." },
	{ "[{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"Overloaded.\"\n  }\n}\n]", "Overloaded." },
	{ "{\"type\":\"response.failed\",\"response\":{\"output\":[{\"message\":\"the person's\"}],\"error\":"
	  "{\"code\":\"rate_limit_exceeded\",\"message\":\"Rate limit reached\"}}}",
	  "Rate limit reached" },
	{ "{\"error\":{\"details\":[{\"message\":\"deep\"}],\"message\":\"near\"}}", "near" },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Token expired\"}", "Token expired" },
	{ "{\"error\":\"invalid_grant\"}", "invalid_grant" },
	{ "{\"detail\":\"Not here\"}", "Not here" },
	{ "{\"errors\":[{\"message\":\"first\"},{\"message\":\"second\"}]}", "first" },
	{ "429 {\"error\":{\"message\":\"Slow down\"}} (request 7)", "429 Slow down (request 7)" },
	{ "{\"error\":{\"message\":\"{\\n \\\"error\\\": {\\\"message\\\": \\\"You are \\\\u00fcber quota\\\"}}\"}}",
	  "You are \xc3\xbc"
	  "ber quota" },
	{ "{\"message\":\"a\\u0041\\n\\\"b\\\" \\ud83d\\ude00 \\ud83d \\u12 \\/\"}",
	  "aA \"b\" \xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbf\xbd"
	  "12 /" },
	/* Other JSON, and what is none, stays. */
	{ "{\"code\":500}", "{\"code\":500}" },
	{ "{\"input\":{\"message\":\"x\"}}", "{\"input\":{\"message\":\"x\"}}" },
	{ "{\"message\":\"\"}", "{\"message\":\"\"}" },
	{ "{\"input\":{\"message\":\"x\"}", "{\"input\":{\"message\":\"x\"}" },
	{ "[429 Too Many] {\"message\":\"x\"}", "[429 Too Many] x" },
	{ "{\"message\":\"x\"", "{\"message\":\"x\"" },
	{ "{\"message\":x y}", "{\"message\":x y}" },
	{ "a {set} of [things]", "a {set} of [things]" },
	{ "{} then {\"message\":\"found\"}", "{} then found" },
	/* Secrets. */
	{ "Incorrect API key provided: sk-ab***yz. You can find it at x.",
	  "Incorrect API key provided: ***. You can find it at x." },
	{ "Incorrect API key provided: 12ab****************34cd.", "Incorrect API key provided: ***." },
	{ "key AIzaSyA0123456789abcdefg is bad", "key *** is bad" },
	{ "sk-proj-0123456789_abc and sk-ant-api03-xyzw0123", "*** and ***" },
	{ "sk-a\xe2\x80\xa6z", "***" },
	{ "Authorization: Bearer abcdefgh, Bearer canary and bearer 'xyz'",
	  "Authorization: Bearer ***, Bearer *** and bearer '***'" },
	{ "authorization=Basic dXNlcjpwYXNzd29yZA==", "authorization=Basic ***" },
	{ "x-api-key: hidden", "x-api-key: ***" },
	{ "\"X-Api-Key\": \"hidden\", \"x-goog-api-key\":\"hidden\"", "\"X-Api-Key\": \"***\", \"x-goog-api-key\":\"***\"" },
	{ "GET https://api/v1?key=a1b2c3d4e5&alt=sse", "GET https://api/v1?key=***&alt=sse" },
	{ "https://me:hunter2@proxy:3128/x", "https://***@proxy:3128/x" },
	{ "password=hunter2 client_secret: x", "password=*** client_secret: ***" },
	{ "{\"error\":{\"message\":\"Bad key: sk-0123456789abcd\"}}", "Bad key: ***" },
	/* What only sounds like one. */
	{ "invalid x-api-key", "invalid x-api-key" },
	{ "x-api-key header is required", "x-api-key header is required" },
	{ "API key not valid. Please pass a valid API key.", "API key not valid. Please pass a valid API key." },
	{ "Bearer token is missing", "Bearer token is missing" },
	{ "basic authentication", "basic authentication" },
	{ "Unexpected token: }", "Unexpected token: }" },
	{ "the sk-learn risk-0123456789 task", "the sk-learn risk-0123456789 task" },
	{ "see https://example.com/a@b, request req_011Cc1243fad", "see https://example.com/a@b, request req_011Cc1243fad" },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

Test(error_text, what_is_shown)
{
	for (size_t i = 0; i < CASES; i++) {
		char got[ERROR_TEXT_SIZE];
		size_t n = error_text(str_from(cases[i].message), got, sizeof(got));

		cr_expect_str_eq(got, cases[i].want, "case %zu: \"%s\", not \"%s\"", i, got, cases[i].want);
		cr_expect_eq(n, strlen(got));
	}
}

Test(error_text, every_prefix_is_one_short_line)
{
	struct guard g = guard_create(512);

	for (size_t i = 0; i < CASES; i++)
		for (size_t n = 0; n <= strlen(cases[i].message); n++)
			for (size_t size = 1; size < 64; size += 9) {
				struct str text = { guard_put(&g, cases[i].message, n), n };
				char got[64];

				memset(got, '\n', sizeof(got));
				cr_assert_lt(error_text(text, got, size), size);
				cr_assert_eq(strcspn(got, "\n\t\r\x1b"), strlen(got), "\"%.*s\": \"%s\"", (int)n,
					     cases[i].message, got);
			}
	guard_destroy(&g);
}

/* Wherever a CLI cuts a message, and wherever we do: no more of a key than anybody could guess. */
Test(error_text, no_cut_shows_a_key)
{
	static const char *const samples[] = {
		"Incorrect API key provided: sk-0123SECRET0123. Sorry",
		"{\"error\":{\"message\":\"bad sk-proj-0SECRET0123\"}}",
		"Authorization: Bearer SECRETSECRET0 x",
		"{\"headers\":{\"x-api-key\":\"SECRETSECRET0\"}}",
		"https://SECRET:SECRET0@proxy:1/",
		"AIza0SECRET0123456789abc",
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t n = 0; n <= strlen(samples[i]); n++) {
			char got[ERROR_TEXT_SIZE];

			error_text((struct str){ samples[i], n }, got, sizeof(got));
			if (!strchr(samples[i], '@') || n > strcspn(samples[i], "@"))
				cr_expect_null(strstr(got, "SECRET"), "%.*s: %s", (int)n, samples[i], got);
		}
}

Test(error_text, long_texts)
{
	static char text[64 << 10];
	char got[ERROR_TEXT_SIZE];

	memset(text, 'x', sizeof(text));
	cr_expect_eq(error_text((struct str){ text, sizeof(text) }, got, sizeof(got)), sizeof(got) - 1);
	memset(text, '{', sizeof(text));
	cr_expect_eq(error_text((struct str){ text, sizeof(text) }, got, sizeof(got)), sizeof(got) - 1);
	memset(text, '[', sizeof(text));
	cr_expect_eq(error_text((struct str){ text, sizeof(text) }, got, sizeof(got)), sizeof(got) - 1);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '-' : 'a';
	cr_expect_eq(error_text((struct str){ text, sizeof(text) }, got, sizeof(got)), sizeof(got) - 1);
	snprintf(text, sizeof(text), "{\"error\":{\"message\":\"Quota.\",\"details\":\"%04000d\"}}", 0);
	error_text(str_from(text), got, sizeof(got));
	cr_expect_str_eq(got, "Quota.");
}

Test(error_text, depth_is_bounded)
{
	char text[256] = "", got[ERROR_TEXT_SIZE];

	for (int depth = 1; depth < 64; depth++) {
		size_t n = (size_t)depth;

		memset(text, '[', n);
		snprintf(text + n, sizeof(text) - n, "{\"message\":\"x\"}");
		memset(text + n + 15, ']', n);
		text[n + 15 + n] = '\0';
		error_text(str_from(text), got, sizeof(got));
		cr_expect_not(strlen(got) == 0);
		cr_expect_eq(strcmp(got, "x") == 0, depth < 32, "%d: %s", depth, got);
	}
}

Test(error_json, every_prefix)
{
	static const char sample[] = "{\"a\":[1,-2.5e+3,true,null,{},[]],\"error\":{\"message\":\"say \\\"x\\\"\"}} rest";
	const size_t whole = strlen(sample) - strlen(" rest");
	struct guard g = guard_create(128);
	struct str message = { 0 };
	char text[16];

	for (size_t n = 0; n < sizeof(sample); n++) {
		size_t end = error_json_scan((struct str){ guard_put(&g, sample, n), n }, &message);

		cr_expect_eq(end, n < whole ? n : whole);
		cr_expect_eq(message.len > 0, n >= whole, "%zu", n);
	}
	cr_expect_eq(error_json_unescape(message, text, sizeof(text)), 7);
	cr_expect_eq(memcmp(text, "say \"x\"", 7), 0);
	guard_destroy(&g);
}
