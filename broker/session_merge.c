/* What every observation tells of its session, whatever it means. */
#include "session_merge.h"

#include "session_process.h"
#include "session_told.h"

static void
later(uint64_t *newest, uint64_t ns)
{
	if (ns > *newest)
		*newest = ns;
}

/* Returns whether it works in another directory than before. */
static bool
merge_project(struct session *x, const struct observation *o)
{
	struct session_track *t = x->track;
	const char *slash;
	bool moved = false;

	/* A hook tells where its tool stands: only at first is that the project. */
	if (o->project_dir.len && !(told(o) && x->project_dir[0] && o->means != MEANS_START && !t->found_dir)) {
		char dir[sizeof(x->project_dir)];

		str_copy(dir, sizeof(dir), o->project_dir);
		moved = strcmp(dir, x->project_dir) != 0;
		memcpy(x->project_dir, dir, sizeof(dir));
		slash = strrchr(x->project_dir, '/');
		if ((x->project_name[0] == '\0' || (t->found_dir && !t->named)) && slash && slash[1])
			str_copy(x->project_name, sizeof(x->project_name), str_from(slash + 1));
		t->found_dir = false;
	}
	if (o->project_name.len) {
		str_copy(x->project_name, sizeof(x->project_name), o->project_name);
		t->named = true;
	}
	return moved;
}

/* Returns whether the session has not been seen on this connection before. */
static bool
merge_peer(struct session_track *t, uint64_t peer)
{
	if (peer == 0)
		return false;
	t->lost_peer = false;
	for (unsigned i = 0; i < PEERS_MAX; i++)
		if (t->peers[i] == peer)
			return false;
	t->peers[t->peers_next++ % PEERS_MAX] = peer;
	return true;
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
merge_fields(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	struct session_track *t = x->track;
	bool moved;

	if (o->service_name.len && x->service_name[0] == '\0')
		str_copy(x->service_name, sizeof(x->service_name), o->service_name);
	if (o->model.len && !(o->flags & OBS_BACKGROUND) && o->agent.len == 0)
		str_copy(x->model, sizeof(x->model), o->model);
	if (o->process.len)
		t->process = hash_str(o->process);
	if (o->tool.len && o->time_ns >= t->told_tool_cli_ns) {
		str_copy(x->tool, sizeof(x->tool), o->tool);
		if (told(o))
			t->told_tool_cli_ns = o->time_ns;
	}
	t->spans |= (o->flags & OBS_SPAN) != 0;
	t->marks_turn |= (o->flags & OBS_MARKS_TURN) != 0;
	t->shared |= (o->flags & OBS_SHARED) != 0;
	moved = merge_project(x, o);
	process_merge(s, x, o, merge_peer(t, o->peer), now_ns);
	process_merge_repository(s, x, o, moved, now_ns);
	if (x->started_ns == 0 || o->time_ns < x->started_ns)
		x->started_ns = o->time_ns;
	later(&x->last_event_ns, o->time_ns);
}
