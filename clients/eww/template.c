#include "eww/template.h"

#include "eww/field.h"
#include "eww/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Conditions within conditions. */
enum { MAX_DEPTH = 8 };

enum part_kind { PART_TEXT, PART_VALUE, PART_IF, PART_UNLESS };

struct part {
	enum part_kind kind;
	const struct field *field; /* of all but PART_TEXT */
	const char *text;          /* PART_TEXT */
	size_t end;                /* of conditions: the first part behind what they hold */
};

struct template
{
	size_t count;
	char *text; /* of all parts, each ended by NUL */
	struct part parts[];
};

struct reader {
	struct template *t;
	char *out;      /* where text is added */
	bool in_text;   /* the last part is text that is not ended yet */
	unsigned depth; /* open conditions */
	size_t open[MAX_DEPTH];
	char *message;
};

static struct part *
add_part(struct reader *r, enum part_kind kind, const struct field *field)
{
	struct part *part = &r->t->parts[r->t->count++];

	if (r->in_text)
		*r->out++ = '\0';
	r->in_text = kind == PART_TEXT;
	*part = (struct part){ .kind = kind, .field = field, .text = r->out };
	return part;
}

static void
add_char(struct reader *r, char c)
{
	if (!r->in_text)
		add_part(r, PART_TEXT, NULL);
	*r->out++ = c;
}

__attribute__((format(printf, 2, 3))) static const char *
refuse(struct reader *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->message, TEMPLATE_MESSAGE_SIZE, format, ap);
	va_end(ap);
	return NULL;
}

static const char *
refuse_name(struct reader *r, const char *name, size_t len)
{
	char names[TEMPLATE_MESSAGE_SIZE - 128];

	return refuse(r, "there is no placeholder '%.*s'; there are %s", (int)(len < 64 ? len : 64), name,
		      field_names(names, sizeof(names)));
}

/* p is behind a backslash. These return where to go on, NULL for a mistake. */
static const char *
read_escape(struct reader *r, const char *p)
{
	static const char from[] = "nt\\{}", to[] = "\n\t\\{}";
	const char *found;

	if (!*p)
		return refuse(r, "it ends with a backslash");
	found = strchr(from, *p);
	if (!found)
		return refuse(r, "'\\%c' stands for nothing; write '\\\\' for a backslash", *p);
	add_char(r, to[found - from]);
	return p + 1;
}

/* p is behind "{?" or "{!". */
static const char *
read_condition(struct reader *r, const char *p, enum part_kind kind)
{
	size_t len = strcspn(p, ":{}");
	const struct field *field = field_find(p, len);

	if (p[len] != ':')
		return refuse(r, "'{%c%.*s' is a condition without ':'", p[-1], (int)(len < 64 ? len : 64), p);
	if (!field)
		return refuse_name(r, p, len);
	if (r->depth == MAX_DEPTH)
		return refuse(r, "conditions are nested deeper than %d", MAX_DEPTH);
	r->open[r->depth++] = r->t->count;
	add_part(r, kind, field);
	return p + len + 1;
}

/* p is behind a "{". */
static const char *
read_brace(struct reader *r, const char *p)
{
	size_t len = strcspn(p, "{}");
	const struct field *field;

	if (*p == '{') {
		add_char(r, '{');
		return p + 1;
	}
	if (*p == '?' || *p == '!')
		return read_condition(r, p + 1, *p == '?' ? PART_IF : PART_UNLESS);
	if (p[len] != '}')
		return refuse(r, "'{%.*s' has no '}'", (int)(len < 64 ? len : 64), p);
	field = field_find(p, len);
	if (!field)
		return refuse_name(r, p, len);
	add_part(r, PART_VALUE, field);
	return p + len + 1;
}

/* p is behind a "}". */
static const char *
read_closing(struct reader *r, const char *p)
{
	if (r->depth > 0) {
		/* Text that follows is no part of the condition. */
		if (r->in_text)
			*r->out++ = '\0';
		r->in_text = false;
		r->t->parts[r->open[--r->depth]].end = r->t->count;
		return p;
	}
	if (*p != '}')
		return refuse(r, "a '}' closes nothing; write '}}' for a brace");
	add_char(r, '}');
	return p + 1;
}

static bool
read_all(struct reader *r, const char *p)
{
	while (p && *p) {
		char c = *p++;

		if (c == '\\')
			p = read_escape(r, p);
		else if (c == '{')
			p = read_brace(r, p);
		else if (c == '}')
			p = read_closing(r, p);
		else
			add_char(r, c);
	}
	if (p && r->depth > 0)
		p = refuse(r, "a condition '{?' or '{!' has no '}'");
	if (r->in_text)
		*r->out = '\0';
	return p != NULL;
}

struct template *
template_create(const char *text, char message[TEMPLATE_MESSAGE_SIZE])
{
	/* Each part takes a character of the text at least; each text gets an end in the place of what stands between two. */
	size_t len = strlen(text);
	struct template *t = calloc(1, sizeof(*t) + (len + 1) * sizeof(t->parts[0]));
	struct reader r = { .t = t, .message = message };

	if (t)
		t->text = r.out = malloc(2 * len + 1);
	if (!t || !t->text) {
		snprintf(message, TEMPLATE_MESSAGE_SIZE, "out of memory");
		template_destroy(t);
		return NULL;
	}
	if (!read_all(&r, text)) {
		template_destroy(t);
		return NULL;
	}
	return t;
}

void
template_destroy(struct template *t)
{
	if (t)
		free(t->text);
	free(t);
}

static bool
holds(const char *value)
{
	return *value && strcmp(value, "0") != 0;
}

bool
template_render(const struct view *v, struct json *out)
{
	const struct template *t = v->template;
	struct summary sum = summary_of(v);
	struct rich line = { .kind = v->escape };
	char value[FIELD_SIZE] = "";

	for (size_t i = 0; i < t->count; i++) {
		const struct part *part = &t->parts[i];

		if (part->field)
			field_write(part->field, v, &sum, value);
		if (part->kind == PART_TEXT)
			rich_raw(&line, part->text);
		else if (part->kind == PART_VALUE)
			rich_text(&line, value);
		else if (holds(value) != (part->kind == PART_IF))
			i = part->end - 1;
	}
	json_plain(out, line.text);
	return json_text(out) != NULL;
}
