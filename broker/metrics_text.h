/*
 * The metrics as a page: OpenMetrics 1.0, or Prometheus' older text format for who does not ask for that. Pure.
 */
#ifndef AGENTBUS_METRICS_TEXT_H
#define AGENTBUS_METRICS_TEXT_H

#include "buf.h"
#include "metrics.h"

#define METRICS_UNKNOWN UINT64_MAX /* a value that is left out */

enum metrics_format {
	METRICS_PROMETHEUS, /* 0.0.4 */
	METRICS_OPENMETRICS,
	METRICS_FORMAT_COUNT
};

/* What is passed on of one signal to one destination; items are log records, spans or metrics. */
struct metrics_lane {
	const char *destination, *signal;
	uint64_t sent, retries, rejected, dropped;
	uint64_t queued_bytes;
	uint64_t oldest_ns; /* for how long the oldest waits, 0: nothing does */
};

/* What is not counted but looked at when somebody asks. */
struct metrics_state {
	const char *version;
	uint64_t sessions[METRICS_PROVIDERS][SESSION_ENDED + 1]; /* by provider, as in struct metrics, and state */
	/* Each of these may be METRICS_UNKNOWN. */
	uint64_t started_ns; /* since the epoch */
	uint64_t cpu_ns;
	uint64_t resident_bytes, open_fds, max_fds;
	uint64_t connections, connections_refused;
	uint64_t journal_oldest, journal_newest;
	uint64_t store_writable, store_commits, store_wal_bytes;
	uint64_t held_bytes;
	const struct metrics_lane *lanes;
	size_t lane_count;
};

/* The value of Content-Type. Static. */
const char *metrics_media_name(enum metrics_format f);

/* Appends the whole page, as of the last metrics_keep(). False without memory. */
bool metrics_text_write(const struct metrics *m, const struct metrics_state *st, enum metrics_format f, struct buf *out);

#endif
