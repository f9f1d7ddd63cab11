#include "grpc_stream.h"
#include "grpc_answer.h"

#include <stdlib.h>

#define FIRST_MAX   ((size_t)64 << 10) /* of a message's announced length, what is believed */
#define FIELD_EXTRA 32                 /* what each field of a head counts besides its text, in HTTP/2 */
#define HEAD_FACTOR 4                  /* a head so many times larger than the limit is not even read to its end */

static const struct limits *
limits_of(const struct grpc_conn *c)
{
	return c->host->intake->limits;
}

static void
set_deadline(struct grpc_conn *c, struct grpc_stream *s, uint64_t at)
{
	s->deadline_ns = at;
	if (at < c->due_ns)
		c->due_ns = at;
}

static void
drop_fields(struct grpc_stream *s)
{
	for (size_t i = 0; i < GRPC_FIELD_COUNT; i++) {
		if (s->field[i])
			nghttp2_rcbuf_decref(s->field[i]);
		s->field[i] = NULL;
	}
}

static void
drop_body(struct grpc_conn *c, struct grpc_stream *s)
{
	intake_release(c->host->intake, s->held);
	s->held = 0;
	buf_finish(&s->body);
}

struct grpc_stream *
grpc_stream_begin(struct grpc_conn *c, int32_t id)
{
	struct grpc_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->id = id;
	s->next = c->first;
	if (s->next)
		s->next->previous = s;
	c->first = s;
	set_deadline(c, s, c->now_ns + limits_of(c)->request_ns);
	++*c->host->in_flight;
	return s;
}

/* The stream waits for nothing any more. */
static void
settle_stream(struct grpc_conn *c, struct grpc_stream *s)
{
	if (s->waiting) {
		--*c->host->waiting;
		c->waiting--;
	}
	if (!s->answered)
		--*c->host->in_flight;
	s->waiting = false;
	s->answered = true;
	drop_body(c, s);
}

void
grpc_stream_end(struct grpc_conn *c, struct grpc_stream *s)
{
	settle_stream(c, s);
	drop_fields(s);
	if (s->previous)
		s->previous->next = s->next;
	else
		c->first = s->next;
	if (s->next)
		s->next->previous = s->previous;
	free(s);
	if (c->first)
		return;
	c->quiet_ns = c->now_ns;
	c->due_ns = GRPC_NEVER;
}

void
grpc_stream_answer(struct grpc_conn *c, struct grpc_stream *s, enum verdict v)
{
	settle_stream(c, s);
	c->requests++;
	metrics_grpc_answer(c->host->metrics, verdict_grpc_status(v));
	if (v == VERDICT_OK)
		c->useful++;
	else
		c->host->refused(c->host->ctx, v, s->head.route ? s->head.route->path : "a gRPC request");
	if (grpc_answer_submit(c->session, s->id, v, s->head.grpc, &s->sent) != 0)
		c->broken = true;
	/* Whoever does not let us send it is not waited for forever. */
	set_deadline(c, s, c->now_ns + limits_of(c)->request_ns);
}

/* --- a request's head --- */

static struct str
text_of(nghttp2_rcbuf *field)
{
	const nghttp2_vec v = nghttp2_rcbuf_get_buf(field);

	return (struct str){ (const char *)v.base, v.len };
}

static enum verdict
judge_head(const struct grpc_conn *c, struct grpc_stream *s)
{
	const struct peer *peer = c->peer;
	struct str field[GRPC_FIELD_COUNT] = { 0 };

	for (size_t i = 0; i < GRPC_FIELD_COUNT; i++)
		if (s->field[i])
			field[i] = text_of(s->field[i]);
	const enum verdict v = grpc_head_read(field, &s->head);
	const enum verdict access = access_judge(
	    c->host->access, &(struct access_claim){ .host = field[field[GRPC_AUTHORITY].ptr ? GRPC_AUTHORITY : GRPC_HOST],
						     .origin = field[GRPC_ORIGIN],
						     .authorization = field[GRPC_AUTHORIZATION],
						     .local = peer->local.len > 0 ? &peer->local : NULL });
	if (peer->verdict != VERDICT_OK)
		return peer->verdict;
	if (s->head_size > limits_of(c)->max_header)
		return VERDICT_LARGE_HEADER;
	if (access != VERDICT_OK)
		return access;
	return v != VERDICT_OK ? v : c->host->intake->closed;
}

void
grpc_stream_headed(struct grpc_conn *c, struct grpc_stream *s)
{
	const enum verdict v = judge_head(c, s);

	s->headed = c->headed = true;
	drop_fields(s);
	if (v != VERDICT_OK)
		return grpc_stream_answer(c, s, v);
	if (s->head.timeout_ns < limits_of(c)->request_ns && c->now_ns + s->head.timeout_ns < s->deadline_ns)
		set_deadline(c, s, c->now_ns + s->head.timeout_ns);
}

bool
grpc_stream_field(const struct grpc_conn *c, struct grpc_stream *s, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
	const struct str n = text_of(name);
	enum grpc_field f;

	s->head_size += n.len + text_of(value).len + FIELD_EXTRA;
	if (!s->headed && grpc_field_find(n, &f) && !s->field[f]) {
		nghttp2_rcbuf_incref(value);
		s->field[f] = value;
	}
	return s->head_size <= HEAD_FACTOR * limits_of(c)->max_header;
}

/* --- its body --- */

/* Room for a short message is made at once, for a long one as it comes. */
static size_t
first_room(size_t len, size_t all)
{
	const size_t room = all < FIRST_MAX ? all : FIRST_MAX;

	return room > len ? room : len;
}

static enum verdict
keep_piece(struct grpc_conn *c, struct grpc_stream *s, const uint8_t *bytes, size_t len)
{
	const size_t room = s->body.len == 0 ? first_room(len, len + s->frame.left) : s->body.len + len;

	if (room > s->held) {
		if (!intake_hold(c->host->intake, room - s->held))
			return VERDICT_BUSY;
		s->held = room;
	}
	if (!buf_reserve(&s->body, room - s->body.len) || !buf_append(&s->body, bytes, len))
		return VERDICT_NO_MEMORY;
	return VERDICT_OK;
}

void
grpc_stream_piece(struct grpc_conn *c, struct grpc_stream *s, const uint8_t *bytes, size_t len)
{
	enum verdict v = grpc_frame_push(&s->frame, limits_of(c)->max_body, bytes, len, &bytes, &len);

	if (v == VERDICT_OK && len > 0)
		v = keep_piece(c, s, bytes, len);
	if (v != VERDICT_OK)
		grpc_stream_answer(c, s, v);
}

void
grpc_stream_ended(struct grpc_conn *c, struct grpc_stream *s)
{
	struct intake *intake = c->host->intake;
	const bool compressed = grpc_frame_compressed(&s->frame);

	if (!grpc_frame_complete(&s->frame) || (compressed && !s->head.compressible))
		return grpc_stream_answer(c, s, VERDICT_BAD_FRAMING);
	const enum verdict v = c->host->take(intake, &(struct intake_body){ .bytes = s->body.bytes,
									    .len = s->body.len,
									    .encoding = OTLP_PROTOBUF,
									    .compressed = compressed,
									    .signal_known = true,
									    .signal = s->head.route->signal,
									    .peer = c->peer->id });
	drop_body(c, s);
	if (v != VERDICT_OK || !intake->deferred)
		return grpc_stream_answer(c, s, v);
	s->waiting = true;
	c->waiting++;
	++*c->host->waiting;
}
