/*
 * The evidence of a recording with hooks in other orders of arrival: each signal later, as exporters batch, hooks after one
 * another by milliseconds, some of them twice, in every other run one of them lost, and in every third the broker restarted
 * somewhere in between. Whatever the order,
 * - what was seen of a session is what is seen of it in the recorded order: no state comes twice, or for a moment only. With a
 *   hook lost it is that or less, never more;
 * - its last state is the right one, and nothing is left working or waiting;
 * - state_since never goes back;
 * - a person is notified of each thing once (clients/notify/policy.c);
 * - the totals are those of expected.json.
 */
#include "golden.h"

#include "buf.h"
#include "notify/policy.h"
#include "session_record.h"

#include <stdlib.h>

#define ITEMS_MAX     (REQUESTS_MAX + 2 * HOOKS_MAX)
#define SESSIONS_MAX  32
#define STATES_MAX    128
#define EXPORTER_MS   10000
#define HOOK_START_MS 30 /* till a hook's program runs, and takes the time */
#define HOOK_SEND_MS  20 /* till its message is here */
#define TWICE_OF      8  /* one hook of so many comes twice */
#define RESTART_OF    3  /* in one run of so many the broker is restarted once */

/* What was seen of a session: its states without those that time alone brings. */
struct course {
	char id[SESSION_ID_MAX];
	uint8_t states[STATES_MAX];
	size_t count;
	uint64_t since_ns;
	unsigned notices[NOTICE_COUNT];
	enum session_state last;
	bool auxiliary, back; /* back: state_since went back */
};

struct item {
	uint64_t t_ms; /* when it arrives */
	const struct request *request;
	struct hook_line hook; /* if request is NULL */
};

struct shuffle {
	struct event_sink sink;
	struct play *play;
	struct policy *policy;
	struct course courses[SESSIONS_MAX];
	size_t course_count;
	struct item *items;
	size_t item_count;
	uint64_t seed, random;
	const struct hook_line *lost; /* NULL: none */
	size_t restart;               /* before that item; SIZE_MAX: never */
	bool complete;                /* hooks tell of all states */
};

/* --- what is seen --- */

static struct course *
course_of(struct shuffle *s, const char *id)
{
	for (size_t i = 0; i < s->course_count; i++)
		if (strcmp(s->courses[i].id, id) == 0)
			return &s->courses[i];
	if (s->course_count == SESSIONS_MAX)
		return NULL;
	struct course *c = &s->courses[s->course_count++];
	snprintf(c->id, sizeof(c->id), "%s", id);
	return c;
}

static void
notify(struct shuffle *s, struct course *c, const struct event *e)
{
	static const enum agentbus_kind kinds[] = {
		[EVENT_SESSION_STARTED] = AGENTBUS_SESSION_STARTED,
		[EVENT_STATE_CHANGED] = AGENTBUS_STATE_CHANGED,
		[EVENT_SESSION_ENDED] = AGENTBUS_SESSION_ENDED,
	};
	const struct session *x = e->session;
	const struct agentbus_session session = {
		.id = x->id,
		.provider = x->provider,
		.parent_id = x->parent_id,
		.state = (enum agentbus_state)x->state,
		.reason = x->reason,
		.auxiliary = x->auxiliary,
		.failed = x->failed,
		.turn_started = x->turn_started_ns,
	};
	const struct agentbus_event event = {
		.kind = kinds[e->kind],
		.time = e->time_ns,
		.observed = e->now_ns,
		.reason = e->reason,
		.evidence = (enum agentbus_evidence)e->evidence,
		.session = &session,
		.state_change = { (enum agentbus_state)e->from, (enum agentbus_state)x->state, e->turn_ns / MS },
	};
	const struct policy_verdict v = policy_event(s->policy, &event);

	/* That of silence is as good as exporters are quick, where no hook tells of the end. */
	if (v.action == POLICY_SHOW && (e->observation || s->complete))
		c->notices[v.notice]++;
}

