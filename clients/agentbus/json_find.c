#include "json_find.h"

#include <string.h>

static bool
member(const struct json_text *in, size_t at, const char *key, struct json_child *ret)
{
	struct json_child child;
	struct json_walk w;
	bool found = false;

	if (at >= in->len || in->text[at] != '{' || !json_walk_begin(&w, in, at))
		return false;
	while (json_walk_next(&w, &child)) {
		if (!json_string_is(in->text + child.key.at, child.key.len, key))
			continue;
		*ret = child;
		found = true;
	}
	return found;
}

bool
json_way(const struct json_text *in, const struct edit_path *path, size_t *ret_depth)
{
	struct json_child child = { .value.at = json_skip_blank(in, edit_mark(in->text, in->len)) };
	size_t depth = 0;

	while (depth < path->depth && member(in, child.value.at, path->key[depth], &child))
		depth++;
	*ret_depth = depth;
	return depth == path->depth || (child.value.at < in->len && in->text[child.value.at] == '{');
}

bool
json_find(const struct json_text *in, const struct edit_path *path, struct edit_span *ret_value)
{
	struct json_child child = { 0 };
	struct edit_fault fault;

	if (!json_scan_whole(in, &child.value, &fault))
		return false;
	for (size_t i = 0; i < path->depth; i++)
		if (!member(in, child.value.at, path->key[i], &child))
			return false;
	*ret_value = child.value;
	return true;
}

/* --- the same --- */

static bool same_value(const struct json_text *a, size_t at_a, const struct json_text *b, size_t at_b);

/* Strings of any length, character by character. */
static bool
same_strings(const struct json_text *a, struct edit_span x, const struct json_text *b, struct edit_span y)
{
	char left[512], right[512];

	if (x.len == y.len && memcmp(a->text + x.at, b->text + y.at, x.len) == 0)
		return true;
	return json_string_read(a->text + x.at, x.len, left, sizeof(left)) &&
	       json_string_read(b->text + y.at, y.len, right, sizeof(right)) && strcmp(left, right) == 0;
}

static bool
same_containers(const struct json_text *a, size_t at_a, const struct json_text *b, size_t at_b)
{
	struct json_child x, y;
	struct json_walk v, w;

	if (a->text[at_a] != b->text[at_b] || !json_walk_begin(&v, a, at_a) || !json_walk_begin(&w, b, at_b))
		return false;
	for (;;) {
		const bool more = json_walk_next(&v, &x);

		if (more != json_walk_next(&w, &y))
			return false;
		if (!more)
			return true;
		if ((x.key.len > 0 && !same_strings(a, x.key, b, y.key)) || !same_value(a, x.value.at, b, y.value.at))
			return false;
	}
}

static struct edit_span
value_at(const struct json_text *in, size_t at)
{
	size_t len = 0;

	if (at < in->len && in->text[at] == '"') {
		for (len = 1; at + len < in->len && in->text[at + len] != '"'; len++)
			len += in->text[at + len] == '\\';
		len += at + len < in->len;
	} else {
		while (at + len < in->len && !strchr(" \t\r\n,:]}/", in->text[at + len]))
			len++;
	}
	return (struct edit_span){ at, len };
}

static bool
same_value(const struct json_text *a, size_t at_a, const struct json_text *b, size_t at_b)
{
	if (at_a >= a->len || at_b >= b->len)
		return false;
	if (a->text[at_a] == '{' || a->text[at_a] == '[')
		return same_containers(a, at_a, b, at_b);
	return same_strings(a, value_at(a, at_a), b, value_at(b, at_b));
}

bool
json_same(const struct json_text *a, const struct json_text *b)
{
	return same_value(a, json_skip_blank(a, edit_mark(a->text, a->len)), b, json_skip_blank(b, edit_mark(b->text, b->len)));
}
