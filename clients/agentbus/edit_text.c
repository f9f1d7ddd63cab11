#include "edit_text.h"

#include <stdlib.h>
#include <string.h>

static bool
reserve(struct edit_text *t, size_t size)
{
	size_t grown = t->size ? t->size : 256;
	char *data;

	if (size <= t->size)
		return true;
	while (grown < size)
		grown *= 2;
	data = realloc(t->data, grown);
	if (!data)
		return false;
	t->data = data;
	t->size = grown;
	return true;
}

bool
edit_text_splice(struct edit_text *t, size_t at, size_t cut, const char *text, size_t len)
{
	if (t->failed || at > t->len || cut > t->len - at || !reserve(t, t->len - cut + len + 1)) {
		t->failed = true;
		return false;
	}
	memmove(t->data + at + len, t->data + at + cut, t->len - at - cut);
	if (len > 0)
		memcpy(t->data + at, text, len);
	t->len += len - cut;
	t->data[t->len] = '\0';
	return true;
}

bool
edit_text_add(struct edit_text *t, const char *text, size_t len)
{
	return edit_text_splice(t, t->len, 0, text, len);
}

bool
edit_text_puts(struct edit_text *t, const char *text)
{
	return edit_text_add(t, text, strlen(text));
}

void
edit_text_finish(struct edit_text *t)
{
	free(t->data);
	*t = (struct edit_text){ 0 };
}

char *
edit_copy(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

size_t
edit_line(const char *text, size_t len, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at && i < len; i++)
		line += text[i] == '\n';
	return line;
}

const char *
edit_newline(const char *text, size_t len)
{
	const char *end = len ? memchr(text, '\n', len) : NULL;

	return end && end > text && end[-1] == '\r' ? "\r\n" : "\n";
}

size_t
edit_mark(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

size_t
edit_blanks_before(const char *text, size_t at)
{
	while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
		at--;
	return at;
}

bool
edit_begins_line(const char *text, size_t at)
{
	at = edit_blanks_before(text, at);
	return at == 0 || text[at - 1] == '\n';
}

size_t
edit_break_before(const char *text, size_t at)
{
	at = edit_blanks_before(text, at);
	if (at > 0 && text[at - 1] == '\n')
		at--;
	if (at > 0 && text[at - 1] == '\r')
		at--;
	return at;
}

struct edit_span
edit_indent(const char *text, size_t at)
{
	struct edit_span s;

	while (at > 0 && text[at - 1] != '\n')
		at--;
	s = (struct edit_span){ at, 0 };
	while (text[at + s.len] == ' ' || text[at + s.len] == '\t')
		s.len++;
	return s;
}

bool
edit_change_init(struct edit_change *c, enum edit_kind kind, const struct edit_path *path, const char *value)
{
	bool ok;

	*c = (struct edit_change){ .kind = kind, .depth = path->depth };
	ok = (c->value = edit_copy(value, strlen(value))) != NULL;
	for (size_t i = 0; i < path->depth && ok; i++)
		ok = (c->key[i] = edit_copy(path->key[i], strlen(path->key[i]))) != NULL;
	if (!ok)
		edit_change_finish(c);
	return ok;
}

void
edit_change_finish(struct edit_change *c)
{
	for (size_t i = 0; i < EDIT_PATH_MAX; i++)
		free(c->key[i]);
	free(c->value);
	free(c->old);
	free(c->inside);
	*c = (struct edit_change){ 0 };
}
