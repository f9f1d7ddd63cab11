/*
 * The broker: all its parts, put together on one loop.
 */
#ifndef AGENTBUS_BROKER_H
#define AGENTBUS_BROKER_H

#include "access.h"
#include "claude_session_watch.h"
#include "clock.h"
#include "config.h"
#include "forward.h"
#include "gate.h"
#include "grpc.h"
#include "http.h"
#include "ingest.h"
#include "intake.h"
#include "journal.h"
#include "keeper.h"
#include "listen.h"
#include "metrics.h"
#include "price.h"
#include "publish.h"
#include "query.h"
#include "rundir.h"
#include "service.h"
#include "session.h"
#include "token.h"

#include <ev.h>

struct broker {
	struct ev_loop *loop;
	struct config config;
	struct log log;
	struct clock clock;
	struct rundir rundir;
	struct journal journal;
	struct publisher publisher;
	struct price_table *prices;
	struct sessions *sessions;
	struct enricher *enricher;  /* NULL: nothing is passed on */
	struct forward_queue queue; /* between the intake and the forwarder */
	struct forward forward;
	struct keeper keeper;
	struct intake intake;
	struct query query;
	char token[TOKEN_MAX]; /* "": none is needed */
	struct access_policy access;
	struct metrics *metrics; /* NULL: none are wanted */
	struct refusals refusals;
	struct http http;
	struct grpc grpc;
	struct ingest ingest;
	struct claude_watch claude;
	struct gate gate;
	struct listeners listeners;
	struct service service;
	ev_prepare before_wait;    /* ends a turn: stores, publishes, answers; sets session_timer to what the sessions wait for */
	ev_idle again;             /* runs while answers wait that came with the last turn's end */
	ev_timer session_timer;    /* of the sessions, and of spans that wait */
	uint64_t session_deadline; /* that session_timer is set to; UINT64_MAX: not running */
	ev_periodic wake_less;
	ev_signal cpu_used;
	uint64_t mended_ns; /* when the bus was looked at last */
	ev_timer drain_limit;
	ev_prepare drained;
};

/* Opens everything and listens. False after logging why not; nothing is open then. Takes the prices in any case. */
bool broker_start(struct broker *b, struct ev_loop *loop, const struct config *config, struct price_table *prices);

/*
 * Applies what a new configuration changes and can be changed now; logs what needs a restart. Takes the prices; NULL keeps
 * the old ones, and the name of their file.
 */
void broker_reload(struct broker *b, const struct config *config, struct price_table *prices);

/* Stops listening, and ends the loop when all begun requests are answered, or after a second at most. */
void broker_drain(struct broker *b);

/* Closes everything. */
void broker_stop(struct broker *b);

#endif
