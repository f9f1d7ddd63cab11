#include "toml_edit.h"

#include <stdlib.h>
#include <string.h>

static struct toml_text
view(const struct edit_text *t)
{
	return (struct toml_text){ t->data, t->len, TOML_EDIT_DEPTH_MAX };
}

/* --- finding --- */

/* How many keys of the path, from `from` on, the parts of the key match before one ends: all parts, or all that are left. */
static bool
matches(const struct toml_text *in, const struct toml_key *k, const struct edit_path *path, size_t from)
{
	for (size_t i = 0; i < k->count && from + i < path->depth; i++)
		if (!toml_string_is(in->text + k->part[i].at, k->part[i].len, path->key[from + i]))
			return false;
	return true;
}

static void
find_inline(const struct toml_text *in, const struct edit_path *path, size_t from, struct edit_span table, struct toml_found *f)
{
	struct toml_line pair;
	struct toml_walk w;

	if (!toml_inline_begin(&w, in, table.at)) {
		f->in_way = true;
		return;
	}
	f->around = table;
	while (toml_inline_next(&w, &pair)) {
		const size_t reach = from + pair.key.count;

		if (!matches(in, &pair.key, path, from))
			continue;
		if (reach > path->depth) {
			f->below = true;
		} else if (reach < path->depth) {
			find_inline(in, path, reach, pair.value, f);
		} else {
			f->twice = f->twice || f->here;
			f->here = f->inlined = true;
			f->value = pair.value;
			f->begin = pair.begin;
			f->end = pair.end;
			f->around = table;
		}
	}
}

static void
see_pair(const struct toml_text *in, const struct edit_path *path, size_t from, const struct toml_line *l, struct toml_found *f)
{
	const size_t reach = from + l->key.count;

	if (!matches(in, &l->key, path, from))
		return;
	if (reach > path->depth) {
		f->below = true;
	} else if (reach < path->depth) {
		find_inline(in, path, reach, l->value, f);
	} else {
		f->twice = f->twice || f->here;
		f->here = true;
		f->value = l->value;
		f->begin = l->begin;
		f->end = l->end;
	}
}

struct toml_found
toml_find(const struct toml_text *in, const struct edit_path *path)
{
	struct toml_found f = { 0 };
	struct toml_line line;
	struct toml_walk w;
	bool on_way = true;
	size_t from = 0;

	toml_walk_begin(&w, in);
	while (toml_walk_next(&w, &line)) {
		if (line.kind == TOML_PAIR) {
			if (on_way)
				see_pair(in, path, from, &line, &f);
			continue;
		}
		from = line.key.count;
		on_way = matches(in, &line.key, path, 0);
		if (on_way && line.kind == TOML_ARRAY_TABLE)
			f.in_way = true;
		if (on_way && from >= path->depth) {
			f.below = true;
			on_way = false;
		}
	}
	return f;
}

/* --- adding --- */

/* Where a further pair of a table may stand. */
struct section {
	bool there;     /* its header is */
	size_t header;  /* where that begins */
	size_t last;    /* the end of its last pair, or of its header */
	size_t last_at; /* where that line begins */
	bool any;       /* it has a pair */
	bool dotted;    /* its pairs are dotted keys of the root table */
	bool twice;
	size_t first_table; /* where the first table of the file begins; its length if there is none */
};

static bool
is_key(const struct toml_text *in, const struct toml_key *k, const char *name, size_t count)
{
	return k->count == count && toml_string_is(in->text + k->part[0].at, k->part[0].len, name);
}

/* name NULL: the root table. */
static struct section
find_section(const struct toml_text *in, const char *name)
{
	struct section s = { .there = !name, .first_table = in->len };
	bool inside = !name, root = true;
	struct toml_line line;
	struct toml_walk w;

	toml_walk_begin(&w, in);
	while (toml_walk_next(&w, &line)) {
		if (line.kind != TOML_PAIR) {
			if (root)
				s.first_table = line.begin;
			root = false;
			inside = name && line.kind == TOML_TABLE && is_key(in, &line.key, name, 1);
			s.twice = s.twice || (inside && s.there);
			s.there = s.there || inside;
			if (inside)
				s.header = line.begin;
		}
		const bool dotted = root && name && line.key.count > 1 &&
				    toml_string_is(in->text + line.key.part[0].at, line.key.part[0].len, name);

		if (!inside && !dotted)
			continue;
		s.any = s.any || line.kind == TOML_PAIR;
		s.dotted = s.dotted || dotted;
		s.last = line.end;
		s.last_at = line.begin;
	}
	return s;
}

