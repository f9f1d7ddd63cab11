#include "processes.h"

#include "git_look.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OLD_ENOUGH_S 2.0                        /* a process of that age does not just pass by */
#define SHARE        20                         /* passes may take one part in so many of the time … */
#define CREDIT_NS    (100 * (int64_t)NS_PER_MS) /* … and so much at once where none was taken before */

struct processes_entry {
	struct process process;
	struct processes *all;
	ev_io ended; /* on its pidfd */
	struct processes_entry *next, *previous;
};

/* --- those that are known --- */

static struct processes_entry *
find_entry(const struct processes *p, uint32_t pid)
{
	struct processes_entry *e = p->first;

	while (e && e->process.pid != pid)
		e = e->next;
	return e;
}

static void
forget(struct processes_entry *e)
{
	struct processes *p = e->all;

	ev_io_stop(p->loop, &e->ended);
	close(e->ended.fd);
	*(e->previous ? &e->previous->next : &p->first) = e->next;
	if (e->next)
		e->next->previous = e->previous;
	p->count--;
	free(e);
}

static void
on_end(struct ev_loop *loop, ev_io *w, int revents)
{
	struct processes_entry *e = w->data;
	struct processes *p = e->all;

	(void)loop;
	(void)revents;
	if (p->sessions)
		sessions_process_ended(p->sessions, e->process.pid, e->process.birth, clock_now(p->with.clock));
	forget(e);
}

static struct processes_entry *
add_entry(struct processes *p, const struct process *known, int pidfd)
{
	struct processes_entry *e = malloc(sizeof(*e));

	if (!e)
		return NULL;
	*e = (struct processes_entry){ .process = *known, .all = p, .next = p->first };
	e->process.watched = true;
	if (p->first)
		p->first->previous = e;
	p->first = e;
	p->count++;
	ev_io_init(&e->ended, on_end, pidfd, EV_READ);
	e->ended.data = e;
	ev_io_start(p->loop, &e->ended);
	return e;
}

/*
 * All that is known of a process, whether it was before or not. It is opened before it is looked at: what is seen then is of the
 * one that is watched, unless it has ended meanwhile, and then its end is told at once.
 */
static const struct process *
meet(struct processes *p, uint32_t pid)
{
	struct processes_entry *e = find_entry(p, pid);
	int pidfd;

	if (e)
		return &e->process;
	pidfd = p->count < PROCESSES_MAX ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
	if (!process_look(pid, p->boot, &p->unwatched)) {
		if (pidfd >= 0)
			close(pidfd);
		return NULL;
	}
	e = pidfd >= 0 ? add_entry(p, &p->unwatched, pidfd) : NULL;
	if (!e && pidfd >= 0)
		close(pidfd);
	return e ? &e->process : &p->unwatched;
}

/* --- told by hooks --- */

static bool
was_told(struct processes *p, uint32_t pid, uint64_t birth)
{
	for (unsigned i = 0; i < PROCESSES_NEW; i++)
		if (p->told[i].pid == pid && p->told[i].birth == birth)
			return true;
	p->told[p->told_next].pid = pid;
	p->told[p->told_next].birth = birth;
	p->told_next = (p->told_next + 1) % PROCESSES_NEW;
	return false;
}

const struct process *
processes_told(struct processes *p, uint32_t pid)
{
	const struct processes_entry *e = find_entry(p, pid);
	uint64_t birth;
	double age_s;

	if (!p->with.look)
		return NULL;
	if (e)
		return &e->process;
	if (!process_look_birth(pid, p->boot, &birth, &age_s) || (age_s < OLD_ENOUGH_S && !was_told(p, pid, birth)))
		return NULL;
	return meet(p, pid);
}

/* --- found by connections --- */

/* Pays for a pass. Returns for how long there must be none then, in nanoseconds. */
static uint64_t
pay(struct processes *p)
{
	const uint64_t now = clock_now(p->with.clock);
	const int64_t earned = (int64_t)((now - p->credit_at_ns) / SHARE);

	p->credit_ns = p->credit_ns + earned < CREDIT_NS ? p->credit_ns + earned : CREDIT_NS;
	p->credit_ns -= (int64_t)p->scan.used_ns;
	p->credit_at_ns = now;
	return p->credit_ns < 0 ? (uint64_t)-p->credit_ns * SHARE : 0;
}

/* After each step: nothing runs while nothing is looked for, and passes that have taken much are followed by a rest. */
static void
after_step(struct processes *p)
{
	uint64_t rest_ns;

	if (p->scan.running) {
		ev_idle_start(p->loop, &p->more);
		return;
	}
	rest_ns = pay(p);
	if (rest_ns == 0 && p->scan.want_count) {
		ev_idle_start(p->loop, &p->more);
		return;
	}
	ev_idle_stop(p->loop, &p->more);
	if (rest_ns == 0)
		return;
	ev_timer_set(&p->pause, (double)rest_ns / NS_PER_S, 0.);
	ev_timer_start(p->loop, &p->pause);
}

