/*
 * Single values of OTLP in JSON: numbers, text, ids, bytes, names of enums. Part of otlp_json; nobody else needs this.
 */
#ifndef AGENTBUS_OTLP_JSON_VALUE_H
#define AGENTBUS_OTLP_JSON_VALUE_H

#include "arena.h"
#include "verdict.h"

#include <cjson/cJSON.h>

/*
 * Converts value, which is not null, to the type of the field and stores it at member: anything but messages. Text and
 * bytes are copied into the arena. Returns VERDICT_OK, MALFORMED (another type, out of range), TOO_LARGE or NO_MEMORY.
 *
 * An integer beyond 2^53 that is written as a JSON number has lost its last digits when it gets here, since cJSON keeps
 * numbers as doubles; OTLP writes such integers as strings, which are exact.
 */
enum verdict otlp_json_value(const cJSON *value, const ProtobufCFieldDescriptor *field, struct arena *a, void *member);

#endif
