/*
 * The one gRPC message of a request, out of bytes that come in any pieces. Pure, and keeps nothing but the message's head:
 * a byte that tells whether the message is compressed, and its length in four, the highest first.
 */
#ifndef AGENTBUS_GRPC_FRAME_H
#define AGENTBUS_GRPC_FRAME_H

#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_FRAME_HEAD 5

/* Zeroed is before the first byte. */
struct grpc_frame {
	uint8_t head[GRPC_FRAME_HEAD];
	size_t have; /* bytes of the head that came */
	size_t left; /* bytes of the message to come, once the head is whole: at most max */
};

/*
 * Takes the next piece, of any length, and sets *ret and *ret_len to what of it belongs to the message: a view, perhaps empty.
 * max is the longest message, the same in each call. Returns VERDICT_OK, or TOO_LARGE as soon as the head tells of more than
 * max, or BAD_FRAMING as soon as the first byte is neither 0 nor 1 or something follows the message: *ret and *ret_len are
 * untouched then, and nothing may be pushed any more.
 */
enum verdict grpc_frame_push(struct grpc_frame *f, size_t max, const uint8_t *bytes, size_t len, const uint8_t **ret,
			     size_t *ret_len);

/* Whether the message came whole. */
bool grpc_frame_complete(const struct grpc_frame *f);

/* Whether the message is compressed; to be asked once it is complete. */
bool grpc_frame_compressed(const struct grpc_frame *f);

#endif
