/* What a fuzz target has in common with all others: its entry, and what to do when something does not hold. */
#ifndef AGENTBUS_FUZZ_REQUIRE_H
#define AGENTBUS_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The fuzzer takes an abort for a find, and keeps the input. */
static inline void
require(bool holds)
{
	if (!holds)
		abort();
}

#endif
