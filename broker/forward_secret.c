#include "forward_secret.h"

#include "str.h"
#include "token.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 4096

struct expansion {
	char text[HEADER_MAX];
	size_t len;
};

static bool
add(struct expansion *e, struct str s)
{
	if (s.len >= sizeof(e->text) - e->len)
		return false;
	memcpy(e->text + e->len, s.ptr, s.len);
	e->len += s.len;
	e->text[e->len] = '\0';
	return true;
}

/* Printable ASCII, as HTTP wants it: above all no line's end, which would begin another header. */
static bool
is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool
add_variable(struct expansion *e, const char *name, const struct destination *d, const struct log *log)
{
	const char *value = getenv(name);

	if (!value || !*value) {
		log_error(log, "forward %s: the environment has no %s, which a header wants", d->name, name);
		return false;
	}
	if (!is_printable(value) || !add(e, str_from(value))) {
		log_error(log, "forward %s: %s is too long for a header, or holds what may not be in one", d->name, name);
		return false;
	}
	return true;
}

static bool
add_file(struct expansion *e, const char *path, const struct destination *d, const struct log *log)
{
	char secret[TOKEN_MAX];

	if (!token_read_secret(path, secret, log))
		return false;
	const bool ok = add(e, str_from(secret));
	explicit_bzero(secret, sizeof(secret));
	if (!ok)
		log_error(log, "forward %s: a header is too long", d->name);
	return ok;
}

static const struct {
	struct str prefix;
	bool (*add)(struct expansion *e, const char *name, const struct destination *d, const struct log *log);
} sources[] = {
	{ { "${env:", 6 }, add_variable },
	{ { "${file:", 7 }, add_file },
};

/* What a reference stands for; *at is behind it then. The configuration was checked: each has its end. */
static bool
add_reference(struct expansion *e, struct str *at, const struct destination *d, const struct log *log)
{
	char name[DESTINATION_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const char *begin = at->ptr + sources[i].prefix.len;
		const char *end = str_starts(*at, sources[i].prefix) ? memchr(begin, '}', at->len - sources[i].prefix.len) : NULL;
		const size_t len = end ? (size_t)(end - begin) : 0;

		if (!end || len >= sizeof(name))
			continue;
		memcpy(name, begin, len);
		name[len] = '\0';
		*at = (struct str){ end + 1, at->len - (size_t)(end + 1 - at->ptr) };
		return sources[i].add(e, name, d, log);
	}
	log_error(log, "forward %s: a header names its secret in a way that is not understood", d->name);
	return false;
}

static bool
expand(struct expansion *e, struct str line, const struct destination *d, const struct log *log)
{
	const struct str mark = STR("${");

	e->len = 0;
	while (line.len > 0) {
		const char *next = memmem(line.ptr, line.len, mark.ptr, mark.len);
		const size_t plain = next ? (size_t)(next - line.ptr) : line.len;

		if (!add(e, (struct str){ line.ptr, plain })) {
			log_error(log, "forward %s: a header is too long", d->name);
			return false;
		}
		line = (struct str){ line.ptr + plain, line.len - plain };
		if (next && !add_reference(e, &line, d, log))
			return false;
	}
	return true;
}

bool
forward_secret_headers(const struct destination *d, bool (*fn)(void *ctx, const char *header), void *ctx, const struct log *log)
{
	struct expansion e = { .len = 0 };
	bool ok = true;

	for (const char *at = d->headers, *end; ok && (end = strchr(at, '\n')); at = end + 1)
		ok = expand(&e, (struct str){ at, (size_t)(end - at) }, d, log) && fn(ctx, e.text);
	explicit_bzero(&e, sizeof(e));
	return ok;
}

static bool
take_nothing(void *ctx, const char *header)
{
	(void)ctx;
	(void)header;
	return true;
}

bool
forward_secret_check(const struct destinations *to, const struct log *log)
{
	bool ok = true;

	for (size_t i = 0; i < to->count; i++)
		ok &= forward_secret_headers(&to->list[i], take_nothing, NULL, log);
	return ok;
}
