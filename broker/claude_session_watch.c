#include "claude_session_watch.h"

#include "claude_session_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define ARENA_MAX   ((size_t)1 << 20)
#define EVENTS_MAX  (16 * 1024) /* bytes of events read at a time */
#define ENTRIES_MAX 4096        /* of the directory that are looked at */

#define FILE_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)
#define GONE_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF)

/* --- one file --- */

static struct claude_file *
known_file(const struct claude_watch *w, uint32_t pid)
{
	for (size_t i = 0; i < CLAUDE_WATCH_FILES; i++)
		if (w->files[i].pid == pid)
			return &w->files[i];
	return NULL;
}

static bool
still_runs(const struct claude_file *f)
{
	const uint64_t ticks = claude_file_process_start(f->pid);

	return ticks && ticks == f->start_ticks;
}

/* Tells that a process is gone, and forgets its file. */
static void
file_over(struct claude_watch *w, struct claude_file *f)
{
	struct observation o;

	if (claude_session_gone(&f->known, clock_now(w->intake->clock), &o))
		w->missed |= intake_take_told(w->intake, &o) != VERDICT_OK;
	f->pid = 0;
}

/* The place of a process; NULL if as many run as can be remembered. */
static struct claude_file *
place_of(struct claude_watch *w, uint32_t pid)
{
	const uint64_t ticks = claude_file_process_start(pid);
	struct claude_file *f = known_file(w, pid);

	if (f && f->start_ticks != ticks)
		file_over(w, f);
	if (!f || f->pid == 0)
		f = known_file(w, 0);
	for (size_t i = 0; !f && i < CLAUDE_WATCH_FILES; i++)
		if (!still_runs(&w->files[i]))
			file_over(w, f = &w->files[i]);
	if (f && f->pid == 0)
		*f = (struct claude_file){ .pid = pid, .start_ticks = ticks };
	return f;
}

static void
take_session(struct claude_watch *w, const struct claude_session *c, uint64_t file_ns)
{
	struct claude_file *f = claude_file_process_runs(c) ? place_of(w, c->pid) : NULL;
	struct observation o;

	if (!f)
		return;
	while (claude_session_next(&f->known, c, file_ns, clock_now(w->intake->clock), &o)) {
		if (intake_take_told(w->intake, &o) == VERDICT_OK)
			continue;
		/* Told again when the broker takes something. */
		f->pid = 0;
		w->missed = true;
		break;
	}
}

static void
file_written(struct claude_watch *w, int directory, const char *name)
{
	const uint32_t pid = claude_file_pid(name);
	struct claude_session c;
	uint64_t file_ns;
	size_t len;

	if (pid && claude_file_read(directory, name, w->own, w->text, &len, &file_ns) &&
	    claude_session_read(w->text, len, &w->arena, &c) && c.pid == pid)
		take_session(w, &c, file_ns);
	arena_reset(&w->arena);
}

/* Claude removes it a moment before it exits: while its process runs, this says nothing for sure. */
static void
file_removed(struct claude_watch *w, const char *name)
{
	const uint32_t pid = claude_file_pid(name);
	struct claude_file *f = pid ? known_file(w, pid) : NULL;

	if (f && !still_runs(f))
		file_over(w, f);
}

static void
read_all(struct claude_watch *w)
{
	const int fd = claude_file_open_directory(w->path, w->own);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	w->missed = false;
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (unsigned i = 0; i < ENTRIES_MAX && (e = readdir(d)); i++)
		file_written(w, fd, e->d_name);
	closedir(d);
}

/* --- what is watched --- */

/* Watches the beginning of the path that is `len` bytes long. */
static int
watch(struct claude_watch *w, size_t len, uint32_t events)
{
	char path[CLAUDE_WATCH_PATH_MAX];

	memcpy(path, w->path, len);
	strcpy(path + len, len ? "" : "/");
	return inotify_add_watch(w->fd, path, events | IN_ONLYDIR);
}

static size_t
length_above(const struct claude_watch *w, size_t len)
{
	while (len > 0 && w->path[len - 1] != '/')
		len--;
	while (len > 0 && w->path[len - 1] == '/')
		len--;
	return len;
}

static void
unwatch(struct claude_watch *w, int *wd)
{
	if (*wd >= 0)
		inotify_rm_watch(w->fd, *wd);
	*wd = -1;
}

/* The nearest directory above that is there: what shall appear in it is the rest of the path, and its next name. */
static void
watch_above(struct claude_watch *w, uint32_t events)
{
	size_t len = strlen(w->path);

	do {
		w->awaited = len;
		len = length_above(w, len);
		w->above = watch(w, len, events);
	} while (w->above < 0 && len > 0);
}

/* Whether it may be watched: a directory of somebody else is as good as none. */
static bool
watch_directory(struct claude_watch *w)
{
	const int fd = claude_file_open_directory(w->path, w->own);

	if (fd < 0)
		return false;
	/* Kept open, it would never be seen to go. */
	close(fd);
	w->wd = watch(w, strlen(w->path), FILE_EVENTS | GONE_EVENTS);
	return w->wd >= 0;
}

