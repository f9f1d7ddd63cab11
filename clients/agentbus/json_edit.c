#include "json_edit.h"

#include <string.h>

/* How a text is written, as far as it shows. */
struct style {
	const char *newline;
	struct edit_span unit; /* of indentation, within `units` */
	const char *units;
	const char *colon; /* what stands between a key and its value */
	const char *comma; /* likewise between members on one line */
	bool multi;        /* a member to a line */
};

static struct json_text
view(const struct edit_text *t, bool relaxed)
{
	return (struct json_text){ t->data, t->len, JSON_EDIT_DEPTH_MAX, relaxed };
}

static bool
last_child(const struct json_text *in, size_t at, struct json_child *ret, size_t *ret_count)
{
	struct json_walk w;
	size_t count = 0;

	if (!json_walk_begin(&w, in, at))
		return false;
	while (json_walk_next(&w, ret))
		count++;
	*ret_count = count;
	return true;
}

/* --- style --- */

static bool
on_own_line(const struct json_text *in, const struct json_child *c)
{
	return edit_begins_line(in->text, c->key.len ? c->key.at : c->value.at);
}

static struct style
style_of(const struct json_text *in)
{
	const size_t root = json_skip_blank(in, edit_mark(in->text, in->len));
	struct style s = { edit_newline(in->text, in->len), { 0, 2 }, "  ", ": ", ", ", true };
	struct json_child first, second;
	struct json_walk w;

	if (!json_walk_begin(&w, in, root) || !json_walk_next(&w, &first))
		return s;
	if (first.key.len && in->text[first.value.at - 1] == ':')
		s.colon = ":";
	s.multi = on_own_line(in, &first);
	if (!s.multi) {
		const bool tight = json_walk_next(&w, &second)
				       ? in->text[second.key.len ? second.key.at - 1 : second.value.at - 1] == ','
				       : strcmp(s.colon, ":") == 0;

		s.comma = tight ? "," : ", ";
		return s;
	}
	s.units = in->text;
	s.unit = edit_indent(in->text, first.key.len ? first.key.at : first.value.at);
	return s;
}

/* --- adding --- */

/* A container that gets one more child. */
struct place {
	size_t open, close; /* its brackets */
	struct json_child last;
	size_t count;
	struct edit_span indent; /* of the child; a further unit is missing if `deeper` */
	bool deeper, multi;
};

static size_t
end_of(const struct json_child *c)
{
	return c->value.at + c->value.len;
}

static void
find_place(const struct json_text *in, const struct style *s, struct edit_span container, struct place *ret)
{
	struct place p = { .open = container.at, .close = container.at + container.len - 1, .multi = s->multi, .deeper = true };

	last_child(in, p.open, &p.last, &p.count);
	p.indent = edit_indent(in->text, p.open);
	if (p.count > 0) {
		p.multi = on_own_line(in, &p.last);
		p.deeper = false;
		p.indent = edit_indent(in->text, p.last.key.len ? p.last.key.at : p.last.value.at);
	} else if (memchr(in->text + p.open, '\n', container.len)) {
		p.multi = true;
	}
	*ret = p;
}

static void
put_break(struct edit_text *out, const struct style *s, const struct json_text *in, const struct place *p, size_t units)
{
	edit_text_puts(out, s->newline);
	edit_text_add(out, in->text + p->indent.at, p->indent.len);
	for (size_t i = 0; i < units; i++)
		edit_text_add(out, s->units + s->unit.at, s->unit.len);
}

static void
put_key(struct edit_text *out, const struct style *s, const char *key)
{
	/* Our keys need no escapes. */
	edit_text_puts(out, "\"");
	edit_text_puts(out, key);
	edit_text_puts(out, "\"");
	edit_text_puts(out, s->colon);
}

/* The new child: the key at `from` of the path, the containers that are missing, and in them the value. */
static void
put_item(struct edit_text *out, const struct style *s, const struct json_text *in, const struct place *p, size_t from,
	 const struct edit_change *c)
{
	const bool array = c->kind == EDIT_APPEND;
	size_t depth = p->deeper;

	for (size_t i = from; i < c->depth; i++) {
		put_key(out, s, c->key[i]);
		if (i + 1 == c->depth)
			break;
		edit_text_puts(out, "{");
		if (p->multi)
			put_break(out, s, in, p, ++depth);
	}
	/* A list of elements gets a line of its own for each, since others may follow. */
	const bool wrap = array && from < c->depth;
	if (wrap)
		edit_text_puts(out, "[");
	if (wrap && p->multi)
		put_break(out, s, in, p, depth + 1);
	edit_text_puts(out, c->value);
	if (wrap && p->multi)
		put_break(out, s, in, p, depth);
	if (wrap)
		edit_text_puts(out, "]");
	for (size_t i = from; i + 1 < c->depth; i++) {
		if (p->multi)
			put_break(out, s, in, p, --depth);
		edit_text_puts(out, "}");
	}
}

