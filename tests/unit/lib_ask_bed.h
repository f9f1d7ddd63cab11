/* A runtime directory of its own for each test of a question to a broker. */
#ifndef AGENTBUS_TESTS_LIB_ASK_BED_H
#define AGENTBUS_TESTS_LIB_ASK_BED_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[32];

static void
setup(void)
{
	strcpy(dir, "/tmp/agentbus-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void
teardown(void)
{
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "events" : "query");
		unlink(path);
	}
	rmdir(dir);
}

#endif
