/* Any bytes as JSON that is edited: it stays JSON, what was written is there, and taking it back gives the same bytes. */
#include "agentbus/json_edit.h"
#include "require.h"

#include <stdint.h>
#include <string.h>

#define CHANGES 3

static const struct {
	enum edit_kind kind;
	struct edit_path path;
	const char *value;
} wishes[CHANGES] = {
	{ EDIT_SET, { { "a", "b" }, 2 }, "\"1\"" },
	{ EDIT_APPEND, { { "h", "s" }, 2 }, "{\"x\": [1]}" },
	{ EDIT_SET, { { "c" }, 1 }, "true" },
};

static bool
is_json(const struct edit_text *t, bool relaxed)
{
	const struct json_text in = { t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed };
	struct edit_fault fault = { 0 };
	struct edit_span value;

	if (json_scan_whole(&in, &value, &fault))
		return true;
	require(fault.what && fault.at <= t->len);
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const bool relaxed = size > 0 && data[0] & 1;
	struct edit_change changes[CHANGES];
	struct edit_text t = { 0 };
	size_t done = 0;

	if (size == 0)
		return 0;
	require(edit_text_add(&t, (const char *)data + 1, size - 1));
	if (!is_json(&t, relaxed)) {
		edit_text_finish(&t);
		return 0;
	}
	for (size_t i = 0; i < CHANGES; i++) {
		const struct json_text want = { wishes[i].value, strlen(wishes[i].value), JSON_EDIT_DEPTH_MAX, false };
		struct edit_span value;

		require(edit_change_init(&changes[done], wishes[i].kind, &wishes[i].path, wishes[i].value));
		if (!json_edit_apply(&t, relaxed, &changes[done])) {
			edit_change_finish(&changes[done]);
			continue;
		}
		done++;
		require(is_json(&t, relaxed));
		const struct json_text in = { t.data, t.len, JSON_EDIT_DEPTH_MAX, relaxed };
		require(json_find(&in, &wishes[i].path, &value));
		const struct json_text own = { t.data + value.at, value.len, JSON_EDIT_DEPTH_MAX, relaxed };
		require(wishes[i].kind == EDIT_APPEND || json_same(&own, &want));
	}
	while (done-- > 0) {
		require(json_edit_revert(&t, relaxed, &changes[done]));
		edit_change_finish(&changes[done]);
	}
	require(t.len == size - 1 && memcmp(t.data, data + 1, t.len) == 0);
	edit_text_finish(&t);
	return 0;
}
