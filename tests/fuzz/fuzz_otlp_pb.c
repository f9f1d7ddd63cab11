/*
 * Any bytes as an OTLP body in protobuf, of each signal. What is accepted must be sound, and must be the same after being
 * written and read again.
 */
#include "../unit/otlp_tree.h"
#include "field_0.h"
#include "otlp_pb.h"
#include "require.h"

#include <stdlib.h>

/* Small, so that the cap is met, too. */
#define ARENA_CAP ((size_t)1 << 20)

static void
read_again(const struct otlp_request *req)
{
	size_t len = protobuf_c_message_get_packed_size(req->message), again_len;
	uint8_t *packed = malloc(len + 1), *repacked = malloc(len + 1);
	struct otlp_request again;
	struct arena a;

	arena_init(&a, 16 * ARENA_CAP);
	require(protobuf_c_message_pack(req->message, packed) == len);
	require(otlp_pb_decode(req->signal, packed, len, OTLP_MAX_DEPTH, &a, &again) == VERDICT_OK);
	again_len = protobuf_c_message_get_packed_size(again.message);
	require(again_len == len);
	protobuf_c_message_pack(again.message, repacked);
	require(memcmp(packed, repacked, len) == 0);
	arena_finish(&a);
	free(packed);
	free(repacked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum otlp_signal told;
	struct arena a;

	arena_init(&a, ARENA_CAP);
	otlp_pb_signal(data, size, &told);
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct otlp_request req;

		if (otlp_pb_decode(signal, data, size, OTLP_MAX_DEPTH, &a, &req) == VERDICT_OK) {
			require(tree_is_sound(req.message));
			if (!may_hold_field_0(data, size))
				read_again(&req);
		}
		require(a.used <= ARENA_CAP);
		arena_reset(&a);
	}
	arena_finish(&a);
	return 0;
}
