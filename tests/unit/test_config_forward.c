#include "clock.h"
#include "config_forward.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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

static struct config c;
static struct collected errors;

/* Reads a file, and looks whether its destinations can be. */
static bool
parse(const char *text)
{
	errors = (struct collected){ .report.line = collect };
	config_default(&c);
	if (config_parse(&c, text, strlen(text), "f", &errors.report))
		config_forward_check(&c, "f", &errors.report);
	return errors.report.errors == 0;
}

static void
expect_error(const char *text, const char *expected)
{
	cr_expect_not(parse(text), "%s", text);
	cr_expect_not_null(strstr(errors.text, expected), "\"%s\" is not in \"%s\"", expected, errors.text);
}

Test(config_forward, defaults)
{
	cr_assert(parse("[forward alloy-1]\nurl = http://127.0.0.1:4320/\n"), "%s", errors.text);
	const struct destination *d = &c.forward.list[0];

	cr_assert_eq(c.forward.count, 1);
	cr_expect_str_eq(d->name, "alloy-1");
	cr_expect_str_eq(d->url, "http://127.0.0.1:4320");
	cr_expect(d->signals[OTLP_LOGS] && d->signals[OTLP_TRACES] && d->signals[OTLP_METRICS]);
	cr_expect(d->gzip);
	cr_expect_eq(d->timeout_ns, 10 * NS_PER_S);
	cr_expect_eq(d->retry_min_ns, 5 * NS_PER_S);
	cr_expect_eq(d->retry_max_ns, 30 * NS_PER_S);
	cr_expect_eq(d->queue_size, (size_t)100 << 20);
	cr_expect_str_eq(d->ca_file, "");
	cr_expect_eq(d->line, 2);
}

Test(config_forward, every_key)
{
	cr_assert(parse("[forward a]\nurl = https://me:pw@example.org/otlp\nsignals = traces,metrics\nheader = A: b\n"
			"header =  X-Key :\nheader = X-Key:c: d  e\ngzip = no\ntimeout = 3s\nretry_min = 1s\nretry_max = 2s\n"
			"queue_size = 1M\nca_file = /ca.pem\n[forward b]\nurl = http://x\n") == false);
	cr_assert(parse("[forward a]\nurl = https://me:pw@example.org/otlp\nsignals = traces,metrics\nheader = A: b\n"
			"header = X-Key:c: d  e\ngzip = no\ntimeout = 3s\nretry_min = 1s\nretry_max = 2s\n"
			"queue_size = 1M\nca_file = /ca.pem\n[forward b]\nurl = http://x\n"),
		  "%s", errors.text);
	const struct destination *d = &c.forward.list[0];

	cr_assert_eq(c.forward.count, 2);
	cr_expect(!d->signals[OTLP_LOGS] && d->signals[OTLP_TRACES] && d->signals[OTLP_METRICS]);
	cr_expect_str_eq(d->headers, "A: b\nX-Key: c: d  e\n");
	cr_expect_not(d->gzip);
	cr_expect_eq(d->timeout_ns, 3 * NS_PER_S);
	cr_expect_eq(d->queue_size, (size_t)1 << 20);
	cr_expect_str_eq(d->ca_file, "/ca.pem");
}

Test(config_forward, urls)
{
	static const char *const good[] = {
		"http://a",        "https://a.b:1/c/d", "HTTP://[::1]:80",          "http://u:p@h:65535",
		"http://1.2.3.4/", "http://a:1",        "https://h/api/public/otel"
	};
	static const char *const bad[] = {
		"",           "a",          "ftp://a",        "http://",         "http:///x",          "http://:80",
		"http://a:",  "http://a:0", "http://a:65536", "http://a:1x",     "http://[::1",        "http://[]:1",
		"http://a b", "http://a?q", "http://a#f",     "http://\xc3\xa9", "http://a/v1/traces", "http://a:999999"
	};
	char text[200];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "[forward a]\nurl = %s\n", good[i]);
		cr_expect(parse(text), "%s: %s", good[i], errors.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "[forward a]\nurl = %s\n", bad[i]);
		cr_expect_not(parse(text), "%s", bad[i]);
	}
}

Test(config_forward, mistakes)
{
	char long_name[100] = "[forward ", many[2000] = "";

	expect_error("[forward a]\ngzip = no\n", "f:2: the destination \"a\" has no url");
	expect_error("[forward]\nurl = http://x\n", "f:2: url: a destination's name has");
	expect_error("[forward A]\nurl = http://x\n", "a destination's name has");
	expect_error("[forward a]\nsignals =\n", "f:2: signals: no signal given");
	expect_error("[forward a]\nheader = Host: x\n", "f:2: header: Host is not yours to set");
	expect_error("[forward a]\nheader = content-TYPE: x\n", "is not yours to set");
	expect_error("[forward a]\nheader = A: ${nothing}\n", "secrets are written");
	expect_error("[forward a]\nheader = A: ${env:}\n", "secrets are written");
	expect_error("[forward a]\nheader = A: ${file:/x\n", "secrets are written");
	expect_error("[forward a]\nheader = A b: c\n", "write \"Name: value\"");
	expect_error("[forward a]\nurl = http://x\nretry_min = 1m\n", "a retry_min above its retry_max");
	expect_error("[forwards a]\nurl = http://x\n", "unknown section [forwards a]");
	memset(long_name + strlen(long_name), 'a', 33);
	strcat(long_name, "]\nurl = http://x\n");
	expect_error(long_name, "a destination's name has");
	for (int i = 0; i < 9; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "[forward d%d]\nurl = http://x%d\n", i, i);
	expect_error(many, "f:18: url: more than 8 destinations");
}