/*
 * Watches the directory, or waits for it. What appears between looking and watching is looked for once more, so a round is needed
 * for each name of the path at most.
 */
static void
attach(struct claude_watch *w)
{
	size_t awaited = 0;

	unwatch(w, &w->wd);
	for (;;) {
		unwatch(w, &w->above);
		if (watch_directory(w)) {
			watch_above(w, GONE_EVENTS);
			read_all(w);
			return;
		}
		watch_above(w, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | GONE_EVENTS);
		if (w->awaited <= awaited || w->above < 0)
			return;
		awaited = w->awaited;
	}
}

/* --- events --- */

/* Whether the name is the next one of the path. */
static bool
is_awaited(const struct claude_watch *w, const char *name)
{
	const size_t above = length_above(w, w->awaited), len = strlen(name);

	return w->awaited > above + len && memcmp(w->path + w->awaited - len, name, len) == 0 &&
	       w->path[w->awaited - len - 1] == '/';
}

/* What one event asks for. */
enum wanted { WANTS_NOTHING, WANTS_ALL, WANTS_ATTACH };

static enum wanted
take_event(struct claude_watch *w, const struct inotify_event *e, int directory)
{
	const char *name = e->len ? e->name : "";

	if (e->mask & IN_Q_OVERFLOW)
		return w->wd >= 0 ? WANTS_ALL : WANTS_ATTACH;
	if (e->wd == w->above)
		return e->mask & (GONE_EVENTS | IN_IGNORED) || (w->wd < 0 && is_awaited(w, name)) ? WANTS_ATTACH : WANTS_NOTHING;
	if (e->wd != w->wd)
		return WANTS_NOTHING; /* of a watch that is no more */
	if (e->mask & (GONE_EVENTS | IN_IGNORED | IN_UNMOUNT) || (e->mask & IN_ATTRIB && *name == '\0'))
		return WANTS_ATTACH; /* with another owner it may be, or be no more, what we look for */
	if (e->mask & (IN_DELETE | IN_MOVED_FROM))
		file_removed(w, name);
	else if (directory >= 0)
		file_written(w, directory, name);
	return w->missed ? WANTS_ALL : WANTS_NOTHING;
}

/* Takes len bytes of events; reads or watches anew once, whatever number of them asks for it. */
static void
take_events(struct claude_watch *w, const char *events, size_t len)
{
	const int directory = w->wd >= 0 ? claude_file_open_directory(w->path, w->own) : -1;
	const bool missed = w->missed;
	enum wanted wanted = WANTS_NOTHING;

	for (size_t at = 0; at < len;) {
		const struct inotify_event *e = (const void *)(events + at);
		const enum wanted now = take_event(w, e, directory);

		if (now > wanted)
			wanted = now;
		at += sizeof(*e) + e->len;
	}
	if (directory >= 0)
		close(directory);
	if (wanted == WANTS_ATTACH)
		attach(w);
	else if (wanted == WANTS_ALL && (missed || !w->missed))
		read_all(w);
}

static void
on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
	_Alignas(struct inotify_event) char events[EVENTS_MAX];
	struct claude_watch *w = io->data;
	const ssize_t n = read(w->fd, events, sizeof(events));

	(void)loop;
	(void)revents;
	if (n > 0)
		take_events(w, events, (size_t)n);
}

/* --- open and close --- */

static bool
prepare(struct claude_watch *w, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(w->path) || *path != '/') {
		log_warning(w->log, "no session files of Claude: %s is no absolute path, or too long", path);
		return false;
	}
	memcpy(w->path, path, len);
	w->path[len] = '\0';
	w->files = calloc(CLAUDE_WATCH_FILES, sizeof(*w->files));
	w->text = malloc(CLAUDE_SESSION_FILE_MAX);
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->files && w->text && w->fd >= 0)
		return true;
	log_warning(w->log, "no session files of Claude: %s", strerror(errno));
	return false;
}

static void
release(struct claude_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->files);
	free(w->text);
	arena_finish(&w->arena);
}

bool
claude_watch_open(struct claude_watch *w, struct ev_loop *loop, const char *path, struct intake *intake, const struct log *log)
{
	*w = (struct claude_watch){ .intake = intake, .log = log, .own = geteuid(), .fd = -1, .wd = -1, .above = -1 };
	if (*path == '\0')
		return true;
	arena_init(&w->arena, ARENA_MAX);
	if (!prepare(w, path)) {
		release(w);
		return false;
	}
	w->loop = loop;
	ev_io_init(&w->readable, on_readable, w->fd, EV_READ);
	w->readable.data = w;
	/* Before the query socket in the same turn, as hooks. */
	ev_set_priority(&w->readable, EV_MAXPRI);
	ev_io_start(loop, &w->readable);
	attach(w);
	return true;
}

void
claude_watch_close(struct claude_watch *w)
{
	if (!w->loop)
		return;
	ev_io_stop(w->loop, &w->readable);
	release(w);
	w->loop = NULL;
}
