#include "http_request.h"

#include "http_answer.h"

#include <stdlib.h>
#include <string.h>

#define DRAIN_FACTOR    4 /* a body that turned out too large is read up to so many limits: only after it can be answered */
#define FIRST_BODY_SIZE ((size_t)64 << 10)

static uint64_t
now_of(const struct http *h)
{
	return clock_now(h->with.intake->clock);
}

/* --- answers --- */

/* All answers go through here. */
static enum MHD_Result
queue(struct http *h, struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	metrics_http_answer(h->with.metrics, status);
	return MHD_queue_response(c, status, r);
}

static enum MHD_Result
queue_once(struct http *h, struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	const enum MHD_Result result = queue(h, c, status, r);
	MHD_destroy_response(r);
	return result;
}

static const char *
header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* The one place where an export request is answered: what it did is in the store, if there is one. */
static enum MHD_Result
answer(struct http *h, const struct http_request *r, enum verdict v)
{
	if (v != VERDICT_OK)
		refusals_note(h->with.refusals, v, r->route ? r->route->path : "a request to an unknown path", now_of(h));
	if (!r->cors)
		return queue(h, r->mhd, verdict_http_status(v), h->answers[v][r->encoding]);
	return queue_once(h, r->mhd, verdict_http_status(v),
			  http_answer_make_for(v, r->encoding, header(r->mhd, MHD_HTTP_HEADER_ORIGIN)));
}

static enum MHD_Result
answer_health(struct http *h, struct MHD_Connection *c)
{
	const struct intake *in = h->with.intake;
	const uint64_t uptime = (now_of(h) - in->clock->started_ns) / NS_PER_S;

	return queue_once(h, c, verdict_http_status(in->closed),
			  http_answer_health(sessions_count(in->sessions), uptime, in->closed));
}

static enum MHD_Result
answer_metrics(struct http *h, struct MHD_Connection *c)
{
	const enum metrics_format format =
	    http_wants_openmetrics(header(c, MHD_HTTP_HEADER_ACCEPT)) ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
	struct buf text = { 0 };

	if (h->with.scrape(h->with.ctx, format, &text))
		return queue_once(h, c, MHD_HTTP_OK, http_answer_text(&text, metrics_media_name(format)));
	buf_finish(&text);
	return queue(h, c, verdict_http_status(VERDICT_NO_MEMORY), h->answers[VERDICT_NO_MEMORY][OTLP_JSON]);
}

static enum MHD_Result (*const pages[HTTP_PAGE_COUNT])(struct http *h, struct MHD_Connection *c) = {
	[HTTP_HEALTH] = answer_health,
	[HTTP_METRICS] = answer_metrics,
};

static enum MHD_Result
answer_page(struct http *h, struct MHD_Connection *c, enum http_page page, const char *method)
{
	if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
		return pages[page](h, c);
	return queue_once(h, c, MHD_HTTP_METHOD_NOT_ALLOWED, http_answer_not_so());
}

/* --- the head --- */

