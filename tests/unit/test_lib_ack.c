#include "fake_broker.h"
#include "lib_ask_bed.h"

#include "agentbus.h"

#define COMPLETED AGENTBUS__V1__STATE__STATE_COMPLETED
#define WORKING   AGENTBUS__V1__STATE__STATE_WORKING

TestSuite(lib_ack, .init = setup, .fini = teardown);

Test(lib_ack, nobody_is_there)
{
	cr_expect_eq(agentbus_acknowledge(dir, 50, "codex", "a"), AGENTBUS_ETIMEOUT);
	cr_expect_eq(agentbus_acknowledge(dir, 0, "codex", "a"), AGENTBUS_ETIMEOUT);
}

Test(lib_ack, arguments_that_make_no_sense)
{
	char far[300], long_id[2000];

	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	cr_expect_eq(agentbus_acknowledge(dir, -1, "codex", "a"), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_acknowledge(dir, 100, NULL, "a"), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_acknowledge(dir, 100, "codex", NULL), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_acknowledge(dir, 100, "codex", ""), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_acknowledge(dir, 100, "codex", long_id), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_acknowledge(far, 100, "codex", "a"), AGENTBUS_EPATH);
}

Test(lib_ack, what_a_broker_may_answer)
{
	static const struct {
		enum fake_mood mood;
		const char *id;
		int result;
	} cases[] = {
		{ FAKE_WELL, "done", 1 },
		{ FAKE_WELL, "busy", 0 },
		{ FAKE_WELL, "none", AGENTBUS_ENOSESSION },
		{ FAKE_OLD, "done", AGENTBUS_EREFUSED },
		{ FAKE_REFUSING, "done", AGENTBUS_EREFUSED },
		{ FAKE_GARBLED, "done", AGENTBUS_ESYSTEM },
		{ FAKE_MUTE, "done", AGENTBUS_ETIMEOUT },
	};
	struct fake_broker *b = fake_start(dir, "boot");

	fake_publish(b, "codex", "done", COMPLETED);
	fake_publish(b, "codex", "busy", WORKING);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b->mood = cases[i].mood;
		cr_expect_eq(agentbus_acknowledge(dir, 500, "codex", cases[i].id), cases[i].result, "case %zu", i);
	}
	fake_stop(b);
}
