/*
 * Any text as an OTLP body in JSON, of each signal. What is accepted must be sound, and protobuf must be able to say it.
 */
#include "../unit/otlp_tree.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "require.h"

#include <stdlib.h>

#define ARENA_CAP ((size_t)1 << 20)

static void
read_as_protobuf(const struct otlp_request *req)
{
	size_t len = protobuf_c_message_get_packed_size(req->message);
	uint8_t *packed = malloc(len + 1);
	struct otlp_request again;
	struct arena a;

	arena_init(&a, 16 * ARENA_CAP);
	require(protobuf_c_message_pack(req->message, packed) == len);
	require(otlp_pb_decode(req->signal, packed, len, OTLP_MAX_DEPTH, &a, &again) == VERDICT_OK);
	require(protobuf_c_message_get_packed_size(again.message) == len);
	arena_finish(&a);
	free(packed);
}

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
			read_as_protobuf(&req);
		}
		require(a.used <= ARENA_CAP);
		arena_reset(&a);
	}
	arena_finish(&a);
	return 0;
}
