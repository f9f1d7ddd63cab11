#include "address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

Test(address, reads_what_it_writes)
{
	static const char *const good[] = { "127.0.0.1:4318", "0.0.0.0:0", "[::1]:4318", "[fe80::1:2]:65535" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct address a;
		char text[ADDRESS_TEXT_MAX];

		cr_assert(address_parse(good[i], &a), "%s", good[i]);
		address_format(&a, text);
		cr_assert_str_eq(text, good[i]);
	}
}

Test(address, refuses_the_rest)
{
	static const char *const bad[] = { "",
					   ":",
					   "127.0.0.1",
					   "127.0.0.1:",
					   "127.0.0.1:x",
					   "127.0.0.1:-1",
					   "127.0.0.1:65536",
					   "127.0.0.1:123456",
					   "::1:4318",
					   "[::1]",
					   "[::1]4318",
					   "[::1:4318",
					   "[127.0.0.1]:1",
					   "localhost:1",
					   "127.1:1",
					   "[1111:2222:3333:4444:5555:6666:7777:8888:9999]:1",
					   "1111111111111111111111111111111111111111111111111:1" };
	struct address a, before;

	memset(&a, 0x5a, sizeof(a));
	before = a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_not(address_parse(bad[i], &a), "%s", bad[i]);
		cr_assert_eq(memcmp(&a, &before, sizeof(a)), 0);
	}
}

Test(address, knows_loopback)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = { { "127.0.0.1:1", true }, { "127.9.9.9:1", true }, { "128.0.0.1:1", false }, { "0.0.0.0:1", false },
		      { "[::1]:1", true },     { "[::]:1", false },     { "[::2]:1", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a;

		cr_assert(address_parse(cases[i].text, &a));
		cr_assert_eq(address_is_loopback(&a), cases[i].loopback, "%s", cases[i].text);
	}
}

Test(address, one_host_is_the_same_in_each_spelling)
{
	static const struct {
		const char *text, *host;
	} cases[] = { { "127.0.0.1:1", "::ffff:127.0.0.1" },
		      { "[::ffff:127.0.0.1]:2", "::ffff:127.0.0.1" },
		      { "[::1]:3", "::1" },
		      { "0.0.0.0:4", "::ffff:0.0.0.0" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct in6_addr expected, host;
		struct address a;

		cr_assert(address_parse(cases[i].text, &a));
		cr_assert_eq(inet_pton(AF_INET6, cases[i].host, &expected), 1);
		host = address_host(&a);
		cr_assert_eq(memcmp(&host, &expected, sizeof(host)), 0, "%s", cases[i].text);
	}
}
