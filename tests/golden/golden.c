/*
 * Golden tests: a recording in, the exact event stream out, under virtual time.
 *
 *	golden [--update] [--delays] [--print] [RECORDING...]
 *
 * Plays each recording (a folder with manifest.jsonl) through decode, providers and sessions on the recording's own clock,
 * timers included, and then checks that
 * - the events are those of tests/golden/expected/<cli>-<scenario>.txt (where there is such a file);
 * - the totals per session are those of the recording's expected.json;
 * - no session is left working or waiting once silence has lasted longer than the quiet time.
 *
 * Without recordings on the command line it plays those in tests/recordings and, where they are, in ../shared/captures.
 * One line per check; exit status 1 if any failed. --update writes the expected streams, --print shows the stream, --delays
 * prints what the timeline says beside when it was seen (see README.md).
 */
#include "inflate.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "pipeline.h"

#include <cjson/cJSON.h>
#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MS           1000000ull
#define S            (1000 * MS)
#define REQUESTS_MAX 4096
#define CHANGES_MAX  4096
#define PATH_SIZE    4096

/* One entry of the manifest. */
struct request {
	uint64_t t_ms;
	enum otlp_signal signal;
	enum otlp_encoding encoding;
	bool gzip;
	char file[64];
};

struct change {
	uint64_t seen_ms;    /* by the recording's clock */
	uint64_t arrival_ms; /* of the request being applied */
	char id[SESSION_ID_MAX];
	enum session_state state;
	bool auxiliary;
	bool timer; /* no request, but silence made it */
};

struct options {
	const char *expected_dir;
	bool update, delays, print;
};

struct play {
	struct event_sink sink;
	const char *dir;
	char name[128];
	struct request *requests;
	size_t request_count;
	uint64_t base_ns; /* epoch time of the recording's zero */
	uint64_t end_ms;  /* of the timeline, or of the last request */
	uint64_t arrival_ms;
	struct sessions *sessions;
	struct arena arena;
	FILE *out; /* the event stream */
	struct change *changes;
	size_t change_count;
	uint64_t last_seen_ms; /* of the timeline's last line */
	int failures;
	int checks;
};

static void
report(struct play *p, bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	p->checks++;
	p->failures += !ok;
	printf("%s %s %s", ok ? "ok" : "FAIL", p->name, what);
	if (!ok) {
		printf(": ");
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
	}
	printf("\n");
}

/* --- files --- */

static char *
read_file(const char *dir, const char *file, size_t *ret_len)
{
	char path[PATH_SIZE], *buf = NULL;
	FILE *f;
	long n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "rb");
	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	buf = malloc((size_t)n + 1);
	if (buf) {
		*ret_len = fread(buf, 1, (size_t)n, f);
		buf[*ret_len] = '\0';
	}
	fclose(f);
	return buf;
}

static const char *
text(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, key));

	return s ? s : "";
}

static double
number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* Calls fn for each line of a file of JSON lines. Returns false if there is no such file. */
static bool
each_line(struct play *p, const char *file, void (*fn)(struct play *, const cJSON *))
{
	size_t len;
	char *buf = read_file(p->dir, file, &len), *save = NULL;

	if (!buf)
		return false;
	for (char *line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		cJSON *o = cJSON_Parse(line);
		if (o)
			fn(p, o);
		cJSON_Delete(o);
	}
	free(buf);
	return true;
}

static void
add_request(struct play *p, const cJSON *m)
{
	struct request *r = &p->requests[p->request_count];
	const char *file = text(m, "file");

	if (p->request_count == REQUESTS_MAX)
		return;
	*r = (struct request){
		.t_ms = (uint64_t)number(m, "t_ms"),
		.signal = strstr(file, "-logs")     ? OTLP_LOGS
			  : strstr(file, "-traces") ? OTLP_TRACES
						    : OTLP_METRICS,
		.encoding = strstr(file, ".json") ? OTLP_JSON : OTLP_PROTOBUF,
		.gzip = strcmp(text(m, "content_encoding"), "gzip") == 0,
	};
	snprintf(r->file, sizeof(r->file), "%s", file);
	p->request_count++;
	if (r->t_ms > p->end_ms)
		p->end_ms = r->t_ms;
}

