/*
 * Who may send. Each text lies at the end of readable memory: none has a terminator.
 */
#include "access.h"
#include "guard.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TOKEN        "0123456789abcdef"

static struct guard guards[3];

static void
setup(void)
{
	for (size_t i = 0; i < COUNT(guards); i++)
		guards[i] = guard_create(8192);
}

static void
teardown(void)
{
	for (size_t i = 0; i < COUNT(guards); i++)
		guard_destroy(&guards[i]);
}

TestSuite(access, .init = setup, .fini = teardown);

static struct str
guarded(size_t i, struct str s)
{
	return (struct str){ s.ptr ? guard_put(&guards[i], s.ptr, s.len) : NULL, s.len };
}

static enum verdict
judge(const struct access_policy *p, struct access_claim c)
{
	c.host = guarded(0, c.host);
	c.origin = guarded(1, c.origin);
	c.authorization = guarded(2, c.authorization);
	return access_judge(p, &c);
}

static bool
host_ok(const char *hosts, const char *local, struct str host)
{
	const struct access_policy p = { .hosts = hosts };
	struct address a;

	if (local)
		cr_assert(address_parse(local, &a));
	const enum verdict v = judge(&p, (struct access_claim){ .host = host, .local = local ? &a : NULL });
	cr_assert(v == VERDICT_OK || v == VERDICT_FOREIGN_HOST);
	return v == VERDICT_OK;
}

static const char *const our_hosts[] = {
	"localhost",
	"localhost:4318",
	"LocalHost:80",
	"localhost.",
	"localhost.:4318",
	"a.localhost",
	"a.b.LOCALHOST:1",
	"a_b-1.localhost.",
	"127.0.0.1",
	"127.0.0.1:4318",
	"127.0.0.1:0",
	"127.0.0.1:65535",
	"127.255.255.255:1",
	"127.9.9.9",
	"127.0.0.1.",
	"[::1]",
	"[::1]:4318",
	"[0:0:0:0:0:0:0:1]",
	"[0::1]:1",
	"[::ffff:127.0.0.1]",
	"[::FFFF:127.1.2.3]:4318",
	"[::ffff:7f00:1]:1",
	"localhost:00080",
};

Test(access, hosts_that_are_always_ours)
{
	for (size_t i = 0; i < COUNT(our_hosts); i++) {
		cr_assert(host_ok(NULL, NULL, str_from(our_hosts[i])), "%s", our_hosts[i]);
		cr_assert(host_ok("", "192.0.2.7:4318", str_from(our_hosts[i])), "%s", our_hosts[i]);
	}
	cr_assert(host_ok(NULL, NULL, (struct str){ 0 }));
}

static const char *const foreign_hosts[] = {
	"",
	".",
	"..",
	":",
	":4318",
	"example.org",
	"example.org:4318",
	"localhost.example.org",
	"evillocalhost",
	"localhos",
	"localhostx",
	".localhost",
	"..localhost",
	"a..localhost",
	"localhost..",
	"localhost:",
	"localhost:x",
	"localhost:-1",
	"localhost:+1",
	"localhost:65536",
	"localhost:000080",
	"localhost:4318:1",
	"localhost:43 18",
	"localhost: 80",
	"user@localhost",
	"user:secret@localhost:80",
	"example.org@localhost",
	"localhost@example.org",
	"localhost/",
	"localhost/path",
	"localhost?",
	"localhost#",
	"localhost\\",
	" localhost",
	"localhost ",
	"local host",
	"localhost\t",
	"localhost\n",
	"\x01localhost",
	"localhost\x7f",
	"localhost%2e",
	"%6cocalhost",
	"localh\xc3\xb6st",
	"localhost,localhost",
	"http://localhost",
	"*",
	"*.localhost",
	"*:4318",
	"127.1",
	"127.0.1",
	"127.0.0.1.1",
	"127.0.0.01",
	"127.0.0.256",
	"0127.0.0.1",
	"0x7f.0.0.1",
	"0x7f000001",
	"2130706433",
	"017700000001",
	"128.0.0.1",
	"126.255.255.255",
	"0.0.0.0",
	"0.0.0.0:4318",
	"0",
	"192.168.0.1",
	"127.0.0.1..",
	"127.0.0.1.example.org",
	"::1",
	"::1:4318",
	"[::1",
	"::1]",
	"[]",
	"[]:1",
	"[",
	"]",
	"[::1]4318",
	"[::1]:",
	"[::1]:x",
	"[::1]:65536",
	"[::1].",
	"[::1]]",
	"[[::1]]",
	"[::2]",
	"[::]",
	"[::127.0.0.1]",
	"[::ffff:128.0.0.1]",
	"[127.0.0.1]",
	"[localhost]",
	"[fe80::1]",
	"[::1%25lo]",
	"[::1%lo]",
	"[v1.x]",
	"[::1 ]",
	"[ ::1]",
	"[1:2:3:4:5:6:7:8:9]",
	"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]",
};

