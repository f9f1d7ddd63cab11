#include "agentbus/focus_program.h"
#include "agentbus/focus_time.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(focus_program, what_it_prints, .timeout = 20)
{
	const char *const echo[] = { "sh", "-c", "printf 'a b\\n'; echo wrong >&2; cat", NULL };
	char *text = NULL;

	cr_assert_eq(focus_program_run(echo, NULL, &text), RAN_WELL);
	cr_expect_str_eq(text, "a b\n", "and nothing to read");
	free(text);
	cr_expect_eq(focus_program_run(echo, NULL, NULL), RAN_WELL);
}

Test(focus_program, a_variable_more, .timeout = 20)
{
	const char *const argv[] = { "sh", "-c", "printf '%s %s' \"$AGENTBUS_TEST\" \"$AGENTBUS_TEST_2\"", NULL };
	char *text = NULL;

	setenv("AGENTBUS_TEST", "old", 1);
	setenv("AGENTBUS_TEST_2", "kept", 1);
	cr_assert_eq(focus_program_run(argv, "AGENTBUS_TEST=new", &text), RAN_WELL);
	cr_expect_str_eq(text, "new kept");
	free(text);
}

Test(focus_program, what_goes_wrong, .timeout = 20)
{
	const char *const fails[] = { "sh", "-c", "echo x; exit 3", NULL };
	const char *const hangs[] = { "sh", "-c", "exec sleep 60", NULL };
	const char *const hides[] = { "sh", "-c", "exec sleep 60 >/dev/null", NULL };
	const char *const talks[] = { "sh", "-c", "exec cat /dev/zero", NULL };
	const char *const none[] = { "agentbus-no-such-program", NULL };
	const int64_t begin = focus_time_ms();
	char *text = NULL;

	cr_expect_eq(focus_program_run(fails, NULL, &text), RAN_BADLY);
	cr_expect_eq(focus_program_run(hangs, NULL, &text), RAN_BADLY);
	cr_expect_eq(focus_program_run(hides, NULL, &text), RAN_BADLY);
	cr_expect_eq(focus_program_run(talks, NULL, &text), RAN_BADLY);
	cr_expect_eq(focus_program_run(none, NULL, &text), RAN_NOT);
	cr_expect_null(text);
	cr_expect_lt(focus_time_ms() - begin, 5000, "a second each at most");
}
