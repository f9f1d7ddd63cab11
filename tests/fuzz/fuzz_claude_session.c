/*
 * Lines of any bytes as what a session file holds, one after the other: each says at most that one session ended, another began,
 * and how that is; said once more, it says nothing.
 */
#include "claude_session.h"
#include "require.h"

#include <string.h>

#define NOW 1800000000000000000ull

static unsigned
count(struct claude_known *k, const struct claude_session *c)
{
	struct observation o;
	unsigned n = 0;

	while (claude_session_next(k, c, NOW, NOW, &o)) {
		require(o.means == MEANS_START || o.means == MEANS_END || o.means == MEANS_ASK || o.means == MEANS_ACTIVITY ||
			o.means == MEANS_TURN_END);
		require((o.flags & OBS_TOLD) && o.session.len > 0 && o.session.len < SESSION_ID_MAX && o.pid == c->pid);
		require(o.time_ns > 0 && o.time_ns <= NOW + OBSERVATION_AHEAD_NS);
		n++;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claude_known known = { 0 };
	struct arena a;

	arena_init(&a, (size_t)1 << 20);
	for (size_t at = 0, len; at < size; at += len + 1) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		struct claude_session c;

		len = end ? (size_t)(end - data) - at : size - at;
		if (claude_session_read((const char *)data + at, len, &a, &c)) {
			require(count(&known, &c) <= 3);
			require(count(&known, &c) == 0);
		}
		arena_reset(&a);
	}
	arena_finish(&a);
	return 0;
}
