/*
 * Any bytes as a compressed body: the result stays within its limit and the arena, and says the same under a tighter one.
 */
#include "inflate.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BODY ((size_t)256 << 10)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes, *again;
	size_t len, again_len;
	struct arena a;

	arena_init(&a, 8 * MAX_BODY);
	if (inflate_body(data, size, MAX_BODY, &a, &bytes, &len) == VERDICT_OK) {
		require(len <= MAX_BODY);
		require(inflate_body(data, size, len, &a, &again, &again_len) == VERDICT_OK);
		require(len == again_len && memcmp(bytes, again, len) == 0);
		if (len > 0)
			require(inflate_body(data, size, len - 1, &a, &again, &again_len) == VERDICT_TOO_LARGE);
	}
	arena_finish(&a);
	return 0;
}
