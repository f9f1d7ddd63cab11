/* Any bytes as a hook's message, as a payload, and as what a CLI gives to the hooks' command: what that makes of it can be read.
 */
#include "agentbus/emit_message.h"
#include "hook.h"
#include "require.h"

#define NOW 1800000000000000000ull

static const char *
no_variable(const char *name)
{
	(void)name;
	return NULL;
}

static void
check(enum verdict v, const struct observation *o)
{
	require(v == VERDICT_OK || v == VERDICT_BAD_HOOK || v == VERDICT_TOO_DEEP || v == VERDICT_TOO_LARGE);
	require(v != VERDICT_OK ||
		(o->means < MEANING_COUNT && (o->flags & OBS_TOLD) && o->time_ns <= NOW + OBSERVATION_AHEAD_NS));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct emit_origin origin = { .source = "hook", .tty = "", .variable = no_variable };
	const char *text = (const char *)data;
	char message[EMIT_MESSAGE_MAX];
	const size_t len = emit_message(&origin, text, size, message);
	struct observation o;
	struct arena a;

	arena_init(&a, (size_t)1 << 20);
	check(hook_read_message(text, size, NOW, &a, &o), &o);
	check(hook_read_payload(&provider_claude, text, size, NOW, &a, &o), &o);
	if (len)
		check(hook_read_message(message, len, NOW, &a, &o), &o);
	arena_finish(&a);
	return 0;
}
