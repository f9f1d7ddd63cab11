#include "golden.h"

#include "inflate.h"
#include "otlp_json.h"
#include "otlp_pb.h"
#include "pipeline.h"

#include <stdlib.h>

#define HOOKS_ALONE_NS 1800000000000000000ull /* when a recording without telemetry began */

/* --- files --- */

char *
golden_read_file(const char *dir, const char *file, size_t *ret_len)
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

const char *
golden_text(const cJSON *o, const char *key)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, key));

	return s ? s : "";
}

double
golden_number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(o, key);

	return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* Calls fn for each line of a file of JSON lines. Returns false if there is no such file. */
bool
golden_each_line(struct play *p, const char *file, void (*fn)(struct play *, const cJSON *))
{
	size_t len;
	char *buf = golden_read_file(p->dir, file, &len), *save = NULL;

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

void
golden_add_request(struct play *p, const cJSON *m)
{
	struct request *r = &p->requests[p->request_count];
	const char *file = golden_text(m, "file");

	if (p->request_count == REQUESTS_MAX)
		return;
	*r = (struct request){
		.t_ms = (uint64_t)golden_number(m, "t_ms"),
		.signal = strstr(file, "-logs")     ? OTLP_LOGS
			  : strstr(file, "-traces") ? OTLP_TRACES
						    : OTLP_METRICS,
		.encoding = strstr(file, ".json") ? OTLP_JSON : OTLP_PROTOBUF,
		.gzip = strcmp(golden_text(m, "content_encoding"), "gzip") == 0,
	};
	snprintf(r->file, sizeof(r->file), "%s", file);
	p->request_count++;
	if (r->t_ms > p->end_ms)
		p->end_ms = r->t_ms;
}

/* --- playing --- */

bool
golden_decode(struct play *p, const struct request *r, struct otlp_request *ret)
{
	size_t len;
	char *raw = golden_read_file(p->dir, r->file, &len);
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
				for (size_t n = 0; n < sl->n_log_records; n++) {
					const Opentelemetry__Proto__Logs__V1__LogRecord *r = sl->log_records[n];
					uint64_t ns = r->time_unix_nano ? r->time_unix_nano : r->observed_time_unix_nano;
					latest(&p->base_ns, ns, t_ms);
					golden_note_start(p, r, ns);
				}
			}
	if (q->signal == OTLP_TRACES)
		for (size_t i = 0; i < q->traces->n_resource_spans; i++)
			for (size_t k = 0; k < q->traces->resource_spans[i]->n_scope_spans; k++) {
				Opentelemetry__Proto__Trace__V1__ScopeSpans *ss = q->traces->resource_spans[i]->scope_spans[k];
				for (size_t n = 0; n < ss->n_spans; n++)
					latest(&p->base_ns, ss->spans[n]->end_time_unix_nano, t_ms);
			}
}

void
golden_on_event(struct event_sink *sink, const struct event *e)
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
		fprintf(p->out, " %s %u%s%s", error_class_name(e->observation->error), e->observation->status,
			e->observation->flags & OBS_FINAL ? " final" : "", e->observation->flags & OBS_RETRIED ? " retried" : "");
	if (e->kind == EVENT_TOOL)
		fprintf(p->out, " %.*s", (int)e->observation->tool.len, e->observation->tool.ptr);
	fputc('\n', p->out);
	if (p->change_count < CHANGES_MAX) {
		struct change *c = &p->changes[p->change_count++];
		*c = (struct change){ .seen_ms = (e->now_ns - p->base_ns) / MS,
				      .arrival_ms = p->arrival_ms,
				      .from = e->from,
				      .state = x->state,
				      .auxiliary = x->auxiliary,
				      .timer = e->observation == NULL };
		snprintf(c->id, sizeof(c->id), "%s", x->id);
	}
}

/* By the clock of the broker, which hooks share. */
uint64_t
golden_now_at(const struct play *p, uint64_t t_ms)
{
	return p->base_ns + p->skew_ns + t_ms * MS;
}

void
golden_run_until(struct play *p, uint64_t t_ms)
{
	for (uint64_t due; (due = sessions_deadline(p->sessions)) <= golden_now_at(p, t_ms);)
		sessions_tick(p->sessions, due);
}

/* Takes the telemetry's times: what was recorded, and when. */
bool
golden_prepare(struct play *p)
{
	struct otlp_request q;

	for (size_t i = 0; i < p->request_count; i++) {
		if (!golden_decode(p, &p->requests[i], &q)) {
			golden_report(p, false, p->requests[i].file, "does not decode");
			return false;
		}
		find_base(p, &q, p->requests[i].t_ms);
	}
	if (p->base_ns == 0)
		p->base_ns = HOOKS_ALONE_NS;
	golden_time_hooks(p);
	for (size_t i = 0; i < p->hook_count; i++)
		if (p->hooks[i].t_ms > p->end_ms)
			p->end_ms = p->hooks[i].t_ms;
	return true;
}

void
golden_apply_request(struct play *p, const struct request *r, uint64_t t_ms)
{
	struct otlp_request q;

	golden_run_until(p, t_ms);
	p->arrival_ms = t_ms;
	if (golden_decode(p, r, &q))
		pipeline_apply(p->sessions, &q, SIZE_MAX, 1 + r->signal, golden_now_at(p, t_ms), &p->arena);
}

void
golden_apply_hook(struct play *p, const struct hook_line *h, uint64_t t_ms)
{
	struct observation o;
	uint64_t now_ns = golden_now_at(p, t_ms);

	golden_run_until(p, t_ms);
	p->arrival_ms = t_ms;
	if (h->file)
		golden_apply_file(p, h, now_ns);
	else if (golden_read_hook(p, h, golden_now_at(p, h->t_ms), &o) && o.means != MEANS_NOTHING)
		sessions_observe(p->sessions, &o, now_ns);
}

void
golden_play(struct play *p)
{
	size_t h = 0;

	for (size_t i = 0; i < p->request_count; i++) {
		for (; p->told && h < p->hook_count && p->hooks[h].t_ms < p->requests[i].t_ms; h++)
			golden_apply_hook(p, &p->hooks[h], p->hooks[h].t_ms);
		golden_apply_request(p, &p->requests[i], p->requests[i].t_ms);
	}
	for (; p->told && h < p->hook_count; h++)
		golden_apply_hook(p, &p->hooks[h], p->hooks[h].t_ms);
	golden_run_until(p, p->end_ms);
	golden_close_peers(p, p->end_ms);
}

void
golden_close_peers(struct play *p, uint64_t t_ms)
{
	for (uint64_t peer = 1; peer <= OTLP_SIGNAL_COUNT; peer++)
		sessions_peer_closed(p->sessions, peer, 2, golden_now_at(p, t_ms));
}