static void
add_time(struct play *p, const cJSON *m)
{
	uint64_t t = (uint64_t)number(m, "t_ms");

	if (t > p->end_ms)
		p->end_ms = t;
}

/* --- playing --- */

static bool
decode(struct play *p, const struct request *r, struct otlp_request *ret)
{
	size_t len;
	char *raw = read_file(p->dir, r->file, &len);
	const uint8_t *body = (const uint8_t *)raw;
	uint8_t *plain;
	enum verdict v = VERDICT_OK;

	arena_reset(&p->arena);
	if (!raw)
		return false;
	if (r->gzip) {
		v = inflate_body((const uint8_t *)raw, len, 64u << 20, &p->arena, &plain, &len);
		body = plain;
	}
	if (v == VERDICT_OK)
		v = r->encoding == OTLP_JSON
			? otlp_json_decode(r->signal, (const char *)body, len, OTLP_MAX_DEPTH, &p->arena, ret)
			: otlp_pb_decode(r->signal, body, len, OTLP_MAX_DEPTH, &p->arena, ret);
	free(raw);
	return v == VERDICT_OK;
}

static void
latest(uint64_t *base, uint64_t record_ns, uint64_t t_ms)
{
	if (record_ns && record_ns - t_ms * MS > *base)
		*base = record_ns - t_ms * MS;
}

/* No record arrives before it happened: that fixes the epoch time of the recording's zero. */
static void
find_base(struct play *p, const struct otlp_request *q, uint64_t t_ms)
{
	if (q->signal == OTLP_LOGS)
		for (size_t i = 0; i < q->logs->n_resource_logs; i++)
			for (size_t k = 0; k < q->logs->resource_logs[i]->n_scope_logs; k++) {
				Opentelemetry__Proto__Logs__V1__ScopeLogs *sl = q->logs->resource_logs[i]->scope_logs[k];
				for (size_t n = 0; n < sl->n_log_records; n++)
					latest(&p->base_ns,
					       sl->log_records[n]->time_unix_nano ? sl->log_records[n]->time_unix_nano
										  : sl->log_records[n]->observed_time_unix_nano,
					       t_ms);
			}
	if (q->signal == OTLP_TRACES)
		for (size_t i = 0; i < q->traces->n_resource_spans; i++)
			for (size_t k = 0; k < q->traces->resource_spans[i]->n_scope_spans; k++) {
				Opentelemetry__Proto__Trace__V1__ScopeSpans *ss = q->traces->resource_spans[i]->scope_spans[k];
				for (size_t n = 0; n < ss->n_spans; n++)
					latest(&p->base_ns, ss->spans[n]->end_time_unix_nano, t_ms);
			}
}

static void
on_event(struct event_sink *sink, const struct event *e)
{
	static const char *const kinds[] = { "",     "session_started", "prompt",       "api_request", "api_error",
					     "tool", "state_changed",   "session_ended" };
	static const char *const evidence[] = { "", "told", "shown", "inferred" };
	struct play *p = (struct play *)sink;
	const struct session *x = e->session;

	fprintf(p->out, "%9.3f %9.3f %-15s %.8s%s %s", (double)(e->now_ns - p->base_ns) / 1e9,
		((double)e->time_ns - (double)p->base_ns) / 1e9, kinds[e->kind],
		x->id + (strlen(x->id) > 8 ? strlen(x->id) - 8 : 0), x->auxiliary ? "*" : "", session_state_name(x->state));
	if (e->kind == EVENT_STATE_CHANGED || e->kind == EVENT_SESSION_ENDED)
		fprintf(p->out, " %s %s turn=%.3f%s", e->reason, evidence[e->evidence], (double)e->turn_ns / 1e9,
			x->failed ? " failed" : "");
	if (e->kind == EVENT_API_REQUEST)
		fprintf(p->out, " in=%llu out=%llu", (unsigned long long)e->observation->tokens.input,
			(unsigned long long)e->observation->tokens.output);
	if (e->kind == EVENT_API_ERROR)
		fprintf(p->out, " %s %u", error_class_name(x->last_error.class), x->last_error.status);
	if (e->kind == EVENT_TOOL)
		fprintf(p->out, " %s", x->tool);
	fputc('\n', p->out);
	if (p->change_count < CHANGES_MAX) {
		struct change *c = &p->changes[p->change_count++];
		*c = (struct change){ .seen_ms = (e->now_ns - p->base_ns) / MS,
				      .arrival_ms = p->arrival_ms,
				      .state = x->state,
				      .auxiliary = x->auxiliary,
				      .timer = e->observation == NULL };
		snprintf(c->id, sizeof(c->id), "%s", x->id);
	}
}

