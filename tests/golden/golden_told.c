/* What hooks tell is the state at once: each hook of a recording beside the states that were seen. */
#include "golden.h"

#define AT_ONCE_MS 100

static enum session_state
state_of(const struct play *p, struct str id, uint64_t t_ms)
{
	enum session_state st = SESSION_IDLE;

	for (size_t i = 0; i < p->change_count && p->changes[i].seen_ms <= t_ms; i++)
		if (str_eq(id, str_from(p->changes[i].id)))
			st = p->changes[i].state;
	return st;
}

static bool
same_session(struct play *p, size_t h, const char *id, struct observation *ret)
{
	return golden_read_hook(p, &p->hooks[h], p->base_ns + p->hooks[h].t_ms * MS, ret) && str_eq(ret->session, str_from(id));
}

/*
 * When the first hook after the dialog says that it was answered: its tool has run or was refused, the turn is over, or another
 * began. Neither a further word of the same dialog says so, nor a tool that begins beside it, nor what other agents do.
 */
static uint64_t
answer_told_ms(struct play *p, size_t asked, const char *id, bool by_agent)
{
	struct observation o;

	for (size_t i = asked + 1; i < p->hook_count; i++)
		if (same_session(p, i, id, &o) && o.means != MEANS_ASK && o.means != MEANS_CONTEXT && o.means != MEANS_NOTHING &&
		    !(o.flags & OBS_OPENS) && (o.means == MEANS_TURN_START || (o.agent.len > 0) == by_agent))
			return p->hooks[i].t_ms;
	return p->end_ms;
}

/* Whether the newest dialog before is a sub-agent's, which may outlast the turn. */
static bool
agent_asks(struct play *p, size_t end, const char *id)
{
	struct observation o;

	for (size_t i = end; i-- > 0;)
		if (same_session(p, i, id, &o) && o.means == MEANS_ASK)
			return o.agent.len > 0;
	return false;
}

static uint64_t
left_ms(const struct play *p, const char *id, uint64_t from_ms)
{
	for (size_t i = 0; i < p->change_count; i++)
		if (p->changes[i].seen_ms >= from_ms && p->changes[i].from == SESSION_WAITING &&
		    p->changes[i].state != SESSION_WAITING && strcmp(p->changes[i].id, id) == 0)
			return p->changes[i].seen_ms;
	return UINT64_MAX;
}

static bool
check_ask(struct play *p, size_t h, const struct observation *o)
{
	const uint64_t t = p->hooks[h].t_ms;
	char id[SESSION_ID_MAX];
	uint64_t told, left, answered;

	str_copy(id, sizeof(id), o->session);
	told = answer_told_ms(p, h, id, o->agent.len > 0);
	/* A second word of a dialog that is answered already. */
	if (told <= t + AT_ONCE_MS)
		return true;
	left = left_ms(p, id, t);
	answered = golden_answered_ms(p, t);
	if (state_of(p, str_from(id), t + AT_ONCE_MS) != SESSION_WAITING)
		golden_report(p, false, "waiting", "not within %d ms of the hook at %.3f", AT_ONCE_MS, (double)t / 1e3);
	else if (left > told + AT_ONCE_MS)
		golden_report(p, false, "waiting", "till %.3f, answered at %.3f", (double)left / 1e3, (double)told / 1e3);
	else if (answered && left < answered)
		golden_report(p, false, "waiting", "only till %.3f, answered at %.3f", (double)left / 1e3,
			      (double)answered / 1e3);
	else
		return true;
	return false;
}

static bool
check_end(struct play *p, size_t h, const struct observation *o)
{
	const uint64_t t = p->hooks[h].t_ms;
	char id[SESSION_ID_MAX];
	enum session_state st;

	str_copy(id, sizeof(id), o->session);
	st = state_of(p, str_from(id), t + AT_ONCE_MS);
	if (st == SESSION_COMPLETED || state_of(p, str_from(id), t) == SESSION_COMPLETED)
		return true;
	if (st == SESSION_WAITING && agent_asks(p, h, id))
		return true;
	golden_report(p, false, "completed", "not within %d ms of the hook at %.3f", AT_ONCE_MS, (double)t / 1e3);
	return false;
}

/* By its telemetry a thread is known to be a title's or a sub-agent's: by its notify it has to be the same. */
static bool
check_notify(struct play *p, size_t h, const struct observation *o)
{
	char id[SESSION_ID_MAX];
	const struct session *x;
	const bool ends = o->means == MEANS_TURN_END;

	str_copy(id, sizeof(id), o->session);
	if (p->request_count == 0)
		return true;
	x = sessions_find(p->sessions, o->provider, id);
	if (x && x->auxiliary != ends)
		return true;
	golden_report(p, false, "notify", "%s at %.3f: %s", id, (double)p->hooks[h].t_ms / 1e3,
		      ends ? "ends a turn that is none of a person's" : "ends nothing");
	return false;
}

void
golden_check_told(struct play *p)
{
	struct observation o;
	bool ok = true;

	for (size_t i = 0; i < p->hook_count; i++) {
		if (p->hooks[i].file)
			continue;
		if (!golden_read_hook(p, &p->hooks[i], p->base_ns + p->hooks[i].t_ms * MS, &o)) {
			golden_report(p, false, "hooks", "%s cannot be read", p->hooks[i].event);
			ok = false;
			continue;
		}
		if (strcmp(p->hooks[i].event, "agent-turn-complete") == 0)
			ok &= check_notify(p, i, &o);
		if (o.means == MEANS_TURN_END && !(o.flags & OBS_STATUS))
			ok &= check_end(p, i, &o);
		else if (o.means == MEANS_ASK)
			ok &= check_ask(p, i, &o);
	}
	if (ok)
		golden_report(p, true, "hooks", "");
}
