#include "call.h"

#include "error.h"
#include "error_text.h"

#include <stddef.h>
#include <stdlib.h>

#define OPENINGS_MAX  256                /* sessions whose newest beginning of a call is remembered */
#define CLOCK_STEP_NS (5 * 1000000ull)   /* log records are cut to milliseconds, and written a moment after */
#define LOG_DELAY_NS  (100 * 1000000ull) /* from a span's end to the record of the same moment */

/* When a session's last call and turn began; 0: unknown. */
struct opening {
	uint64_t session_hash, start_ns, turn_ns;
	bool untraced;
};

struct calls {
	uint64_t session_hash[CALLS_MAX]; /* of each place, apart from the rest of it: what is looked through. 0: empty */
	struct call list[CALLS_MAX];
	size_t next;
	struct opening openings[OPENINGS_MAX];
};

/* The texts of an observation that outlive its record, the most needed first. */
static const size_t texts[] = {
	offsetof(struct observation, session),      offsetof(struct observation, service_name),
	offsetof(struct observation, model),        offsetof(struct observation, request_id),
	offsetof(struct observation, call_id),      offsetof(struct observation, tool),
	offsetof(struct observation, prompt_id),    offsetof(struct observation, error_type),
	offsetof(struct observation, project_name), offsetof(struct observation, error_message),
	offsetof(struct observation, source),
};
/* Those that do not. */
static const size_t passing_texts[] = {
	offsetof(struct observation, parent), offsetof(struct observation, process),  offsetof(struct observation, speed),
	offsetof(struct observation, agent),  offsetof(struct observation, decision), offsetof(struct observation, project_dir),
};

struct calls *
calls_create(void)
{
	return calloc(1, sizeof(struct calls));
}

void
calls_destroy(struct calls *c)
{
	free(c);
}

static uint64_t
mix(uint64_t h, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3ull;
	return h;
}

uint64_t
call_session_hash(const struct provider *p, struct str session)
{
	return mix(mix(0xcbf29ce484222325ull, str_from(p->name)), session) | 1;
}

bool
call_is_told(const struct observation *o, enum call_kind *ret)
{
	switch (o->means) {
	case MEANS_RESPONSE:
	case MEANS_ERROR:
	case MEANS_FAULT:
		*ret = CALL_MODEL;
		return true;
	case MEANS_TOOL:
		*ret = CALL_TOOL;
		return true;
	default:
		return false;
	}
}

static uint64_t
begun(const struct observation *o)
{
	const uint64_t took = o->duration_ms < o->time_ns / 1000000 ? o->duration_ms * 1000000 : 0;

	return o->time_ns - took;
}

static struct opening *
opening_of(struct calls *c, uint64_t session_hash)
{
	struct opening *opening = &c->openings[session_hash / 2 % OPENINGS_MAX];

	if (opening->session_hash != session_hash)
		*opening = (struct opening){ .session_hash = session_hash };
	return opening;
}

void
calls_note(struct calls *c, const struct provider *p, const struct observation *o)
{
	const bool asks = o->means == MEANS_CALL || (o->flags & OBS_ASKS);
	struct opening *opening;

	if (!asks && o->means != MEANS_PROMPT)
		return;
	opening = opening_of(c, call_session_hash(p, o->session));
	if (asks)
		opening->start_ns = begun(o);
	else
		opening->turn_ns = o->time_ns;
}

void
calls_say_untraced(struct calls *c, uint64_t session_hash)
{
	opening_of(c, session_hash)->untraced = true;
}

bool
calls_are_untraced(struct calls *c, uint64_t session_hash)
{
	return opening_of(c, session_hash)->untraced;
}

static struct str *
text_at(struct call *x, size_t offset)
{
	return (struct str *)(void *)((char *)&x->o + offset);
}

/* Copies what the observation's texts point at into the call. The last byte stays free: it is where texts begin that find no
 * room. */
static void
own_texts(struct call *x)
{
	const size_t last = sizeof(x->text) - 1;
	size_t used = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct str *s = text_at(x, texts[i]);
		const size_t room = last + 1 - used;

		str_copy(x->text + used, room, *s);
		*s = str_from(x->text + used);
		used = used + s->len + 1 < last ? used + s->len + 1 : last;
	}
	for (size_t i = 0; i < sizeof(passing_texts) / sizeof(passing_texts[0]); i++)
		*text_at(x, passing_texts[i]) = (struct str){ 0 };
}

/* When it began: as it says itself, else when the session's last call did, which has its end with this. */
static void
learn_beginning(struct call *x, struct opening *opened)
{
	const bool fault = x->o.means == MEANS_FAULT, begun_before = opened->start_ns && opened->start_ns < x->o.time_ns;

	x->o.start_ns = begun(&x->o);
	x->is_whole = !fault || begun_before;
	x->turn_ns = opened->turn_ns;
	if (x->kind == CALL_TOOL)
		return;
	if (begun_before && (fault || x->o.duration_ms == 0))
		x->o.start_ns = opened->start_ns;
	if (opened->start_ns < x->o.time_ns)
		opened->start_ns = 0; /* the next one has a beginning of its own, or none that is known */
}

