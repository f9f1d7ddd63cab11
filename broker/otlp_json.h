/*
 * OTLP in JSON. Pure: text in, the same tree as protobuf out; no I/O, no clock, no policy.
 *
 * Takes every spelling that the protobuf JSON mapping and the CLIs use: 64-bit numbers as strings or numbers, hex ids,
 * enums as numbers, lowerCamelCase and snake_case names, null and {} for absent; unknown members are passed over.
 */
#ifndef AGENTBUS_OTLP_JSON_H
#define AGENTBUS_OTLP_JSON_H

#include "otlp.h"

/*
 * As otlp_pb_decode(), for JSON text. While it works it takes up to a->cap bytes outside the arena, too. Of a number that
 * JSON writes without quotes the first 53 bits are kept; half a surrogate pair becomes U+FFFD; text ends at an escaped NUL.
 */
enum verdict otlp_json_decode(enum otlp_signal signal, const char *text, size_t len, unsigned max_depth, struct arena *a,
			      struct otlp_request *ret);

/* Tells the signal by the top-level member (resourceLogs, resourceSpans, resourceMetrics). {} is logs. */
bool otlp_json_signal(const char *text, size_t len, enum otlp_signal *ret);

#endif
