/* When a session is due, and what silence does to it. */
#include "session_state.h"

#define NS_PER_S 1000000000ull

/* --- timers --- */

/* Where the CLI exports spans that mark the end of a turn, or its hooks tell of it, a turn without one goes on. */
static bool
in_flight(const struct session_track *t)
{
	return t->answer_due || t->tools || (t->spans && t->marks_turn);
}

static bool
believed(const struct session_track *t)
{
	return t->told || (in_flight(t) && track_connected(t));
}

static uint64_t
earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
working_due(const struct session_settings *set, const struct session_track *t)
{
	uint64_t silence = t->heard_ns + (believed(t) ? set->busy_ns : set->quiet_ns);

	return earliest(silence, earliest(t->ask_due_ns, t->fail_due_ns));
}

/* A dialog of which the CLI itself has told stays open for as long as it runs, and its person may be away for hours. */
static uint64_t
waiting_due(const struct session_settings *set, const struct session *x)
{
	const struct session_track *t = x->track;

	if (x->evidence == EVIDENCE_TOLD && t->lives && !t->shared)
		return NEVER;
	return t->heard_ns + (t->lost_peer && !t->lives ? set->quiet_ns : set->waiting_ns);
}

static uint64_t
due_of(const struct session_settings *set, const struct session *x)
{
	const struct session_track *t = x->track;

	if (t->process_ended)
		return 0;
	switch (x->state) {
	case SESSION_WORKING:
		return working_due(set, t);
	case SESSION_WAITING:
		return waiting_due(set, x);
	case SESSION_COMPLETED:
		return set->completed_idle_ns ? t->entered_ns + set->completed_idle_ns : NEVER;
	case SESSION_IDLE:
		if (x->shown && (t->lives || track_connected(t)) && !t->shared)
			return NEVER;
		return (t->heard_ns > t->entered_ns ? t->heard_ns : t->entered_ns) + set->idle_end_ns;
	case SESSION_ENDED:
		break;
	}
	return x->shown ? NEVER : t->heard_ns + set->idle_end_ns;
}

void
state_schedule(struct sessions *s, struct session *x)
{
	table_schedule(s, x, due_of(&s->settings, x));
}

uint64_t
sessions_deadline(const struct sessions *s)
{
	return s->heap_size ? s->heap[0]->track->due_ns : NEVER;
}

/* The CLI's clock, carried on from the newest evidence by ours. */
static uint64_t
cli_now(const struct session_track *t, uint64_t now_ns)
{
	return t->evidence_cli_ns + (now_ns > t->heard_ns ? now_ns - t->heard_ns : 0);
}

static void
expire_working(struct sessions *s, struct session *x, uint64_t now_ns)
{
	struct session_track *t = x->track;
	struct change c = { SESSION_COMPLETED, EVIDENCE_INFERRED, .time_ns = cli_now(t, now_ns) };

	if (t->ask_due_ns <= now_ns) {
		c = (struct change){ SESSION_WAITING, EVIDENCE_INFERRED, "tool_use", .time_ns = t->ask_cli_ns };
		t->ask_due_ns = NEVER;
	} else {
		c.reason = t->fail_due_ns <= now_ns ? "error" : t->answer_due || t->tools ? "lost" : "quiet";
		c.turn_ns = state_turn_length(x, t->evidence_cli_ns);
		state_clear_pending(t);
	}
	state_enter(s, x, &c, NULL, now_ns);
}

/* Lets the timer of x run out. Returns false if x is gone with it. */
static bool
expire(struct sessions *s, struct session *x, uint64_t now_ns)
{
	struct change c = { .evidence = EVIDENCE_INFERRED, .reason = "timeout", .time_ns = cli_now(x->track, now_ns) };

	if (!x->shown && x->state != SESSION_WORKING) {
		table_remove(s, x);
		return false;
	}
	if (x->track->process_ended) {
		state_exit(s, x, now_ns);
		return true;
	}
	switch (x->state) {
	case SESSION_WORKING:
		expire_working(s, x, now_ns);
		return true;
	case SESSION_WAITING:
		c.to = SESSION_IDLE;
		c.reason = "lost";
		break;
	case SESSION_COMPLETED:
		c.to = SESSION_IDLE;
		break;
	case SESSION_IDLE:
		c.to = SESSION_ENDED;
		break;
	case SESSION_ENDED:
		return true;
	}
	state_enter(s, x, &c, NULL, now_ns);
	return true;
}

void
sessions_tick(struct sessions *s, uint64_t now_ns)
{
	while (s->heap_size && s->heap[0]->track->due_ns <= now_ns) {
		struct session *x = s->heap[0];
		if (expire(s, x, now_ns))
			state_schedule(s, x);
	}
}

void
sessions_peer_closed(struct sessions *s, uint64_t peer, unsigned requests, uint64_t now_ns)
{
	for (struct session *x = s->newest, *older; x; x = older) {
		struct session_track *t = x->track;
		bool had = false;

		older = t->older;
		for (unsigned i = 0; i < PEERS_MAX; i++)
			if (t->peers[i] == peer) {
				t->peers[i] = 0;
				had = true;
			}
		if (!had)
			continue;
		if (requests > 1 && !track_connected(t) && !t->shared) {
			t->lost_peer = true;
			t->heard_ns = now_ns;
		}
		state_schedule(s, x);
	}
}

/* --- names and defaults --- */

const char *
session_state_name(enum session_state st)
{
	static const char *const names[] = {
		[SESSION_IDLE] = "idle",           [SESSION_WORKING] = "working", [SESSION_WAITING] = "waiting",
		[SESSION_COMPLETED] = "completed", [SESSION_ENDED] = "ended",
	};

	return st >= SESSION_IDLE && st <= SESSION_ENDED ? names[st] : "unknown";
}

struct session_settings
session_settings_default(void)
{
	return (struct session_settings){
		.quiet_ns = 15 * NS_PER_S,
		.busy_ns = 600 * NS_PER_S,
		.waiting_ns = 1800 * NS_PER_S,
		.completed_idle_ns = 30 * NS_PER_S,
		.idle_end_ns = 300 * NS_PER_S,
		.max_sessions = 10000,
	};
}