static void
run_until(struct play *p, uint64_t t_ms)
{
	for (uint64_t due; (due = sessions_deadline(p->sessions)) <= p->base_ns + t_ms * MS;)
		sessions_tick(p->sessions, due);
}

static bool
play(struct play *p)
{
	struct otlp_request q;

	for (size_t i = 0; i < p->request_count; i++) {
		if (!decode(p, &p->requests[i], &q)) {
			report(p, false, p->requests[i].file, "does not decode");
			return false;
		}
		find_base(p, &q, p->requests[i].t_ms);
	}
	for (size_t i = 0; i < p->request_count; i++) {
		const struct request *r = &p->requests[i];
		run_until(p, r->t_ms);
		p->arrival_ms = r->t_ms;
		decode(p, r, &q);
		pipeline_apply(p->sessions, &q, 1 + r->signal, p->base_ns + r->t_ms * MS, &p->arena);
	}
	run_until(p, p->end_ms);
	for (uint64_t peer = 1; peer <= OTLP_SIGNAL_COUNT; peer++)
		sessions_peer_closed(p->sessions, peer, 2, p->base_ns + p->end_ms * MS);
	return true;
}

/* --- checks --- */

static void
check_not_stuck(const struct session *x, void *ctx)
{
	struct play *p = ctx;

	if (x->state == SESSION_WORKING || x->state == SESSION_WAITING)
		report(p, false, "not stuck", "%s is %s", x->id, session_state_name(x->state));
}

static bool
same_number(struct play *p, const char *id, const cJSON *want, const char *key, uint64_t got)
{
	if (number(want, key) == (double)got)
		return true;
	report(p, false, "totals", "%s %s: want %.0f, got %llu", id, key, number(want, key), (unsigned long long)got);
	return false;
}

static bool
same_models(struct play *p, const struct session *x, const cJSON *by_model)
{
	const cJSON *m;
	bool ok = true;

	cJSON_ArrayForEach(m, by_model)
	{
		const struct model_usage *u = NULL;
		for (size_t i = 0; i < x->model_count; i++)
			if (strcmp(x->models[i].model, m->string) == 0)
				u = &x->models[i];
		if (!u) {
			report(p, false, "totals", "%s: no model %s", x->id, m->string);
			return false;
		}
		ok &= same_number(p, m->string, m, "requests", u->requests);
		ok &= same_number(p, m->string, m, "input_tokens", u->tokens.input);
		ok &= same_number(p, m->string, m, "output_tokens", u->tokens.output);
		ok &= same_number(p, m->string, m, "cache_read_tokens", u->tokens.cache_read);
		ok &= same_number(p, m->string, m, "cache_write_tokens", u->tokens.cache_write);
	}
	if (cJSON_GetArraySize(by_model) != (int)x->model_count) {
		report(p, false, "totals", "%s: %zu models", x->id, x->model_count);
		ok = false;
	}
	return ok;
}

static bool
same_totals(struct play *p, const cJSON *want)
{
	const char *id = want->string;
	const struct session *x = sessions_find(p->sessions, text(want, "provider"), id);
	double cost = number(want, "reported_cost_usd");
	bool ok = true;

	if (!x || !x->shown) {
		if (number(want, "requests") == 0 && number(want, "prompts") == 0)
			return true;
		report(p, false, "totals", "%s is not shown", id);
		return false;
	}
	ok &= same_number(p, id, want, "requests", x->requests);
	ok &= same_number(p, id, want, "input_tokens", x->tokens.input);
	ok &= same_number(p, id, want, "cache_read_tokens", x->tokens.cache_read);
	ok &= same_number(p, id, want, "cache_write_tokens", x->tokens.cache_write);
	ok &= same_number(p, id, want, "output_tokens", x->tokens.output);
	ok &= same_number(p, id, want, "reasoning_tokens", x->tokens.reasoning);
	ok &= same_number(p, id, want, "tool_calls", x->tool_calls);
	ok &= same_number(p, id, want, "prompts", x->prompts);
	ok &= same_number(p, id, want, "api_errors", x->api_errors);
	if (llabs(x->reported_cost - (long long)(cost * 1e12 + 0.5)) > 1000000) {
		report(p, false, "totals", "%s cost: want %.9f, got %.9f", id, cost, (double)x->reported_cost / 1e12);
		ok = false;
	}
	return same_models(p, x, cJSON_GetObjectItem(want, "by_model")) && ok;
}