static const struct process *
meet_holder(struct processes *p, uint32_t pid, const struct process_want *w)
{
	return meet(p, process_look_eldest(pid, w->inode, &p->sockets));
}

static void
on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	struct processes *p = w->data;
	struct process_want found;
	uint32_t pid;

	(void)loop;
	(void)revents;
	while (process_scan_step(&p->scan, &found, &pid)) {
		const struct process *holder = meet_holder(p, pid, &found);

		if (holder && p->sessions)
			sessions_process_found(p->sessions, found.peer, holder, clock_now(p->with.clock));
	}
	after_step(p);
}

/* Those whose connection is closed by now need no looking for. */
static void
drop_closed(struct processes *p)
{
	struct process_scan *s = &p->scan;
	uint32_t inode;
	uid_t uid;

	for (size_t i = s->want_count; i-- > 0;)
		if (!p->with.socket_of(p->with.ctx, s->wants[i].peer, &inode, &uid))
			s->wants[i] = s->wants[--s->want_count];
}

static void
on_rested(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct processes *p = w->data;

	(void)revents;
	drop_closed(p);
	if (p->scan.want_count)
		ev_idle_start(loop, &p->more);
}

/* Where its session's process is likely to be: the one it had, or says to have. Also that of another session of the connection.
 */
static uint32_t
likely_holder(struct processes *p, uint32_t claimed, const struct process_want *w)
{
	uint32_t pid = process_look_holder(&p->sockets, w->inode);
	uid_t uid;

	if (pid || !claimed || !process_look_owner(claimed, &uid) || uid != w->uid)
		return pid;
	return process_look_sockets(claimed, w->inode, &p->sockets) ? claimed : 0;
}

/* Looks a first time while the request waits for its answer: its connection may last no longer. */
static const struct process *
look_for(struct processes *p, const struct process_want *w)
{
	const bool busy = ev_is_active(&p->pause) || ev_is_active(&p->more);
	struct process_want found;
	uint32_t pid;
	bool ok;

	if (!process_scan_want(&p->scan, w) || busy)
		return NULL;
	ok = process_scan_step(&p->scan, &found, &pid);
	if (ok)
		process_scan_step(&p->scan, &found, &(uint32_t){ 0 }); /* nothing else is wanted: the pass is over */
	after_step(p);
	return ok ? meet_holder(p, pid, w) : NULL;
}

static const struct process *
process_of(struct session_host *host, uint32_t claimed, uint64_t peer)
{
	struct processes *p = (struct processes *)((char *)host - offsetof(struct processes, host));
	struct process_want w = { .peer = peer };
	uint32_t pid;

	if (!p->with.look || !p->with.socket_of(p->with.ctx, peer, &w.inode, &w.uid))
		return NULL;
	pid = likely_holder(p, claimed, &w);
	return pid ? meet_holder(p, pid, &w) : look_for(p, &w);
}

/* --- after a restart --- */

static enum process_life
life_of(struct session_host *host, uint32_t pid, uint64_t birth)
{
	struct processes *p = (struct processes *)((char *)host - offsetof(struct processes, host));
	const struct process *found;
	uint64_t seen;
	double age_s;

	if (!p->with.look)
		return LIFE_UNKNOWN;
	if (!process_look_birth(pid, p->boot, &seen, &age_s) || seen != birth)
		return LIFE_IS_OVER;
	found = meet(p, pid);
	return found && found->birth == birth && found->watched ? LIFE_GOES_ON : LIFE_UNKNOWN;
}

/* --- repositories --- */

static bool
repository_of(struct session_host *host, const char *dir, struct repository *ret)
{
	struct processes *p = (struct processes *)((char *)host - offsetof(struct processes, host));

	return p->with.git && git_look(&p->mounts, dir, p->home, ret);
}

/* --- open and close --- */

void
processes_open(struct processes *p, struct ev_loop *loop, const struct processes_setup *setup)
{
	*p = (struct processes){
		.host = { process_of, life_of, repository_of },
		.with = *setup,
		.loop = loop,
		.boot = process_look_boot(),
		.credit_ns = CREDIT_NS,
		.credit_at_ns = clock_now(setup->clock),
		.home = getenv("HOME"),
	};
	process_scan_init(&p->scan, &p->sockets);
	mounts_init(&p->mounts);
	ev_idle_init(&p->more, on_idle);
	ev_timer_init(&p->pause, on_rested, 0., 0.);
	p->more.data = p->pause.data = p;
}

void
processes_serve(struct processes *p, struct sessions *sessions)
{
	p->sessions = sessions;
	sessions_set_host(sessions, &p->host);
}

void
processes_close(struct processes *p)
{
	if (p->sessions)
		sessions_set_host(p->sessions, NULL);
	p->sessions = NULL;
	ev_idle_stop(p->loop, &p->more);
	ev_timer_stop(p->loop, &p->pause);
	for (struct processes_entry *e = p->first, *next; e; e = next) {
		next = e->next;
		forget(e);
	}
	process_scan_finish(&p->scan);
	mounts_finish(&p->mounts);
}
