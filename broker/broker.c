#include "broker.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#define DRAIN_S     1.0
#define CLOSE_S     1
#define MEND_CPU_US 100000 /* of CPU time */
#define MEND_NS     (NS_PER_S / 5)
#define FAR_AWAY    1e10 /* seconds since the epoch */

/* --- time --- */

static void
session_timer_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct broker *b = w->data;

	(void)loop;
	(void)revents;
	b->session_deadline = UINT64_MAX;
	intake_tick(&b->intake);
}

static void
mend_bus(struct broker *b)
{
	const uint64_t now = clock_now(&b->clock);

	if (now - b->mended_ns < MEND_NS)
		return;
	b->mended_ns = now;
	bus_socket_mend(&b->publisher.bus, now);
	bus_socket_mend(&b->query.bus, now);
}

/* What has happened since the last time is stored, published and answered, in this order. */
static void
settle(void *ctx)
{
	struct broker *b = ctx;
	const enum verdict v = keeper_settle(&b->keeper);

	http_settle(&b->http, v);
	grpc_settle(&b->grpc, v);
}

static void
set_session_timer(struct broker *b)
{
	const uint64_t deadline = keeper_awake(&b->keeper) ? sessions_deadline(b->sessions) : UINT64_MAX;

	if (deadline == b->session_deadline)
		return;
	b->session_deadline = deadline;
	ev_timer_stop(b->loop, &b->session_timer);
	if (deadline == UINT64_MAX)
		return;
	const uint64_t now = clock_now(&b->clock);
	ev_timer_set(&b->session_timer, deadline > now ? (double)(deadline - now) / NS_PER_S : 0., 0.);
	ev_timer_start(b->loop, &b->session_timer);
}

/*
 * Whatever is published and whatever moves a deadline happens in some callback; this runs after all of them. Answering may
 * bring the next requests of the same connections: they get a turn of their own, and the loop does not wait before it.
 */
static void
before_wait(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct broker *b = w->data;

	(void)revents;
	settle(b);
	mend_bus(b);
	set_session_timer(b);
	if (b->http.waiting || b->grpc.waiting)
		ev_idle_start(loop, &b->again);
	else
		ev_idle_stop(loop, &b->again);
}

static void
again(struct ev_loop *loop, ev_idle *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents; /* before_wait() follows */
}

