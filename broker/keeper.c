#include "keeper.h"

#include "bus_wire.h"
#include "session_record.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define EVENTS_FIELD   1                         /* of agentbus.v1.Replay and EventBatch */
#define CHUNK          (256 << 10)               /* bytes of events written at a time */
#define KEPT_BYTES     (256 << 10)               /* of scratch memory */
#define RETRY_MIN_S    1.0                       /* until a failed store is tried again; doubles */
#define RETRY_MAX_S    ((double)VERDICT_RETRY_S) /* who comes back as told finds that it was tried meanwhile */
#define REOPEN_MAX_S   60.0               /* of one that cannot be opened: that needs somebody, and each attempt tells why */
#define CALM_NS        (60 * NS_PER_S)    /* after which trouble with the store is new trouble */
#define QUIET_S        1.0                /* without a commit: time for a checkpoint */
#define CHECKPOINT_MIN ((size_t)1 << 20)  /* bytes of write-ahead log that are worth one */
#define CHECKPOINT_DUE ((size_t)24 << 20) /* by which it grows until it wants one at once */

static uint64_t
now_of(const struct keeper *k)
{
	return clock_now(k->with.clock);
}

/* --- events of the sessions --- */

static struct keeper *
keeper_of(struct event_sink *sink)
{
	return (struct keeper *)((char *)sink - offsetof(struct keeper, sink));
}

static void
pass_on(struct keeper *k, const struct event *e)
{
	struct event_sink *next = &k->with.publisher->sink;

	metrics_count(k->with.metrics, e);
	next->emit(next, e);
}

/* The session is the one whose request has reached the level. */
static void
tell_budgets(struct keeper *k, const struct event *e, const struct budget_alarm *alarms, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pass_on(k, &(struct event){ .kind = EVENT_BUDGET,
					    .evidence = EVIDENCE_SHOWN,
					    .reason = "spent",
					    .time_ns = e->time_ns,
					    .now_ns = e->now_ns,
					    .session = e->session,
					    .from = e->session->state,
					    .observation = e->observation,
					    .budget = &alarms[i] });
}

static void
emit(struct event_sink *sink, const struct event *e)
{
	struct keeper *k = keeper_of(sink);
	struct budget_alarm alarms[BUDGET_ALARMS_MAX];
	const size_t count = ledger_count(&k->ledger, e, !k->broken, alarms);

	pass_on(k, e);
	tell_budgets(k, e, alarms, count);
}

static void
spent(struct event_sink *sink, const struct event *e)
{
	struct keeper *k = keeper_of(sink);
	struct budget_alarm alarms[BUDGET_ALARMS_MAX];

	tell_budgets(k, e, alarms, ledger_count(&k->ledger, e, !k->broken, alarms));
}

static void
forget(struct event_sink *sink, const struct session *x)
{
	struct keeper *k = keeper_of(sink);

	if (k->store && !k->broken)
		store_forget_session(k->store, x->provider, x->id);
}

/* --- the write-ahead log --- */

/* What came while the process was at work is little, and what it has done is on the disk: this does not take long. */
static void
tidied(void *ctx)
{
	struct keeper *k = ctx;

	if (k->store && !k->broken)
		store_checkpoint(k->store);
}

static void
tidy(struct keeper *k)
{
	if (!tidier_start(&k->tidier, store_path(k->store)))
		store_checkpoint(k->store);
}

/* Moves the log into the database when it has become long, or a while after the last commit. */
static void
see_to_log(struct keeper *k)
{
	const size_t bytes = store_wal_bytes(k->store);

	/* Who reads the database holds the log up: it begins anew only when nobody does, and until then it must grow on. */
	if (bytes < CHECKPOINT_DUE)
		k->log_due = CHECKPOINT_DUE;
	if (bytes >= k->log_due) {
		k->log_due = bytes + CHECKPOINT_DUE;
		tidy(k);
	} else if (bytes >= CHECKPOINT_MIN && !ev_is_active(&k->quiet)) {
		k->commits_then = k->commits;
		ev_timer_set(&k->quiet, QUIET_S, 0.);
		ev_timer_start(k->loop, &k->quiet);
	}
}

static void
quiet_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct keeper *k = w->data;

	(void)revents;
	if (!k->store || k->broken)
		return;
	if (k->commits == k->commits_then) {
		tidy(k);
		return;
	}
	k->commits_then = k->commits;
	ev_timer_set(w, QUIET_S, 0.);
	ev_timer_start(loop, w);
}

/* --- writing --- */

static bool
write_session(const struct session *x, void *ctx)
{
	struct keeper *k = ctx;

	k->record.len = 0;
	return session_record_write(x, &k->record) &&
	       store_put_session(k->store, x->provider, x->id, k->record.bytes, k->record.len);
}

/* Appends an event of the journal to the scratch buffer, framed. */
static bool
frame_event(struct buf *out, const uint8_t *event, size_t len)
{
	uint8_t head[BUS_WIRE_HEAD_MAX];
	const size_t head_len = bus_wire_put_head(head, EVENTS_FIELD, len);

	return buf_reserve(out, head_len + len) && buf_append(out, head, head_len) && buf_append(out, event, len);
}