static size_t
line_comment_end(const struct json_text *in, size_t at, size_t limit)
{
	while (at < limit && in->text[at] != '\n')
		at++;
	while (at < limit && in->text[at - 1] == '\r')
		at--;
	return at;
}

static size_t
block_comment_end(const struct json_text *in, size_t at, size_t limit)
{
	for (at += 3; at < limit; at++)
		if (in->text[at - 1] == '*' && in->text[at] == '/')
			return at + 1;
	return limit;
}

/* Behind what stands on the line after a child: comments belong to it. */
static size_t
behind_comments(const struct json_text *in, size_t at, size_t limit)
{
	size_t end = at;

	while (at < limit) {
		while (at < limit && (in->text[at] == ' ' || in->text[at] == '\t'))
			at++;
		if (at + 1 >= limit || in->text[at] != '/')
			break;
		at = in->text[at + 1] == '/' ? line_comment_end(in, at, limit) : block_comment_end(in, at, limit);
		end = at;
	}
	return end < limit ? end : limit;
}

static bool
add_after(struct edit_text *t, const struct json_text *in, const struct style *s, const struct place *p, struct edit_text *item)
{
	const bool trailing = p->last.comma != JSON_NO_COMMA;
	const size_t after = trailing ? p->last.comma + 1 : end_of(&p->last);
	struct edit_text text = { 0 };
	bool ok;

	if (p->multi)
		put_break(&text, s, in, p, 0);
	else
		edit_text_puts(&text, trailing ? s->comma + 1 : s->comma);
	edit_text_add(&text, item->data, item->len);
	if (trailing)
		edit_text_puts(&text, ",");
	const size_t at = p->multi ? behind_comments(in, after, p->close) : after;
	ok = !text.failed && edit_text_splice(t, at, 0, text.data, text.len);
	if (ok && p->multi && !trailing)
		ok = edit_text_splice(t, after, 0, ",", 1);
	edit_text_finish(&text);
	return ok;
}

/* Into a container that has blanks and comments alone. */
static bool
add_first(struct edit_text *t, const struct json_text *in, const struct style *s, const struct place *p, struct edit_text *item,
	  struct edit_change *c)
{
	const size_t inside = p->open + 1, len = p->close - inside;
	const bool comment = memchr(in->text + inside, '/', len), lines = memchr(in->text + inside, '\n', len);
	struct edit_text text = { 0 };
	size_t at = inside, end = p->close, cut = lines || comment ? 0 : len;
	bool ok;

	while (comment && strchr(" \t\r\n", in->text[end - 1]))
		end--;
	if (comment)
		at = end;
	if (p->multi && (lines || !comment))
		put_break(&text, s, in, p, 1);
	else if (comment)
		edit_text_puts(&text, " ");
	edit_text_add(&text, item->data, item->len);
	if (p->multi && !lines && !comment)
		put_break(&text, s, in, p, 0);
	ok = !text.failed && (c->inside || (c->inside = edit_copy(in->text + inside, len))) &&
	     edit_text_splice(t, at, cut, text.data, text.len);
	edit_text_finish(&text);
	return ok;
}

static bool
add_child(struct edit_text *t, bool relaxed, struct edit_span container, size_t from, struct edit_change *c)
{
	struct edit_text item = { 0 }, whole = { 0 };
	struct json_text in = view(t, relaxed);
	const struct style s = style_of(&in);
	struct place p;
	bool ok;

	/* A copy, for the text moves while it is read. */
	edit_text_add(&whole, t->data, t->len);
	if (whole.failed)
		return false;
	in.text = whole.data;
	struct style own = s;
	if (s.units == t->data)
		own.units = whole.data;
	find_place(&in, &own, container, &p);
	put_item(&item, &own, &in, &p, from, c);
	ok = !item.failed && (p.count > 0 ? add_after(t, &in, &own, &p, &item) : add_first(t, &in, &own, &p, &item, c));
	if (!ok)
		t->failed = true;
	edit_text_finish(&item);
	edit_text_finish(&whole);
	return ok;
}

static struct edit_path
path_of(const struct edit_change *c, size_t depth)
{
	struct edit_path p = { .depth = depth };

	for (size_t i = 0; i < depth; i++)
		p.key[i] = c->key[i];
	return p;
}

static bool
replace(struct edit_text *t, struct edit_span value, struct edit_change *c)
{
	c->old = edit_copy(t->data + value.at, value.len);
	if (!c->old)
		t->failed = true;
	return c->old && edit_text_splice(t, value.at, value.len, c->value, strlen(c->value));
}

/* An empty text is an object that is not written yet. */
static bool
begin_text(struct edit_text *t, bool relaxed)
{
	const struct json_text in = view(t, relaxed);

	if (t->len > 0 && !json_is_blank(&in))
		return true;
	const char *newline = t->len ? edit_newline(t->data, t->len) : "\n";

	/* What is there may be a comment that goes to the end of its line. */
	const bool open = t->len > edit_mark(t->data, t->len) && t->data[t->len - 1] != '\n';

	return (!open || edit_text_puts(t, newline)) && edit_text_puts(t, "{}") && edit_text_puts(t, newline);
}

