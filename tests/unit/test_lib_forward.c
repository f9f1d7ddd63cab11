#include "fake_broker.h"
#include "lib_ask_bed.h"

#include "agentbus.h"

TestSuite(lib_forward, .init = setup, .fini = teardown);

Test(lib_forward, nobody_is_there)
{
	struct agentbus_forward *f = NULL;

	cr_expect_eq(agentbus_forward_read(dir, 100, &f), AGENTBUS_ETIMEOUT);
	cr_expect_eq(agentbus_forward_read(dir, 0, &f), AGENTBUS_ETIMEOUT);
	cr_expect_null(f);
}

Test(lib_forward, arguments_that_make_no_sense)
{
	struct agentbus_forward *f = NULL;
	char far[300];

	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	cr_expect_eq(agentbus_forward_read(dir, -1, &f), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_forward_read(dir, 100, NULL), AGENTBUS_EINVAL);
	cr_expect_eq(agentbus_forward_read(far, 100, &f), AGENTBUS_EPATH);
	agentbus_forward_free(NULL);
}

Test(lib_forward, a_broker_that_does_not_understand)
{
	static const struct {
		enum fake_mood mood;
		int error;
	} cases[] = { { FAKE_MUTE, AGENTBUS_ETIMEOUT }, { FAKE_GARBLED, AGENTBUS_ESYSTEM }, { FAKE_REFUSING, AGENTBUS_ESYSTEM } };
	struct fake_broker *b = fake_start(dir, "boot");
	struct agentbus_forward *f = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b->mood = cases[i].mood;
		cr_expect_eq(agentbus_forward_read(dir, 500, &f), cases[i].error, "mood %d", cases[i].mood);
	}
	cr_expect_null(f);
	fake_stop(b);
}
