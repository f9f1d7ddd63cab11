/*
 * What the session machine makes of the recordings (tests/golden/expected), several sessions at once, in any mixture, with
 * dialogs put in, losses of events, a person who closes notifications and looks at windows: through policy and agenda.
 * Whatever happens, nothing untrue stays on the screen, no transition is told twice, and who waits is told of.
 */
#include "notify/agenda.h"
#include "notify/policy.h"

#include "sample_session.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES         "tests/golden/expected/*.txt"
#define STREAMS_MAX   256
#define CHANGES_MAX   64 /* of one session */
#define AT_ONCE       6
#define ROUNDS        2000
#define MS            UINT64_C(1000000)
#define LOOK_AGAIN_MS 10000
#define NOTHING       (-1)

struct change {
	uint64_t ms;
	enum agentbus_state to;
	enum agentbus_evidence evidence;
	char reason[16];
	uint64_t turn_ms;
	bool failed;
};

/* One session of a recording. */
struct stream {
	char name[128], id[16];
	struct change changes[CHANGES_MAX];
	size_t count;
};

/* A session that is played. */
struct actor {
	char id[32];
	struct agentbus_session session;
	struct change changes[3 * CHANGES_MAX];
	size_t count, next;
	int screen;       /* the notice on it, or NOTHING */
	unsigned moves;   /* changes of its state so far */
	unsigned offered; /* moves when something was to be told */
	unsigned told;    /* and was */
	bool excused;     /* the person knows that it waits */
};

struct play {
	struct policy *policy;
	struct agenda *agenda;
	struct agenda_time now;
	struct actor actors[AT_ONCE];
	unsigned seed;
	bool deaf; /* events are lost */
	struct agenda_item looking[AT_ONCE * 4];
	size_t looking_count;
	unsigned long shown;
};

static struct stream streams[STREAMS_MAX];
static size_t stream_count;

static unsigned
chance(struct play *p, unsigned n)
{
	return (unsigned)rand_r(&p->seed) % n;
}

/* --- the recordings --- */

static unsigned
number_of(const char *word, const char *(*name)(unsigned), unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(name(i), word) == 0)
			return i;
	return 0;
}

static const char *
state_name(unsigned i)
{
	return agentbus_state_name((enum agentbus_state)i);
}

static const char *
evidence_name(unsigned i)
{
	return agentbus_evidence_name((enum agentbus_evidence)i);
}

static struct stream *
stream_for(const char *name, const char *id)
{
	for (size_t i = 0; i < stream_count; i++)
		if (strcmp(streams[i].name, name) == 0 && strcmp(streams[i].id, id) == 0)
			return &streams[i];
	cr_assert_lt(stream_count, STREAMS_MAX);
	snprintf(streams[stream_count].name, sizeof(streams[0].name), "%s", name);
	snprintf(streams[stream_count].id, sizeof(streams[0].id), "%s", id);
	return &streams[stream_count++];
}

static void
take_line(const char *name, const char *line)
{
	char kind[32], id[16], state[16], reason[16] = "", evidence[16] = "", failed[16] = "";
	double seen, own, turn = 0;

	if (sscanf(line, "%lf %lf %31s %15s %15s %15s %15s turn=%lf %15s", &seen, &own, kind, id, state, reason, evidence, &turn,
		   failed) < 5 ||
	    (strcmp(kind, "state_changed") != 0 && strcmp(kind, "session_ended") != 0) || strchr(id, '*'))
		return;
	struct stream *s = stream_for(name, id);
	cr_assert_lt(s->count, CHANGES_MAX);
	struct change *c = &s->changes[s->count++];
	c->ms = (uint64_t)(seen * 1000);
	c->to = (enum agentbus_state)number_of(state, state_name, AGENTBUS_ENDED + 1);
	c->evidence = (enum agentbus_evidence)number_of(evidence, evidence_name, AGENTBUS_INFERRED + 1);
	c->turn_ms = (uint64_t)(turn * 1000);
	c->failed = strcmp(failed, "failed") == 0;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

static void
load(void)
{
	char line[512];
	glob_t found;

	cr_assert_eq(glob(FILES, 0, NULL, &found), 0, "run it from the root of the repository");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *f = fopen(found.gl_pathv[i], "re");

		cr_assert(f);
		while (fgets(line, sizeof(line), f))
			take_line(strrchr(found.gl_pathv[i], '/') + 1, line);
		fclose(f);
	}
	globfree(&found);
	cr_assert_gt(stream_count, 50);
}

/* --- the screen --- */