bool
json_edit_apply(struct edit_text *text, bool relaxed, struct edit_change *c)
{
	const struct edit_path whole = path_of(c, c->depth);
	struct edit_span value;
	size_t there;

	if (!begin_text(text, relaxed))
		return false;
	const struct json_text in = view(text, relaxed);
	if (!json_way(&in, &whole, &there))
		return false;
	const struct edit_path part = path_of(c, there);
	if (!json_find(&in, &part, &value))
		return false;
	if (there == c->depth && c->kind == EDIT_SET)
		return replace(text, value, c);
	if (there == c->depth && text->data[value.at] != '[')
		return false;
	c->created = (unsigned)(c->depth - there) - (c->kind == EDIT_SET);
	return add_child(text, relaxed, value, there, c);
}

/* --- taking back --- */

/* Removes the child from its container; the places are of the text as it is. */
static bool
cut_child(struct edit_text *t, const struct json_child *c, const struct json_child *before, bool only, const char *inside,
	  struct edit_span container)
{
	const size_t begin = c->key.len ? c->key.at : c->value.at, end = end_of(c);
	const bool own_line = edit_begins_line(t->data, begin), comma = c->comma != JSON_NO_COMMA;
	size_t from = own_line ? edit_break_before(t->data, begin) : edit_blanks_before(t->data, begin);
	size_t to = comma ? c->comma + 1 : end;
	size_t removed;

	if (comma && !own_line && !only && !before) {
		from = begin;
		while (t->data[to] == ' ' || t->data[to] == '\t')
			to++;
	}
	removed = to - from;
	if (!edit_text_splice(t, from, removed, "", 0))
		return false;
	if (!comma && before && !edit_text_splice(t, before->comma, 1, "", 0))
		return false;
	if (!only || !inside)
		return true;
	const size_t first = container.at + 1, len = container.len - 2 - removed;
	if (strspn(t->data + first, " \t\r\n") < len)
		return true;
	return edit_text_splice(t, first, len, inside, strlen(inside));
}

/* Removes the last child that `is` says; false if there is none. *ret_only: it was the only one. */
static bool
cut_matching(struct edit_text *t, bool relaxed, struct edit_span container, const char *key, const char *value, bool look_only,
	     const char *inside, bool *ret_only)
{
	const struct json_text in = view(t, relaxed);
	const struct json_text want = { value, value ? strlen(value) : 0, JSON_EDIT_DEPTH_MAX, false };
	struct json_child child, found = { 0 }, before = { 0 }, previous = { 0 };
	struct json_walk w;
	size_t count = 0, at = 0;

	if (!json_walk_begin(&w, &in, container.at))
		return false;
	for (; json_walk_next(&w, &child); previous = child) {
		const struct json_text own = { in.text + child.value.at, child.value.len, in.max_depth, relaxed };

		count++;
		if ((key && !json_string_is(in.text + child.key.at, child.key.len, key)) || (value && !json_same(&own, &want)))
			continue;
		found = child;
		before = previous;
		at = count;
	}
	*ret_only = count == 1;
	if (at == 0 || look_only)
		return at > 0;
	return cut_child(t, &found, at > 1 ? &before : NULL, count == 1, inside, container);
}

/* Climbs from what is removed to the outermost container that was made for it and would have nothing else. */
static bool
remove_added(struct edit_text *t, bool relaxed, const struct edit_change *c)
{
	const bool element = c->kind == EDIT_APPEND;
	size_t depth = element ? c->depth : c->depth - 1;
	unsigned created = c->created;
	const char *key = element ? NULL : c->key[depth], *value = c->value;
	struct edit_span container;
	bool only;

	for (;;) {
		const struct edit_path path = path_of(c, depth);
		const struct json_text in = view(t, relaxed);

		if (!json_find(&in, &path, &container) || !cut_matching(t, relaxed, container, key, value, true, NULL, &only))
			return false;
		if (!only || created == 0)
			break;
		created--;
		key = c->key[--depth];
		value = NULL;
	}
	return cut_matching(t, relaxed, container, key, value, false, c->inside, &only);
}

bool
json_edit_revert(struct edit_text *text, bool relaxed, const struct edit_change *c)
{
	const struct edit_path path = path_of(c, c->depth);
	const struct json_text in = view(text, relaxed), want = { c->value, strlen(c->value), JSON_EDIT_DEPTH_MAX, false };
	struct edit_span value;

	if (text->len == 0 || !json_find(&in, &path, &value))
		return false;
	if (!c->old)
		return remove_added(text, relaxed, c);
	const struct json_text own = { in.text + value.at, value.len, in.max_depth, relaxed };
	return json_same(&own, &want) && edit_text_splice(text, value.at, value.len, c->old, strlen(c->old));
}