static void
see(struct event_sink *sink, const struct event *e)
{
	struct shuffle *s = (struct shuffle *)sink;
	const struct session *x = e->session;
	struct course *c = course_of(s, x->id);

	if (!c || (e->kind != EVENT_SESSION_STARTED && e->kind != EVENT_STATE_CHANGED && e->kind != EVENT_SESSION_ENDED))
		return;
	c->back |= x->state_since_ns < c->since_ns;
	c->since_ns = x->state_since_ns;
	c->last = x->state;
	c->auxiliary = x->auxiliary;
	if (e->observation && e->kind != EVENT_SESSION_STARTED && c->count < STATES_MAX)
		c->states[c->count++] = (uint8_t)x->state;
	notify(s, c, e);
}

/* --- what arrives --- */

static uint64_t
below(struct shuffle *s, uint64_t n)
{
	/* xorshift64*: the same on every machine. */
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return n ? (s->random * 0x2545f4914f6cdd1dull >> 33) % n : 0;
}

static void
add(struct shuffle *s, uint64_t t_ms, const struct request *request, const struct hook_line *hook)
{
	size_t i = s->item_count++;

	/* By arrival, and what comes at the same time in the order in which it was added. */
	for (; i > 0 && s->items[i - 1].t_ms > t_ms; i--)
		s->items[i] = s->items[i - 1];
	s->items[i] = (struct item){ .t_ms = t_ms, .request = request };
	if (hook)
		s->items[i].hook = *hook;
}

/* A CLI waits for each hook, so their own times stay in order; what they send may not. */
static void
add_hook(struct shuffle *s, const struct hook_line *h, uint64_t *newest_ms)
{
	struct hook_line late = *h;

	late.t_ms += below(s, HOOK_START_MS);
	if (late.t_ms < *newest_ms)
		late.t_ms = *newest_ms;
	*newest_ms = late.t_ms;
	add(s, late.t_ms + below(s, HOOK_SEND_MS), NULL, &late);
	if (below(s, TWICE_OF) == 0)
		add(s, late.t_ms + below(s, HOOK_SEND_MS), NULL, &late);
}

/* The file is read after each writing of it, or after several. */
static void
add_file(struct shuffle *s, const struct hook_line *h, uint64_t *newest_ms)
{
	const uint64_t t = h->t_ms + below(s, HOOK_SEND_MS);

	*newest_ms = t > *newest_ms ? t : *newest_ms;
	add(s, *newest_ms, NULL, h);
}

/* Where hooks tell all, it is no matter how wrong the clock of the telemetry is, if that can be seen: ahead by more than delays.
 */
static const int64_t skews_s[] = { 0, 0, 0, -300, -45, -20, 12, 300 };

static void
mix(struct shuffle *s)
{
	struct play *p = s->play;
	uint64_t delay[OTLP_SIGNAL_COUNT], newest[OTLP_SIGNAL_COUNT] = { 0 }, newest_hook = 0, newest_file = 0;

	if (s->complete && p->request_count)
		p->skew_ns = (uint64_t)skews_s[below(s, sizeof(skews_s) / sizeof(skews_s[0]))] * 1000 * MS;
	for (size_t i = 0; i < OTLP_SIGNAL_COUNT; i++)
		delay[i] = below(s, EXPORTER_MS);
	for (size_t i = 0; i < p->request_count; i++) {
		const struct request *r = &p->requests[i];
		uint64_t t = r->t_ms + below(s, delay[r->signal] + 1);

		/* An exporter sends one after the other. */
		newest[r->signal] = t = t > newest[r->signal] ? t : newest[r->signal];
		add(s, t, r, NULL);
	}
	s->lost = p->request_count && below(s, 2) ? &p->hooks[below(s, p->hook_count)] : NULL;
	for (size_t i = 0; i < p->hook_count; i++)
		if (p->hooks[i].file)
			add_file(s, &p->hooks[i], &newest_file);
		else if (&p->hooks[i] != s->lost)
			add_hook(s, &p->hooks[i], &newest_hook);
	if (below(s, RESTART_OF) == 0)
		s->restart = below(s, s->item_count);
}

