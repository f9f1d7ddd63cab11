/* Claude Code's session files: what is read of them, and what each change of one means. */
#include "claude_session.h"

#include "guard.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MS  1000000ull
#define NOW (1800000000000ull * MS)
#define HEAD                                                                                                                     \
	"{\"pid\":4711,\"sessionId\":\"s-1\",\"cwd\":\"/home/dev/shop\",\"startedAt\":1799999990000,\"procStart\":\"2504053\","  \
	"\"version\":\"2.1.332\",\"peerFeatures\":[\"a\",{\"b\":null}],\"kind\":\"interactive\",\"pidDomain\":"                  \
	"\"linux:x:pid:[4026531836]\","
#define SAMPLE                                                                                                                   \
	HEAD "\"status\":\"waiting\",\"waitingFor\":\"permission "                                                               \
	     "prompt\",\"updatedAt\":1799999999000,\"statusUpdatedAt\":1799999998000}"

static struct arena arena;

static void
make_arena(void)
{
	arena_init(&arena, (size_t)1 << 20);
}

static void
free_arena(void)
{
	arena_finish(&arena);
}

TestSuite(claude_session, .init = make_arena, .fini = free_arena);

static bool
read_text(const char *text, struct claude_session *ret)
{
	return claude_session_read(text, strlen(text), &arena, ret);
}

static void
expect_text(struct str s, const char *want)
{
	cr_expect(str_eq(s, str_from(want)), "%.*s, not %s", (int)s.len, s.ptr, want);
}

Test(claude_session, all_that_is_read)
{
	struct claude_session c;

	cr_assert(read_text(SAMPLE, &c));
	cr_expect_eq(c.pid, 4711);
	cr_expect_eq(c.start_ticks, 2504053);
	expect_text(c.id, "s-1");
	expect_text(c.cwd, "/home/dev/shop");
	expect_text(c.pid_domain, "linux:x:pid:[4026531836]");
	cr_expect_eq(c.status, CLAUDE_WAITING);
	cr_expect_str_eq(c.reason, "permission");
	cr_expect_eq(c.started_ns, 1799999990000ull * MS);
	cr_expect_eq(c.updated_ns, 1799999999000ull * MS);
	cr_expect_eq(c.status_ns, 1799999998000ull * MS);
}

/* What is being written is not there yet. */
Test(claude_session, every_prefix_is_none)
{
	struct guard g = guard_create(sizeof(SAMPLE));

	for (size_t len = 0; len < sizeof(SAMPLE) - 1; len++) {
		struct claude_session c = { .pid = 1 };

		cr_expect_not(claude_session_read(guard_put(&g, SAMPLE, len), len, &arena, &c), "%zu", len);
		cr_expect_eq(c.pid, 1, "untouched");
		arena_reset(&arena);
	}
	guard_destroy(&g);
}

Test(claude_session, every_changed_byte_is_survived)
{
	char text[sizeof(SAMPLE)];

	for (size_t i = 0; i < sizeof(SAMPLE) - 1; i++)
		for (unsigned b = 0; b < 256; b += 3) {
			struct claude_session c;

			memcpy(text, SAMPLE, sizeof(text));
			text[i] = (char)b;
			if (claude_session_read(text, sizeof(text) - 1, &arena, &c))
				cr_expect(c.pid > 0 && c.id.len > 0 && c.id.len < SESSION_ID_MAX);
			arena_reset(&arena);
		}
}

