/* What the broker looks like at the moment when somebody asks for its metrics. */
#include "broker_parts.h"
#include "forward_report.h"
#include "vitals.h"

_Static_assert(VITALS_UNKNOWN == METRICS_UNKNOWN, "what is unknown stays so");

struct census {
	const struct metrics *metrics;
	struct metrics_state *state;
};

/* Sub-agents and the like are part of the session that they belong to. */
static void
count_session(const struct session *x, void *ctx)
{
	struct census *c = ctx;
	const size_t provider = metrics_provider(c->metrics, x->provider);

	if (!x->auxiliary && provider < c->metrics->provider_count)
		c->state->sessions[provider][x->state]++;
}

static void
look_at_store(const struct keeper *k, struct metrics_state *st)
{
	st->store_writable = k->with.memory ? METRICS_UNKNOWN : k->store && !k->broken;
	st->store_commits = k->with.memory ? METRICS_UNKNOWN : k->commits;
	st->store_wal_bytes = k->store ? store_wal_bytes(k->store) : METRICS_UNKNOWN;
}

bool
broker_scrape(void *ctx, enum metrics_format format, struct buf *out)
{
	struct broker *b = ctx;
	struct metrics_state state = { .version = AGENTBUS_VERSION,
				       .started_ns = b->clock.started_ns,
				       .connections = b->gate.seated,
				       .connections_refused = b->gate.refused,
				       .journal_oldest = journal_oldest(&b->journal),
				       .journal_newest = b->publisher.seq };
	struct metrics_lane lanes[DESTINATION_LANES_MAX];
	struct vitals vitals;

	vitals_read(&vitals);
	state.cpu_ns = vitals.cpu_ns;
	state.resident_bytes = vitals.resident_bytes;
	state.open_fds = vitals.open_fds;
	state.max_fds = vitals.max_fds;
	look_at_store(&b->keeper, &state);
	state.held_bytes = b->enricher ? enricher_held(b->enricher)->bytes : METRICS_UNKNOWN;
	state.lanes = lanes;
	state.lane_count = forward_report_lanes(&b->forward, lanes);
	sessions_each(b->sessions, count_session, &(struct census){ b->metrics, &state });
	/* Where answers do not wait for the store, what they answered counts at once. */
	if (!b->intake.deferred)
		metrics_keep(b->metrics);
	return metrics_text_write(b->metrics, &state, format, out);
}
