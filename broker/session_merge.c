/* What every observation tells of its session, whatever it means. */
#include "session_merge.h"

#include "session_told.h"

static void
later(uint64_t *newest, uint64_t ns)
{
	if (ns > *newest)
		*newest = ns;
}

static void
merge_project(struct session *x, const struct observation *o)
{
	const char *slash;

	/* A hook tells where its tool stands: only at first is that the project. */
	if (o->project_dir.len && !(told(o) && x->project_dir[0] && o->means != MEANS_START)) {
		str_copy(x->project_dir, sizeof(x->project_dir), o->project_dir);
		slash = strrchr(x->project_dir, '/');
		if (x->project_name[0] == '\0' && slash && slash[1])
			str_copy(x->project_name, sizeof(x->project_name), str_from(slash + 1));
	}
	if (o->project_name.len)
		str_copy(x->project_name, sizeof(x->project_name), o->project_name);
}

static void
merge_peer(struct session_track *t, uint64_t peer)
{
	if (peer == 0)
		return;
	t->lost_peer = false;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (t->peers[i] == peer)
			return;
	t->peers[t->peers_next++ % PEERS_MAX] = peer;
}

/* A text of at most size bytes, if there is one. */
static void
merge_text(char *dst, size_t size, struct str text)
{
	if (text.len)
		str_copy(dst, size, text);
}

/*
 * What a hook's process has seen of its CLI's: the telemetry's own pid is the better one, unless the session goes on in another
 * process. One that serves several sessions is nobody's.
 */
static void
merge_place(struct session *x, const struct observation *o)
{
	if (x->track->shared && told(o))
		return;
	if (o->pid && (!told(o) || x->pid == 0 || o->means == MEANS_START))
		x->pid = o->pid;
	merge_text(x->tty, sizeof(x->tty), o->tty);
	merge_text(x->tmux_pane, sizeof(x->tmux_pane), o->tmux_pane);
	merge_text(x->window, sizeof(x->window), o->window);
}

void
merge_trace(struct sessions *s, struct session *x, const struct observation *o)
{
	bool prompt = o->means == MEANS_PROMPT;

	if (!o->has_trace_id || o->session.len == 0)
		return;
	table_learn_trace(s, o->trace_id, x, prompt);
	if (prompt || !x->has_trace_id) {
		memcpy(x->trace_id, o->trace_id, sizeof(x->trace_id));
		x->has_trace_id = true;
	}
}

void
merge_fields(struct session *x, const struct observation *o)
{
	struct session_track *t = x->track;

	if (o->service_name.len && x->service_name[0] == '\0')
		str_copy(x->service_name, sizeof(x->service_name), o->service_name);
	if (o->model.len && !(o->flags & OBS_BACKGROUND) && o->agent.len == 0)
		str_copy(x->model, sizeof(x->model), o->model);
	if (o->process.len)
		t->process = hash_str(o->process);
	if (o->tool.len)
		str_copy(x->tool, sizeof(x->tool), o->tool);
	t->spans |= (o->flags & OBS_SPAN) != 0;
	t->marks_turn |= (o->flags & OBS_MARKS_TURN) != 0;
	t->shared |= (o->flags & OBS_SHARED) != 0;
	merge_place(x, o);
	merge_project(x, o);
	merge_peer(t, o->peer);
	if (x->started_ns == 0 || o->time_ns < x->started_ns)
		x->started_ns = o->time_ns;
	later(&x->last_event_ns, o->time_ns);
}
