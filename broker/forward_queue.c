#include "forward_queue.h"

#include "clock.h"
#include "forward_held.h"

#include <inttypes.h>

_Static_assert((int)STORE_SIGNALS == (int)OTLP_SIGNAL_COUNT && OTLP_LOGS == 0 && OTLP_TRACES == 1 && OTLP_METRICS == 2,
	       "signals are stored by their numbers");

#define GONE_MAX 64 /* lanes forgotten at one start */

void
forward_queue_init(struct forward_queue *q, const struct destinations *to, bool memory, const struct log *log)
{
	*q = (struct forward_queue){ .to = to, .log = log };
	for (size_t i = 0; i < to->count; i++) {
		const struct destination *d = &to->list[i];

		q->share[i] = memory && d->queue_size > FORWARD_QUEUE_MEMORY_MAX ? FORWARD_QUEUE_MEMORY_MAX : d->queue_size;
		for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++) {
			if (!d->signals[s])
				continue;
			q->lanes[q->lane_count++] = (struct queue_lane){ .to = d, .number = i, .signal = s };
			q->outbox.of[s].wanted = true;
		}
	}
}

void
forward_queue_finish(struct forward_queue *q)
{
	outbox_finish(&q->outbox);
}

/* --- lanes --- */

static struct queue_lane *
find(struct forward_queue *q, const char *destination, unsigned signal)
{
	for (size_t i = 0; i < q->lane_count; i++)
		if (q->lanes[i].signal == signal && strcmp(q->lanes[i].to->name, destination) == 0)
			return &q->lanes[i];
	return NULL;
}

/* Something may have been dropped while there was no store. */
static void
add_counts(struct store_lane_counts *c, const struct store_lane_counts *more)
{
	c->sent += more->sent;
	c->rejected += more->rejected;
	c->dropped += more->dropped;
	c->sent_bytes += more->sent_bytes;
	c->sent_requests += more->sent_requests;
	c->retries += more->retries;
}

struct loading {
	struct forward_queue *queue;
	struct {
		char destination[DESTINATION_NAME_SIZE];
		unsigned signal;
	} gone[GONE_MAX];
	size_t gone_count;
};

static bool
take_lane(void *ctx, const struct store_lane *stored)
{
	struct loading *l = ctx;
	struct queue_lane *lane = find(l->queue, stored->destination, stored->signal);

	if (lane && !lane->known) {
		lane->at = stored->at;
		add_counts(&lane->counts, &stored->counts);
		lane->known = true;
	} else if (!lane && l->gone_count < GONE_MAX) {
		str_copy(l->gone[l->gone_count].destination, DESTINATION_NAME_SIZE, str_from(stored->destination));
		l->gone[l->gone_count++].signal = stored->signal;
	}
	return true;
}

bool
forward_queue_load(struct forward_queue *q, struct store *st)
{
	struct loading l = { .queue = q };

	if (!q)
		return true;
	if (!store_each_lane(st, take_lane, &l) || !forward_held_load(q->enricher, st))
		return false;
	for (size_t i = 0; i < l.gone_count; i++)
		if (!store_forget_lane(st, l.gone[i].destination, l.gone[i].signal))
			return false;
	for (size_t i = 0; i < q->lane_count; i++) {
		struct queue_lane *lane = &q->lanes[i];
		const struct store_mark end = store_queue_end(st, lane->signal);

		/* A mark behind the end is of another database. */
		if (lane->known && lane->at.row <= end.row)
			continue;
		lane->at = end;
		lane->known = lane->changed = true;
	}
	q->store = st;
	q->more = true;
	return true;
}

void
forward_queue_unload(struct forward_queue *q)
{
	if (q)
		q->store = NULL;
}

struct store_mark
forward_queue_waiting(const struct forward_queue *q, const struct queue_lane *l)
{
	const struct store_mark end = q->store ? store_queue_end(q->store, l->signal) : (struct store_mark){ 0 };

	if (end.row <= l->at.row)
		return (struct store_mark){ 0 };
	return (struct store_mark){ end.row - l->at.row, end.bytes - l->at.bytes, end.items - l->at.items };
}

void
forward_queue_pass(struct queue_lane *l, const struct store_mark *up_to)
{
	/* The queue may have been full meanwhile, and the lane moved on. */
	if (up_to->row > l->at.row)
		l->at = *up_to;
	l->changed = true;
}

void
forward_queue_settle(struct forward_queue *q, uint64_t now_ns)
{
	if (q && q->enricher)
		enricher_settle(q->enricher, now_ns);
}

uint64_t
forward_queue_deadline(const struct forward_queue *q)
{
	return q->enricher ? enricher_deadline(q->enricher) : UINT64_MAX;
}

bool
forward_queue_pending(const struct forward_queue *q)
{
	if (!q)
		return false;
	for (size_t i = 0; i < q->lane_count; i++)
		if (q->lanes[i].changed)
			return true;
	return q->more || !outbox_is_empty(&q->outbox) || forward_held_pending(q->enricher);
}

/* --- full queues --- */

