/*
 * The limits of the way in. A request that is refused changes nothing, and the next one is taken.
 */
#include "intake.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define ATTR(k, v) "{\"key\":\"" k "\",\"value\":{\"stringValue\":\"" v "\"}}"
#define PROMPT                                                                                                                   \
	"{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"attributes\":[" ATTR(                                            \
	    "event.name", "gemini_cli.user_prompt") "," ATTR("x", "y") "," ATTR("session.id", "s") "]}]}]}]}"

struct way_in {
	struct clock clock;
	struct limits limits;
	struct event_sink sink;
	struct publisher publisher;
	struct sessions *sessions;
	struct intake intake;
};

static struct way_in way;

static void
ignore_event(struct event_sink *sink, const struct event *e)
{
	(void)sink;
	(void)e;
}

static void
setup(void)
{
	const struct session_settings settings = session_settings_default();

	way = (struct way_in){
		.limits = { .max_body = 4096, .max_inflated = 8192, .max_held = 100, .max_depth = 8, .max_attributes = 16 },
		.sink = { ignore_event },
	};
	clock_init(&way.clock);
	way.sessions = sessions_create(&settings, &way.sink);
	cr_assert_not_null(way.sessions);
	intake_init(&way.intake, &way.clock, way.sessions, &way.publisher, &way.limits);
}

static void
teardown(void)
{
	intake_finish(&way.intake);
	sessions_destroy(way.sessions);
}

TestSuite(intake, .init = setup, .fini = teardown);

static enum verdict
take_json(const char *text)
{
	return intake_take(&way.intake,
			   &(struct intake_body){ .bytes = (const uint8_t *)text, .len = strlen(text), .encoding = OTLP_JSON });
}

static size_t
pack(const char *text, size_t len, uint8_t *out, size_t size)
{
	uLongf packed = size;

	cr_assert_eq(compress(out, &packed, (const Bytef *)text, len), Z_OK);
	return packed;
}

/* A prompt, and spaces behind it up to len bytes. */
static enum verdict
take_padded(size_t len, bool compressed)
{
	char *text = malloc(len + 1);
	uint8_t packed[4096];

	cr_assert(text && len >= strlen(PROMPT));
	memset(text, ' ', len);
	memcpy(text, PROMPT, strlen(PROMPT));
	const struct intake_body body = { .bytes = compressed ? packed : (uint8_t *)text,
					  .len = compressed ? pack(text, len, packed, sizeof(packed)) : len,
					  .encoding = OTLP_JSON,
					  .compressed = compressed,
					  .signal_known = true,
					  .signal = OTLP_LOGS };
	const enum verdict v = intake_take(&way.intake, &body);
	free(text);
	return v;
}

Test(intake, takes_a_request_whose_body_tells_its_signal)
{
	cr_assert_eq(take_json(PROMPT), VERDICT_OK);
	cr_assert_eq(sessions_count(way.sessions), 1);
	cr_assert_eq(take_json("{\"what\":1}"), VERDICT_UNKNOWN_SIGNAL);
}

Test(intake, max_body_counts_bytes_as_they_came)
{
	cr_assert_eq(take_padded(4097, false), VERDICT_TOO_LARGE);
	cr_assert_eq(sessions_count(way.sessions), 0);
	cr_assert_eq(take_padded(4096, false), VERDICT_OK);
	cr_assert_eq(sessions_count(way.sessions), 1);
}

Test(intake, max_inflated_counts_bytes_without_compression)
{
	cr_assert_eq(take_padded(8193, true), VERDICT_TOO_LARGE);
	cr_assert_eq(take_padded((size_t)1 << 20, true), VERDICT_TOO_LARGE);
	cr_assert_eq(sessions_count(way.sessions), 0);
	cr_assert_eq(take_padded(8192, true), VERDICT_OK);
	cr_assert_eq(sessions_count(way.sessions), 1);
}

