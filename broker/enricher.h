/*
 * Between the intake and what is forwarded: drops content and internal spans, completes spans and log records in one language,
 * lets spans wait a moment for their logs, and makes spans of calls that only logs tell of. Pure: time is an argument, and
 * whatever is ready is handed on by a callback.
 */
#ifndef AGENTBUS_ENRICHER_H
#define AGENTBUS_ENRICHER_H

#include "held.h"
#include "otlp.h"
#include "outline.h"
#include "session.h"

struct enricher_settings {
	bool keep_content;  /* prompts, answers, arguments, output: else dropped */
	bool keep_internal; /* spans of a CLI's inner workings: else dropped */
	bool synthesise;    /* spans for calls of which only logs tell */
	uint64_t hold_ns;   /* for so long at most a span waits for its logs */
};

struct enricher_setup {
	struct enricher_settings settings;
	const struct sessions *sessions;
	size_t max_attributes, max_depth;
	bool wanted[OTLP_SIGNAL_COUNT]; /* whether anybody takes it */
	/* Takes a request that is ready, before it returns; false without memory. */
	bool (*deliver)(void *ctx, const struct otlp_request *req);
	void *ctx;
};

struct enricher;

/* NULL without memory. */
struct enricher *enricher_create(const struct enricher_setup *setup);
void enricher_destroy(struct enricher *e);

/* As sessions_set_prices(). */
void enricher_set_prices(struct enricher *e, const struct price_table *prices);

/*
 * Takes a request that arrived at now_ns over the connection `peer`, after pipeline_apply(). Changes its tree. VERDICT_TOO_LARGE
 * if it takes more than its arena may hold; VERDICT_NO_MEMORY if what is ready could not be delivered.
 */
enum verdict enricher_take(struct enricher *e, struct otlp_request *req, uint64_t peer, uint64_t now_ns, struct arena *a);

/* Ends a turn: delivers spans whose logs have come or that have waited long enough. */
void enricher_settle(struct enricher *e, uint64_t now_ns);

/* When enricher_settle() has something to do at the latest; UINT64_MAX: never. */
uint64_t enricher_deadline(struct enricher *e);

/*
 * What must not be forgotten, for the store: the spans that wait (held_keep() and its kin), and the outline. enricher_kept(): all
 * of it is stored, or nobody stores it. enricher_renamed(): the outline's names have changed since then.
 */
struct held *enricher_held(struct enricher *e);
struct outline *enricher_outline(struct enricher *e);
bool enricher_renamed(const struct enricher *e);
void enricher_kept(struct enricher *e);

#endif
