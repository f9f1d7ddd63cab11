#include "agentbus/emit_host.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Test(emit_host, a_line_of_stat)
{
	const char *name;
	unsigned tty;
	int len;

	cr_expect_eq(emit_host_parse("12 (a) b (c)) S 7 12 12 34819 -1 4194560", &name, &len, &tty), 7);
	cr_expect(len == 8 && memcmp(name, "a) b (c)", 8) == 0);
	cr_expect_eq(tty, 34819);
	cr_expect_eq(emit_host_parse("", &name, &len, &tty), 0);
	cr_expect_eq(emit_host_parse("12 (sh", &name, &len, &tty), 0);
	cr_expect_eq(emit_host_parse(")(", &name, &len, &tty), 0);
	cr_expect_eq(emit_host_parse("12 (sh) S x", &name, &len, &tty), 0);
}

Test(emit_host, names_of_terminals)
{
	static const struct {
		unsigned device;
		const char *name;
	} cases[] = {
		{ 0, "" },
		{ 34816, "/dev/pts/0" },
		{ 34819, "/dev/pts/3" },
		{ 0x10882c, "/dev/pts/300" },
		{ 1026, "/dev/tty2" },
		{ 1088, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char tty[EMIT_TTY_MAX];

		emit_host_tty(cases[i].device, tty);
		cr_expect_str_eq(tty, cases[i].name, "%u", cases[i].device);
	}
}

Test(emit_host, here)
{
	const struct emit_host h = emit_host_find();

	cr_expect_neq(h.pid, 0);
	cr_expect(h.tty[0] == '\0' || h.tty[0] == '/');
}
