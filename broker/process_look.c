#include "process_look.h"

#include "process_text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STAT_MAX        1024
#define ENVIRON_PIECE   4096
#define ENVIRON_MAX     ((size_t)512 << 10) /* of an environment; more is not read */
#define DESCRIPTORS_MAX 1024
#define COMMAND_MAX     4096
#define PATH_SIZE       64
#define GENERATIONS_MAX 4

/*
 * Processes that hold a socket for others, by what their name begins with: of their place nothing follows for a session. Where a
 * word is given it must be among their arguments.
 */
static const struct {
	const char *name, *word;
} carriers[] = {
	{ "agentbus", NULL },     { "alloy", NULL },       { "codex", "app-server" }, { "curl", NULL },
	{ "docker-proxy", NULL }, { "fluent-bit", NULL },  { "grafana-agent", NULL }, { "gvproxy", NULL },
	{ "haproxy", NULL },      { "nginx", NULL },       { "otelcol", NULL },       { "passt", NULL },
	{ "pasta", NULL },        { "rootlesskit", NULL }, { "rootlessport", NULL },  { "slirp4netns", NULL },
	{ "socat", NULL },        { "ssh", NULL },         { "vector", NULL },        { "wget", NULL },
};

/* --- files of /proc --- */

static int
open_file(uint32_t pid, const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads what there is, up to max bytes. */
static size_t
read_file(uint32_t pid, const char *name, char *text, size_t max)
{
	const int fd = open_file(pid, name);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while (len < max && (n = read(fd, text + len, max - len)) > 0)
		len += (size_t)n;
	close(fd);
	return len;
}

static bool
read_stat(uint32_t pid, struct process_stat *ret)
{
	char text[STAT_MAX];
	const size_t len = read_file(pid, "stat", text, sizeof(text));

	return process_text_stat((struct str){ text, len }, ret) && !ret->dead;
}

/* --- births --- */

uint64_t
process_look_boot(void)
{
	const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[9] = "";

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[8] = '\0';
	return (uint64_t)strtoul(text, NULL, 16);
}

static uint64_t
birth_of(const struct process_stat *s, uint64_t boot)
{
	const uint64_t birth = boot << 32 ^ s->start;

	return birth ? birth : 1;
}

bool
process_look_birth(uint32_t pid, uint64_t boot, uint64_t *ret_birth, double *ret_age_s)
{
	struct process_stat s;
	struct timespec now;

	if (!read_stat(pid, &s))
		return false;
	clock_gettime(CLOCK_BOOTTIME, &now);
	*ret_birth = birth_of(&s, boot);
	*ret_age_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)s.start / (double)sysconf(_SC_CLK_TCK);
	return true;
}

/* --- one process --- */

static bool
has_word(uint32_t pid, const char *word)
{
	char text[COMMAND_MAX];
	const size_t len = read_file(pid, "cmdline", text, sizeof(text) - 1), word_len = strlen(word);
	size_t at = 0;

	text[len] = '\0';
	while (at < len) {
		const size_t n = strlen(text + at);

		if (n == word_len && memcmp(text + at, word, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

static bool
is_carrier(uint32_t pid, const struct process_stat *s)
{
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (strncmp(s->name, carriers[i].name, strlen(carriers[i].name)) == 0 &&
		    (!carriers[i].word || has_word(pid, carriers[i].word)))
			return true;
	return false;
}

static void
read_environ(uint32_t pid, struct process *p)
{
	const int fd = open_file(pid, "environ");
	struct process_environ e = { 0 };
	struct str values[HINT_COUNT];
	char piece[ENVIRON_PIECE];
	size_t total = 0;
	ssize_t n;

	if (fd < 0)
		return;
	while (total < ENVIRON_MAX && (n = read(fd, piece, sizeof(piece))) > 0) {
		process_environ_feed(&e, piece, (size_t)n);
		total += (size_t)n;
	}
	close(fd);
	explicit_bzero(piece, sizeof(piece));
	process_environ_values(&e, values);
	hint_window(values, p->window);
	str_copy(p->tmux_pane, sizeof(p->tmux_pane), values[HINT_PANE]);
	explicit_bzero(&e, sizeof(e));
}

static bool
ends_with(struct str s, struct str end)
{
	return s.len >= end.len && memcmp(s.ptr + s.len - end.len, end.ptr, end.len) == 0;
}

static void
read_dir(uint32_t pid, struct process *p)
{
	char path[PATH_SIZE], target[sizeof(p->dir)];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/cwd", pid);
	n = readlink(path, target, sizeof(target));
	/* One that was cut is another one. To one that was deleted the kernel adds just that. */
	if (n > 0 && (size_t)n < sizeof(target) && target[0] == '/' &&
	    !ends_with((struct str){ target, (size_t)n }, STR(" (deleted)")))
		str_copy(p->dir, sizeof(p->dir), (struct str){ target, (size_t)n });
}

bool
process_look(uint32_t pid, uint64_t boot, struct process *ret)
{
	struct process p = { .pid = pid };
	struct process_stat s, again;

	if (!read_stat(pid, &s) || is_carrier(pid, &s))
		return false;
	p.birth = birth_of(&s, boot);
	process_text_tty(s.tty, p.tty);
	read_environ(pid, &p);
	read_dir(pid, &p);
	/* Still the same one: what was read is of it. */
	if (!read_stat(pid, &again) || again.start != s.start)
		return false;
	*ret = p;
	return true;
}

bool
process_look_owner(uint32_t pid, uid_t *ret)
{
	char path[PATH_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (stat(path, &st) < 0)
		return false;
	*ret = st.st_uid;
	return true;
}

/* --- sockets --- */

static struct process_slot *
slot_of(struct process_sockets *s, uint32_t inode)
{
	return &s->slots[inode % PROCESS_SLOTS];
}

/* The inode of a descriptor, 0 if it is no socket. */
static uint32_t
socket_at(int dir, const char *name)
{
	char target[32];
	const ssize_t n = readlinkat(dir, name, target, sizeof(target));
	uint32_t inode = 0;

	if (n > 0 && (size_t)n < sizeof(target))
		process_text_socket((struct str){ target, (size_t)n }, &inode);
	return inode;
}

bool
process_look_sockets(uint32_t pid, uint32_t inode, struct process_sockets *sockets)
{
	char path[PATH_SIZE];
	const struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	for (unsigned i = 0; i < DESCRIPTORS_MAX && (e = readdir(dir)); i++) {
		uint32_t fd, seen;

		if (!process_text_number(e->d_name, &fd) || (seen = socket_at(dirfd(dir), e->d_name)) == 0)
			continue;
		*slot_of(sockets, seen) = (struct process_slot){ seen, pid, fd };
		found |= seen == inode;
	}
	closedir(dir);
	return found;
}

uint32_t
process_look_eldest(uint32_t pid, uint32_t inode, struct process_sockets *sockets)
{
	struct process_stat s;
	uid_t own, other;

	for (unsigned i = 0; i < GENERATIONS_MAX; i++) {
		if (!read_stat(pid, &s) || s.parent <= 1 || !process_look_owner(pid, &own) ||
		    !process_look_owner(s.parent, &other) || own != other || !process_look_sockets(s.parent, inode, sockets))
			break;
		pid = s.parent;
	}
	return pid;
}

uint32_t
process_look_holder(const struct process_sockets *sockets, uint32_t inode)
{
	const struct process_slot *s = &sockets->slots[inode % PROCESS_SLOTS];
	char path[PATH_SIZE];

	if (s->inode != inode)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", s->pid, s->fd);
	return socket_at(AT_FDCWD, path) == inode ? s->pid : 0;
}
