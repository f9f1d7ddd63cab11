/*
 * Any bytes as a session's record in the store. What is accepted must be usable, and the same after being written and read again.
 */
#include "require.h"
#include "session_record.h"
#include "session_table.h"

#include <stdlib.h>

#define NOW_NS (1800000000ull * 1000000000ull)

static void
ignore(struct event_sink *sink, const struct event *e)
{
	(void)sink, (void)e;
}

static void
check(const struct session *x)
{
	require(x->id[0] && strlen(x->id) < sizeof(x->id) && x->model_count <= SESSION_MODELS_MAX);
	require(x->state >= SESSION_IDLE && x->state <= SESSION_ENDED);
	require(x->track->heard_ns <= NOW_NS && x->track->entered_ns <= NOW_NS && x->state_observed_ns <= NOW_NS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct session_settings settings = session_settings_default();
	struct event_sink sink = { .emit = ignore };
	struct sessions *s = sessions_create(&settings, &sink), *again = sessions_create(&settings, &sink);
	struct buf one = { 0 }, two = { 0 };

	require(s && again);
	if (session_record_read(s, data, size, NOW_NS)) {
		require(sessions_count(s) == 1 && !session_record_read(s, data, size, NOW_NS));
		check(s->newest);
		require(session_record_write(s->newest, &one));
		require(session_record_read(again, one.bytes, one.len, NOW_NS));
		require(session_record_write(again->newest, &two));
		require(one.len == two.len && memcmp(one.bytes, two.bytes, one.len) == 0);
		require(sessions_deadline(s) == sessions_deadline(again));
		sessions_tick(s, NOW_NS);
		sessions_tick(s, NOW_NS + 5000 * 1000000000ull);
	} else {
		require(sessions_count(s) == 0);
	}
	buf_finish(&one);
	buf_finish(&two);
	sessions_destroy(s);
	sessions_destroy(again);
	return 0;
}
