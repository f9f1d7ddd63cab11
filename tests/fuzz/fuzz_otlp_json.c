/*
 * Any text as an OTLP body in JSON, of each signal. What is accepted must be sound, and protobuf must be able to say it.
 */
#include "../unit/otlp_tree.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "read_again.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum otlp_signal told;
	struct arena a;

	arena_init(&a, ARENA_CAP);
	otlp_json_signal((const char *)data, size, &told);
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct otlp_request req;

		if (otlp_json_decode(signal, (const char *)data, size, OTLP_MAX_DEPTH, &a, &req) == VERDICT_OK) {
			require(tree_is_sound(req.message));
			read_again(&req);
		}
		require(a.used <= ARENA_CAP);
		arena_reset(&a);
	}
	arena_finish(&a);
	return 0;
}
