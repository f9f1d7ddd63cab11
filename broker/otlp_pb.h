/*
 * OTLP in protobuf. Pure: bytes in, tree out; no I/O, no clock, no policy.
 */
#ifndef AGENTBUS_OTLP_PB_H
#define AGENTBUS_OTLP_PB_H

#include "otlp.h"

/*
 * Decodes len bytes as an export request of the given signal into the arena, at most max_depth values deep.
 * Returns VERDICT_OK and sets *ret, or TOO_DEEP, MALFORMED, TOO_LARGE (the arena's cap) or NO_MEMORY; *ret is untouched then.
 * The bytes need not outlive the call. Text that is not UTF-8 is taken as it is; fields that we do not know are kept.
 */
enum verdict otlp_pb_decode(enum otlp_signal signal, const uint8_t *bytes, size_t len, unsigned max_depth, struct arena *a,
			    struct otlp_request *ret);

/*
 * Tells the signal of a body that came without a path, by the shape of its first record. An empty body is logs.
 * Returns false if the shape is none of the three.
 */
bool otlp_pb_signal(const uint8_t *bytes, size_t len, enum otlp_signal *ret);

#endif
