#include "broker.h"
#include "broker_parts.h"
#include "config_forward.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#define DRAIN_S     1.0
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

static void
set_session_timer(struct broker *b)
{
	const uint64_t queue = forward_queue_deadline(&b->queue), sessions = sessions_deadline(b->sessions);
	const uint64_t deadline = !keeper_awake(&b->keeper) ? UINT64_MAX : queue < sessions ? queue : sessions;

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
	broker_settle(b);
	http_send_answers(&b->http);
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

/* --- start and stop --- */

bool
broker_start(struct broker *b, struct ev_loop *loop, const struct config *config, struct price_table *prices)
{
	char addresses[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX], status[sizeof(addresses) + 16];

	*b = (struct broker){ .loop = loop, .config = *config, .prices = prices };
	log_init(&b->log, config->log_level);
	clock_init(&b->clock);
	if (!broker_open_parts(b)) {
		price_table_destroy(b->prices);
		return false;
	}
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

static void
set_prices(struct broker *b, const struct config *config, struct price_table *prices)
{
	sessions_set_prices(b->sessions, prices);
	if (b->enricher)
		enricher_set_prices(b->enricher, prices);
	price_table_destroy(b->prices);
	b->prices = prices;
	memcpy(b->config.pricing_file, config->pricing_file, sizeof(b->config.pricing_file));
	log_info(&b->log, "prices of %zu models", price_table_count(prices));
}

void
broker_reload(struct broker *b, const struct config *config, struct price_table *prices)
{
	char text[CONFIG_LISTEN_MAX * ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *s = &config_settings[i];

		if (config_same(&b->config, config, s))
			continue;
		config_show(config, s, text, sizeof(text));
		log_info(&b->log, "%s is %s %s", s->option, s->live ? "now" : "unchanged until a restart, then", text);
	}
	if (!config_forward_same(&b->config, config))
		log_info(&b->log, "the destinations are unchanged until a restart");
	b->config.sessions = config->sessions;
	b->config.budget = config->budget;
	ledger_set_budget(&b->keeper.ledger, &config->budget);
	b->config.log_level = config->log_level;
	b->log.level = config->log_level;
	sessions_set_settings(b->sessions, &config->sessions);
	if (prices)
		set_prices(b, config, prices);
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
	broker_settle(b);
	log_info(&b->log, "stopped after %" PRIu64 " events", b->publisher.seq);
	broker_close_parts(b);
	price_table_destroy(b->prices);
}