/* What is wrong with a header is told without what may be a secret. */
Test(config_forward, mistakes_do_not_tell_secrets)
{
	static const char *const headers[] = { "Authorization Bearer sesame", "A: \x01sesame", "A: ${sesame", ": sesame" };
	char text[200];

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		snprintf(text, sizeof(text), "[forward a]\nurl = http://x\nheader = %s\n", headers[i]);
		cr_expect_not(parse(text));
		cr_expect_null(strstr(errors.text, "sesame"), "%s", errors.text);
	}
}

Test(config_forward, headers_are_bounded)
{
	char text[4096] = "[forward a]\nurl = http://x\n";

	for (int i = 0; i < 20; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "header = N%02d: %0150d\n", i, 7);
	expect_error(text, "the headers are too long");
	cr_expect_lt(strlen(c.forward.list[0].headers), DESTINATION_HEADERS_MAX);
}

static void
set_listen(const char *list)
{
	char why[200];

	for (size_t i = 0; i < config_setting_count; i++)
		if (strcmp(config_settings[i].option, "listen") == 0)
			cr_assert(config_set(&c, &config_settings[i], LAYER_COMMAND_LINE, list, why, sizeof(why)), "%s", why);
}

Test(config_forward, what_leads_back_is_refused)
{
	static const struct {
		const char *listen, *url;
		bool back;
	} cases[] = {
		{ "127.0.0.1:4318", "http://127.0.0.1:4318", true },
		{ "127.0.0.1:4318", "http://127.0.0.1:4319", false },
		{ "127.0.0.1:4318", "http://localhost:4318/x", true },
		{ "127.0.0.1:4318", "http://127.0.0.2:4318", true },
		{ "127.0.0.1:4318", "http://[::1]:4318", true },
		{ "127.0.0.1:4318", "http://[::ffff:127.0.0.1]:4318", true },
		{ "127.0.0.1:4318", "http://0.0.0.0:4318", true },
		{ "[::]:4318", "http://localhost:4318", true },
		{ "0.0.0.0:80", "http://localhost", true },
		{ "0.0.0.0:443", "https://localhost", true },
		{ "0.0.0.0:443", "http://localhost", false },
		{ "192.0.2.1:4318", "http://192.0.2.1:4318", true },
		{ "192.0.2.1:4318", "http://192.0.2.2:4318", false },
		{ "192.0.2.1:4318", "http://127.0.0.1:4318", false },
		{ "127.0.0.1:4318", "http://tempo.example:4318", false },
		{ "127.0.0.1:0", "http://127.0.0.1:1", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[200];

		errors = (struct collected){ .report.line = collect };
		config_default(&c);
		set_listen(cases[i].listen);
		cr_assert(config_forward_set_url(&c, cases[i].url, why, sizeof(why)), "%s", why);
		config_forward_check(&c, "f", &errors.report);
		cr_expect_eq(errors.report.errors, cases[i].back, "%s to %s", cases[i].listen, cases[i].url);
	}
}

Test(config_forward, one_url_on_the_command_line)
{
	char why[200];

	config_default(&c);
	cr_assert(config_forward_set_url(&c, "http://x", why, sizeof(why)));
	cr_assert(config_forward_set_url(&c, "http://y/", why, sizeof(why)));
	cr_expect_eq(c.forward.count, 1);
	cr_expect_str_eq(c.forward.list[0].name, "default");
	cr_expect_str_eq(c.forward.list[0].url, "http://y");
	cr_expect(config_forward_set_url(&c, "", why, sizeof(why)));
	cr_expect_eq(c.forward.count, 0);
	cr_expect_not(config_forward_set_url(&c, "nonsense", why, sizeof(why)));
}

Test(config_forward, compares)
{
	struct config other;

	cr_assert(parse("[forward a]\nurl = http://x\n"));
	other = c;
	other.forward.list[0].line = 99;
	cr_expect(config_forward_same(&c, &other));
	strcpy(other.forward.list[0].headers, "A: b\n");
	cr_expect_not(config_forward_same(&c, &other));
}

Test(config_forward, shows_no_password)
{
	char text[200];

	config_forward_show_url("https://me:pw@host:1/path", text, sizeof(text));
	cr_expect_str_eq(text, "https://host:1/path");
	config_forward_show_url("http://host", text, sizeof(text));
	cr_expect_str_eq(text, "http://host");
	config_forward_show_url("http://a@b@host/x@y", text, sizeof(text));
	cr_expect_str_eq(text, "http://host/x@y");
}
