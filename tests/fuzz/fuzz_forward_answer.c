/*
 * Any bytes as what a destination answers: a line that is the value of Retry-After, then the body. What is made of it is bounded,
 * and the same each time.
 */
#include "forward_answer.h"
#include "forward_rules.h"
#include "require.h"

#include <string.h>

#define NOW           UINT64_C(1800000000000000000)
#define SECOND        UINT64_C(1000000000)
#define LINE_MAX_SIZE 128

static void
check_wait(const char *text)
{
	struct forward_pace pace = { 5 * SECOND, 30 * SECOND, 0 };
	uint64_t wait = 77;

	if (forward_answer_wait(text, NOW, &wait))
		require(wait <= 366 * 86400 * SECOND && wait % SECOND == 0);
	else
		require(wait == 77);
	wait = forward_rules_wait(&pace, text, NOW, 0);
	require(wait >= 4 * SECOND && wait <= FORWARD_WAIT_MAX_NS);
}

static void
check_partial(const uint8_t *bytes, size_t len)
{
	struct forward_partial p, again;

	memset(&p, 0x55, sizeof(p));
	forward_answer_partial(bytes, len, &p);
	require(p.rejected <= UINT64_C(1) << 53);
	const char *end = memchr(p.message, '\0', sizeof(p.message));
	require(end != NULL);
	for (const char *c = p.message; c < end; c++)
		require((unsigned char)*c >= ' ' && *c != 0x7f);
	forward_answer_partial(bytes, len, &again);
	require(again.rejected == p.rejected && strcmp(again.message, p.message) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	const size_t line = newline ? (size_t)(newline - data) : 0, skip = newline ? line + 1 : 0;
	char text[LINE_MAX_SIZE] = "";

	memcpy(text, data, line < sizeof(text) ? line : sizeof(text) - 1);
	check_wait(text);
	check_partial(data + skip, size - skip);
	return 0;
}
