/* A request in JSON, and what is left of it when its content is dropped. For test_content.c and test_content_texts.c. */
#ifndef AGENTBUS_TEST_CONTENT_BED_H
#define AGENTBUS_TEST_CONTENT_BED_H

#include "content.h"
#include "otlp_json.h"
#include "otlp_tree.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

static struct arena arena;
static char body[1 << 16];
static uint8_t packed[1 << 16];
static size_t packed_len;

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

/* Drops content out of a JSON body; what is left is in the tree, and in packed. Returns how much was dropped. */
static inline size_t
drop(enum otlp_signal signal, struct otlp_request *ret, const char *format, ...)
{
	size_t dropped = SIZE_MAX;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(body, sizeof(body), format, args);
	va_end(args);
	cr_assert_lt((size_t)len, sizeof(body));
	arena_reset(&arena);
	cr_assert_eq(otlp_json_decode(signal, body, (size_t)len, OTLP_MAX_DEPTH, &arena, ret), VERDICT_OK, "%s", body);
	cr_assert_eq(content_drop(ret, &arena, &dropped), VERDICT_OK);
	cr_assert(tree_is_sound(ret->message));
	packed_len = protobuf_c_message_get_packed_size(ret->message);
	cr_assert_lt(packed_len, sizeof(packed));
	protobuf_c_message_pack(ret->message, packed);
	return dropped;
}

static inline bool
left(const char *text)
{
	return memmem(packed, packed_len, text, strlen(text)) != NULL;
}

#define EVENT(name)      TEXT("event.name", name)
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"

#define RECORD(rest) "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{" rest "}]}]}]}"
#define EACH(array)  (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

#endif
