/* What a decoded request is packed into can be read again, and is as long. */
#ifndef AGENTBUS_TESTS_FUZZ_READ_AGAIN_H
#define AGENTBUS_TESTS_FUZZ_READ_AGAIN_H

#include "otlp_pb.h"
#include "require.h"

#include <stdlib.h>

#define ARENA_CAP ((size_t)1 << 20)

static inline void
read_again(const struct otlp_request *req)
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

#endif
