#include "process_scan.h"

#include "process_text.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#define SLICE_NS 1000000ull        /* of CPU time: who waits for a turn on a busy machine finds no less in it */
#define PIDS_MAX ((size_t)1 << 16) /* of a pass: 256 KB for its time */

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
process_scan_init(struct process_scan *s, struct process_sockets *sockets)
{
	*s = (struct process_scan){ .sockets = sockets };
}

void
process_scan_finish(struct process_scan *s)
{
	free(s->pids);
	*s = (struct process_scan){ .sockets = s->sockets };
}

bool
process_scan_want(struct process_scan *s, const struct process_want *w)
{
	if (s->want_count == PROCESS_WANTS_MAX)
		return false;
	for (size_t i = 0; i < s->want_count; i++)
		if (s->wants[i].peer == w->peer)
			return false;
	s->wants[s->want_count] = *w;
	s->wants[s->want_count++].late = s->running;
	return true;
}

static bool
add_pid(struct process_scan *s, uint32_t pid)
{
	const size_t step = 512;

	if (s->left % step == 0) {
		uint32_t *pids = realloc(s->pids, (s->left + step) * sizeof(*pids));

		if (!pids)
			return false;
		s->pids = pids;
	}
	s->pids[s->left++] = pid;
	return true;
}

/* /proc names them in ascending order: the newest are the last, until pids begin anew. */
static void
list_pids(struct process_scan *s)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	uint32_t pid;

	s->left = 0;
	if (!dir)
		return;
	while (s->left < PIDS_MAX && (e = readdir(dir)))
		if (process_text_number(e->d_name, &pid) && !add_pid(s, pid))
			break;
	closedir(dir);
}

static bool
is_wanted_of(const struct process_scan *s, uid_t uid)
{
	for (size_t i = 0; i < s->want_count; i++)
		if (s->wants[i].uid == uid)
			return true;
	return false;
}

/* Takes a want of which the holder is known. */
static bool
take_found(struct process_scan *s, struct process_want *ret_want, uint32_t *ret_pid)
{
	for (size_t i = 0; i < s->want_count; i++) {
		const struct process_want *w = &s->wants[i];
		const struct process_slot *slot = &s->sockets->slots[w->inode % PROCESS_SLOTS];

		if (slot->inode != w->inode)
			continue;
		*ret_pid = slot->pid;
		*ret_want = *w;
		s->wants[i] = s->wants[--s->want_count];
		return true;
	}
	return false;
}

static void
end_pass(struct process_scan *s)
{
	free(s->pids);
	s->pids = NULL;
	s->left = 0;
	s->running = false;
	for (size_t i = s->want_count; i-- > 0;) {
		if (s->wants[i].late)
			s->wants[i].late = false;
		else
			s->wants[i] = s->wants[--s->want_count];
	}
}

/* Looks at one process after the other, until one holds what is wanted or the time is over. */
static bool
look_on(struct process_scan *s, uint64_t until_ns, struct process_want *ret_want, uint32_t *ret_pid)
{
	uid_t uid;

	while (s->left > 0 && s->want_count > 0 && cpu_ns() < until_ns) {
		const uint32_t pid = s->pids[--s->left];

		if (!process_look_owner(pid, &uid) || !is_wanted_of(s, uid))
			continue;
		process_look_sockets(pid, 0, s->sockets);
		if (take_found(s, ret_want, ret_pid))
			return true;
	}
	return false;
}

bool
process_scan_step(struct process_scan *s, struct process_want *ret_want, uint32_t *ret_pid)
{
	const uint64_t begin = cpu_ns();
	bool found;

	if (!s->running) {
		s->running = true;
		s->used_ns = 0;
		list_pids(s);
	}
	found = take_found(s, ret_want, ret_pid) || look_on(s, begin + SLICE_NS, ret_want, ret_pid);
	s->used_ns += cpu_ns() - begin;
	if (!found && (s->left == 0 || s->want_count == 0))
		end_pass(s);
	return found;
}