Test(access, hosts_that_are_foreign)
{
	for (size_t i = 0; i < COUNT(foreign_hosts); i++) {
		cr_assert_not(host_ok(NULL, NULL, str_from(foreign_hosts[i])), "%s", foreign_hosts[i]);
		cr_assert_not(host_ok("box.example", "192.0.2.7:4318", str_from(foreign_hosts[i])), "%s", foreign_hosts[i]);
	}
	cr_assert_not(host_ok(NULL, NULL, STR("localhost\0")));
	cr_assert_not(host_ok(NULL, NULL, STR("\0localhost")));
	cr_assert_not(host_ok(NULL, NULL, STR("127.0.0.1\0x")));
	cr_assert_not(host_ok(NULL, NULL, STR("[::1\0]")));
}

Test(access, no_byte_can_be_added_to_a_host)
{
	for (unsigned c = 0; c < 256; c++) {
		const char head[] = { (char)c, 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't' };
		const char tail[] = { 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', (char)c };
		const char port[] = { 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', ':', '1', (char)c };
		const char inside[] = { '[', ':', ':', (char)c, '1', ']' };

		cr_assert_not(host_ok(NULL, NULL, (struct str){ head, sizeof(head) }), "%u", c);
		cr_assert_eq(host_ok(NULL, NULL, (struct str){ tail, sizeof(tail) }), c == '.', "%u", c);
		cr_assert_eq(host_ok(NULL, NULL, (struct str){ port, sizeof(port) }), c >= '0' && c <= '9', "%u", c);
		cr_assert_eq(host_ok(NULL, NULL, (struct str){ inside, sizeof(inside) }), c == '0', "%u", c);
	}
}

Test(access, every_prefix_of_a_host_is_judged_alone)
{
	static const struct {
		const char *host;
		size_t ours[8]; /* the lengths that are ours; ends in 0 */
	} cases[] = {
		{ "localhost.:4318", { 9, 10, 12, 13, 14, 15 } },
		{ "127.0.0.1:65536", { 9, 11, 12, 13, 14 } },
		{ "[::ffff:127.0.0.1]:80", { 18, 20, 21 } },
		{ "user@localhost:1", { 0 } },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t n = 0; n <= strlen(cases[i].host); n++) {
			bool expected = false;

			for (size_t k = 0; k < COUNT(cases[i].ours); k++)
				expected = expected || (n > 0 && cases[i].ours[k] == n);
			cr_assert_eq(host_ok(NULL, NULL, (struct str){ cases[i].host, n }), expected, "%.*s", (int)n,
				     cases[i].host);
		}
	}
}

Test(access, the_address_connected_to_is_ours)
{
	static const struct {
		const char *local, *host;
		bool ours;
	} cases[] = {
		{ "192.0.2.7:4318", "192.0.2.7:4318", true },
		{ "192.0.2.7:4318", "192.0.2.7", true },
		{ "192.0.2.7:4318", "192.0.2.7:1", true }, /* a forwarded port */
		{ "192.0.2.7:4318", "192.0.2.8:4318", false },
		{ "192.0.2.7:4318", "[::ffff:192.0.2.7]:4318", true },
		{ "[::ffff:192.0.2.7]:4318", "192.0.2.7:4318", true },
		{ "[2001:db8::7]:4318", "[2001:db8::7]:4318", true },
		{ "[2001:db8::7]:4318", "[2001:DB8:0::7]", true },
		{ "[2001:db8::7]:4318", "[2001:db8::8]", false },
		{ "[2001:db8::7]:4318", "2001:db8::7", false },
		{ "[::1]:4318", "192.0.2.7", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert_eq(host_ok(NULL, cases[i].local, str_from(cases[i].host)), cases[i].ours, "%s", cases[i].host);
}

Test(access, hosts_of_the_list)
{
	static const struct {
		const char *list, *host;
		bool ours;
	} cases[] = {
		{ "box.example", "box.example", true },
		{ "box.example", "BOX.example:4318", true },
		{ "Box.Example.", "box.example", true },
		{ "box.example", "box.example.", true },
		{ "box.example", "a.box.example", false },
		{ "box.example", "box.exampl", false },
		{ "box.example", "box.examplee", false },
		{ "box.example", "box.example:x", false },
		{ "box.example", "user@box.example", false },
		{ "a.example, box.example", "box.example", true },
		{ "a.example,box.example", "a.example:1", true },
		{ "  a.example ,, box.example ,", "box.example", true },
		{ "a.example, box.example", "a.example,box.example", false },
		{ "box.example:4318", "box.example:4318", true },
		{ "box.example:4318", "box.example:04318", true },
		{ "box.example:4318", "box.example:4317", false },
		{ "box.example:4318", "box.example", false },
		{ "box.example:4318 box.example:4317", "box.example:4317", true },
		{ "192.0.2.9", "192.0.2.9:4318", true },
		{ "127.1", "127.1:4318", true },
		{ "[2001:db8::9]", "[2001:DB8::9]:4318", true },
		{ "[2001:db8::9]:1", "[2001:db8::9]:1", true },
		{ "[2001:db8::9]:1", "[2001:db8::9]", false },
		{ "2001:db8::9", "[2001:db8::9]", false },
		{ "*", "example.org", false },
		{ "*.example", "box.example", false },
		{ "", "", false },
		{ ":", ":", false },
		{ " , ", ",", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert_eq(host_ok(cases[i].list, NULL, str_from(cases[i].host)), cases[i].ours, "%s in %s", cases[i].host,
			     cases[i].list);
}

Test(access, origins)
{
	static const struct {
		const char *list, *origin;
		bool ok;
	} cases[] = {
		{ NULL, NULL, true },
		{ "", NULL, true },
		{ "https://example.org", NULL, true },
		{ NULL, "http://localhost:4318", false },
		{ "", "http://127.0.0.1:4318", false },
		{ "", "", false },
		{ "", "null", false },
		{ "https://example.org", "https://example.org", true },
		{ "https://Example.org", "https://example.org", true },
		{ "https://example.org", "https://example.org:8443", false },
		{ "https://example.org", "http://example.org", false },
		{ "https://example.org", "https://example.org/", false },
		{ "https://example.org", "https://example.or", false },
		{ "https://example.org", "https://example.org.evil.example", false },
		{ "https://example.org", "example.org", false },
		{ "https://a.example, https://b.example:81", "https://b.example:81", true },
		{ "https://a.example https://b.example", "https://a.example https://b.example", false },
		{ "null", "null", false },
		{ "null", "NULL", false },
		{ "*", "null", true },
		{ "*", "https://anything.example", true },
		{ "*", "", true },
		{ "https://a.example, *", "https://b.example", true },
		{ "https://*", "https://b.example", false },
		{ "**", "https://b.example", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct access_policy p = { .origins = cases[i].list };
		const enum verdict expected = cases[i].ok ? VERDICT_OK : VERDICT_FOREIGN_ORIGIN;

		cr_assert_eq(judge(&p, (struct access_claim){ .origin = str_from(cases[i].origin) }), expected, "%zu", i);
	}
	const struct access_policy p = { .origins = "https://example.org" };
	cr_assert_eq(judge(&p, (struct access_claim){ .origin = STR("https://example.org\0") }), VERDICT_FOREIGN_ORIGIN);
}

Test(access, tokens)
{
	static const struct {
		const char *token, *authorization;
		bool ok;
	} cases[] = {
		{ NULL, NULL, true },
		{ NULL, "Bearer whatever", true },
		{ NULL, "Basic eA==", true },
		{ TOKEN, NULL, false },
		{ TOKEN, "", false },
		{ TOKEN, TOKEN, false },
		{ TOKEN, "Bearer " TOKEN, true },
		{ TOKEN, "bearer " TOKEN, true },
		{ TOKEN, "BEARER    " TOKEN, true },
		{ TOKEN, "Bearer" TOKEN, false },
		{ TOKEN, "Bearer\t" TOKEN, false },
		{ TOKEN, " Bearer " TOKEN, false },
		{ TOKEN, "Bearer " TOKEN " ", false },
		{ TOKEN, "Bearer " TOKEN "0", false },
		{ TOKEN, "Bearer 0123456789abcde", false },
		{ TOKEN, "Bearer 0123456789ABCDEF", false },
		{ TOKEN, "Bearer", false },
		{ TOKEN, "Bearer ", false },
		{ TOKEN, "Bearer    ", false },
		{ TOKEN, "Basic " TOKEN, false },
		{ TOKEN, "Bearers " TOKEN, false },
		{ TOKEN, "Bearer x, Bearer " TOKEN, false },
		{ "", "Bearer ", false },
		{ "", "Bearer", false },
		{ "", NULL, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct access_policy p = { .token = cases[i].token };
		const enum verdict expected = cases[i].ok ? VERDICT_OK : VERDICT_NO_TOKEN;

		cr_assert_eq(judge(&p, (struct access_claim){ .authorization = str_from(cases[i].authorization) }), expected,
			     "%zu", i);
	}
}

Test(access, a_token_differs_in_any_byte)
{
	const struct access_policy p = { .token = TOKEN };
	char sent[] = "Bearer " TOKEN;
	const size_t len = sizeof(sent) - 1;

	for (size_t i = 0; i < len; i++) {
		cr_assert_eq(judge(&p, (struct access_claim){ .authorization = { sent, i } }), VERDICT_NO_TOKEN);
		if (i < strlen("Bearer "))
			continue;
		for (unsigned bit = 0; bit < 8; bit++) {
			sent[i] = (char)(sent[i] ^ (1 << bit));
			cr_assert_eq(judge(&p, (struct access_claim){ .authorization = { sent, len } }), VERDICT_NO_TOKEN);
			sent[i] = (char)(sent[i] ^ (1 << bit));
		}
	}
	cr_assert_eq(judge(&p, (struct access_claim){ .authorization = { sent, len } }), VERDICT_OK);
}

Test(access, the_first_fault_is_told)
{
	const struct access_policy p = { .token = TOKEN };
	struct access_claim c = { .host = STR("example.org"), .origin = STR("https://example.org"), .authorization = STR("x") };

	cr_assert_eq(judge(&p, c), VERDICT_FOREIGN_HOST);
	c.host = STR("localhost:4318");
	cr_assert_eq(judge(&p, c), VERDICT_FOREIGN_ORIGIN);
	c.origin = (struct str){ 0 };
	cr_assert_eq(judge(&p, c), VERDICT_NO_TOKEN);
	c.authorization = STR("Bearer " TOKEN);
	cr_assert_eq(judge(&p, c), VERDICT_OK);
}