static void
in_order(struct shuffle *s, bool hooks)
{
	for (size_t i = 0; hooks && i < s->play->hook_count; i++)
		add(s, s->play->hooks[i].t_ms, NULL, &s->play->hooks[i]);
	for (size_t i = 0; i < s->play->request_count; i++)
		add(s, s->play->requests[i].t_ms, &s->play->requests[i], NULL);
}

/* The records of all sessions, one after the other, each behind its length. */
static bool
take_record(const struct session *x, void *ctx)
{
	struct buf *records = ctx;
	const size_t before = records->len, none = 0;
	size_t len;

	if (!buf_append(records, &none, sizeof(none)) || !session_record_write(x, records))
		return false;
	len = records->len - before - sizeof(len);
	memcpy(records->bytes + before, &len, sizeof(len));
	return true;
}

/* The broker ends, and another one takes over what is stored: at once, but all connections are new. */
static void
restart(struct shuffle *s, const struct session_settings *settings, uint64_t t_ms)
{
	struct play *p = s->play;
	struct buf records = { 0 };
	size_t len;

	golden_run_until(p, t_ms);
	sessions_touch_all(p->sessions);
	sessions_take_changed(p->sessions, take_record, &records);
	golden_report(p, !sessions_changed(p->sessions), "restart", "no memory");
	sessions_destroy(p->sessions);
	p->sessions = sessions_create(settings, &s->sink);
	p->known = (struct claude_known){ .id = "" };
	for (size_t at = 0; at < records.len; at += sizeof(len) + len) {
		memcpy(&len, records.bytes + at, sizeof(len));
		if (!session_record_read(p->sessions, records.bytes + at + sizeof(len), len, golden_now_at(p, t_ms)))
			golden_report(p, false, "restart", "a record cannot be read");
	}
	buf_finish(&records);
}

/* Lets it all arrive, and then silence last until what is supposed only of what was told is settled, too. */
static void
play(struct shuffle *s)
{
	const struct session_settings settings = session_settings_default();
	const struct policy_settings wanted = { .wanted = { true, true, true, true, true } };
	struct play *p = s->play;

	s->sink.emit = see;
	s->policy = policy_create(&wanted);
	sessions_destroy(p->sessions);
	p->sessions = sessions_create(&settings, &s->sink);
	p->known = (struct claude_known){ .id = "" };
	for (size_t i = 0; i < s->item_count; i++) {
		const struct item *item = &s->items[i];
		if (i == s->restart)
			restart(s, &settings, item->t_ms);
		if (item->request)
			golden_apply_request(p, item->request, item->t_ms);
		else
			golden_apply_hook(p, &item->hook, item->t_ms);
	}
	golden_run_until(p, p->end_ms + EXPORTER_MS);
	golden_close_peers(p, p->end_ms + EXPORTER_MS);
	golden_run_until(p, p->end_ms + EXPORTER_MS + settings.quiet_ns / MS + 1000);
	policy_destroy(s->policy);
}

/* --- what is right --- */

static bool
settled(enum session_state st)
{
	return st == SESSION_COMPLETED || st == SESSION_IDLE;
}

static void
print_course(char *text, size_t size, const struct course *c)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < c->count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, " %s", session_state_name((enum session_state)c->states[i]));
}

static size_t
count_state(const struct course *c, enum session_state st)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->states[i] == st;
	return n;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static bool
same_end(const struct course *got, const struct course *want)
{
	return got->last == want->last || (settled(got->last) && settled(want->last));
}

/* A dialog of a few milliseconds may not be seen, if its end comes first. */
static bool
is_part(const struct course *got, const struct course *want)
{
	size_t n = 0;

	for (size_t i = 0; i < want->count && n < got->count; i++)
		n += got->states[n] == want->states[i];
	return n == got->count;
}

