#include "eww/rich.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const rich_kinds[] = { "none", "pango", "polybar", "json", NULL };

struct escape {
	char c;
	const char *text;
};

static const struct escape markup_escapes[] = {
	{ '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '\'', "&#39;" }, { '"', "&quot;" }, { 0 },
};
static const struct escape json_escapes[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { 0 } };
static const struct escape no_escapes[] = { { 0 } };

static const struct {
	const struct escape *escapes;
	const char *colour, *coloured, *uncolour; /* before and after the colour's name, and at the end; NULL: no colours */
} kinds[] = {
	[RICH_PLAIN] = { no_escapes, NULL, NULL, NULL },
	[RICH_MARKUP] = { markup_escapes, "<span foreground=\"", "\">", "</span>" },
	[RICH_POLYBAR] = { no_escapes, "%{F", "}", "%{F-}" },
	[RICH_JSON] = { json_escapes, NULL, NULL, NULL },
};

static void
add(struct rich *t, const char *text, size_t len)
{
	if (t->full || len >= sizeof(t->text) - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->text + t->len, text, len);
	t->len += len;
	t->text[t->len] = '\0';
}

void
rich_raw(struct rich *t, const char *text)
{
	add(t, text, strlen(text));
}

void
rich_format(struct rich *t, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	rich_raw(t, text);
}

/* One character, n bytes of UTF-8, that may be shown. */
static void
add_rune(struct rich *t, const char *rune, size_t n)
{
	const struct escape *e = kinds[t->kind].escapes;

	while (e->c && e->c != *rune)
		e++;
	if (e->c)
		rich_raw(t, e->text);
	else
		add(t, rune, n);
	/* Whatever comes next, ours or theirs, must not make a tag of it. */
	if (t->kind == RICH_POLYBAR && *rune == '%' && (rune[1] == '{' || rune[1] == '\0'))
		add(t, " ", 1);
}

void
rich_text(struct rich *t, const char *text)
{
	uint32_t rune;
	size_t n;

	for (; (n = text_rune(text, &rune)) > 0; text += n) {
		if (text_shown(rune))
			add_rune(t, text, n);
		else
			add(t, "?", 1);
	}
}

void
rich_clip(struct rich *t, const char *text, size_t columns)
{
	char clipped[RICH_COLUMNS * 4 + 4];

	rich_text(t, text_clip(text, columns, clipped, sizeof(clipped)));
}

void
rich_colour(struct rich *t, const char *colour)
{
	if (!kinds[t->kind].colour)
		return;
	rich_raw(t, kinds[t->kind].colour);
	rich_raw(t, colour);
	rich_raw(t, kinds[t->kind].coloured);
}

void
rich_uncolour(struct rich *t)
{
	if (kinds[t->kind].uncolour)
		rich_raw(t, kinds[t->kind].uncolour);
}

void
rich_rewind(struct rich *t, size_t len)
{
	t->len = len;
	t->text[len] = '\0';
	t->full = false;
}
