/* Any bytes as TOML that is edited: it stays TOML, what was written is there, and taking it back gives the same bytes. */
#include "agentbus/toml_edit.h"
#include "require.h"

#include <stdint.h>
#include <string.h>

#define CHANGES 3

static const struct {
	struct edit_path path;
	const char *value;
} wishes[CHANGES] = {
	{ { { "o", "e" }, 2 }, "{ x = \"1\" }" },
	{ { { "o", "t" }, 2 }, "1" },
	{ { { "n" }, 1 }, "[\"a\"]" },
};

static bool
is_toml(const struct edit_text *t)
{
	const struct toml_text in = { t->data, t->len, TOML_EDIT_DEPTH_MAX };
	struct edit_fault fault = { 0 };

	if (toml_scan_whole(&in, &fault))
		return true;
	require(fault.what && fault.at <= t->len);
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit_change changes[CHANGES];
	struct edit_text t = { 0 };
	size_t done = 0;

	require(edit_text_add(&t, (const char *)data, size));
	/* A NUL is nowhere allowed. */
	require(!is_toml(&t) || size == 0 || !memchr(data, '\0', size));
	if (!is_toml(&t)) {
		edit_text_finish(&t);
		return 0;
	}
	for (size_t i = 0; i < CHANGES; i++) {
		require(edit_change_init(&changes[done], EDIT_SET, &wishes[i].path, wishes[i].value));
		if (!toml_edit_apply(&t, &changes[done])) {
			edit_change_finish(&changes[done]);
			continue;
		}
		done++;
		require(is_toml(&t));
		const struct toml_text in = { t.data, t.len, TOML_EDIT_DEPTH_MAX };
		const struct toml_found f = toml_find(&in, &wishes[i].path);

		require(f.here && f.value.len == strlen(wishes[i].value) &&
			memcmp(t.data + f.value.at, wishes[i].value, f.value.len) == 0);
	}
	while (done-- > 0) {
		require(toml_edit_revert(&t, &changes[done]));
		edit_change_finish(&changes[done]);
	}
	require(t.len == size && (size == 0 || memcmp(t.data, data, size) == 0));
	edit_text_finish(&t);
	return 0;
}
