/* Where telemetry is passed on to, as it is configured. Sizes are bytes, times nanoseconds. The defaults are in config_forward.c.
 */
#ifndef AGENTBUS_DESTINATION_H
#define AGENTBUS_DESTINATION_H

#include "otlp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESTINATIONS_MAX        8
#define DESTINATION_LANES_MAX   (DESTINATIONS_MAX * (size_t)OTLP_SIGNAL_COUNT)
#define DESTINATION_NAME_SIZE   33
#define DESTINATION_TEXT_SIZE   512
#define DESTINATION_HEADERS_MAX 2048

struct destination {
	char name[DESTINATION_NAME_SIZE];
	char url[DESTINATION_TEXT_SIZE]; /* without /v1/…; "": none was given */
	unsigned line;                   /* of the file, where it was named first; 0: elsewhere */
	bool signals[OTLP_SIGNAL_COUNT];
	char headers[DESTINATION_HEADERS_MAX]; /* "Name: value" and a newline each, as written: secrets are not in it yet */
	bool gzip;
	uint64_t timeout_ns;                 /* of one request, from its beginning to its answer's end */
	uint64_t retry_min_ns, retry_max_ns; /* between attempts */
	size_t queue_size;
	char ca_file[DESTINATION_TEXT_SIZE]; /* "": the system's */
};

struct destinations {
	struct destination list[DESTINATIONS_MAX];
	size_t count;
};

#endif