static struct actor *
actor_of(struct play *p, const char *key)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (strcmp(p->actors[i].id, strchr(key, '/') + 1) == 0)
			return &p->actors[i];
	cr_assert(false, "%s", key);
	return NULL;
}

static void
put_on_screen(struct play *p, const struct agenda_item *item)
{
	struct actor *a = actor_of(p, item->key);

	cr_assert_neq(a->told, a->offered, "%s is told twice of one change", a->id);
	a->told = a->offered;
	a->screen = (int)item->notice;
	p->shown++;
}

static void
check_screen(const struct play *p)
{
	for (size_t i = 0; i < AT_ONCE && !p->deaf; i++) {
		const struct actor *a = &p->actors[i];
		enum agentbus_state state = a->session.state;

		if (a->screen == NOTICE_WAITING)
			cr_assert_eq(state, AGENTBUS_WAITING, "%s is %s", a->id, agentbus_state_name(state));
		else if (a->screen != NOTHING)
			cr_assert(state != AGENTBUS_WORKING && state != AGENTBUS_WAITING, "%s is %s", a->id,
				  agentbus_state_name(state));
	}
}

static void
answer(struct play *p, const struct agenda_item *taken, bool focused)
{
	struct actor *a = actor_of(p, taken->key);
	const bool held = agenda_holds(p->agenda, taken->key);
	const struct agenda_item *item = agenda_answer(p->agenda, taken->serial, focused, &p->now);

	if (item)
		put_on_screen(p, item);
	else if (focused && held && !agenda_holds(p->agenda, taken->key))
		a->excused = true;
}

/* Nobody can look, or somebody does, and answers when what it is for may be over. */
static void
pump(struct play *p)
{
	const struct agenda_item *item;

	while ((item = agenda_take(p->agenda, &p->now))) {
		const struct agenda_item taken = *item;

		if (chance(p, 2) || p->looking_count == AT_ONCE * 4)
			answer(p, &taken, false);
		else
			p->looking[p->looking_count++] = taken;
	}
}

static void
answer_looks(struct play *p)
{
	for (size_t i = 0; i < p->looking_count; i++)
		answer(p, &p->looking[i], chance(p, 3) == 0);
	p->looking_count = 0;
	pump(p);
}

static void
obey(struct play *p, struct policy_verdict v, struct actor *a)
{
	const struct body body = { .text = "" };
	char key[NOTICE_KEY_SIZE];

	policy_key(&a->session, key, sizeof(key));
	if (v.action == POLICY_NOTHING)
		return;
	if (v.action == POLICY_CLOSE) {
		agenda_cancel(p->agenda, key);
		a->screen = NOTHING;
		return;
	}
	a->offered = a->moves;
	agenda_offer(p->agenda, key, v.notice, &body, &p->now);
	pump(p);
	if (agenda_holds(p->agenda, key))
		a->screen = NOTHING;
}

/* --- time --- */

static void
pass_to(struct play *p, uint64_t ms)
{
	while (p->now.ms < ms) {
		uint64_t after, step = ms - p->now.ms;
		time_t wall;

		agenda_next(p->agenda, &p->now, &after, &wall);
		if (after < step)
			step = after;
		if (wall && (uint64_t)(wall - p->now.wall) * 1000 < step)
			step = (uint64_t)(wall - p->now.wall) * 1000;
		if (p->looking_count && step > 200)
			step = 200;
		p->now.ms += step ? step : 1;
		p->now.wall = (time_t)(p->now.ms / 1000);
		if (chance(p, 2))
			answer_looks(p);
		pump(p);
		check_screen(p);
	}
}

static void
hear_again(struct play *p)
{
	p->deaf = false;
	policy_begin(p->policy);
	for (size_t i = 0; i < AT_ONCE; i++)
		if (p->actors[i].moves)
			obey(p, policy_session(p->policy, &p->actors[i].session), &p->actors[i]);
	cr_assert_null(policy_vanished(p->policy));
}

static void
move(struct play *p, struct actor *a, const struct change *c)
{
	struct agentbus_event e = sample_event(AGENTBUS_STATE_CHANGED, &a->session);

	e.time = c->ms * MS;
	e.reason = c->reason;
	e.evidence = c->evidence;
	e.state_change.from = a->session.state;
	e.state_change.to = c->to;
	e.state_change.turn_duration_ms = c->turn_ms;
	if (c->to == AGENTBUS_WORKING && a->session.state != AGENTBUS_WAITING)
		a->session.turn_started = e.time;
	if (c->to != a->session.state) {
		a->moves++;
		if (!p->deaf)
			a->excused = false;
	}
	a->session.state = c->to;
	a->session.failed = c->failed;
	a->session.reason = c->reason;
	if (!p->deaf)
		obey(p, policy_event(p->policy, &e), a);
}

