#include "notify/command.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS      " \t"
#define LOWER       "abcdefghijklmnopqrstuvwxyz"
#define NUMBER_SIZE 16

/* What a placeholder stands for: text of the session at offset, or its pid. */
static const struct placeholder {
	const char *name;
	size_t offset;
	bool number;
} placeholders[] = {
	{ "{id}", offsetof(struct agentbus_session, id), false },
	{ "{provider}", offsetof(struct agentbus_session, provider), false },
	{ "{pid}", offsetof(struct agentbus_session, pid), true },
	{ "{window}", offsetof(struct agentbus_session, window), false },
	{ "{project}", offsetof(struct agentbus_session, project), false },
	{ "{directory}", offsetof(struct agentbus_session, project_dir), false },
};

static const struct placeholder *
placeholder_at(const char *p)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (strncmp(p, placeholders[i].name, strlen(placeholders[i].name)) == 0)
			return &placeholders[i];
	return NULL;
}

/* Whether all that looks like a placeholder is one: what is misspelt would go to the command as it is. */
static bool
known_placeholders(const char *word)
{
	for (const char *p = word; (p = strchr(p, '{')); p++) {
		size_t len = strspn(p + 1, LOWER);

		if (len > 0 && p[1 + len] == '}' && !placeholder_at(p))
			return false;
	}
	return true;
}

/* Copies one word, without its quotes, to out; NULL if a quote has no end. Never writes more than it reads. */
static const char *
read_word(const char *p, char **out)
{
	char quote = '\0', *to = *out;

	for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
		if (quote && *p == quote) {
			quote = '\0';
		} else if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == '\\' && (quote == '"' ? p[1] == '"' || p[1] == '\\' : !quote)) {
			if (!*++p)
				return NULL;
			*to++ = *p;
		} else {
			*to++ = *p;
		}
	}
	*to++ = '\0';
	*out = to;
	return quote ? NULL : p;
}

bool
command_parse(const char *line, struct command *ret_command, const char **ret_why)
{
	struct command c = { .count = 0 };
	char *out = c.words;

	/* A word needs no more room than its letters and the blank or the end after it. */
	if (strlen(line) >= sizeof(c.words)) {
		*ret_why = "it is too long";
		return false;
	}
	for (const char *p = line + strspn(line, BLANKS); *p; p += strspn(p, BLANKS)) {
		const char *word = out;

		if (c.count == COMMAND_WORDS_MAX) {
			*ret_why = "it has too many words";
			return false;
		}
		p = read_word(p, &out);
		if (!p || !known_placeholders(word)) {
			*ret_why = p ? "only {id}, {provider}, {pid}, {window}, {project} and {directory} can be filled in"
				     : "a quote or a backslash has nothing after it";
			return false;
		}
		c.count++;
	}
	*ret_command = c;
	return true;
}

/* Writes text to out, unless that is NULL; gives its length. */
static size_t
put(char *out, const char *text, size_t len)
{
	if (out)
		memcpy(out, text, len);
	return len;
}

/* Fills a word in; gives how long it is, its NUL included. out may be NULL. */
static size_t
fill_in(const char *word, const struct agentbus_session *s, char *out)
{
	char number[NUMBER_SIZE];
	size_t len = 0;

	for (const char *p = word; *p;) {
		const struct placeholder *h = *p == '{' ? placeholder_at(p) : NULL;
		const char *text = p;
		size_t text_len = 1;

		if (h) {
			snprintf(number, sizeof(number), "%" PRIu32, s->pid);
			text = h->number ? number : *(const char *const *)((const char *)s + h->offset);
			text_len = strlen(text);
		}
		len += put(out ? out + len : NULL, text, text_len);
		p += h ? strlen(h->name) : 1;
	}
	return len + put(out ? out + len : NULL, "", 1);
}

char **
command_expand(const struct command *c, const struct agentbus_session *s)
{
	size_t size = (c->count + 1) * sizeof(char *);
	const char *word = c->words;
	char **argv, *out;

	for (size_t i = 0; i < c->count; i++, word += strlen(word) + 1)
		size += fill_in(word, s, NULL);
	argv = malloc(size);
	if (!argv)
		return NULL;
	out = (char *)&argv[c->count + 1];
	word = c->words;
	for (size_t i = 0; i < c->count; i++, word += strlen(word) + 1) {
		argv[i] = out;
		out += fill_in(word, s, out);
	}
	argv[c->count] = NULL;
	return argv;
}