static uint64_t
content_length(struct MHD_Connection *c)
{
	const char *text = header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* Whether whoever asks may be here at all. */
static enum verdict
judge_access(const struct http *h, const struct http_request *r)
{
	const struct access_claim claim = {
		.host = str_from(header(r->mhd, MHD_HTTP_HEADER_HOST)),
		.origin = str_from(header(r->mhd, MHD_HTTP_HEADER_ORIGIN)),
		.authorization = str_from(header(r->mhd, MHD_HTTP_HEADER_AUTHORIZATION)),
		.local = &r->connection->peer.local,
	};

	if (r->connection->peer.verdict != VERDICT_OK)
		return r->connection->peer.verdict;
	return access_judge(h->with.access, &claim);
}

static enum verdict
judge_head(const struct http *h, const char *method, struct http_request *r)
{
	const bool typed = http_media_type(header(r->mhd, MHD_HTTP_HEADER_CONTENT_TYPE), &r->encoding);
	const bool coded = http_content_encoding(header(r->mhd, MHD_HTTP_HEADER_CONTENT_ENCODING), &r->compressed);
	const enum verdict access = judge_access(h, r);

	r->cors = (access == VERDICT_OK || access == VERDICT_NO_TOKEN) && header(r->mhd, MHD_HTTP_HEADER_ORIGIN);
	r->preflight = r->cors && strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0;
	if (r->preflight)
		return VERDICT_OK;
	if (access != VERDICT_OK)
		return access;
	if (MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size > h->with.limits->max_header)
		return VERDICT_LARGE_HEADER;
	if (!r->route || (r->route->page == HTTP_METRICS && !h->with.scrape))
		return VERDICT_NOT_FOUND;
	if (r->route->page != HTTP_NO_PAGE)
		return VERDICT_OK;
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return VERDICT_BAD_METHOD;
	if (!typed || !coded || (r->route->hook && (r->encoding != OTLP_JSON || r->compressed)))
		return VERDICT_BAD_TYPE;
	return content_length(r->mhd) > h->with.limits->max_body ? VERDICT_TOO_LARGE : VERDICT_OK;
}

static enum MHD_Result
begin_request(struct http *h, struct MHD_Connection *c, const char *path, const char *method, void **context)
{
	struct http_connection *conn = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct http_request *r = conn ? calloc(1, sizeof(*r)) : NULL;

	if (!r)
		return MHD_NO;
	*context = r;
	h->in_flight++;
	r->route = http_route_find(path);
	r->connection = conn;
	r->mhd = c;
	r->encoding = OTLP_JSON; /* for a person to read, where the request does not tell */
	r->verdict = judge_head(h, method, r);
	http_set_deadline(conn, now_of(h) + h->with.limits->request_ns);
	conn->refused = r->verdict != VERDICT_OK;
	return conn->refused ? answer(h, r, r->verdict) : MHD_YES;
}

/* --- the body --- */

static void
drop_body(struct http *h, struct http_request *r)
{
	intake_release(h->with.intake, r->body.len);
	buf_finish(&r->body);
}

/* Keeps a piece of the body, or says why not. */
static enum verdict
keep_piece(struct http *h, struct http_request *r, const char *bytes, size_t len)
{
	if (len > h->with.limits->max_body - r->body.len)
		return VERDICT_TOO_LARGE;
	if (!intake_hold(h->with.intake, len))
		return VERDICT_BUSY;
	if (buf_append(&r->body, bytes, len))
		return VERDICT_OK;
	intake_release(h->with.intake, len);
	return VERDICT_NO_MEMORY;
}

static enum MHD_Result
take_piece(struct http *h, struct http_request *r, const char *bytes, size_t len)
{
	r->received += len;
	if (r->received > DRAIN_FACTOR * (uint64_t)h->with.limits->max_body)
		return MHD_NO;
	if (r->body.len == 0 && r->verdict == VERDICT_OK) {
		const uint64_t expected = content_length(r->mhd);

		buf_reserve(&r->body, expected && expected < FIRST_BODY_SIZE ? (size_t)expected : len);
	}
	if (r->verdict == VERDICT_OK)
		r->verdict = keep_piece(h, r, bytes, len);
	if (r->verdict != VERDICT_OK)
		drop_body(h, r);
	return MHD_YES;
}

/* --- the end --- */

static enum MHD_Result
wait_for_store(struct http *h, struct http_request *r)
{
	r->waits = true;
	r->previous = NULL;
	r->next = h->waiting;
	if (r->next)
		r->next->previous = r;
	h->waiting = r;
	MHD_suspend_connection(r->mhd);
	return MHD_YES;
}

static void
stop_waiting(struct http *h, struct http_request *r)
{
	r->waits = false;
	*(r->previous ? &r->previous->next : &h->waiting) = r->next;
	if (r->next)
		r->next->previous = r->previous;
}

static enum verdict
take(struct http *h, const struct http_request *r)
{
	const struct intake_body body = {
		.bytes = r->body.bytes,
		.len = r->body.len,
		.encoding = r->encoding,
		.compressed = r->compressed,
		.signal_known = r->route->signal_known,
		.signal = r->route->signal,
		.peer = r->connection->peer.id,
		.passed_on = http_passed_on(header(r->mhd, MHD_HTTP_HEADER_USER_AGENT)),
	};

	if (!r->route->hook)
		return intake_take(h->with.intake, &body);
	return intake_take_hook(h->with.intake, hook_provider(str_from(r->route->hook)), (const char *)body.bytes, body.len, 0);
}

static enum MHD_Result
finish_request(struct http *h, struct http_request *r, const char *method)
{
	const struct http_route *route = r->route;

	http_set_deadline(r->connection, 0);
	if (r->preflight)
		return queue_once(h, r->mhd, MHD_HTTP_NO_CONTENT, http_answer_preflight(header(r->mhd, MHD_HTTP_HEADER_ORIGIN)));
	if (route && route->page != HTTP_NO_PAGE)
		return answer_page(h, r->mhd, route->page, method);
	r->connection->requests++;
	if (h->stopping)
		r->verdict = VERDICT_BUSY;
	if (route && r->verdict == VERDICT_OK)
		r->verdict = take(h, r);
	drop_body(h, r);
	return r->verdict == VERDICT_OK && h->with.intake->deferred ? wait_for_store(h, r) : answer(h, r, r->verdict);
}

/*
 * libmicrohttpd calls this once with the head of a request, then with each piece of its body, then at its end; and once more
 * when a suspended request goes on.
 */
enum MHD_Result
http_on_request(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version, const char *bytes,
		size_t *len, void **context)
{
	struct http *h = ctx;
	struct http_request *r = *context;
	const size_t piece = *len;

	(void)version;
	if (!r)
		return begin_request(h, c, path, method, context);
	if (r->taken)
		return answer(h, r, r->verdict);
	if (piece == 0)
		return finish_request(h, r, method);
	*len = 0;
	return take_piece(h, r, bytes, piece);
}

void
http_on_request_over(void *ctx, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why)
{
	struct http *h = ctx;
	struct http_request *r = *context;

	(void)c;
	if (!r)
		return;
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		r->connection->heard_ns = now_of(h);
	http_set_deadline(r->connection, 0);
	if (r->waits)
		stop_waiting(h, r);
	drop_body(h, r);
	free(r);
	*context = NULL;
	h->in_flight--;
}

void
http_settle(struct http *h, enum verdict v)
{
	if (!h->waiting)
		return;
	for (struct http_request *r; (r = h->waiting);) {
		stop_waiting(h, r);
		r->taken = true;
		r->verdict = v;
		MHD_resume_connection(r->mhd);
	}
	h->settled = true;
}
