#include "common/pick.h"
#include "sample_session.h"

#include <criterion/criterion.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { A, B, CODEX, TWIN, TWIN_CODEX, ENDED, SHORT, BESIDE, SESSIONS };

static struct agentbus_session table[SESSIONS];
static const struct agentbus_session *pointers[SESSIONS];

static void
setup(void)
{
	table[A] = sample_session("019aa7c1-0000-7000-8000-00000000000a", AGENTBUS_WORKING);
	table[B] = sample_session("019aa7c2-0000-7000-8000-00000000000b", AGENTBUS_IDLE);
	table[CODEX] = sample_session("deadbeef-1111-7000-8000-12345678abcd", AGENTBUS_WAITING);
	table[TWIN] = sample_session("twin", AGENTBUS_IDLE);
	table[TWIN_CODEX] = sample_session("twin", AGENTBUS_COMPLETED);
	table[ENDED] = sample_session("019aa7c1-ffff-7000-8000-0000000000ff", AGENTBUS_ENDED);
	table[SHORT] = sample_session("12345678abc", AGENTBUS_IDLE);
	table[BESIDE] = sample_session("deadbeef-1112-7000-8000-12345678abce", AGENTBUS_WORKING);
	table[BESIDE].auxiliary = true;
	table[BESIDE].provider = table[CODEX].provider = table[TWIN_CODEX].provider = "codex";
	for (size_t i = 0; i < SESSIONS; i++)
		pointers[i] = &table[i];
}

TestSuite(pick, .init = setup);

Test(pick, what_a_person_may_write)
{
	static const struct {
		const char *text;
		int session; /* -1: none or several */
		size_t count;
	} cases[] = {
		{ "019aa7c1-0000-7000-8000-00000000000a", A, 1 },
		{ "claude-code/019aa7c1-0000-7000-8000-00000000000a", A, 1 },
		{ "codex/019aa7c1-0000-7000-8000-00000000000a", -1, 0 },
		{ "0000000a", A, 1 },
		{ "claude-code/0000000a", A, 1 },
		{ "5678abcd", CODEX, 1 },
		{ "deadb", CODEX, 1 },
		{ "codex/d", CODEX, 1 }, /* not the title thread */
		{ "deadbeef-1112", BESIDE, 1 },
		{ "claude-code/d", -1, 0 },
		{ "twin", -1, 2 },
		{ "codex/twin", TWIN_CODEX, 1 },
		{ "019aa7c", -1, 2 },          /* the ended one is not meant */
		{ "019aa7c1", A, 1 },          /* nor here */
		{ "019aa7c1-ffff", ENDED, 1 }, /* but here */
		{ "000000ff", ENDED, 1 },
		{ "12345678abc", SHORT, 1 },
		{ "codex/", -1, 0 },
		{ "", -1, 0 },
		{ "7000", -1, 0 },
		{ "000a", -1, 0 }, /* not what status prints */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct pick p = pick_session(pointers, SESSIONS, cases[i].text);
		const struct agentbus_session *expected = cases[i].session < 0 ? NULL : &table[cases[i].session];

		cr_expect_eq(p.session, expected, "'%s'", cases[i].text);
		cr_expect_eq(p.count, cases[i].count, "'%s': %zu", cases[i].text, p.count);
	}
	cr_expect_null(pick_session(NULL, 0, "a").session);
}

Test(pick, who_is_next)
{
	cr_expect_eq(pick_next(pointers, SESSIONS), &table[CODEX]);
	table[A].state = AGENTBUS_WAITING;
	table[A].state_since -= SAMPLE_SECOND;
	cr_expect_eq(pick_next(pointers, SESSIONS), &table[A], "it waits longer");
	table[A].auxiliary = true;
	cr_expect_eq(pick_next(pointers, SESSIONS), &table[CODEX], "a sub-agent has no window");
	table[CODEX].state = AGENTBUS_WORKING;
	cr_expect_eq(pick_next(pointers, SESSIONS), &table[TWIN_CODEX], "nobody waits: what was completed");
	table[TWIN_CODEX].state = AGENTBUS_IDLE;
	cr_expect_null(pick_next(pointers, SESSIONS));
}

Test(pick, why_it_is_none)
{
	char out[PICK_TEXT_SIZE];
	struct pick p = pick_session(pointers, SESSIONS, "nobody\033[2J");

	cr_expect_str_eq(pick_explain(&p, "nobody\033[2J", out), "no session 'nobody?[2J'");
	p = pick_session(pointers, SESSIONS, "twin");
	cr_expect_str_eq(pick_explain(&p, "twin", out), "'twin' may be claude-code/twin, codex/twin");
	for (size_t i = 0; i < SESSIONS; i++)
		table[i].id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	p = pick_session(pointers, SESSIONS, "a");
	cr_expect_eq(p.count, SESSIONS - 2, "neither the ended one nor the title thread");
	pick_explain(&p, "a", out);
	cr_expect_not_null(strstr(out, " and 2 more"));
	cr_expect_lt(strlen(out), PICK_TEXT_SIZE);
}