static void
check_totals(struct play *p)
{
	size_t len;
	char *buf = read_file(p->dir, "expected.json", &len);
	cJSON *all = buf ? cJSON_Parse(buf) : NULL;
	const cJSON *want;
	bool ok = true;

	cJSON_ArrayForEach(want, all) ok &= same_totals(p, want);
	if (all && ok)
		report(p, true, "totals", "");
	cJSON_Delete(all);
	free(buf);
}

static void
check_stream(struct play *p, const char *expected_dir, const char *got, bool update)
{
	char file[160];
	size_t len;
	char *want;
	FILE *f;

	snprintf(file, sizeof(file), "%s.txt", p->name);
	if (update) {
		char path[PATH_SIZE];
		snprintf(path, sizeof(path), "%s/%s", expected_dir, file);
		f = fopen(path, "w");
		if (f) {
			fputs(got, f);
			fclose(f);
		}
		return;
	}
	want = read_file(expected_dir, file, &len);
	if (want)
		report(p, strcmp(want, got) == 0, "events", "differ from %s/%s", expected_dir, file);
	free(want);
}

/* --- delays --- */

/* What a line of a timeline means. Texts are those of the recorders. */
static const struct truth {
	const char *text;
	enum session_state state;
	bool exit; /* of a run without a person */
} truths[] = {
	{ "ENTER", SESSION_WORKING, false },
	{ "prompt", SESSION_WORKING, false },
	{ "answer", SESSION_COMPLETED, false },
	{ "saw answer", SESSION_COMPLETED, false },
	{ "permission dialog", SESSION_WAITING, false },
	{ "approval prompt", SESSION_WAITING, false },
	{ "saw approval", SESSION_WAITING, false },
	{ "approve", SESSION_WORKING, false },
	{ "press 1 (approve)", SESSION_WORKING, false },
	{ "approving", SESSION_WORKING, false },
	{ "deny", SESSION_COMPLETED, false },
	{ "rejecting", SESSION_COMPLETED, false },
	{ "interrupt", SESSION_COMPLETED, false },
	{ "press Escape", SESSION_COMPLETED, false },
	{ "error visible", SESSION_COMPLETED, false },
	{ "claude process exited", SESSION_ENDED, false },
	{ "process exited", SESSION_ENDED, false },
	{ "saw exited", SESSION_ENDED, false },
	{ "exit rc", SESSION_COMPLETED, true },
	{ "cli-exit", SESSION_COMPLETED, true },
};

static const struct truth *
truth_of(const char *what)
{
	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++)
		if (strncmp(what, truths[i].text, strlen(truths[i].text)) == 0)
			return &truths[i];
	return NULL;
}

/* The newest state of a session of its own before t_ms, SESSION_IDLE if none. */
static enum session_state
state_at(const struct play *p, uint64_t t_ms)
{
	enum session_state st = SESSION_IDLE;

	for (size_t i = 0; i < p->change_count && p->changes[i].seen_ms <= t_ms; i++)
		if (!p->changes[i].auxiliary)
			st = p->changes[i].state;
	return st;
}

/* The first change to that state of a session of its own, not before from_ms. */
static const struct change *
first_seen(const struct play *p, uint64_t from_ms, enum session_state st)
{
	for (size_t i = 0; i < p->change_count; i++)
		if (p->changes[i].seen_ms >= from_ms && !p->changes[i].auxiliary && p->changes[i].state == st)
			return &p->changes[i];
	return NULL;
}

/*
 * One line of the table: what the person saw, when a request that shows it arrived (the exporter's delay), and how long it
 * then took to become a state (ours). A turn's end may be known before its answer is drawn, an exit before the process is gone.
 */
