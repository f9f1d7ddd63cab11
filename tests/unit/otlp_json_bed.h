/* JSON text decoded into an arena, whole requests or single members of a record. For test_otlp_json*.c. */
#ifndef AGENTBUS_TEST_OTLP_JSON_BED_H
#define AGENTBUS_TEST_OTLP_JSON_BED_H

#include "guard.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "otlp_sample.h"
#include "otlp_tree.h"
#include "recordings.h"

#include <stdlib.h>
#include <time.h>

static struct arena arena;

static inline void
setup(void)
{
	arena_init(&arena, 16 << 20);
}

static inline void
teardown(void)
{
	arena_finish(&arena);
}

/* Decodes, and checks what must hold whatever the text is. */
static inline enum verdict
decode(enum otlp_signal signal, const char *text, size_t len, struct otlp_request *ret)
{
	struct otlp_request req = { .signal = OTLP_SIGNAL_COUNT };
	enum verdict v;

	arena_reset(&arena);
	v = otlp_json_decode(signal, text, len, OTLP_MAX_DEPTH, &arena, &req);
	if (v == VERDICT_OK) {
		cr_assert_eq(req.signal, signal);
		cr_assert(tree_is_sound(req.message));
	} else {
		cr_assert(v == VERDICT_MALFORMED || v == VERDICT_TOO_DEEP || v == VERDICT_TOO_LARGE, "%u", v);
		cr_assert_eq(req.signal, OTLP_SIGNAL_COUNT);
	}
	if (ret)
		*ret = req;
	return v;
}

static inline uint8_t *
pack(const ProtobufCMessage *message, size_t *ret_len)
{
	uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);

	*ret_len = protobuf_c_message_pack(message, packed);
	return packed;
}

/* Decodes {"resourceLogs":[{"scopeLogs":[{"logRecords":[{<members>}]}]}]}; NULL if that is refused as malformed. */
static inline const OtlpLogRecord *
record(const char *members)
{
	struct otlp_request req;
	enum verdict v;
	char text[1024];

	snprintf(text, sizeof(text), "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{%s}]}]}]}", members);
	v = decode(OTLP_LOGS, text, strlen(text), &req);
	cr_assert(v == VERDICT_OK || v == VERDICT_MALFORMED, "%s: %u", members, v);
	return v == VERDICT_OK ? req.logs->resource_logs[0]->scope_logs[0]->log_records[0] : NULL;
}

static inline const OtlpAnyValue *
value(const char *json)
{
	const OtlpLogRecord *r;
	char members[512];

	snprintf(members, sizeof(members), "\"body\":%s", json);
	r = record(members);
	return r ? r->body : NULL;
}

#endif
