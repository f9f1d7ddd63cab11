/* Observations of calls as logs and spans tell them. For test_call.c, test_synthesise.c and test_enrich.c. */
#ifndef AGENTBUS_TEST_CALL_BED_H
#define AGENTBUS_TEST_CALL_BED_H

#include "call.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS  1000000ull
#define NOW 1800000000000000000ull

/* A record of session "s" that ended so many ms after NOW. */
static inline struct observation
record(enum meaning means, int64_t ms)
{
	return (struct observation){ .means = means,
				     .provider = "codex",
				     .session = STR("s"),
				     .model = STR("m"),
				     .time_ns = NOW + (uint64_t)(ms * (int64_t)MS) };
}

/* A span from one moment to another; its id is n in each byte. */
static inline struct observation
span_of(uint8_t n, int64_t from_ms, int64_t to_ms)
{
	struct observation o = record(MEANS_RESPONSE_END, to_ms);

	o.flags = OBS_SPAN;
	o.start_ns = NOW + (uint64_t)(from_ms * (int64_t)MS);
	o.has_span_id = n != 0;
	memset(o.span_id, n, sizeof(o.span_id));
	return o;
}

#endif