static void
learn_cost(struct call *x, const struct price_table *prices)
{
	struct price_quote q;

	x->cost = x->o.cost;
	x->has_cost = x->o.has_cost;
	if (x->has_cost || !prices || x->o.means != MEANS_RESPONSE)
		return;
	q = price_request(prices, &x->o);
	x->cost = q.cost;
	x->has_cost = true;
	x->estimated = q.estimated;
}

struct call *
calls_add(struct calls *c, const struct provider *p, enum call_kind kind, const struct observation *o,
	  const struct price_table *prices, struct str version, uint64_t now_ns)
{
	const uint64_t hash = call_session_hash(p, o->session);
	struct call *x = &c->list[c->next];
	char message[ERROR_TEXT_SIZE];

	c->session_hash[c->next] = hash;
	c->next = (c->next + 1) % CALLS_MAX;
	*x = (struct call){ .kind = kind, .provider = p, .o = *o, .arrived_ns = now_ns };
	learn_cost(x, prices);
	learn_beginning(x, opening_of(c, hash));
	if (o->means == MEANS_ERROR || o->means == MEANS_FAULT) {
		if (o->error == ERROR_NONE) /* else by the whole of a text that has been cut since */
			x->o.error = error_classify(o->status, o->error_type, o->error_message);
		x->o.error_message = (struct str){ message, error_text(o->error_message, message, sizeof(message)) };
	}
	own_texts(x);
	str_copy(x->version, sizeof(x->version), version);
	return x;
}

/* --- finding --- */

static bool
same_or_unknown(struct str a, struct str b)
{
	return a.len == 0 || b.len == 0 || str_eq(a, b);
}

static bool
same_and_known(struct str a, struct str b)
{
	return a.len > 0 && str_eq(a, b);
}

/* Ids say it for sure. */
static bool
is_named(const struct call *x, const struct observation *span)
{
	if (x->o.has_span_id && span->has_span_id && memcmp(x->o.span_id, span->span_id, sizeof(span->span_id)) == 0)
		return true;
	if (x->kind == CALL_TOOL)
		return same_and_known(x->o.call_id, span->call_id);
	return same_and_known(x->o.request_id, span->request_id);
}

/* Whether nothing speaks against it. */
static bool
may_be(const struct call *x, const struct observation *span)
{
	return same_or_unknown(x->o.request_id, span->request_id) && same_or_unknown(x->o.call_id, span->call_id) &&
	       same_or_unknown(x->o.model, span->model) && same_or_unknown(x->o.prompt_id, span->prompt_id) &&
	       same_or_unknown(x->o.tool, span->tool) && x->o.time_ns + CLOCK_STEP_NS >= span->start_ns &&
	       x->o.time_ns <= span->time_ns + LOG_DELAY_NS;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

/* A span that comes again is the same one. */
static bool
is_its_own(const struct call *x, const struct observation *span)
{
	return x->claimed && span->has_span_id && memcmp(x->span_id, span->span_id, sizeof(x->span_id)) == 0;
}

/* An attempt that failed before the span of the call ended, well or with another attempt. */
static bool
is_earlier_attempt(const struct call *x, const struct observation *span)
{
	return x->o.means == MEANS_ERROR && !(span->flags & OBS_FAILED) && x->o.time_ns + LOG_DELAY_NS < span->time_ns;
}

/* How well a call fits a span: 0 for not at all. */
static unsigned
rank(const struct call *x, const struct observation *span, bool last)
{
	const bool named = is_named(x, span), fault = x->o.means == MEANS_FAULT;
	const bool weak = fault || (!named && is_earlier_attempt(x, span));

	if (is_its_own(x, span))
		return 5;
	if (x->claimed || (weak && !last))
		return 0;
	if (named)
		return fault ? 2 : 4;
	return !may_be(x, span) ? 0 : weak ? 1 : 3;
}

const struct call *
calls_claim(struct calls *c, const struct provider *p, enum call_kind kind, const struct observation *span, bool last,
	    uint64_t now_ns)
{
	const uint64_t hash = call_session_hash(p, span->session);
	struct call *best = NULL;
	unsigned best_rank = 1;

	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *x = &c->list[i];

		if (c->session_hash[i] != hash || x->provider != p || x->kind != kind || now_ns > x->arrived_ns + CALL_WINDOW_NS)
			continue;
		const unsigned r = rank(x, span, last);
		if (r < best_rank ||
		    (best && r == best_rank && distance(x->o.time_ns, span->time_ns) >= distance(best->o.time_ns, span->time_ns)))
			continue;
		best = x;
		best_rank = r;
	}
	if (best) {
		best->claimed = true;
		memcpy(best->span_id, span->span_id, sizeof(best->span_id));
	}
	return best;
}