/* Where a hook was lost, telemetry may tell instead: `alone` is what it tells. */
static const char *
wrong_course(const struct shuffle *s, const struct course *got, const struct course *want, const struct course *alone)
{
	if (got->back)
		return "state_since goes back";
	/* That its clock is behind is known after a minute. */
	if (!same_end(got, want) && !(s->lost && (same_end(got, alone) || ((int64_t)s->play->skew_ns > 0 && settled(got->last)))))
		return "ends otherwise";
	if (got->auxiliary)
		return NULL;
	for (enum notice n = 0; n < NOTICE_COUNT; n++)
		if (got->notices[n] > larger(want->notices[n], s->lost ? alone->notices[n] : 0))
			return "notifies too often";
	for (enum session_state st = SESSION_IDLE; st <= SESSION_ENDED; st++)
		if (count_state(got, st) > larger(count_state(want, st), s->lost ? count_state(alone, st) : 0))
			return "flaps";
	if (s->complete && !s->lost && s->play->request_count && got->count != want->count)
		return "has other states";
	if (s->complete && !s->lost && !is_part(got, want))
		return "has its states in another order";
	return NULL;
}

static void
check(struct shuffle *s, const struct shuffle *right, struct shuffle *alone)
{
	struct play *p = s->play;
	const int failures = p->failures;
	char g[512], w[512];

	sessions_each(p->sessions, golden_check_not_stuck, p);
	golden_check_totals(p);
	for (size_t i = 0; i < right->course_count; i++) {
		const struct course *want = &right->courses[i], *got = course_of(s, want->id);
		const char *wrong = wrong_course(s, got, want, course_of(alone, want->id));

		print_course(g, sizeof(g), got);
		print_course(w, sizeof(w), want);
		if (wrong)
			golden_report(p, false, "any order", "%s %s:%s; in order%s", want->id, wrong, g, w);
	}
	if (p->failures > failures)
		printf("  with SEED=%llu SHUFFLES=1, without %s, clocks %.0f s apart%s\n", (unsigned long long)s->seed,
		       s->lost ? s->lost->event : "loss", (double)(int64_t)p->skew_ns / 1e9,
		       s->restart == SIZE_MAX ? "" : ", with a restart");
}

/* Notify tells of ends alone: what else is seen is telemetry's, and may come when it is over already. */
static bool
tells_begin(struct play *p, const struct hook_line *h)
{
	struct observation o;

	return golden_read_hook(p, h, p->base_ns, &o) && o.means == MEANS_TURN_START;
}

static struct shuffle *
begin(struct play *p, uint64_t seed)
{
	struct shuffle *s = calloc(1, sizeof(*s));

	s->play = p;
	s->seed = seed;
	s->random = seed * 0x9e3779b97f4a7c15ull | 1;
	s->restart = SIZE_MAX;
	for (size_t i = 0; i < p->hook_count; i++)
		s->complete |= tells_begin(p, &p->hooks[i]);
	s->items = calloc(ITEMS_MAX, sizeof(*s->items));
	return s;
}

static void
end(struct shuffle *s)
{
	free(s->items);
	free(s);
}

void
golden_shuffle(struct play *p, const struct options *o)
{
	struct shuffle *right = begin(p, 0), *alone = begin(p, 0);
	const int failures = p->failures;

	in_order(right, true);
	play(right);
	in_order(alone, false);
	play(alone);
	p->quiet = true;
	for (unsigned i = 0; i < o->shuffles && p->failures == failures; i++) {
		struct shuffle *s = begin(p, o->seed + i);
		mix(s);
		play(s);
		check(s, right, alone);
		end(s);
	}
	p->quiet = false;
	p->skew_ns = 0;
	if (p->failures == failures)
		golden_report(p, true, "any order", "");
	sessions_destroy(p->sessions);
	p->sessions = NULL;
	end(right);
	end(alone);
}