static bool
write_events(struct keeper *k, uint64_t now_ns)
{
	const struct publisher *p = k->with.publisher;
	uint64_t first = k->stored_seq + 1;
	const uint8_t *event;
	size_t len;

	k->events.len = 0;
	for (uint64_t seq = first; seq <= p->seq; seq++) {
		const bool there = journal_read(p->journal, seq, &event, &len);

		if (there && !frame_event(&k->events, event, len))
			return false;
		if (k->events.len > 0 && (!there || seq == p->seq || k->events.len >= CHUNK)) {
			if (!store_append_events(k->store, first, there ? seq : seq - 1, now_ns, k->events.bytes, k->events.len))
				return false;
			k->events.len = 0;
		}
		if (k->events.len == 0)
			first = seq + 1;
	}
	buf_clear(&k->events, KEPT_BYTES);
	return true;
}

static bool
is_pending(const struct keeper *k)
{
	return k->with.publisher->seq != k->stored_seq || sessions_changed(k->sessions) || ledger_dirty(&k->ledger) ||
	       store_dirty(k->store) || forward_queue_pending(k->with.queue);
}

static bool
write_all(struct keeper *k)
{
	const uint64_t now = now_of(k);

	sessions_take_changed(k->sessions, write_session, k);
	if (sessions_changed(k->sessions) || !write_events(k, now) || !ledger_write(&k->ledger) ||
	    !forward_queue_write(k->with.queue, now) || !store_commit(k->store, now))
		return false;
	forward_queue_keep(k->with.queue);
	k->stored_seq = k->with.publisher->seq;
	k->commits++;
	metrics_keep(k->with.metrics);
	see_to_log(k);
	return true;
}

/* --- reading --- */

static bool
load_session(void *ctx, const uint8_t *record, size_t len)
{
	struct keeper *k = ctx;

	if (!session_record_read(k->sessions, record, len, now_of(k)))
		log_warning(k->with.log, "a stored session cannot be read: it is left out");
	return true;
}

/* The counter of the last run goes on, unless events may have been published that are not stored. */
static bool
load_counter(struct keeper *k)
{
	struct publisher *p = k->with.publisher;
	struct store_position at;

	if (!store_position(k->store, &at))
		return false;
	if (*at.boot_id != '\0' && at.clean)
		publish_resume(p, at.boot_id, at.seq);
	else if (!store_begin_counter(k->store, p->boot_id))
		return false;
	k->stored_seq = p->seq;
	return store_set_clean(k->store, k->with.durable) && forward_queue_load(k->with.queue, k->store) &&
	       store_commit(k->store, now_of(k));
}

/* The table as it is stored. */
static bool
load_sessions(struct keeper *k)
{
	sessions_clear(k->sessions);
	const bool ok = store_each_session(k->store, load_session, k);
	sessions_take_changed(k->sessions, NULL, NULL);
	return ok;
}

/* --- trouble --- */

static void
try_later(struct keeper *k)
{
	const double max_s = k->store ? RETRY_MAX_S : REOPEN_MAX_S;

	ev_timer_set(&k->retry, k->pause_s, 0.);
	ev_timer_start(k->loop, &k->retry);
	k->pause_s = k->pause_s * 2 < max_s ? k->pause_s * 2 : max_s;
}

static void
fail(struct keeper *k)
{
	if (k->store)
		store_rollback(k->store);
	k->broken = true;
	/* A disk that is full again and again is tried ever more rarely. */
	if (now_of(k) - k->recovered_ns > CALM_NS)
		k->pause_s = RETRY_MIN_S;
	if (k->with.durable)
		k->with.intake->closed = VERDICT_NO_STORE;
	log_warning(k->with.log, k->with.durable ? "telemetry is refused until the database can be written"
						 : "going on in memory until the database can be written");
	try_later(k);
}

/* What could not be stored has never been. */
static void
give_up(struct keeper *k)
{
	k->unsure = false;
	publish_rewind(k->with.publisher, k->stored_seq);
	ledger_rewind(&k->ledger);
	metrics_rewind(k->with.metrics);
	forward_queue_rewind(k->with.queue);
	if (!load_sessions(k))
		sessions_clear(k->sessions);
}

/* The store can be written again: a durable keeper is where the store is, the other one has all of it to write. */
static bool
recover(struct keeper *k)
{
	if (!k->with.durable) {
		if (!store_forget_all_sessions(k->store))
			return false;
		sessions_touch_all(k->sessions);
		return write_all(k);
	}
	return store_probe(k->store);
}

static void
use_store(struct keeper *k, struct store *st)
{
	k->store = st;
	ledger_use(&k->ledger, st);
}