static void
warn(struct forward_queue *q, size_t number, uint64_t items, uint64_t now_ns)
{
	uint64_t count;

	if (forward_rules_tell(&q->full[number], items, now_ns, &count))
		log_warning(q->log, "forward %s: more waits than its queue may hold; oldest items dropped: %" PRIu64,
			    q->to->list[number].name, count);
}

static uint64_t
bytes_waiting(const struct forward_queue *q, size_t number)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < q->lane_count; i++)
		if (q->lanes[i].number == number)
			bytes += forward_queue_waiting(q, &q->lanes[i]).bytes;
	return bytes;
}

/* Moves the lane of a destination whose first row is the oldest behind that row. */
static bool
drop_oldest(struct forward_queue *q, size_t number, uint64_t *items)
{
	struct queue_lane *oldest = NULL;
	struct store_mark up_to = { 0 };
	uint64_t oldest_ns = 0;

	for (size_t i = 0; i < q->lane_count; i++) {
		struct queue_lane *l = &q->lanes[i];
		struct store_mark mark;
		uint64_t time_ns;

		if (l->number != number || forward_queue_waiting(q, l).row == 0)
			continue;
		if (!store_queue_read(q->store, l->signal, &l->at, NULL, &mark, &time_ns))
			return false;
		if (mark.row == l->at.row)
			mark = store_queue_end(q->store, l->signal);
		if (oldest && time_ns >= oldest_ns)
			continue;
		oldest = l;
		oldest_ns = time_ns;
		up_to = mark;
	}
	if (!oldest)
		return false;
	*items += up_to.items - oldest->at.items;
	oldest->counts.dropped += up_to.items - oldest->at.items;
	forward_queue_pass(oldest, &up_to);
	return true;
}

static void
keep_to_shares(struct forward_queue *q, uint64_t now_ns)
{
	for (size_t i = 0; i < q->to->count; i++) {
		uint64_t items = 0;

		while (bytes_waiting(q, i) > q->share[i] && drop_oldest(q, i, &items))
			;
		if (items > 0)
			warn(q, i, items, now_ns);
	}
}

/* --- writing --- */

static bool
write_rows(struct forward_queue *q, enum otlp_signal signal, uint64_t now_ns)
{
	const struct outbox_signal *s = &q->outbox.of[signal];
	size_t begin = 0;

	for (size_t i = 0; i < s->count; begin = s->rows[i++].end)
		if (!store_queue_put(q->store, signal, now_ns, s->rows[i].items, s->bytes.bytes + begin, s->rows[i].end - begin))
			return false;
	return true;
}

static bool
write_lanes(struct forward_queue *q)
{
	for (size_t i = 0; i < q->lane_count; i++) {
		const struct queue_lane *l = &q->lanes[i];
		const struct store_lane lane = { l->to->name, l->signal, l->at, l->counts };

		if (l->changed && !store_put_lane(q->store, &lane))
			return false;
	}
	return true;
}

/* Drops what all lanes of the signal have passed. */
static bool
drop_passed(struct forward_queue *q, enum otlp_signal signal)
{
	struct store_mark passed = store_queue_end(q->store, signal);
	bool more;

	for (size_t i = 0; i < q->lane_count; i++)
		if (q->lanes[i].signal == signal && q->lanes[i].at.row < passed.row)
			passed = q->lanes[i].at;
	if (!store_queue_drop(q->store, signal, &passed, &more))
		return false;
	q->more |= more;
	return true;
}

bool
forward_queue_write(struct forward_queue *q, uint64_t now_ns)
{
	if (!q || !q->store)
		return true;
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++)
		if (!write_rows(q, s, now_ns))
			return false;
	if (!outbox_is_empty(&q->outbox))
		keep_to_shares(q, now_ns);
	q->more = false;
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++)
		if (!drop_passed(q, s))
			return false;
	return forward_held_write(q->enricher, q->store) && write_lanes(q);
}

void
forward_queue_keep(struct forward_queue *q)
{
	if (!q)
		return;
	outbox_clear(&q->outbox);
	forward_held_keep(q->enricher);
	for (size_t i = 0; i < q->lane_count; i++)
		q->lanes[i].changed = false;
	if (q->kept)
		q->kept(q->ctx);
}

/* Nobody waits for rows that were never there. */
static void
step_back(struct forward_queue *q)
{
	for (size_t i = 0; q->store && i < q->lane_count; i++) {
		struct queue_lane *l = &q->lanes[i];
		const struct store_mark end = store_queue_end(q->store, l->signal);

		if (l->at.row <= end.row)
			continue;
		l->counts.dropped -= l->at.items - end.items;
		l->at = end;
	}
}

void
forward_queue_rewind(struct forward_queue *q)
{
	if (!q)
		return;
	outbox_clear(&q->outbox);
	forward_held_rewind(q->enricher);
	step_back(q);
}

void
forward_queue_squeeze(struct forward_queue *q, size_t len, uint64_t now_ns)
{
	if (!q)
		return;
	step_back(q);
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++) {
		const uint64_t items = outbox_cut(&q->outbox, s, len);

		for (size_t i = 0; items > 0 && i < q->lane_count; i++) {
			if (q->lanes[i].signal != s)
				continue;
			q->lanes[i].counts.dropped += items;
			q->lanes[i].changed = true;
			warn(q, q->lanes[i].number, items, now_ns);
		}
	}
}
