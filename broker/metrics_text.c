#include "metrics_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LINE_MAX     1024
#define LABEL_SIZE   (2 * sizeof(((struct metrics_row *)0)->model))
#define DECIMAL_SIZE 32
#define MS_DIGITS    3
#define NS_DIGITS    9
#define PICO_DIGITS  12
#define NS_PER_MS    1000000ull

struct page {
	const struct metrics *m;
	const struct metrics_state *st;
	struct buf *out;
	bool openmetrics;
	bool failed;
};

struct family;

/* Writes the samples of a family. */
typedef void samples_fn(struct page *p, const struct family *f);

/* A family of metrics; counters are named without _total, an info without _info. */
struct family {
	const char *name, *type, *unit, *help;
	samples_fn *samples;
	size_t offset;   /* of a plain value, in struct metrics_state; of a lane's, in struct metrics_lane */
	unsigned digits; /* of it that are behind the point */
};

const char *
metrics_media_name(enum metrics_format f)
{
	static const char *const names[METRICS_FORMAT_COUNT] = {
		[METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
		[METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
	};

	return names[f];
}

/* --- pieces --- */

static void put(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct page *p, const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list args;

	va_start(args, fmt);
	const int len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (p->failed || len < 0 || (size_t)len >= sizeof(text) || !buf_append(p->out, text, (size_t)len))
		p->failed = true;
}

/* A label's value: what would end it, or its line, gets a backslash. */
static const char *
escape(const char *text, char out[LABEL_SIZE])
{
	char *at = out;

	for (; *text; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			*at++ = '\\';
		*at++ = *text == '\n' ? 'n' : *text;
	}
	*at = '\0';
	return out;
}

/* A number of which so many digits are behind the point; exact, and no longer than needed. */
static const char *
decimal(uint64_t value, unsigned digits, char out[DECIMAL_SIZE])
{
	uint64_t unit = 1;
	int len;

	for (unsigned i = 0; i < digits; i++)
		unit *= 10;
	if (value % unit == 0) {
		snprintf(out, DECIMAL_SIZE, "%" PRIu64, value / unit);
		return out;
	}
	len = snprintf(out, DECIMAL_SIZE, "%" PRIu64 ".%0*" PRIu64, value / unit, (int)digits, value % unit);
	while (out[len - 1] == '0')
		out[--len] = '\0';
	return out;
}

/* --- what is counted by model --- */

static void
each_row(struct page *p, const struct family *f,
	 void (*fn)(struct page *p, const struct family *f, const struct metrics_row *row))
{
	for (size_t i = 0; i < METRICS_ROWS; i++)
		if (p->m->rows[i].kept.requests > 0)
			fn(p, f, &p->m->rows[i]);
}

/* A sample's name and its first labels, without the bracket at their end. */
static void
put_row(struct page *p, const struct family *f, const char *suffix, const struct metrics_row *row)
{
	char model[LABEL_SIZE];

	put(p, "%s%s{provider=\"%s\",model=\"%s\"", f->name, suffix, p->m->providers[row->provider], escape(row->model, model));
}

static void
put_requests(struct page *p, const struct family *f, const struct metrics_row *row)
{
	put_row(p, f, "_total", row);
	put(p, "} %" PRIu64 "\n", row->kept.requests);
}

static void
put_tokens(struct page *p, const struct family *f, const struct metrics_row *row)
{
	static const struct {
		const char *name;
		size_t offset;
	} types[] = {
		{ "input", offsetof(struct tokens, input) },
		{ "cache_read", offsetof(struct tokens, cache_read) },
		{ "cache_write", offsetof(struct tokens, cache_write) },
		{ "output", offsetof(struct tokens, output) },
		{ "reasoning", offsetof(struct tokens, reasoning) },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put_row(p, f, "_total", row);
		put(p, ",type=\"%s\"} %" PRIu64 "\n", types[i].name,
		    *(const uint64_t *)((const char *)&row->kept.tokens + types[i].offset));
	}
}

static void
put_cost(struct page *p, const struct family *f, const struct metrics_row *row)
{
	char cost[DECIMAL_SIZE];

	put_row(p, f, "_total", row);
	put(p, "} %s\n", decimal(row->kept.cost, PICO_DIGITS, cost));
}

static void
put_exemplar(struct page *p, const struct metrics_exemplar *e)
{
	char trace[2 * sizeof(e->trace_id) + 1], duration[DECIMAL_SIZE], time[DECIMAL_SIZE];

	if (!p->openmetrics || e->time_ns == 0)
		return;
	for (size_t i = 0; i < sizeof(e->trace_id); i++)
		snprintf(trace + 2 * i, 3, "%02x", e->trace_id[i]);
	put(p, " # {trace_id=\"%s\"} %s %s", trace, decimal(e->duration_ms, MS_DIGITS, duration),
	    decimal(e->time_ns / NS_PER_MS, MS_DIGITS, time));
}

static void
put_durations(struct page *p, const struct family *f, const struct metrics_row *row)
{
	const struct metrics_usage *u = &row->kept;
	char sum[DECIMAL_SIZE];
	uint64_t count = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += u->buckets[i];
		put_row(p, f, "_bucket", row);
		put(p, ",le=\"%s\"} %" PRIu64, i < METRICS_BOUNDS ? metrics_bounds[i].seconds : "+Inf", count);
		put_exemplar(p, &u->exemplars[i]);
		put(p, "\n");
	}
	put_row(p, f, "_count", row);
	put(p, "} %" PRIu64 "\n", count);
	put_row(p, f, "_sum", row);
	put(p, "} %s\n", decimal(u->duration_ms, MS_DIGITS, sum));
}

static void
requests(struct page *p, const struct family *f)
{
	each_row(p, f, put_requests);
}

static void
tokens(struct page *p, const struct family *f)
{
	each_row(p, f, put_tokens);
}

static void
cost(struct page *p, const struct family *f)
{
	each_row(p, f, put_cost);
}

static void
durations(struct page *p, const struct family *f)
{
	each_row(p, f, put_durations);
}

/* --- what is counted by CLI --- */

static void
errors(struct page *p, const struct family *f)
{
	for (size_t i = 0; i < p->m->provider_count; i++)
		for (enum error_class c = ERROR_NONE + 1; c < ERROR_CLASS_COUNT; c++)
			put(p, "%s_total{provider=\"%s\",type=\"%s\"} %" PRIu64 "\n", f->name, p->m->providers[i],
			    error_class_name(c), p->m->kept.of[i].errors[c]);
}

static void
tool_calls(struct page *p, const struct family *f)
{
	for (size_t i = 0; i < p->m->provider_count; i++)
		put(p, "%s_total{provider=\"%s\"} %" PRIu64 "\n", f->name, p->m->providers[i], p->m->kept.of[i].tool_calls);
}

static void
prompts(struct page *p, const struct family *f)
{
	for (size_t i = 0; i < p->m->provider_count; i++)
		put(p, "%s_total{provider=\"%s\"} %" PRIu64 "\n", f->name, p->m->providers[i], p->m->kept.of[i].prompts);
}

static void
sessions(struct page *p, const struct family *f)
{
	for (size_t i = 0; i < p->m->provider_count; i++)
		for (enum session_state s = SESSION_IDLE; s <= SESSION_ENDED; s++)
			put(p, "%s{provider=\"%s\",state=\"%s\"} %" PRIu64 "\n", f->name, p->m->providers[i],
			    session_state_name(s), p->st->sessions[i][s]);
}

/* --- the broker itself --- */

static void
put_codes(struct page *p, const struct family *f, const struct metrics_code codes[METRICS_CODES])
{
	for (size_t i = 0; i < METRICS_CODES && codes[i].answers > 0; i++)
		put(p, "%s_total{code=\"%u\"} %" PRIu64 "\n", f->name, codes[i].code, codes[i].answers);
}

static void
http_answers(struct page *p, const struct family *f)
{
	put_codes(p, f, p->m->http);
}

static void
grpc_answers(struct page *p, const struct family *f)
{
	put_codes(p, f, p->m->grpc);
}

static void
events(struct page *p, const struct family *f)
{
	put(p, "%s_total %" PRIu64 "\n", f->name, p->m->kept.events);
}

static void
build_info(struct page *p, const struct family *f)
{
	put(p, "%s_info{version=\"%s\"} 1\n", f->name, p->st->version);
}

static void
lanes(struct page *p, const struct family *f)
{
	const bool counter = strcmp(f->type, "counter") == 0;
	char number[DECIMAL_SIZE];

	for (size_t i = 0; i < p->st->lane_count; i++) {
		const struct metrics_lane *l = &p->st->lanes[i];
		const uint64_t n = *(const uint64_t *)((const char *)l + f->offset);

		put(p, "%s%s{destination=\"%s\",signal=\"%s\"} %s\n", f->name, counter ? "_total" : "", l->destination, l->signal,
		    decimal(n, f->digits, number));
	}
}

static uint64_t
value_of(const struct page *p, const struct family *f)
{
	return *(const uint64_t *)((const char *)p->st + f->offset);
}

static void
value(struct page *p, const struct family *f)
{
	char number[DECIMAL_SIZE];

	put(p, "%s%s %s\n", f->name, strcmp(f->type, "counter") == 0 ? "_total" : "", decimal(value_of(p, f), f->digits, number));
}

/* --- the page --- */

#define VALUE(member) .samples = value, .offset = offsetof(struct metrics_state, member)
#define LANE(member)  .samples = lanes, .offset = offsetof(struct metrics_lane, member)

static const struct family families[] = {
	{ "agentbus_requests", "counter", "", "Answers of models.", .samples = requests },
	{ "agentbus_tokens", "counter", "", "Tokens; input includes cache_read and cache_write, output includes reasoning.",
	  .samples = tokens },
	{ "agentbus_cost_usd", "counter", "usd", "Cost as the CLIs report it, else by the table of prices.", .samples = cost },
	{ "agentbus_errors", "counter", "", "Requests to models that failed, by error.type.", .samples = errors },
	{ "agentbus_tool_calls", "counter", "", "Tool calls that have ended.", .samples = tool_calls },
	{ "agentbus_prompts", "counter", "", "Prompts of persons.", .samples = prompts },
	{ "agentbus_request_duration_seconds", "histogram", "seconds",
	  "Time to a model's whole answer, as far as the CLI tells it.", .samples = durations },
	{ "agentbus_sessions", "gauge", "", "Sessions by state; sub-agents are part of their session.", .samples = sessions },
	{ "agentbus_build", "info", "", "The broker.", .samples = build_info },
	{ "agentbus_events", "counter", "", "Events published.", .samples = events },
	{ "agentbus_http_answers", "counter", "", "Answers over HTTP by status.", .samples = http_answers },
	{ "agentbus_grpc_answers", "counter", "", "Answers over gRPC by grpc-status.", .samples = grpc_answers },
	{ "agentbus_connections", "gauge", "", "Connections that have a place.", VALUE(connections) },
	{ "agentbus_connections_refused", "counter", "", "Connections that found no place.", VALUE(connections_refused) },
	{ "agentbus_journal_oldest_seq", "gauge", "", "Oldest event in memory, one above the newest if there is none.",
	  VALUE(journal_oldest) },
	{ "agentbus_journal_newest_seq", "gauge", "", "Newest event.", VALUE(journal_newest) },
	{ "agentbus_store_writable", "gauge", "", "1: the database can be written. Not there with --memory.",
	  VALUE(store_writable) },
	{ "agentbus_store_commits", "counter", "", "Transactions written.", VALUE(store_commits) },
	{ "agentbus_store_wal_bytes", "gauge", "bytes", "Write-ahead log that is not moved into the database yet.",
	  VALUE(store_wal_bytes) },
	{ "agentbus_forward_sent", "counter", "", "Log records, spans and metrics that a destination took.", LANE(sent) },
	{ "agentbus_forward_retried", "counter", "", "Requests to a destination that were put off to be tried again.",
	  LANE(retries) },
	{ "agentbus_forward_rejected", "counter", "", "Log records, spans and metrics that a destination refused for good.",
	  LANE(rejected) },
	{ "agentbus_forward_dropped", "counter", "", "Log records, spans and metrics for which a queue had no room.",
	  LANE(dropped) },
	{ "agentbus_forward_queued_bytes", "gauge", "bytes", "What waits for a destination.", LANE(queued_bytes) },
	{ "agentbus_forward_oldest_seconds", "gauge", "seconds", "For how long the oldest of it waits.", LANE(oldest_ns),
	  .digits = NS_DIGITS },
	{ "agentbus_forward_held_bytes", "gauge", "bytes", "Spans that wait for what logs say of them.", VALUE(held_bytes) },
	{ "process_start_time_seconds", "gauge", "seconds", "Start of the broker since the epoch.", VALUE(started_ns),
	  .digits = NS_DIGITS },
	{ "process_cpu_seconds", "counter", "seconds", "User and system time.", VALUE(cpu_ns), .digits = NS_DIGITS },
	{ "process_resident_memory_bytes", "gauge", "bytes", "Resident memory.", VALUE(resident_bytes) },
	{ "process_open_fds", "gauge", "", "Open descriptors.", VALUE(open_fds) },
	{ "process_max_fds", "gauge", "", "The most there may be.", VALUE(max_fds) },
};

/* The older format knows no info, and names a counter as its samples. */
static void
put_head(struct page *p, const struct family *f)
{
	const bool counter = strcmp(f->type, "counter") == 0, info = strcmp(f->type, "info") == 0;
	const char *suffix = p->openmetrics ? "" : counter ? "_total" : info ? "_info" : "";

	put(p, "# TYPE %s%s %s\n", f->name, suffix, info && !p->openmetrics ? "gauge" : f->type);
	if (*f->unit && p->openmetrics)
		put(p, "# UNIT %s %s\n", f->name, f->unit);
	put(p, "# HELP %s%s %s\n", f->name, suffix, f->help);
}

bool
metrics_text_write(const struct metrics *m, const struct metrics_state *st, enum metrics_format f, struct buf *out)
{
	struct page p = { .m = m, .st = st, .out = out, .openmetrics = f == METRICS_OPENMETRICS };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *family = &families[i];

		if (family->samples == value && value_of(&p, family) == METRICS_UNKNOWN)
			continue;
		if (family->samples == lanes && st->lane_count == 0)
			continue;
		put_head(&p, family);
		family->samples(&p, family);
	}
	if (p.openmetrics)
		put(&p, "# EOF\n");
	return !p.failed;
}
