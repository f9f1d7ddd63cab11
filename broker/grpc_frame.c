#include "grpc_frame.h"

#include <string.h>

static size_t
announced(const uint8_t head[GRPC_FRAME_HEAD])
{
	return (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | (size_t)head[4];
}

enum verdict
grpc_frame_push(struct grpc_frame *f, size_t max, const uint8_t *bytes, size_t len, const uint8_t **ret, size_t *ret_len)
{
	const size_t missing = GRPC_FRAME_HEAD - f->have, taken = len < missing ? len : missing;

	if (taken > 0) {
		memcpy(f->head + f->have, bytes, taken);
		f->have += taken;
		if (f->head[0] > 1)
			return VERDICT_BAD_FRAMING;
		if (f->have == GRPC_FRAME_HEAD)
			f->left = announced(f->head);
		if (f->left > max)
			return VERDICT_TOO_LARGE;
	}
	if (len - taken > f->left)
		return VERDICT_BAD_FRAMING;
	f->left -= len - taken;
	*ret = taken > 0 ? bytes + taken : bytes;
	*ret_len = len - taken;
	return VERDICT_OK;
}

bool
grpc_frame_complete(const struct grpc_frame *f)
{
	return f->have == GRPC_FRAME_HEAD && f->left == 0;
}

bool
grpc_frame_compressed(const struct grpc_frame *f)
{
	return f->head[0] == 1;
}
