#include "session_process.h"

#include "session_state.h"
#include "session_told.h"

#define ASK_AGAIN_NS  1000000000ull /* while its process lives, a session's new connections are asked for theirs no more often */
#define LOOK_AGAIN_NS 1000000000ull

/* --- the place --- */

/* What a text was before, it is no more; what is told is put in place of what is found, never the other way round. */
static void
place(char *dst, size_t size, const char *text, bool anew)
{
	if (anew || dst[0] == '\0')
		str_copy(dst, size, str_from(text));
}

static void
take_place(struct session *x, const struct process *p, bool anew)
{
	place(x->tty, sizeof(x->tty), p->tty, anew);
	place(x->tmux_pane, sizeof(x->tmux_pane), p->tmux_pane, anew);
	place(x->window, sizeof(x->window), p->window, anew);
}

static bool
take_dir(struct session *x, const struct process *p)
{
	const char *slash = strrchr(p->dir, '/');

	if (p->dir[0] == '\0' || (x->project_dir[0] && !x->track->found_dir) || strcmp(x->project_dir, p->dir) == 0)
		return false;
	str_copy(x->project_dir, sizeof(x->project_dir), str_from(p->dir));
	x->track->found_dir = true;
	if (!x->track->named && slash && slash[1])
		str_copy(x->project_name, sizeof(x->project_name), str_from(slash + 1));
	return true;
}

static void
look_at_repository(struct sessions *s, struct session *x, uint64_t now_ns)
{
	struct repository r;

	if (!s->host || x->project_dir[0] != '/')
		return;
	x->track->repository_ns = now_ns;
	if (!s->host->repository_of(s->host, x->project_dir, &r)) {
		x->branch[0] = x->worktree[0] = '\0';
		return;
	}
	str_copy(x->branch, sizeof(x->branch), str_from(r.branch));
	str_copy(x->worktree, sizeof(x->worktree), str_from(r.worktree));
	if (!x->track->named)
		str_copy(x->project_name, sizeof(x->project_name), str_from(r.name));
}

/* --- the process --- */

/* x is run by p from now on, if it was not before. */
static void
attach(struct sessions *s, struct session *x, const struct process *p, uint64_t now_ns)
{
	struct session_track *t = x->track;
	const bool same = t->birth == p->birth && x->pid == p->pid;

	if (same && t->lives == p->watched)
		return;
	take_place(x, p, t->birth != 0 && !same);
	t->birth = p->birth;
	t->lives = p->watched;
	t->process_ended = false;
	x->pid = p->pid;
	if (take_dir(x, p))
		look_at_repository(s, x, now_ns);
}

/* The connection is asked for once; where the process lives already, now and then, for the session may go on in another one. */
static void
ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	const struct process *p;

	if (!s->host || (t->lives && now_ns - t->asked_ns < ASK_AGAIN_NS))
		return;
	t->asked_ns = now_ns;
	p = s->host->process_of(s->host, x->pid, o->peer);
	if (p)
		attach(s, x, p, now_ns);
}

static void
merge_text(char *dst, size_t size, struct str text)
{
	if (text.len)
		str_copy(dst, size, text);
}

void
process_merge(struct sessions *s, struct session *x, const struct observation *o, bool fresh, uint64_t now_ns)
{
	struct session_track *t = x->track;

	if (t->shared) {
		t->lives = false;
		if (told(o))
			return;
	}
	/* The telemetry's own pid is better than a hook's, unless the session goes on in another process; a known one is the
	 * best. */
	if (o->pid && !t->lives && (!told(o) || x->pid == 0 || o->means == MEANS_START))
		x->pid = o->pid;
	if (o->process_told && (!t->lives || o->means == MEANS_START))
		attach(s, x, o->process_told, now_ns);
	else if (fresh && !t->shared)
		ask(s, x, o, now_ns);
	merge_text(x->tty, sizeof(x->tty), o->tty);
	merge_text(x->tmux_pane, sizeof(x->tmux_pane), o->tmux_pane);
	merge_text(x->window, sizeof(x->window), o->window);
}

void
process_merge_repository(struct sessions *s, struct session *x, const struct observation *o, bool moved, uint64_t now_ns)
{
	const bool begins = o->means == MEANS_PROMPT || o->means == MEANS_TURN_START || o->means == MEANS_START;

	if (moved || (begins && now_ns - x->track->repository_ns >= LOOK_AGAIN_NS))
		look_at_repository(s, x, now_ns);
}

void
process_restore(struct sessions *s, struct session *x, bool lived)
{
	struct session_track *t = x->track;
	enum process_life life;

	if (!s->host || !lived || x->state == SESSION_ENDED || t->shared)
		return;
	life = s->host->life_of(s->host, x->pid, t->birth);
	t->lives = life == LIFE_GOES_ON;
	t->process_ended = life == LIFE_IS_OVER;
}

static bool
came_over(const struct session_track *t, uint64_t peer)
{
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (t->peers[i] == peer)
			return true;
	return false;
}

void
sessions_process_found(struct sessions *s, uint64_t peer, const struct process *p, uint64_t now_ns)
{
	for (struct session *x = s->newest; x; x = x->track->older) {
		if (!came_over(x->track, peer) || x->track->shared)
			continue;
		attach(s, x, p, now_ns);
		state_schedule(s, x);
	}
}

void
sessions_process_ended(struct sessions *s, uint32_t pid, uint64_t birth, uint64_t now_ns)
{
	(void)now_ns;
	for (struct session *x = s->newest; x; x = x->track->older) {
		struct session_track *t = x->track;

		if (x->pid != pid || t->birth != birth)
			continue;
		t->lives = false;
		t->process_ended = x->state != SESSION_ENDED && !t->shared;
		state_schedule(s, x);
	}
}