/* A body within arrays within arrays, in JSON. */
static enum verdict
take_nested(size_t depth)
{
	char text[4096];
	size_t n = (size_t)sprintf(text, "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":");

	for (size_t i = 1; i < depth; i++)
		n += (size_t)sprintf(text + n, "{\"arrayValue\":{\"values\":[");
	n += (size_t)sprintf(text + n, "{\"intValue\":\"1\"}");
	for (size_t i = 1; i < depth; i++)
		n += (size_t)sprintf(text + n, "]}}");
	sprintf(text + n, "}]}]}]}");
	return take_json(text);
}

/* The same in protobuf, from the inside out. */
static enum verdict
take_nested_pb(size_t depth)
{
	static const uint8_t tags[] = { 0x2a, 0x12, 0x12, 0x0a }; /* body, log_records, scope_logs, resource_logs */
	uint8_t bytes[256], *p = bytes + sizeof(bytes);
	size_t len;

	*--p = 1;
	*--p = 0x18; /* int_value */
	for (size_t i = 1; i < depth; i++) {
		for (unsigned k = 0; k < 2; k++) {
			len = (size_t)(bytes + sizeof(bytes) - p);
			*--p = (uint8_t)len;
			*--p = k == 0 ? 0x0a : 0x2a; /* values, array_value */
		}
	}
	for (size_t i = 0; i < sizeof(tags); i++) {
		len = (size_t)(bytes + sizeof(bytes) - p);
		cr_assert_lt(len, 128);
		*--p = (uint8_t)len;
		*--p = tags[i];
	}
	return intake_take(&way.intake, &(struct intake_body){ .bytes = p,
							       .len = (size_t)(bytes + sizeof(bytes) - p),
							       .encoding = OTLP_PROTOBUF,
							       .signal_known = true,
							       .signal = OTLP_LOGS });
}

Test(intake, max_depth_counts_values_within_values)
{
	for (way.limits.max_depth = 4; way.limits.max_depth < 16; way.limits.max_depth++) {
		cr_assert_eq(take_nested(way.limits.max_depth), VERDICT_OK, "%zu", way.limits.max_depth);
		cr_assert_eq(take_nested(way.limits.max_depth + 1), VERDICT_TOO_DEEP, "%zu", way.limits.max_depth);
		cr_assert_eq(take_nested_pb(way.limits.max_depth), VERDICT_OK, "%zu", way.limits.max_depth);
		cr_assert_eq(take_nested_pb(way.limits.max_depth + 1), VERDICT_TOO_DEEP, "%zu", way.limits.max_depth);
	}
}

Test(intake, max_attributes_hides_what_comes_after)
{
	way.limits.max_attributes = 2;
	cr_assert_eq(take_json(PROMPT), VERDICT_OK);
	cr_assert_null(sessions_find(way.sessions, "gemini-cli", "s"));
	way.limits.max_attributes = 3;
	cr_assert_eq(take_json(PROMPT), VERDICT_OK);
	cr_assert_not_null(sessions_find(way.sessions, "gemini-cli", "s"));
}

Test(intake, max_held_is_for_all_bodies_together)
{
	cr_assert(intake_hold(&way.intake, 60));
	cr_assert_not(intake_hold(&way.intake, 41));
	cr_assert_not(intake_hold(&way.intake, SIZE_MAX));
	cr_assert(intake_hold(&way.intake, 40));
	cr_assert_not(intake_hold(&way.intake, 1));
	intake_release(&way.intake, 60);
	cr_assert(intake_hold(&way.intake, 60));
	intake_release(&way.intake, 100);
	cr_assert_eq(way.intake.held, 0);
}

Test(intake, says_why_it_is_closed)
{
	way.intake.closed = VERDICT_BUSY;
	cr_assert_eq(take_json(PROMPT), VERDICT_BUSY);
	cr_assert_eq(take_json("no JSON"), VERDICT_BUSY);
	cr_assert_eq(sessions_count(way.sessions), 0);
	way.intake.closed = VERDICT_OK;
	cr_assert_eq(take_json(PROMPT), VERDICT_OK);
}

Test(intake, what_is_taken_is_passed_on_once)
{
	struct outbox outbox = { .of[OTLP_LOGS].wanted = true };
	struct intake_body body = { (const uint8_t *)PROMPT, strlen(PROMPT), .encoding = OTLP_JSON };

	way.intake.outbox = &outbox;
	cr_expect_eq(intake_take(&way.intake, &body), VERDICT_OK);
	cr_expect_eq(outbox.of[OTLP_LOGS].count, 1);
	cr_expect_eq(outbox.of[OTLP_LOGS].rows[0].items, 1);
	const size_t len = outbox.of[OTLP_LOGS].bytes.len;
	body.passed_on = true;
	cr_expect_eq(intake_take(&way.intake, &body), VERDICT_OK);
	body = (struct intake_body){ (const uint8_t *)"{", 1, .encoding = OTLP_JSON };
	cr_expect_neq(intake_take(&way.intake, &body), VERDICT_OK);
	cr_expect_eq(outbox.of[OTLP_LOGS].bytes.len, len);
	outbox_finish(&outbox);
}