Test(claude_session, what_is_no_session)
{
	static const char *const wrong[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"pid\":1}",
		"{\"sessionId\":\"a\"}",
		"{\"pid\":\"1\",\"sessionId\":\"a\"}",
		"{\"pid\":0,\"sessionId\":\"a\"}",
		"{\"pid\":-1,\"sessionId\":\"a\"}",
		"{\"pid\":0.5,\"sessionId\":\"a\"}",
		"{\"pid\":1e300,\"sessionId\":\"a\"}",
		"{\"pid\":1,\"sessionId\":\"\"}",
		"{\"pid\":1,\"sessionId\":7}",
		"{\"pid\":1,\"sessionId\":\"a\xff\"}",
		"{\"pid\":1,\"sessionId\":\"a\\u001b\"}",
		"{\"pid\":1,\"sessionId\":\"a\\u0085\"}",
		"{\"pid\":1,\"sessionId\":\"a\"} x",
		"{\"pid\":1,\"sessionId\":\"a\"}{\"pid\":1,\"sessionId\":\"a\"}",
	};
	char deep[300] = "{\"pid\":1,\"sessionId\":\"a\",\"x\":", long_id[300];
	struct claude_session c;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_not(read_text(wrong[i], &c), "%s", wrong[i]);
	for (size_t at = strlen(deep), i = 0; i < 100; i++)
		deep[at + i] = i < 50 ? '[' : ']';
	strcat(deep, "}");
	cr_expect_not(read_text(deep, &c));
	snprintf(long_id, sizeof(long_id), "{\"pid\":1,\"sessionId\":\"%0*d\"}", SESSION_ID_MAX, 7);
	cr_expect_not(read_text(long_id, &c));
}

Test(claude_session, odd_members_tell_nothing)
{
	struct claude_session c;

	cr_assert(read_text(
	    "{\"pid\":1,\"sessionId\":\"a\",\"cwd\":7,\"procStart\":\"12a\",\"status\":[\"busy\"],\"statusUpdatedAt\":-5,"
	    "\"updatedAt\":\"soon\",\"startedAt\":1e200,\"pidDomain\":{}}",
	    &c));
	cr_expect_eq(c.cwd.len + c.pid_domain.len + c.start_ticks + c.status_ns + c.updated_ns + c.started_ns, 0);
	cr_expect_eq(c.status, CLAUDE_UNSAID);
	cr_assert(read_text("{\"pid\":1,\"sessionId\":\"a\",\"procStart\":\"99999999999999999999\",\"name\":\"\\ud83d\"}", &c));
	cr_expect_eq(c.start_ticks, 0);
}

Test(claude_session, too_large_is_none)
{
	const size_t size = CLAUDE_SESSION_FILE_MAX + 1;
	char *text = malloc(size);
	struct claude_session c;

	memset(text, ' ', size);
	memcpy(text, SAMPLE, sizeof(SAMPLE) - 1);
	cr_expect_not(claude_session_read(text, size, &arena, &c));
	cr_expect(claude_session_read(text, size - 1, &arena, &c));
	memset(text, '[', size);
	cr_expect_not(claude_session_read(text, size - 1, &arena, &c));
	free(text);
}

Test(claude_session, each_word)
{
	static const struct {
		const char *status, *wait;
		enum claude_status want;
		const char *reason;
	} cases[] = {
		{ "busy", "", CLAUDE_BUSY, NULL },
		{ "idle", "", CLAUDE_IDLE, NULL },
		{ "shell", "", CLAUDE_IDLE, NULL },
		{ "dreaming", "", CLAUDE_UNSAID, NULL },
		{ "", "permission prompt", CLAUDE_UNSAID, NULL },
		{ "waiting", "permission prompt", CLAUDE_WAITING, "permission" },
		{ "waiting", "sandbox request", CLAUDE_WAITING, "permission" },
		{ "waiting", "worker request", CLAUDE_WAITING, "permission" },
		{ "waiting", "input needed", CLAUDE_WAITING, "question" },
		{ "waiting", "goal proposal", CLAUDE_WAITING, "question" },
		{ "waiting", "", CLAUDE_WAITING, "question" },
		{ "waiting", "dialog open", CLAUDE_UNSAID, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct claude_session c;

		snprintf(text, sizeof(text), "{\"pid\":1,\"sessionId\":\"a\",\"status\":\"%s\",\"waitingFor\":\"%s\"}",
			 cases[i].status, cases[i].wait);
		cr_assert(read_text(text, &c));
		cr_expect_eq(c.status, cases[i].want, "%s", text);
		cr_expect(c.reason == cases[i].reason || strcmp(c.reason, cases[i].reason) == 0, "%s", text);
	}
}

/* --- one reading after the other --- */

static struct claude_session
reading(const char *id, enum claude_status status, uint64_t ms)
{
	return (struct claude_session){
		.pid = 7,
		.id = str_from(id),
		.cwd = STR("/x"),
		.status = status,
		.reason = status == CLAUDE_WAITING ? "question" : NULL,
		.status_ns = ms * MS,
		.updated_ns = ms * MS,
		.started_ns = 1 * MS,
	};
}

/* Writes all that a reading means: "START s@1 ACTIVITY s@5". */
static const char *
meaning_of(struct claude_known *k, struct claude_session c)
{
	static const char *const names[MEANING_COUNT] = { [MEANS_START] = "START",
							  [MEANS_END] = "END",
							  [MEANS_ACTIVITY] = "BUSY",
							  [MEANS_ASK] = "ASK",
							  [MEANS_TURN_END] = "IDLE" };
	static char text[200];
	struct observation o;
	size_t n = 0;

	text[0] = '\0';
	while (claude_session_next(k, &c, 99 * MS, NOW, &o)) {
		cr_assert_not_null(names[o.means]);
		cr_expect_eq(o.flags & ~(unsigned)OBS_OPENS, OBS_TOLD | OBS_STATUS);
		cr_expect_eq(o.pid, 7);
		cr_expect_str_eq(o.provider, "claude-code");
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %.*s@%d", n ? ", " : "", names[o.means],
				      (int)o.session.len, o.session.ptr, (int)(o.time_ns / MS));
	}
	return text;
}