/* --- a round --- */

static void
add_dialogs(struct play *p, struct actor *a, const struct stream *s)
{
	uint64_t begin = chance(p, 60000), at;

	for (size_t i = 0; i < s->count; i++) {
		struct change c = s->changes[i];

		c.ms += begin;
		a->changes[a->count++] = c;
		if (c.to != AGENTBUS_WORKING || chance(p, 2) || i + 1 == s->count)
			continue;
		at = c.ms;
		c = (struct change){ .ms = at, .to = AGENTBUS_WAITING, .evidence = AGENTBUS_TOLD, .reason = "permission" };
		a->changes[a->count++] = c;
		at += chance(p, 2) ? chance(p, 300) : chance(p, 20000);
		if (at > s->changes[i + 1].ms + begin)
			continue;
		c = (struct change){ .ms = at, .to = AGENTBUS_WORKING, .evidence = AGENTBUS_TOLD, .reason = "activity" };
		a->changes[a->count++] = c;
	}
	/* Some stop in the midst of things, waiting for ever. */
	while (chance(p, 2) && a->count > 1 && a->changes[a->count - 1].to != AGENTBUS_WAITING)
		a->count--;
}

static void
begin(struct play *p, unsigned seed)
{
	struct policy_settings policy = { .min_turn_ms = seed % 2 * 1000, .wanted = { true, true, true } };
	struct agenda_settings agenda = { .waiting_delay_ms = 300, .cooldown_ms = 5000, .look_again_ms = LOOK_AGAIN_MS };

	*p = (struct play){ .seed = seed };
	agenda.keep_ms[NOTICE_COMPLETED] = agenda.keep_ms[NOTICE_FAILED] = 300000;
	if (chance(p, 3) == 0)
		cr_assert(quiet_parse("0:01-0:03, 0:05-0:06", &agenda.quiet));
	p->policy = policy_create(&policy);
	p->agenda = agenda_create(&agenda);
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct actor *a = &p->actors[i];

		snprintf(a->id, sizeof(a->id), "s-%zu", i);
		a->session = sample_session(a->id, AGENTBUS_IDLE);
		a->screen = NOTHING;
		a->told = (unsigned)-1;
		add_dialogs(p, a, &streams[chance(p, (unsigned)stream_count)]);
	}
}

static struct actor *
next_actor(struct play *p)
{
	struct actor *first = NULL;

	for (size_t i = 0; i < AT_ONCE; i++) {
		struct actor *a = &p->actors[i];

		if (a->next < a->count && (!first || a->changes[a->next].ms < first->changes[first->next].ms))
			first = a;
	}
	return first;
}

static void
close_something(struct play *p)
{
	struct actor *a = &p->actors[chance(p, AT_ONCE)];

	a->excused |= a->screen == NOTICE_WAITING;
	a->screen = NOTHING;
}

static unsigned long
play_round(unsigned seed)
{
	struct play p;

	begin(&p, seed);
	for (struct actor *a; (a = next_actor(&p)); check_screen(&p)) {
		const struct change *c = &a->changes[a->next++];

		pass_to(&p, c->ms);
		move(&p, a, c);
		if (chance(&p, 10) == 0)
			close_something(&p);
		if (!p.deaf && chance(&p, 20) == 0)
			p.deaf = true;
		else if (p.deaf && chance(&p, 3) == 0)
			hear_again(&p);
	}
	if (p.deaf)
		hear_again(&p);
	pass_to(&p, p.now.ms + 600000);
	while (p.looking_count)
		answer_looks(&p);
	for (size_t i = 0; i < AT_ONCE; i++)
		cr_assert(p.actors[i].session.state != AGENTBUS_WAITING || p.actors[i].screen == NOTICE_WAITING ||
			      p.actors[i].excused,
			  "seed %u: %s waits, and nobody knows", seed, p.actors[i].id);
	policy_destroy(p.policy);
	agenda_destroy(p.agenda);
	return p.shown;
}

Test(notify_shuffle, nothing_untrue_nothing_twice_nobody_forgotten)
{
	unsigned long shown = 0;

	setenv("TZ", "UTC", 1);
	load();
	for (unsigned seed = 1; seed <= ROUNDS; seed++)
		shown += play_round(seed);
	cr_assert_gt(shown, ROUNDS * 3);
}