static void
put_pair(struct edit_text *out, const struct edit_change *c, bool dotted)
{
	if (dotted) {
		edit_text_puts(out, c->key[0]);
		edit_text_puts(out, ".");
	}
	edit_text_puts(out, c->key[c->depth - 1]);
	edit_text_puts(out, " = ");
	edit_text_puts(out, c->value);
}

static bool
splice(struct edit_text *t, size_t at, struct edit_text *text)
{
	const bool ok = !text->failed && edit_text_splice(t, at, 0, text->data, text->len);

	t->failed = !ok;
	edit_text_finish(text);
	return ok;
}

/* Below the last pair of its table, or the table's header, with the same indentation. */
static bool
add_below(struct edit_text *t, const struct section *s, const struct edit_change *c)
{
	const struct edit_span indent = edit_indent(t->data, s->last_at);
	struct edit_text text = { 0 };

	edit_text_puts(&text, edit_newline(t->data, t->len));
	/* A value may go over several lines: its first one counts. */
	edit_text_add(&text, t->data + indent.at, indent.len < s->last_at - indent.at ? indent.len : s->last_at - indent.at);
	put_pair(&text, c, s->dotted);
	return splice(t, s->last, &text);
}

static bool
note(struct edit_text *t, struct edit_change *c, const char *text)
{
	c->inside = edit_copy(text, strlen(text));
	if (!c->inside)
		t->failed = true;
	return c->inside;
}

/* The first pair of the root table: before all tables, else at the end. */
static bool
add_to_root(struct edit_text *t, const struct section *s, struct edit_change *c)
{
	const char *newline = t->len ? edit_newline(t->data, t->len) : "\n";
	const size_t mark = edit_mark(t->data, t->len);
	const bool top = s->first_table < t->len, open = !top && t->len > mark && t->data[t->len - 1] != '\n';
	struct edit_text text = { 0 };

	if (open)
		edit_text_puts(&text, newline);
	put_pair(&text, c, false);
	if (!open)
		edit_text_puts(&text, newline);
	if (top)
		edit_text_puts(&text, newline);
	if (top && !note(t, c, newline)) {
		edit_text_finish(&text);
		return false;
	}
	return splice(t, top ? mark : t->len, &text);
}

/* A table of its own at the end, after a blank line. */
static bool
add_table(struct edit_text *t, struct edit_change *c)
{
	const char *newline = t->len ? edit_newline(t->data, t->len) : "\n";
	const bool empty = t->len == edit_mark(t->data, t->len), closed = empty || t->data[t->len - 1] == '\n';
	struct edit_text text = { 0 }, lead = { 0 };

	edit_text_puts(&lead, closed ? "" : newline);
	edit_text_puts(&lead, empty ? "" : newline);
	edit_text_add(&text, lead.data, lead.len);
	edit_text_puts(&text, "[");
	edit_text_puts(&text, c->key[0]);
	edit_text_puts(&text, "]");
	edit_text_puts(&text, newline);
	put_pair(&text, c, false);
	edit_text_puts(&text, closed ? newline : "");
	c->created = 1;
	const bool ok = !lead.failed && note(t, c, lead.data);

	edit_text_finish(&lead);
	if (!ok)
		edit_text_finish(&text);
	return ok && splice(t, t->len, &text);
}

