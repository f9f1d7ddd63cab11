#include "git.h"

#include <ctype.h>

#define SHORT_COMMIT 7 /* digits */

/* A file of one line, with or without its end. */
static struct str
only_line(struct str text)
{
	const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;

	return end ? (struct str){ text.ptr, (size_t)(end - text.ptr) } : text;
}

static bool
is_commit(struct str s)
{
	if (s.len != 40 && s.len != 64)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!isxdigit((unsigned char)s.ptr[i]))
			return false;
	return true;
}

static bool
after(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = (struct str){ s->ptr + prefix.len, s->len - prefix.len };
	return true;
}

bool
git_head(struct str text, char *ret, size_t size)
{
	struct str line = only_line(text);

	/* Without its end a name may be cut off. */
	if (line.len == text.len)
		return false;
	if (is_commit(line)) {
		str_copy(ret, size, (struct str){ line.ptr, SHORT_COMMIT });
		return true;
	}
	if (!after(&line, STR("ref: ")) || !after(&line, STR("refs/")))
		return false;
	after(&line, STR("heads/"));
	/* Where refs are kept in another way (reftable) HEAD names none that could be. */
	if (line.len == 0 || line.ptr[0] == '.')
		return false;
	str_copy(ret, size, line);
	return true;
}

/* A path: not empty, and without a NUL. */
static bool
is_path(struct str s)
{
	return s.len > 0 && !memchr(s.ptr, '\0', s.len);
}

bool
git_link(struct str text, struct str *ret)
{
	struct str line = only_line(text);

	if (line.len == text.len || !after(&line, STR("gitdir: ")) || !is_path(line))
		return false;
	*ret = line;
	return true;
}

bool
git_common(struct str text, struct str *ret)
{
	const struct str line = only_line(text);

	if (line.len == text.len || !is_path(line))
		return false;
	*ret = line;
	return true;
}

/* Appends one part of a path, or goes up. */
static bool
step(char *path, size_t *len, struct str part)
{
	if (part.len == 0 || str_eq(part, STR(".")))
		return true;
	if (str_eq(part, STR(".."))) {
		while (*len > 0 && path[--*len] != '/')
			;
		return true;
	}
	if (*len + 1 + part.len >= GIT_PATH_MAX)
		return false;
	path[(*len)++] = '/';
	memcpy(path + *len, part.ptr, part.len);
	*len += part.len;
	return true;
}

static bool
walk(char *path, size_t *len, struct str way)
{
	while (way.len > 0) {
		const char *slash = memchr(way.ptr, '/', way.len);
		const size_t n = slash ? (size_t)(slash - way.ptr) : way.len;

		if (!step(path, len, (struct str){ way.ptr, n }))
			return false;
		way = (struct str){ way.ptr + n + (slash != NULL), way.len - n - (slash != NULL) };
	}
	return true;
}

bool
git_join(const char *base, struct str path, char ret[GIT_PATH_MAX])
{
	char joined[GIT_PATH_MAX];
	size_t len = 0;
	const bool absolute = str_starts(path, STR("/"));

	if ((!absolute && base[0] != '/') || (!absolute && !walk(joined, &len, str_from(base))) || !walk(joined, &len, path))
		return false;
	if (len == 0)
		joined[len++] = '/';
	memcpy(ret, joined, len);
	ret[len] = '\0';
	return true;
}

/* Takes the last part of a path off. */
static struct str
last_part(struct str *path)
{
	const char *slash = path->len ? memrchr(path->ptr, '/', path->len) : NULL;
	const size_t at = slash ? (size_t)(slash - path->ptr) + 1 : 0;
	const struct str part = { path->ptr + at, path->len - at };

	path->len = slash ? at - 1 : 0;
	return part;
}

bool
git_name(const char *git_dir, char *ret, size_t size)
{
	const struct str end = STR(".git");
	struct str path = str_from(git_dir), part = last_part(&path);

	if (part.len > 0 && part.ptr[0] == '.')
		part = last_part(&path);
	if (part.len > end.len && str_eq((struct str){ part.ptr + part.len - end.len, end.len }, end))
		part.len -= end.len;
	if (part.len == 0)
		return false;
	str_copy(ret, size, part);
	return true;
}
