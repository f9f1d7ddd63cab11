#include "broker_parts.h"
#include "forward_report.h"
#include "options.h"

#include <signal.h>
#include <unistd.h>

#define CLOSE_S 1

/* --- what happens between them --- */

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

void
broker_settle(struct broker *b)
{
	const enum verdict v = keeper_settle(&b->keeper);

	http_settle(&b->http, v);
	grpc_settle(&b->grpc, v);
}

/*
 * What is asked for in the middle of a turn must be stored, too. Nobody waits for the second step: broker_settle() takes no
 * requests, but may see a connection end.
 */
static void
settle_for_query(void *ctx)
{
	struct broker *b = ctx;

	broker_settle(b);
	keeper_settle(&b->keeper);
}

/* --- opening and closing --- */

static bool
read_archive(void *ctx, uint64_t after_seq, size_t limit, struct buf *out, uint64_t *ret_last, uint64_t *ret_oldest)
{
	const struct keeper *k = ctx;

	return k->store && store_read_events(k->store, after_seq, limit, out, ret_last, ret_oldest);
}

static void
close_keeper(struct broker *b)
{
	forward_close(&b->forward);
	keeper_close(&b->keeper);
	forward_queue_finish(&b->queue);
	enricher_destroy(b->enricher);
	intake_finish(&b->intake);
	sessions_destroy(b->sessions);
}

static bool
pass_on(void *ctx, const struct otlp_request *req)
{
	return outbox_add(ctx, req);
}

/* Whatever is to be passed on goes through the enricher. */
static bool
open_enricher(struct broker *b)
{
	struct enricher_setup setup = { .settings = b->config.enrich,
					.sessions = b->sessions,
					.max_attributes = b->config.limits.max_attributes,
					.max_depth = b->config.limits.max_depth,
					.deliver = pass_on,
					.ctx = &b->queue.outbox };

	if (b->queue.lane_count == 0)
		return true;
	for (enum otlp_signal s = 0; s < OTLP_SIGNAL_COUNT; s++)
		setup.wanted[s] = b->queue.outbox.of[s].wanted;
	b->enricher = enricher_create(&setup);
	if (!b->enricher) {
		log_error(&b->log, "out of memory");
		return false;
	}
	enricher_set_prices(b->enricher, b->prices);
	b->intake.enricher = b->queue.enricher = b->enricher;
	return true;
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
		.metrics = b->metrics,
		.queue = &b->queue,
	};

	forward_queue_init(&b->queue, &c->forward, c->memory, &b->log);
	if (!c->memory && *c->state_dir == '\0') {
		log_error(&b->log, "no directory for the database: set XDG_STATE_HOME, give --state-dir, or use --memory");
		return false;
	}
	if (!keeper_open(&b->keeper, b->loop, &setup))
		return false;
	ledger_set_budget(&b->keeper.ledger, &c->budget);
	b->publisher.archive = (struct publish_archive){ read_archive, &b->keeper };
	b->sessions = sessions_create(&c->sessions, &b->keeper.sink);
	if (!b->sessions) {
		log_error(&b->log, "out of memory");
		keeper_close(&b->keeper);
		return false;
	}
	sessions_set_prices(b->sessions, b->prices);
	intake_init(&b->intake, &b->clock, b->sessions, &b->publisher, &b->config.limits);
	if (open_enricher(b)) {
		keeper_load(&b->keeper, b->sessions);
		if (forward_open(&b->forward, b->loop, &b->clock, &b->queue, &b->log))
			return true;
	}
	close_keeper(b);
	return false;
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
			.sessions = b->sessions,
			.publisher = &b->publisher,
			.forward = { forward_report, &b->forward },
			.ledger = &b->keeper.ledger,
			.settle = settle_for_query,
			.ctx = b,
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
	forward_close(&b->forward);
	keeper_close(&b->keeper);
	forward_queue_finish(&b->queue);
	enricher_destroy(b->enricher);
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

/* The broker does without, where there is none. */
static void
open_session_files(struct broker *b)
{
	char path[CONFIG_PATH_MAX];

	options_session_files(&b->config, path);
	claude_watch_open(&b->claude, b->loop, path, &b->intake, &b->log);
}

/* Last, when all is ready for what comes. */
static bool
open_ways_in(struct broker *b)
{
	if (!ingest_open(&b->ingest, b->loop, &b->rundir, &b->intake, &b->refusals, b->config.allow_other_users))
		return false;
	if (listen_open(&b->listeners, b->loop, &b->config, &b->log, connection_arrived, b)) {
		open_session_files(b);
		return true;
	}
	ingest_close(&b->ingest);
	return false;
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
					  .metrics = b->metrics,
					  .scrape = b->metrics ? broker_scrape : NULL,
					  .left = connection_left,
					  .ctx = b };

	refusals_init(&b->refusals, &b->log);
	if (!http_open(&b->http, b->loop, &setup))
		return false;
	grpc_open(&b->grpc, b->loop, &b->intake, limits, &b->access, &b->refusals, b->metrics, &b->log, connection_left, b);
	if (gate_open(&b->gate, b->loop, &b->clock, limits, b->config.allow_other_users, &b->refusals,
		      (struct gate_host){ adopt_http, b }, (struct gate_host){ adopt_grpc, b })) {
		if (open_ways_in(b))
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
	claude_watch_close(&b->claude);
	ingest_close(&b->ingest);
	grpc_close(&b->grpc);
	http_close(&b->http);
	gate_close(&b->gate);
}

bool
broker_open_parts(struct broker *b)
{
	if (!open_access(b) || !rundir_open(&b->rundir, b->config.runtime_dir, &b->log))
		return false;
	if (b->config.metrics && !(b->metrics = metrics_create())) {
		log_error(&b->log, "out of memory");
		goto close_rundir;
	}
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
	metrics_destroy(b->metrics);
	rundir_close(&b->rundir);
	return false;
}

void
broker_close_parts(struct broker *b)
{
	close_doors(b);
	close_bus(b);
	journal_finish(&b->journal);
	metrics_destroy(b->metrics);
	rundir_close(&b->rundir);
}
