#include "session_kin.h"

#include "session_state.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define ASKER_WINDOW_NS (2 * NS_PER_S)    /* a dialog opens so soon after the answer that caused it */
#define ASK_EARLY_NS    (100 * NS_PER_MS) /* or so long before that answer's record */
#define ASK_PENDING_NS  (10 * NS_PER_S)   /* exporters send that record at most so late */
#define TITLE_WINDOW_NS (1 * NS_PER_S)    /* a title thread starts so soon after the prompt it names */
#define NEIGHBOURS_MAX  256               /* sessions looked at, the latest first */

/* --- sub-agents and titles --- */

void
kin_unlink(struct sessions *s, struct session *x)
{
	struct session *parent = table_find(s, x->provider, str_from(x->parent_id));

	if (parent && x->track->child_known && parent->children) {
		parent->children--;
		table_change(s, parent);
	}
	x->track->child_known = x->track->guessed_aux = x->auxiliary = false;
	x->parent_id[0] = '\0';
}

void
kin_link(struct sessions *s, struct session *x, struct str parent_id)
{
	struct session *parent = table_find(s, x->provider, parent_id);

	if (parent == x)
		return;
	x->auxiliary = true;
	str_copy(x->parent_id, sizeof(x->parent_id), parent_id);
	if (parent && !x->track->child_known) {
		parent->children++;
		table_change(s, parent);
		x->track->child_known = true;
	}
}

static bool
same_service(const struct session *a, const struct session *b)
{
	return a->provider == b->provider && strcmp(a->service_name, b->service_name) == 0;
}

/* The session whose prompt a thread that began at `ns` would name: the latest one just before. */
static struct session *
prompted_before(const struct sessions *s, const struct session *x, uint64_t ns)
{
	struct session *best = NULL;
	unsigned n = 0;

	for (struct session *y = s->newest; y && n < NEIGHBOURS_MAX; y = y->track->older, n++)
		if (y != x && !y->auxiliary && same_service(x, y) && y->track->prompt_cli_ns <= ns &&
		    y->track->prompt_cli_ns + TITLE_WINDOW_NS >= ns &&
		    (!best || y->track->prompt_cli_ns > best->track->prompt_cli_ns))
			best = y;
	return best;
}

static void
adopt_title(struct sessions *s, struct session *x, const struct observation *o)
{
	struct session *parent = prompted_before(s, x, o->time_ns);

	if (parent)
		kin_link(s, x, str_from(parent->id));
	else if (o->flags & OBS_CERTAIN)
		x->auxiliary = true;
	x->track->guessed_aux = parent && !(o->flags & OBS_CERTAIN);
}

/* A thread that starts within the trace of another session's running turn was spawned by it. */
static void
adopt_by_trace(struct sessions *s, struct session *x, const struct observation *o)
{
	struct session *parent = o->has_trace_id ? table_by_trace(s, o->trace_id) : NULL;

	if (parent && parent != x && parent->provider == x->provider && !x->auxiliary && x->prompts == 0 &&
	    parent->state == SESSION_WORKING && parent->track->prompt_cli_ns <= o->time_ns)
		kin_link(s, x, str_from(parent->id));
}

void
kin_adopt(struct sessions *s, struct session *x, const struct observation *o)
{
	if (o->flags & OBS_TITLE)
		adopt_title(s, x, o);
	adopt_by_trace(s, x, o);
}

/* --- dialogs --- */

/* Whether a dialog that opened at cli_ns can be about the last answer of y. */
static bool
may_ask(const struct session *y, const char *provider, const char *service_name, uint64_t cli_ns)
{
	const struct session_track *t = y->track;

	return y->provider == provider && !y->auxiliary && y->state == SESSION_WORKING && t->tools == 0 &&
	       strcmp(y->service_name, service_name) == 0 && t->response_cli_ns <= cli_ns + ASK_EARLY_NS &&
	       t->response_cli_ns + ASKER_WINDOW_NS >= cli_ns;
}

static void
stash(struct sessions *s, const struct pending_ask *a)
{
	s->asks[s->asks_next++ % ASKS_MAX] = *a;
}

struct session *
kin_asker(struct sessions *s, const struct observation *o, uint64_t now_ns)
{
	struct pending_ask a = { .provider = o->provider, .cli_ns = o->time_ns, .now_ns = now_ns };
	struct session *found = NULL;
	unsigned n = 0;

	str_copy(a.service_name, sizeof(a.service_name), o->service_name);
	for (struct session *y = s->newest; y && n < NEIGHBOURS_MAX; y = y->track->older, n++) {
		if (!may_ask(y, a.provider, a.service_name, a.cli_ns))
			continue;
		if (found)
			return NULL;
		found = y;
	}
	if (!found)
		stash(s, &a);
	return found;
}

void
kin_claim_ask(struct sessions *s, struct session *x, const struct observation *o, uint64_t now_ns)
{
	for (unsigned i = 0; i < ASKS_MAX; i++) {
		struct pending_ask *a = &s->asks[i];
		struct observation ask;
		if (!a->provider || now_ns > a->now_ns + ASK_PENDING_NS || !may_ask(x, a->provider, a->service_name, a->cli_ns))
			continue;
		ask = *o;
		ask.means = MEANS_ASK;
		ask.session = (struct str){ 0 };
		ask.time_ns = a->cli_ns;
		ask.reason = "permission";
		a->provider = NULL;
		state_ask(s, x, &ask, now_ns);
	}
}