static bool
add_inline(struct edit_text *t, struct edit_span table, struct edit_change *c)
{
	const struct toml_text in = view(t);
	const size_t inside = table.at + 1, len = table.len - 2;
	struct edit_text text = { 0 };
	struct toml_line pair;
	struct toml_walk w;
	size_t last = 0;

	if (!toml_inline_begin(&w, &in, table.at))
		return false;
	while (toml_inline_next(&w, &pair))
		last = pair.end;
	if (last > 0) {
		edit_text_puts(&text, ", ");
		put_pair(&text, c, false);
		return splice(t, last, &text);
	}
	c->inside = edit_copy(t->data + inside, len);
	edit_text_puts(&text, " ");
	put_pair(&text, c, false);
	edit_text_puts(&text, " ");
	if (!c->inside || !edit_text_splice(t, inside, len, "", 0))
		text.failed = true;
	return splice(t, inside, &text);
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
add(struct edit_text *t, struct edit_change *c)
{
	const struct toml_text in = view(t);
	const struct edit_path table = path_of(c, 1);
	const struct section s = find_section(&in, c->depth > 1 ? c->key[0] : NULL);

	/* A table that is written in two ways makes the file invalid. */
	if (c->depth > 2 || s.twice || (s.there && s.dotted))
		return false;
	if (c->depth == 1)
		return s.any ? add_below(t, &s, c) : add_to_root(t, &s, c);
	const struct toml_found f = toml_find(&in, &table);

	if (f.here)
		return !f.twice && !s.there && !s.dotted && f.value.len > 1 && t->data[f.value.at] == '{' &&
		       add_inline(t, f.value, c);
	if (f.in_way)
		return false;
	return s.there || s.dotted ? add_below(t, &s, c) : add_table(t, c);
}

bool
toml_edit_apply(struct edit_text *text, struct edit_change *c)
{
	const struct edit_path path = path_of(c, c->depth);
	const struct toml_text in = view(text);
	const struct toml_found f = toml_find(&in, &path);

	if (c->kind != EDIT_SET || f.below || f.in_way || f.twice)
		return false;
	if (!f.here)
		return add(text, c);
	c->old = edit_copy(text->data + f.value.at, f.value.len);
	if (!c->old)
		text->failed = true;
	return c->old && edit_text_splice(text, f.value.at, f.value.len, c->value, strlen(c->value));
}

/* --- taking back --- */

/* The same, apart from blanks outside of strings on one line: values of ours have no others. */
static bool
same_value(const char *a, size_t a_len, const char *b, size_t b_len)
{
	char quote = '\0';
	size_t i = 0, k = 0;

	for (;;) {
		while (!quote && i < a_len && (a[i] == ' ' || a[i] == '\t'))
			i++;
		while (!quote && k < b_len && (b[k] == ' ' || b[k] == '\t'))
			k++;
		if (i == a_len || k == b_len)
			return i == a_len && k == b_len;
		if (a[i] != b[k])
			return false;
		if (a[i] == quote)
			quote = '\0';
		else if (!quote && (a[i] == '"' || a[i] == '\''))
			quote = a[i];
		i++;
		k++;
	}
}

/* Removes what stands before `at`, if it does. */
static void
cut_before(struct edit_text *t, size_t at, const char *what)
{
	const size_t len = strlen(what);

	if (len <= at && memcmp(t->data + at - len, what, len) == 0)
		edit_text_splice(t, at - len, len, "", 0);
}

static size_t
line_break(const struct edit_text *t, size_t at)
{
	return at < t->len && t->data[at] == '\r' ? 2 : at < t->len;
}

static bool
cut_line(struct edit_text *t, const struct toml_found *f, const struct edit_change *c)
{
	const size_t mark = edit_mark(t->data, t->len), line = edit_blanks_before(t->data, f->begin);
	size_t from = line, to = f->end;

	if (line > mark)
		from = edit_break_before(t->data, f->begin);
	else
		to += line_break(t, to);
	if (line <= mark && c->inside && !c->created && strncmp(t->data + to, c->inside, strlen(c->inside)) == 0)
		to += strlen(c->inside);
	return edit_text_splice(t, from, to - from, "", 0);
}

static bool
cut_inline(struct edit_text *t, const struct toml_found *f, const struct edit_change *c)
{
	size_t from = edit_blanks_before(t->data, f->begin), to = f->end;
	const bool first = t->data[from - 1] == '{', last = t->data[to + strspn(t->data + to, " \t")] == '}';

	if (first && last) {
		const char *inside = c->inside ? c->inside : "";

		to += strspn(t->data + to, " \t");
		return edit_text_splice(t, from, to - from, inside, strlen(inside));
	}
	if (!first)
		return edit_text_splice(t, from - 1, to - from + 1, "", 0);
	to += strspn(t->data + to, " \t") + 1;
	to += strspn(t->data + to, " \t");
	return edit_text_splice(t, f->begin, to - f->begin, "", 0);
}

/* The table that was made for it, unless something is in it. */
static void
cut_table(struct edit_text *t, const struct edit_change *c)
{
	const struct toml_text in = view(t);
	const struct section s = find_section(&in, c->key[0]);
	size_t end = s.last;

	if (!s.there || s.any || s.twice)
		return;
	/* Comments in it are somebody's own. */
	const size_t next = end + strspn(t->data + end, " \t\r\n");

	if (next < t->len && t->data[next] == '#')
		return;
	end += line_break(t, end);
	if (edit_text_splice(t, s.header, end - s.header, "", 0))
		cut_before(t, s.header, c->inside ? c->inside : "");
}

bool
toml_edit_revert(struct edit_text *text, const struct edit_change *c)
{
	const struct edit_path path = path_of(c, c->depth);
	const struct toml_text in = view(text);
	const struct toml_found f = toml_find(&in, &path);

	if (!f.here || f.twice || !same_value(text->data + f.value.at, f.value.len, c->value, strlen(c->value)))
		return false;
	if (c->old)
		return edit_text_splice(text, f.value.at, f.value.len, c->old, strlen(c->old));
	if (!(f.inlined ? cut_inline(text, &f, c) : cut_line(text, &f, c)))
		return false;
	if (c->created)
		cut_table(text, c);
	return !text->failed;
}
