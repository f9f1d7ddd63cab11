/*
 * Any bytes as an OTLP body, in protobuf and in JSON, of each signal. Once content was dropped out of what is accepted, it
 * must still be sound, and readable after it was written.
 */
#include "../unit/otlp_tree.h"
#include "content.h"
#include "field_0.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "read_again.h"

static void
drop(struct otlp_request *req, struct arena *a, bool readable)
{
	size_t dropped = SIZE_MAX, before = protobuf_c_message_get_packed_size(req->message);
	enum verdict v = content_drop(req, a, &dropped);

	require(tree_is_sound(req->message));
	require(v == VERDICT_OK ? dropped != SIZE_MAX : v == VERDICT_TOO_LARGE && dropped == SIZE_MAX);
	if (v == VERDICT_OK && dropped == 0)
		require(protobuf_c_message_get_packed_size(req->message) == before);
	if (readable)
		read_again(req);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool readable = !may_hold_field_0(data, size);
	struct arena a;

	arena_init(&a, ARENA_CAP);
	for (unsigned signal = 0; signal < OTLP_SIGNAL_COUNT; signal++) {
		struct otlp_request req;

		if (otlp_pb_decode(signal, data, size, OTLP_MAX_DEPTH, &a, &req) == VERDICT_OK)
			drop(&req, &a, readable);
		arena_reset(&a);
		if (otlp_json_decode(signal, (const char *)data, size, OTLP_MAX_DEPTH, &a, &req) == VERDICT_OK)
			drop(&req, &a, true);
		arena_reset(&a);
	}
	arena_finish(&a);
	return 0;
}