static void
print_delay(struct play *p, const cJSON *m)
{
	const struct truth *truth = truth_of(text(m, "what"));
	uint64_t t = (uint64_t)number(m, "t_ms");
	const struct change *c;

	if (!truth)
		return;
	printf("| %s | %.3f %.28s | %s |", p->name, (double)t / 1e3, text(m, "what"), session_state_name(truth->state));
	/* A run that exits may be known to have ended, which says even more. */
	if (p->last_seen_ms <= t && (truth->state == state_at(p, t) || (truth->exit && state_at(p, t) == SESSION_ENDED))) {
		printf(" at once | 0 | 0 |\n");
		return;
	}
	c = first_seen(p, t > p->last_seen_ms ? t : p->last_seen_ms, truth->state);
	if (c)
		p->last_seen_ms = c->seen_ms;
	if (c && c->timer && truth->state == SESSION_ENDED)
		printf(" not told, given up at %.1f | | |\n", (double)c->seen_ms / 1e3);
	else if (c)
		printf(" %.3f | %.2f | %.2f%s |\n", (double)c->seen_ms / 1e3,
		       c->arrival_ms > t ? (double)(c->arrival_ms - t) / 1e3 : 0,
		       (double)(c->seen_ms - (c->arrival_ms > t ? c->arrival_ms : t)) / 1e3, c->timer ? " (timer)" : "");
	else
		printf(" not shown | | |\n");
}

/* --- one recording --- */

static void
name_of(const char *dir, char *name, size_t size)
{
	char a[PATH_SIZE], b[PATH_SIZE];

	snprintf(a, sizeof(a), "%s", dir);
	snprintf(b, sizeof(b), "%s", dir);
	snprintf(name, size, "%s%s-%s", strstr(dir, "tests/recordings/") ? "bundled-" : "", basename(dirname(a)), basename(b));
}

static int
run(const char *dir, const struct options *o)
{
	struct session_settings settings = session_settings_default();
	struct play p = { .sink = { on_event }, .dir = dir };
	char *stream = NULL;
	size_t stream_len = 0;

	name_of(dir, p.name, sizeof(p.name));
	p.requests = calloc(REQUESTS_MAX, sizeof(*p.requests));
	p.changes = calloc(CHANGES_MAX, sizeof(*p.changes));
	p.out = open_memstream(&stream, &stream_len);
	p.sessions = sessions_create(&settings, &p.sink);
	arena_init(&p.arena, 256u << 20);
	if (!each_line(&p, "manifest.jsonl", add_request))
		report(&p, false, "manifest", "no manifest.jsonl in %s", dir);
	each_line(&p, "timeline.jsonl", add_time);
	if (play(&p)) {
		run_until(&p, p.end_ms + settings.quiet_ns / MS + 1000);
		sessions_each(p.sessions, check_not_stuck, &p);
		check_totals(&p);
		run_until(&p, p.end_ms + 3600000);
		fflush(p.out);
		if (o->delays)
			each_line(&p, "timeline.jsonl", print_delay);
		if (o->print)
			fputs(stream, stdout);
		check_stream(&p, o->expected_dir, stream, o->update);
	}
	fclose(p.out);
	free(stream);
	sessions_destroy(p.sessions);
	arena_finish(&p.arena);
	free(p.requests);
	free(p.changes);
	return p.failures;
}

static int
run_all(const char *pattern, const struct options *o)
{
	glob_t g;
	int failures = 0;

	if (glob(pattern, 0, NULL, &g) != 0) {
		printf("skip %s: no recordings there\n", pattern);
		return 0;
	}
	for (size_t i = 0; i < g.gl_pathc; i++)
		failures += run(g.gl_pathv[i], o);
	globfree(&g);
	return failures;
}

int
main(int argc, char **argv)
{
	struct options o = { .expected_dir = getenv("GOLDEN_EXPECTED") ? getenv("GOLDEN_EXPECTED") : "tests/golden/expected" };
	int failures = 0, recordings = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--update") == 0)
			o.update = true;
		else if (strcmp(argv[i], "--delays") == 0)
			o.delays = true;
		else if (strcmp(argv[i], "--print") == 0)
			o.print = true;
		else
			failures += run(argv[i], &o), recordings++;
	}
	if (!recordings) {
		failures += run_all("tests/recordings/*/*", &o);
		failures += run_all("../shared/captures/*/*", &o);
	}
	return failures ? 1 : 0;
}