static void
never_due(struct ev_loop *loop, ev_periodic *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* The CPU this process has used runs out this timer, so an idle broker never wakes up for it, and a spinning nng wakes it. */
static void
cpu_used(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents; /* before_wait() follows */
}

static void
start_mending(struct broker *b)
{
	const struct timeval every = { .tv_sec = 0, .tv_usec = MEND_CPU_US };

	ev_signal_init(&b->cpu_used, cpu_used, SIGPROF);
	b->cpu_used.data = b;
	ev_signal_start(b->loop, &b->cpu_used);
	setitimer(ITIMER_PROF, &(struct itimerval){ every, every }, NULL);
}

static void
stop_mending(struct broker *b)
{
	setitimer(ITIMER_PROF, &(struct itimerval){ 0 }, NULL);
	ev_signal_stop(b->loop, &b->cpu_used);
	signal(SIGPROF, SIG_IGN);
}

static void
start_timers(struct broker *b)
{
	ev_init(&b->session_timer, session_timer_due);
	b->session_timer.data = b;
	b->session_deadline = UINT64_MAX;
	ev_prepare_init(&b->before_wait, before_wait);
	b->before_wait.data = b;
	ev_idle_init(&b->again, again);
	ev_prepare_start(b->loop, &b->before_wait);
	/*
	 * libev wakes up each minute to see whether the wall clock was set. Once it has had a periodic watcher it lets the
	 * kernel tell it (timerfd) and sleeps through.
	 */
	ev_periodic_init(&b->wake_less, never_due, FAR_AWAY, 0., NULL);
	ev_periodic_start(b->loop, &b->wake_less);
	start_mending(b);
}

static void
stop_timers(struct broker *b)
{
	stop_mending(b);
	ev_prepare_stop(b->loop, &b->before_wait);
	ev_idle_stop(b->loop, &b->again);
	ev_timer_stop(b->loop, &b->session_timer);
	ev_periodic_stop(b->loop, &b->wake_less);
}

/* --- connections --- */

static void
connection_arrived(void *ctx, int fd, const struct address *from)
{
	struct broker *b = ctx;

	gate_arrived(&b->gate, fd, from);
}

static void
adopt_http(void *ctx, int fd, const struct peer *peer)
{
	struct broker *b = ctx;

	http_adopt(&b->http, fd, peer);
}

static void
adopt_grpc(void *ctx, int fd, const struct peer *peer)
{
	struct broker *b = ctx;

	grpc_adopt(&b->grpc, fd, peer);
}

static void
connection_left(void *ctx, uint64_t peer)
{
	struct broker *b = ctx;

	gate_left(&b->gate, peer);
}

/* --- start and stop --- */

static bool
read_archive(void *ctx, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last, uint64_t *ret_oldest)
{
	const struct keeper *k = ctx;

	return k->store && store_read_events(k->store, after_seq, limit, out, ret_last, ret_oldest);
}

static bool
open_keeper(struct broker *b)
{
	const struct config *c = &b->config;
	const struct keeper_setup setup = {
		.store = { .dir = c->state_dir,
			   .fsync = c->fsync,
			   .history_bytes = c->history_size,
			   .history_age_ns = c->history_age_ns },
		.memory = c->memory,
		.durable = c->durable,
		.clock = &b->clock,
		.log = &b->log,
		.publisher = &b->publisher,
		.intake = &b->intake,
	};

	if (!c->memory && *c->state_dir == '\0') {
		log_error(&b->log, "no directory for the database: set XDG_STATE_HOME or HOME, give --state-dir, or use --memory");
		return false;
	}
	if (!keeper_open(&b->keeper, b->loop, &setup))
		return false;
	b->publisher.archive = (struct publish_archive){ read_archive, &b->keeper };
	b->sessions = sessions_create(&c->sessions, &b->keeper.sink);
	if (!b->sessions) {
		log_error(&b->log, "out of memory");
		keeper_close(&b->keeper);
		return false;
	}
	intake_init(&b->intake, &b->clock, b->sessions, &b->publisher, &b->config.limits);
	keeper_load(&b->keeper, b->sessions);
	return true;
}

static void
close_keeper(struct broker *b)
{
	keeper_close(&b->keeper);
	intake_finish(&b->intake);
	sessions_destroy(b->sessions);
}

static bool
open_bus(struct broker *b)
{
	char events[RUNDIR_PATH_MAX + 8], query[RUNDIR_PATH_MAX + 8];

	if (!rundir_socket(&b->rundir, "events", events, &b->log) || !rundir_socket(&b->rundir, "query", query, &b->log))
		return false;
	if (!publish_open(&b->publisher, events, &b->journal, &b->log))
		return false;
	if (open_keeper(b)) {
		const struct query_setup setup = {
			.sessions = b->sessions, .publisher = &b->publisher, .settle = settle, .ctx = b
		};

		if (query_open(&b->query, b->loop, query, &setup, &b->log))
			return true;
		close_keeper(b);
	}
	publish_close(&b->publisher);
	return false;
}

static void
leave(int signal)
{
	(void)signal;
	_exit(0);
}

/* nng 1.5 may wait forever in nng_close() when a message arrives at that moment. All is done by then, so just leave. */
static void
close_bus(struct broker *b)
{
	keeper_close(&b->keeper);
	signal(SIGALRM, leave);
	alarm(CLOSE_S);
	query_close(&b->query);
	publish_close(&b->publisher);
	alarm(0);
	intake_finish(&b->intake);
	sessions_destroy(b->sessions);
}

/* Beyond loopback whoever reaches us could send: there a token must tell who may. */
static bool
open_access(struct broker *b)
{
	const struct config *c = &b->config;

	if (*c->token_file && !token_read(c->token_file, b->token, &b->log))
		return false;
	for (size_t i = 0; i < c->listen_count; i++) {
		char text[ADDRESS_TEXT_MAX];

		if (*b->token || address_is_loopback(&c->listen[i]))
			continue;
		address_format(&c->listen[i], text);
		log_error(&b->log, "%s is no loopback address: to listen there, give --token-file", text);
		return false;
	}
	b->access = (struct access_policy){ c->allow_hosts, c->allow_origins, *b->token ? b->token : NULL };
	return true;
}

static bool
open_doors(struct broker *b)
{
	const struct limits *limits = &b->config.limits;
	const struct http_setup setup = { .intake = &b->intake,
					  .limits = limits,
					  .access = &b->access,
					  .refusals = &b->refusals,
					  .log = &b->log,
					  .left = connection_left,
					  .ctx = b };

	refusals_init(&b->refusals, &b->log);
	if (!http_open(&b->http, b->loop, &setup))
		return false;
	grpc_open(&b->grpc, b->loop, &b->intake, limits, &b->access, &b->refusals, &b->log, connection_left, b);
	if (gate_open(&b->gate, b->loop, &b->clock, limits, b->config.allow_other_users, &b->refusals,
		      (struct gate_host){ adopt_http, b }, (struct gate_host){ adopt_grpc, b })) {
		if (listen_open(&b->listeners, b->loop, &b->config, &b->log, connection_arrived, b))
			return true;
		gate_close(&b->gate);
	}
	grpc_close(&b->grpc);
	http_close(&b->http);
	return false;
}

static void
close_doors(struct broker *b)
{
	listen_close(&b->listeners);
	grpc_close(&b->grpc);
	http_close(&b->http);
	gate_close(&b->gate);
}

static bool
open_parts(struct broker *b)
{
	if (!open_access(b) || !rundir_open(&b->rundir, b->config.runtime_dir, &b->log))
		return false;
	if (!journal_init(&b->journal, b->config.journal_size)) {
		log_error(&b->log, "no memory for a journal of %zu bytes; see --journal-size", b->config.journal_size);
		goto close_rundir;
	}
	if (!open_bus(b))
		goto close_journal;
	if (open_doors(b))
		return true;
	close_bus(b);
close_journal:
	journal_finish(&b->journal);
close_rundir:
	rundir_close(&b->rundir);
	return false;
}

bool
broker_start(struct broker *b, struct ev_loop *loop, const struct config *config)
{
	char addresses[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX], status[sizeof(addresses) + 16];

	*b = (struct broker){ .loop = loop, .config = *config };
	log_init(&b->log, config->log_level);
	clock_init(&b->clock);
	if (!open_parts(b))
		return false;
	start_timers(b);
	service_init(&b->service, loop);
	listen_format(&b->listeners, addresses, sizeof(addresses));
	log_info(&b->log, "version %s, boot %s, sockets in %s", AGENTBUS_VERSION, b->publisher.boot_id, b->rundir.path);
	printf("agentbusd ready: listening on %s\n", addresses);
	fflush(stdout);
	snprintf(status, sizeof(status), "listening on %s", addresses);
	service_ready(&b->service, status);
	return true;
}

void
broker_reload(struct broker *b, const struct config *config)
{
	char text[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];

		if (config_same(&b->config, config, s))
			continue;
		config_show(config, s, text, sizeof(text));
		log_info(&b->log, "%s is %s %s", s->option, s->live ? "now" : "unchanged until a restart, then", text);
	}
	b->config.sessions = config->sessions;
	b->config.log_level = config->log_level;
	b->log.level = config->log_level;
	sessions_set_settings(b->sessions, &config->sessions);
}

static void
drain_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
look_whether_drained(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct broker *b = w->data;

	(void)revents;
	http_run(&b->http);
	if (!http_busy(&b->http) && !grpc_busy(&b->grpc))
		ev_break(loop, EVBREAK_ALL);
}

void
broker_drain(struct broker *b)
{
	if (ev_is_active(&b->drain_limit))
		return;
	log_info(&b->log, "stopping");
	service_stopping(&b->service);
	listen_close(&b->listeners);
	grpc_drain(&b->grpc);
	ev_timer_init(&b->drain_limit, drain_over, DRAIN_S, 0.);
	ev_timer_start(b->loop, &b->drain_limit);
	ev_prepare_init(&b->drained, look_whether_drained);
	b->drained.data = b;
	ev_prepare_start(b->loop, &b->drained);
}

void
broker_stop(struct broker *b)
{
	ev_timer_stop(b->loop, &b->drain_limit);
	ev_prepare_stop(b->loop, &b->drained);
	stop_timers(b);
	settle(b);
	close_doors(b);
	log_info(&b->log, "stopped after %" PRIu64 " events", b->publisher.seq);
	close_bus(b);
	journal_finish(&b->journal);
	rundir_close(&b->rundir);
}
