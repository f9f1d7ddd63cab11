#include "mounts.h"

#include "str.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define TABLE_MAX   ((size_t)1 << 20)
#define WAITING_MAX ((size_t)16 << 10)
#define FIELD_MAX   4096

/* By what the type begins with. */
static const char *const waiting_types[] = { "9p",  "afs",     "autofs", "beegfs", "ceph", "cifs",  "coda",     "fuse",
					     "gfs", "gluster", "gpfs",   "lustre", "nfs",  "ocfs2", "orangefs", "smb" };

/* --- the table --- */

static bool
next_field(struct str *rest, struct str *ret)
{
	const char *space = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
	const size_t len = space ? (size_t)(space - rest->ptr) : rest->len;

	if (len == 0)
		return false;
	*ret = (struct str){ rest->ptr, len };
	*rest = (struct str){ rest->ptr + len + (space != NULL), rest->len - len - (space != NULL) };
	return true;
}

static bool
is_waiting_type(struct str type)
{
	for (size_t i = 0; i < sizeof(waiting_types) / sizeof(waiting_types[0]); i++)
		if (str_starts(type, str_from(waiting_types[i])))
			return true;
	return false;
}

static bool
is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

/* Blanks and the like are written as \040. */
static bool
add_point(struct mounts *m, struct str point)
{
	char text[FIELD_MAX];
	size_t len = 0;

	if (point.len >= sizeof(text) || m->waiting.len > WAITING_MAX)
		return false;
	for (size_t i = 0; i < point.len; i++) {
		const char *p = point.ptr + i;

		if (*p == '\\' && i + 3 < point.len && is_octal(p + 1)) {
			text[len++] = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			i += 3;
		} else {
			text[len++] = *p;
		}
	}
	text[len++] = '\0';
	return buf_append(&m->waiting, text, len);
}

/* "36 35 98:0 /root /mount/point options optional… - type source options" */
static bool
read_line(struct mounts *m, struct str line)
{
	struct str field, point = { 0 };

	for (unsigned i = 0; next_field(&line, &field); i++) {
		if (i == 4)
			point = field;
		if (i > 5 && str_eq(field, STR("-")))
			return next_field(&line, &field) && (!is_waiting_type(field) || add_point(m, point));
	}
	return false;
}

bool
mounts_read(struct mounts *m, const char *text, size_t len)
{
	const char *end;

	m->waiting.len = 0;
	m->known = false;
	while (len > 0 && (end = memchr(text, '\n', len))) {
		const size_t n = (size_t)(end - text);

		if (!read_line(m, (struct str){ text, n }))
			return false;
		text += n + 1;
		len -= n + 1;
	}
	m->known = len == 0;
	return m->known;
}

static void
read_table(struct mounts *m)
{
	struct buf text = { 0 };
	ssize_t n = -1;

	m->known = false;
	if (lseek(m->fd, 0, SEEK_SET) == 0)
		while (text.len < TABLE_MAX && buf_reserve(&text, FIELD_MAX) &&
		       (n = read(m->fd, text.bytes + text.len, FIELD_MAX)) > 0)
			text.len += (size_t)n;
	if (n == 0)
		mounts_read(m, (const char *)text.bytes, text.len);
	buf_finish(&text);
}

/* --- asked --- */

static void
refresh(struct mounts *m)
{
	struct pollfd p = { .events = POLLPRI };

	if (m->fd < 0) {
		m->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		if (m->fd >= 0)
			read_table(m);
		return;
	}
	p.fd = m->fd;
	if (poll(&p, 1, 0) > 0)
		read_table(m);
}

static bool
lies_in(const char *path, const char *point)
{
	const size_t n = strcmp(point, "/") == 0 ? 0 : strlen(point);

	return strncmp(path, point, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

bool
mounts_may_look(struct mounts *m, const char *path)
{
	refresh(m);
	if (!m->known)
		return false;
	for (size_t at = 0; at < m->waiting.len; at += strlen((const char *)m->waiting.bytes + at) + 1)
		if (lies_in(path, (const char *)m->waiting.bytes + at))
			return false;
	return true;
}

void
mounts_init(struct mounts *m)
{
	*m = (struct mounts){ .fd = -1 };
}

void
mounts_finish(struct mounts *m)
{
	if (m->fd >= 0)
		close(m->fd);
	buf_finish(&m->waiting);
	mounts_init(m);
}