/* The store could not even be opened at the start. */
static bool
recover_unopened(struct keeper *k)
{
	use_store(k, store_open(&k->with.store, k->with.log));
	if (!k->store)
		return false;
	if (k->with.durable ? load_counter(k) && load_sessions(k)
			    : store_begin_counter(k->store, k->with.publisher->boot_id) && store_set_clean(k->store, false) &&
				  forward_queue_load(k->with.queue, k->store) && write_all(k))
		return true;
	forward_queue_unload(k->with.queue);
	store_close(k->store);
	use_store(k, NULL);
	return false;
}

static void
retry_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct keeper *k = w->data;

	(void)loop;
	(void)revents;
	if (!(k->store ? recover(k) : recover_unopened(k))) {
		if (k->store)
			store_rollback(k->store);
		try_later(k);
		return;
	}
	k->broken = false;
	k->recovered_ns = now_of(k);
	k->with.intake->closed = VERDICT_OK;
	log_info(k->with.log, "the database can be written again");
}

/* --- the end of a turn --- */

/* Where there is no database only the queue is written, and where that cannot be, too much waits. */
static void
settle_shelf(struct keeper *k)
{
	struct forward_queue *queue = k->with.queue;

	if (!k->shelf || !forward_queue_pending(queue))
		return;
	if (forward_queue_write(queue, now_of(k)) && store_commit(k->shelf, now_of(k))) {
		forward_queue_keep(queue);
		return;
	}
	store_rollback(k->shelf);
	forward_queue_squeeze(queue, 0, now_of(k));
}

/* In the middle of a turn, where the sessions cannot be taken away: so if this fails keeper_settle() does the rest. */
static bool
secure(void *ctx)
{
	struct keeper *k = ctx;

	if (!k->store || k->broken)
		return !k->with.durable;
	if (write_all(k))
		return true;
	fail(k);
	k->unsure = k->with.durable;
	return !k->with.durable;
}

enum verdict
keeper_settle(struct keeper *k)
{
	struct publisher *p = k->with.publisher;

	publish_flush(p);
	if (keeper_awake(k))
		forward_queue_settle(k->with.queue, now_of(k));
	ledger_settle_memory(&k->ledger);
	if (!k->with.memory && k->store && !k->broken && is_pending(k) && !write_all(k)) {
		fail(k);
		k->unsure = k->with.durable;
	}
	if (k->unsure) {
		give_up(k);
		return VERDICT_NO_STORE;
	}
	settle_shelf(k);
	if (k->broken)
		forward_queue_squeeze(k->with.queue, OUTBOX_ROW_MAX, now_of(k));
	metrics_keep(k->with.metrics);
	publish_send(p);
	return VERDICT_OK;
}

bool
keeper_awake(const struct keeper *k)
{
	return !k->broken || !k->with.durable;
}

/* --- open and close --- */

static bool
open_shelf(struct keeper *k)
{
	if (!k->with.queue || k->with.queue->lane_count == 0)
		return true;
	k->shelf = store_open_memory(k->with.log);
	if (k->shelf && forward_queue_load(k->with.queue, k->shelf) && store_commit(k->shelf, now_of(k)))
		return true;
	forward_queue_unload(k->with.queue);
	store_close(k->shelf);
	return false;
}

bool
keeper_open(struct keeper *k, struct ev_loop *loop, const struct keeper_setup *setup)
{
	*k = (struct keeper){
		.with = *setup, .loop = loop, .sink = { .emit = emit, .forget = forget, .spent = spent }, .pause_s = RETRY_MIN_S
	};
	ev_timer_init(&k->retry, retry_due, 0., 0.);
	ev_timer_init(&k->quiet, quiet_due, 0., 0.);
	k->retry.data = k->quiet.data = k;
	tidier_init(&k->tidier, loop, tidied, k);
	ledger_init(&k->ledger, setup->clock);
	if (setup->memory)
		return ledger_open_memory(&k->ledger, setup->log) && open_shelf(k);
	setup->publisher->secure = secure;
	setup->publisher->secure_ctx = k;
	use_store(k, store_open(&setup->store, setup->log));
	return k->store || errno != EWOULDBLOCK;
}

void
keeper_load(struct keeper *k, struct sessions *sessions)
{
	k->sessions = sessions;
	if (k->with.memory)
		return;
	k->with.intake->deferred = k->with.durable;
	if (k->store && load_counter(k) && load_sessions(k))
		return;
	forward_queue_unload(k->with.queue);
	store_close(k->store);
	use_store(k, NULL);
	sessions_clear(sessions);
	fail(k);
}

void
keeper_close(struct keeper *k)
{
	ev_timer_stop(k->loop, &k->retry);
	ev_timer_stop(k->loop, &k->quiet);
	tidier_finish(&k->tidier);
	if (k->store && !k->broken && store_set_clean(k->store, true))
		store_commit(k->store, now_of(k));
	forward_queue_unload(k->with.queue);
	store_close(k->store);
	store_close(k->shelf);
	k->shelf = NULL;
	use_store(k, NULL);
	ledger_finish(&k->ledger);
	buf_finish(&k->record);
	buf_finish(&k->events);
}
