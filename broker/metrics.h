/*
 * What the broker counts for whoever scrapes it, by CLI and model: requests, tokens, cost, errors, how long answers took. Pure.
 *
 * The table is bounded and made once: counting allocates nothing, and further models count as "other". No session, project or
 * text of anybody is a key. Everything begins at 0 with the broker.
 *
 * What events tell counts once it is kept: a broker that cannot store what it took takes it back, and will hear of it again.
 */
#ifndef AGENTBUS_METRICS_H
#define AGENTBUS_METRICS_H

#include "session.h"

#define METRICS_MODELS    64 /* of all CLIs together */
#define METRICS_PROVIDERS 8
#define METRICS_ROWS      (METRICS_MODELS + METRICS_PROVIDERS) /* the last ones are each CLI's other models */
#define METRICS_BOUNDS    13
#define METRICS_BUCKETS   (METRICS_BOUNDS + 1)
#define METRICS_CODES     24

/* Upper bounds of the buckets, inclusive; the last bucket has none. */
extern const struct metrics_bound {
	uint64_t ms;
	const char *seconds; /* as text */
} metrics_bounds[METRICS_BOUNDS];

/* The newest answer of a bucket that belongs to a trace. */
struct metrics_exemplar {
	uint64_t time_ns; /* 0: there was none */
	uint64_t duration_ms;
	uint8_t trace_id[16];
};

struct metrics_usage {
	uint64_t requests;
	struct tokens tokens;
	uint64_t cost;                     /* pico-dollars, as sessions show it */
	uint64_t buckets[METRICS_BUCKETS]; /* each for itself: not cumulative */
	uint64_t duration_ms;              /* of all in the buckets */
	struct metrics_exemplar exemplars[METRICS_BUCKETS];
};

struct metrics_row {
	size_t provider;
	char model[64];
	struct metrics_usage kept, now;
	bool changed; /* they differ */
};

struct metrics_totals {
	uint64_t events;
	struct {
		uint64_t errors[ERROR_CLASS_COUNT];
		uint64_t tool_calls, prompts;
	} of[METRICS_PROVIDERS];
};

struct metrics_code {
	unsigned code;
	uint64_t answers;
};

struct metrics {
	const char *providers[METRICS_PROVIDERS]; /* static */
	size_t provider_count;
	struct metrics_row rows[METRICS_ROWS];
	size_t model_count, kept_count;
	uint8_t changed[METRICS_ROWS]; /* which rows are */
	size_t changed_count;
	struct metrics_totals kept, now;
	struct metrics_code http[METRICS_CODES], grpc[METRICS_CODES]; /* by status; answers of 0: unused */
};

/* Everything 0, or NULL without memory. destroy(NULL) is fine. */
struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *m);

/* All of the following do nothing if m is NULL: then nobody wants to know. */

void metrics_count(struct metrics *m, const struct event *e);

/* What was counted is safe, or has never been. */
void metrics_keep(struct metrics *m);
void metrics_rewind(struct metrics *m);

/* An answer was decided on, by its HTTP status or its grpc-status. */
void metrics_http_answer(struct metrics *m, unsigned status);
void metrics_grpc_answer(struct metrics *m, unsigned status);

/* The number of a provider by its name; provider_count if there is none. */
size_t metrics_provider(const struct metrics *m, const char *name);

#endif