Test(claude_session, a_turn)
{
	struct claude_known k = { 0 };

	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_UNSAID, 0)), "START a@1");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_IDLE, 2)), "IDLE a@2");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_IDLE, 2)), "", "told again");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_BUSY, 3)), "BUSY a@3");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_WAITING, 4)), "ASK a@4");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_WAITING, 4)), "");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_BUSY, 5)), "BUSY a@5");
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_IDLE, 6)), "IDLE a@6");
}

Test(claude_session, a_file_that_is_seen_late)
{
	struct claude_known k = { 0 };

	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_WAITING, 50)), "START a@1, ASK a@50");
}

/* As /clear does it: the new session has at first the status, and its time, of the old one. */
Test(claude_session, another_session_of_the_process)
{
	struct claude_known k = { 0 };
	struct claude_session c;

	meaning_of(&k, reading("a", CLAUDE_IDLE, 2));
	cr_expect_str_eq(meaning_of(&k, reading("a", CLAUDE_BUSY, 10)), "BUSY a@10");
	c = reading("b", CLAUDE_BUSY, 10);
	c.updated_ns = 12 * MS;
	cr_expect_str_eq(meaning_of(&k, c), "END a@12, START b@12");
	cr_expect_str_eq(meaning_of(&k, reading("b", CLAUDE_IDLE, 13)), "IDLE b@13");
}

Test(claude_session, times_that_are_missing)
{
	struct claude_known k = { 0 };
	struct claude_session c = { .pid = 7, .id = STR("a"), .status = CLAUDE_BUSY };

	cr_expect_str_eq(meaning_of(&k, c), "START a@99, BUSY a@99", "when the file was written");
	cr_expect_str_eq(meaning_of(&k, c), "", "the same word without a time is the same");
	c.status = CLAUDE_IDLE, c.updated_ns = 120 * MS;
	cr_expect_str_eq(meaning_of(&k, c), "IDLE a@120");
}

Test(claude_session, a_time_far_ahead_is_now)
{
	struct claude_session c = reading("a", CLAUDE_BUSY, (NOW + OBSERVATION_AHEAD_NS) / MS + 1);
	struct claude_known k = { 0 };
	struct observation o;

	while (claude_session_next(&k, &c, NOW, NOW, &o))
		cr_expect_leq(o.time_ns, NOW);
}

Test(claude_session, a_process_that_is_gone)
{
	struct claude_known k = { 0 };
	struct observation o;

	cr_expect_not(claude_session_gone(&k, NOW, &o));
	meaning_of(&k, reading("a", CLAUDE_BUSY, 2));
	cr_assert(claude_session_gone(&k, NOW, &o));
	cr_expect_eq(o.means, MEANS_END);
	cr_expect_eq(o.time_ns, NOW);
	cr_expect_str_eq(o.reason, "exit");
	expect_text(o.session, "a");
}
